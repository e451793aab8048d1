//! All other calls of the API, by method and path or by link.

use super::{SESSION, SIGN_IN, account_at, accounts_of, told};
use crate::client::{Body, Method};
use crate::journal::LedgerEntry;
pub(crate) use crate::operation::act::{KEY, REMEMBERED, REMEMBERING};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
pub(crate) use crate::operation::raw::{self, BODY, Raw};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::value::{Record, Value};

const PATH: Param = Param {
    name: "path",
    ty: Type::Text,
    required: true,
    doc: "the path below /api/v1, for example `/37/services`, or a link from a response; a template takes its variables \
          from the query",
};
const QUERY: Param = Param {
    name: "query",
    ty: Type::Map,
    required: false,
    doc: "query parameters, and variables of a template",
};
const ENCODING: Param = Param {
    name: "encoding",
    ty: Type::Text,
    required: false,
    doc: "`json` (the default) or `form`",
};
const OPTIONS: Param = Param {
    name: "options",
    ty: Type::Options(&[ENCODING, QUERY, KEY, REMEMBERED]),
    required: false,
    doc: "encoding, query, key, remember",
};

const ERRORS: &[(Code, &str)] = &[
    (Code::BadAddress, "the path or link leads out of the API"),
    (Code::Forbidden, "the login is not for this company"),
    (Code::Refused, "the platform refuses the request"),
];

const RAW: Raw = Raw {
    module: "jrni",
    session: SESSION,
    reading: (
        &[PATH, QUERY],
        &[
            (Code::NotFound, "there is nothing at the path"),
            (Code::BadAddress, "the path or link leads out of the API"),
        ],
    ),
    sending: &[PATH, BODY, OPTIONS],
    deleting: &[PATH, QUERY, REMEMBERING],
    errors: ERRORS,
};

pub(super) static OPS: &[OpSpec] = &[
    RAW.get(
        "let group = jrni::connect();\n\
                  group.get(`/${group.company().id}/services`, #{per_page: 10}).total_entries",
        &|context, call| Box::pin(exchange(context, call, Method::Get)),
    ),
    OpSpec {
        module: "jrni",
        name: "follow",
        receiver: Some(SESSION),
        summary: "Follow a link from a response of the platform",
        doc: "The link is expanded with the variables. It is followed only if it stays below the account's own API.",
        params: &[
            Param {
                name: "resource",
                ty: Type::Any,
                required: true,
                doc: "a company, an administrator, a person, or the map that a raw call returned",
            },
            Param {
                name: "link",
                ty: Type::Text,
                required: true,
                doc: "the link's name, as in `people`",
            },
            Param {
                name: "variables",
                ty: Type::Map,
                required: false,
                doc: "the variables of the link's template",
            },
        ],
        result: "any value",
        errors: &[
            (
                Code::NotFound,
                "there is no link with that name, or nothing at its address",
            ),
            (Code::BadAddress, "the link leads out of the account's own API"),
        ],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let group = jrni::connect();\n\
                  group.follow(group.company(), \"people\", #{per_page: 10}).total_entries",
        run: &follow,
    },
    RAW.post(
        "let group = jrni::connect();\n\
                  let company = group.company();\n\
                  group.post(`/admin/${company.id}/services`, #{name: \"Haircut\", durations: [30]}).id > 0",
        &|context, call| Box::pin(exchange(context, call, Method::Post)),
    ),
    RAW.put(
        "let group = jrni::connect();\n\
                  let company = group.company();\n\
                  group.put(`/admin/${company.id}/company`, #{website: \"https://group.example\"}).website",
        &|context, call| Box::pin(exchange(context, call, Method::Put)),
    ),
    RAW.delete(
        "let group = jrni::connect();\n\
                  let ann = group.ensure_person(\"staff-7\", #{name: \"Ann Lee\"});\n\
                  group.delete(`/admin/${group.company().id}/people/${ann.id}`)",
        &|context, call| Box::pin(exchange(context, call, Method::Delete)),
    ),
];

/// The ledger entry of the person, administrator or company that a raw call removes.
pub(super) fn ledger_removals(context: &OpContext, call: &Call) -> Option<Vec<LedgerEntry>> {
    if call.op.id() != "jrni::delete" {
        return None;
    }
    let session = receiver(call).ok()?;
    let client = context.jrni_client(session).ok()?;
    let steps = client.steps_to(&call.text("path"), &call.map("query"))?;
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let at = |company: &str| Some(account_at(&client.account().base, company.parse().ok()?));
    let mut accounts = accounts_of(session).ok()?;
    let (kind, id) = match steps[..] {
        // It is in the ledger of the company that it was created below.
        ["admin", company, "company"] => {
            accounts.extend(at(session.text(SIGN_IN)));
            ("company", company)
        }
        ["admin", company, list @ ("people" | "administrators"), id] => {
            let of = at(company)?;
            if !accounts.contains(&of) {
                accounts = vec![of];
            }
            let kind = match list {
                "people" => "person",
                _ => "administrator",
            };
            (kind, id)
        }
        _ => return None,
    };
    Some(LedgerEntry::removals_by_id(accounts, kind, id))
}

async fn exchange(context: &OpContext, call: &Call, method: Method) -> Result<Value, OpError> {
    let (query, body) = raw::read(call, &["json", "form"])?;
    let client = context.jrni(call)?;
    let answer = client.raw(method, &call.text("path"), &query, body).await;
    answer.map_err(told)
}

fn follow<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let href = href(call.arg("resource"), &call.text("link"))?;
        let (client, variables) = (context.jrni(call)?, call.map("variables"));
        let answer = client.raw(Method::Get, &href, &variables, Body::None).await;
        answer.map_err(told)
    })
}

/// The address of a resource's link with this name.
fn href(resource: &Value, name: &str) -> Result<String, OpError> {
    let attributes = match resource {
        Value::Object(object) => object.fields.get("attributes").and_then(Value::as_record),
        other => other.as_record(),
    };
    let links = attributes
        .and_then(|attributes| attributes.get("_links"))
        .and_then(Value::as_record);
    let Some(links) = links else {
        return Err(OpError::new(Code::BadArgument, "the resource has no `_links`"));
    };
    let href = links.get(name).and_then(Value::as_record);
    if let Some(Value::Text(href)) = href.and_then(|link: &Record| link.get("href")) {
        return Ok(href.clone());
    }
    let known: Vec<&str> = links.keys().map(String::as_str).collect();
    let message = format!("there is no link `{name}`; the resource has {}", known.join(", "));
    Err(OpError::new(Code::NotFound, message))
}
