//! Companies: the current one and its children, and creating, updating and disabling them.

use super::client::Client;
use super::client::companies::Company;
use super::client::fault::CHOOSE_COMPANY;
use super::{COMPANY, SESSION, account_of, told};
use crate::journal::NaturalKey;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::resource::{self, OPTIONS};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Probe, Timeout, Type};
use crate::value::{Object, Value};

const REF: Param = Param {
    name: "ref",
    ty: Type::Text,
    required: true,
    doc: "the reference by which your systems know the company; case-sensitive",
};
const ID: Param = Param {
    name: "id",
    ty: Type::Id,
    required: true,
    doc: "the company's number",
};

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "jrni",
        name: "company",
        receiver: Some(SESSION),
        summary: "Read the company that the session acts on",
        doc: "",
        params: &[],
        result: COMPANY,
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "jrni::connect().company().name",
        run: &company,
    },
    OpSpec {
        module: "jrni",
        name: "children",
        receiver: Some(SESSION),
        summary: "List the companies below the one that the session acts on",
        doc: "Read page by page, or from inside the company if the platform has no such list.",
        params: &[],
        result: "list of jrni::Company",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "jrni::connect().children().len()",
        run: &children,
    },
    OpSpec {
        module: "jrni",
        name: "find_company",
        receiver: Some(SESSION),
        summary: "Look a company up by its reference",
        doc: "Returns `()` if there is none. A disabled company is also found, with `disabled` set.",
        params: &[REF],
        result: "jrni::Company or ()",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "jrni::connect().find_company(\"no-such-shop\") == ()",
        run: &find,
    },
    OpSpec {
        module: "jrni",
        name: "ensure_company",
        receiver: Some(SESSION),
        summary: "Make sure that a company with a reference exists below the session's company",
        doc: "A company that the ledger holds is returned as `unchanged`, without a request. One that exists on the \
              platform but is not in the ledger is an error, unless `adopt: true` declares that it is yours. The fields of \
              the request (`name`, `timezone`, `website`, `address`, …) apply to a new company only; an existing one is \
              not changed. Simulator only: the vendor documents no call that creates a company; a profile can name one \
              under `endpoints` as `create_company`.",
        params: &[
            REF,
            Param {
                name: "fields",
                ty: Type::Map,
                required: true,
                doc: "the fields of a new company, named as on the platform",
            },
            OPTIONS,
        ],
        result: COMPANY,
        errors: &[
            (Code::AlreadyExists, "a company with this reference exists"),
            (Code::Refused, "the platform refuses the fields"),
            (Code::NotFound, "the platform has no such call"),
            (Code::Forbidden, "the login may not create companies here"),
        ],
        effect: Effect::Ensure {
            key: &key,
            check: &check,
            probe: &probe,
            unique: false,
        },
        timeout: Timeout::Reply,
        example: "let group = jrni::connect();\n\
                  let shop = group.ensure_company(\"shop-1\", #{name: \"Corner Shop\", timezone: \"Europe/London\"});\n\
                  shop.outcome",
        run: &create,
    },
    OpSpec {
        module: "jrni",
        name: "update_company",
        receiver: Some(SESSION),
        summary: "Change fields of a company",
        doc: "",
        params: &[
            ID,
            Param {
                name: "fields",
                ty: Type::Map,
                required: true,
                doc: "the fields to change, named as on the platform",
            },
        ],
        result: COMPANY,
        errors: CHANGE_ERRORS,
        effect: Effect::Change {
            probe: &probe_update,
            ledger_removals: None,
        },
        timeout: Timeout::Reply,
        example: "let group = jrni::connect();\n\
                  let shop = group.ensure_company(\"shop-1\", #{name: \"Corner Shop\"});\n\
                  group.update_company(shop.id, #{website: \"https://shop.example\", live: true}).live",
        run: &update,
    },
    OpSpec {
        module: "jrni",
        name: "disable_company",
        receiver: Some(SESSION),
        summary: "Disable a company",
        doc: "The company and its bookings stay on the platform, and can still be found by its reference; it is removed \
              from the ledger.",
        params: &[ID],
        result: "()",
        errors: CHANGE_ERRORS,
        effect: Effect::Change {
            probe: &probe_disable,
            ledger_removals: Some("company"),
        },
        timeout: Timeout::Reply,
        example: "let group = jrni::connect();\n\
                  let shop = group.ensure_company(\"shop-1\", #{name: \"Corner Shop\"});\n\
                  group.disable_company(shop.id);\n\
                  group.find_company(\"shop-1\").disabled",
        run: &disable,
    },
];

const ERRORS: &[(Code, &str)] = &[
    (Code::SignInRefused, "the account refuses the credentials"),
    (
        Code::Own(&CHOOSE_COMPANY),
        "the login is valid for several companies, and none was named",
    ),
];
const CHANGE_ERRORS: &[(Code, &str)] = &[
    (Code::NotFound, "there is no such company"),
    (Code::Forbidden, "the login is not for this company"),
    (Code::Refused, "the platform refuses the change"),
];

fn company<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let company = context.jrni(call)?.company().await.map_err(told)?;
        Ok(to_company(&company, "unchanged"))
    })
}

fn children<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let children = context.jrni(call)?.children().await.map_err(told)?;
        let children = children.iter().map(|child| to_company(child, "unchanged"));
        Ok(Value::List(children.collect()))
    })
}

fn find<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let found = look_up(context, call).await?;
        Ok(found.map_or(Value::Null, |company| to_company(&company, "unchanged")))
    })
}

/// The resource key: the reference as written, with surrounding whitespace trimmed.
fn key(call: &Call) -> Result<NaturalKey, OpError> {
    let name = call.text("ref").trim().to_owned();
    resource::check_part("ref", &name)?;
    Ok(NaturalKey {
        account: account_of(receiver(call)?)?,
        kind: "company",
        name,
    })
}

async fn look_up(context: &OpContext, call: &Call) -> Result<Option<Company>, OpError> {
    let reference = key(call)?.name;
    context.jrni(call)?.find_company(&reference).await.map_err(told)
}

fn probe<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        let found = look_up(context, call).await;
        Probe::from(found.map(|found| found.map(|company| to_company(&company, "created"))))
    })
}

fn check<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async move {
        match look_up(context, call).await? {
            None => Ok(None),
            // Our own earlier request created it.
            Some(found) if call.resent => Ok(Some(to_company(&found, "created"))),
            Some(found) if call.flag("adopt") => Ok(Some(to_company(&found, "adopted"))),
            Some(found) => {
                let off = if found.disabled {
                    ", which is disabled,"
                } else {
                    ""
                };
                let what = format!("a company with the reference `{}`{off}", key(call)?.name);
                Err(resource::exists(call, &what))
            }
        }
    })
}

fn create<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let fields = resource::fields_of_new(call, "ref", &key(call)?.name)?;
        let made = context.jrni(call)?.create_company(&fields).await.map_err(told)?;
        Ok(to_company(&made, "created"))
    })
}

fn update<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let changed = named(context, call)?.update_company(&call.map("fields")).await;
        Ok(to_company(&changed.map_err(told)?, "changed"))
    })
}

fn disable<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        named(context, call)?.disable_company().await.map_err(told)?;
        Ok(Value::Null)
    })
}

fn probe_update<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        match current(context, call).await {
            Ok(company) if resource::holds(&company.attributes, &Value::Record(call.map("fields"))) => {
                Probe::Found(to_company(&company, "changed"))
            }
            Ok(_) => Probe::Absent,
            Err(error) => Probe::Unreachable(error.message),
        }
    })
}

fn probe_disable<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        match current(context, call).await {
            Ok(company) if company.disabled => Probe::Found(Value::Null),
            Ok(company) if company.live => Probe::Absent,
            // Neither live nor disabled: it may never have been live.
            Ok(company) if has_attribute(&company, "disabled") => Probe::Absent,
            Ok(_) => Probe::Unknown("the platform does not report whether the company is disabled".into()),
            Err(error) => Probe::Unreachable(error.message),
        }
    })
}

/// The client, acting on the company that the call names.
fn named(context: &OpContext, call: &Call) -> Result<Client, OpError> {
    let id = super::company_number(&call.text("id"))?
        .ok_or_else(|| OpError::new(Code::BadArgument, "`id` must not be empty"))?;
    Ok(context.jrni(call)?.on_company(Some(id)))
}

async fn current(context: &OpContext, call: &Call) -> Result<Company, OpError> {
    named(context, call)?.company().await.map_err(told)
}

fn has_attribute(company: &Company, name: &str) -> bool {
    let attributes = company.attributes.as_record();
    attributes.is_some_and(|attributes| attributes.contains_key(name))
}

fn to_company(company: &Company, outcome: &str) -> Value {
    Value::Object(Object::new(
        COMPANY,
        [
            ("id", Value::Int(i64::try_from(company.id).unwrap_or(i64::MAX))),
            ("name", company.name.as_str().into()),
            ("ref", company.reference.as_str().into()),
            ("live", Value::Bool(company.live)),
            ("disabled", Value::Bool(company.disabled)),
            ("outcome", outcome.into()),
            ("attributes", company.attributes.clone()),
        ],
    ))
}
