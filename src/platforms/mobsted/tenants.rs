//! Tenants: the sub-accounts of a master account.

use super::client::tenants::TenantRow;
use super::{NOT_MASTER, SESSION, TENANT, account_of};
use crate::client::error::{ApiError, ApiErrorKind};
use crate::journal::NaturalKey;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Probe, Timeout, Type};
use crate::value::{Object, Value, identity};

const EMAIL: Param = Param {
    name: "email",
    ty: Type::Text,
    required: true,
    doc: "who signs in to the tenant; unique among all tenants; case, surrounding blanks and Unicode form are ignored",
};

const ADOPT: Param = Param {
    name: "adopt",
    ty: Type::Bool,
    required: false,
    doc: "true: adopt a tenant that exists on the platform but is not in the ledger",
};

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "mobsted",
        name: "ensure_tenant",
        receiver: Some(SESSION),
        summary: "Make sure that a client has a tenant",
        doc: "A tenant that the ledger holds is returned as `unchanged`, without a request. One that exists on the \
              platform but is not in the ledger is an error, unless `adopt: true` declares that it is yours.",
        params: &[
            EMAIL,
            Param {
                name: "options",
                ty: Type::Options(&[ADOPT]),
                required: false,
                doc: "adopt",
            },
        ],
        result: TENANT,
        errors: ERRORS,
        effect: Effect::Ensure {
            key: &key,
            check: &check,
            probe: &probe,
            unique: true,
        },
        timeout: Timeout::TenantCreation,
        example: "let tenant = mobsted::connect().ensure_tenant(\"ann@example.com\");\ntenant.outcome",
        run: &create,
    },
    OpSpec {
        module: "mobsted",
        name: "create_tenant",
        receiver: Some(SESSION),
        summary: "Create a client's tenant; it must not exist yet",
        doc: "The platform takes up to a minute. It returns the password only once, in the response; provisor seals it in \
              the ledger before the script sees it.",
        params: &[EMAIL],
        result: TENANT,
        errors: ERRORS,
        effect: Effect::Create {
            key: &key,
            check: &check,
            probe: &probe,
            unique: true,
        },
        timeout: Timeout::TenantCreation,
        example: "let tenant = mobsted::connect().create_tenant(\"bob@example.com\");\ntenant.url",
        run: &create,
    },
    OpSpec {
        module: "mobsted",
        name: "find_tenant",
        receiver: Some(SESSION),
        summary: "Look a tenant up by its e-mail address",
        doc: "Returns `()` if there is none.",
        params: &[EMAIL],
        result: "mobsted::Tenant or ()",
        errors: &[(Code::Forbidden, NOT_MASTER)],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "mobsted::connect().find_tenant(\"nobody@example.com\") == ()",
        run: &find,
    },
    OpSpec {
        module: "mobsted",
        name: "tenants",
        receiver: Some(SESSION),
        summary: "List all tenants of the master account",
        doc: "",
        params: &[],
        result: "list of mobsted::Tenant",
        errors: &[(Code::Forbidden, NOT_MASTER)],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "mobsted::connect().tenants().len()",
        run: &list,
    },
];

const ERRORS: &[(Code, &str)] = &[
    (Code::AlreadyExists, "a tenant with this address exists"),
    (Code::Refused, "the platform refuses the address"),
    (Code::Forbidden, NOT_MASTER),
    (
        Code::SignInRefused,
        "the master account refuses the login or password",
    ),
];

fn key(call: &Call) -> Result<NaturalKey, OpError> {
    let given = call.text("email");
    let Some(name) = identity::email(&given) else {
        let error = OpError::new(Code::BadArgument, format!("`{given}` is not an e-mail address"));
        return Err(match identity::extract_email(&given) {
            Some(address) => error.hint(format!("give the address alone: {address}")),
            None => error,
        });
    };
    Ok(NaturalKey {
        account: account_of(receiver(call)?)?,
        kind: "tenant",
        name,
    })
}

fn probe<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        match look_up(context, call).await {
            Ok(Some(row)) => match to_tenant(call, &row, "created") {
                Ok(tenant) => Probe::Found(tenant),
                // The row may appear before all of its columns are set.
                Err(error) => Probe::Unknown(error.message),
            },
            Ok(None) => Probe::Absent,
            Err(error) if error.code == Code::AlreadyExists => Probe::Unknown(error.message),
            Err(error) => Probe::Unreachable(error.message),
        }
    })
}

fn check<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async move {
        let email = key(call)?.name;
        match context.current_tenants(receiver(call)?, &email).await?.as_slice() {
            [] => Ok(None),
            // Our own earlier request has added the row.
            [row] if call.resent => to_tenant(call, row, "created").map(Some),
            [row] if call.flag("adopt") => to_tenant(call, row, "adopted").map(Some),
            [_] => Err(exists(&email)),
            several => Err(OpError::new(
                Code::AlreadyExists,
                format!("the platform lists {} tenants for {email}", several.len()),
            )),
        }
    })
}

fn create<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(send(context, call))
}

async fn send(context: &OpContext, call: &Call) -> Result<Value, OpError> {
    let session = receiver(call)?;
    let email = key(call)?.name;
    match context
        .mobsted(session)?
        .with_flight(Some(&call.flight))
        .create_partner(&email)
        .await
    {
        Ok(new) => tenant(
            session,
            "created",
            [
                ("email", email.as_str().into()),
                ("login", new.email.as_str().into()),
                ("url", new.url.as_str().into()),
                ("password", new.password.into()),
                ("name", new.name.as_str().into()),
                ("phone", new.phone.map_or(Value::Null, Value::from)),
            ],
        ),
        Err(error) if may_exist(&error) => resolve_refusal(context, call, error).await,
        Err(error) => Err(error.into()),
    }
}

/// Whether the tenant may exist. Refusals are worded differently between servers and years, so a lookup decides.
fn may_exist(error: &ApiError) -> bool {
    matches!(error.kind, ApiErrorKind::Conflict | ApiErrorKind::Invalid)
}

async fn resolve_refusal(context: &OpContext, call: &Call, refusal: ApiError) -> Result<Value, OpError> {
    match look_up(context, call).await? {
        // Created by an earlier request of ours whose response was lost.
        Some(row) if call.resent => to_tenant(call, &row, "created"),
        Some(row) if call.flag("adopt") => to_tenant(call, &row, "adopted"),
        Some(_) => Err(OpError {
            status: refusal.status,
            ..exists(&key(call)?.name)
        }),
        // Refused as already used, but not listed: the row of our own earlier request may still appear.
        None if call.resent => Err(OpError::from(refusal).maybe_sent()),
        None => Err(refusal.into()),
    }
}

fn exists(email: &str) -> OpError {
    OpError::new(
        Code::AlreadyExists,
        format!("a tenant for {email} exists on the platform, but is not in the ledger"),
    )
    .hint(format!(
        "if it is yours, adopt it: ensure_tenant(\"{email}\", #{{adopt: true}})"
    ))
}

fn find<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        match look_up(context, call).await? {
            Some(row) => to_tenant(call, &row, "unchanged"),
            None => Ok(Value::Null),
        }
    })
}

fn list<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let rows = context.mobsted(receiver(call)?)?.tenants().await;
        let rows = rows?;
        // Without an address nobody could sign in to the tenant.
        let usable = rows
            .iter()
            .filter(|row| !row.email.trim().is_empty() && row.url.is_some());
        let tenants = usable.map(|row| to_tenant(call, row, "unchanged"));
        Ok(Value::List(tenants.collect::<Result<_, _>>()?))
    })
}

async fn look_up(context: &OpContext, call: &Call) -> Result<Option<TenantRow>, OpError> {
    let client = context.mobsted(receiver(call)?)?;
    Ok(client.find_tenant(&call.text("email")).await?)
}

fn to_tenant(call: &Call, row: &TenantRow, outcome: &str) -> Result<Value, OpError> {
    let session = receiver(call)?;
    let email = row.email.trim();
    let Some(url) = &row.url else {
        return Err(OpError::new(
            Code::UnreadableAnswer,
            format!("the list of tenants has {email}, but no address for it"),
        ));
    };
    let password = row.password.clone().map_or(Value::Null, Value::Secret);
    tenant(
        session,
        outcome,
        [
            ("email", email.to_lowercase().into()),
            ("login", email.into()),
            ("url", url.as_str().into()),
            ("password", password),
            ("name", row.name.clone().unwrap_or_default().into()),
            ("phone", Value::Null),
        ],
    )
}

pub(super) fn tenant(
    session: &Object,
    outcome: &str,
    fields: [(&'static str, Value); 6],
) -> Result<Value, OpError> {
    let hidden = [
        ("outcome", outcome.into()),
        // The tenant's session uses the profile's settings: its timeouts, its endpoints.
        ("$profile", session.text("$profile").into()),
        ("$master", account_of(session)?.into()),
    ];
    // Only a partner's own account reliably lists its sub-accounts.
    let unsure = (session.text("$role") == "tenant").then(|| ("$role", "master".into()));
    let fields = fields.into_iter().chain(hidden).chain(unsure);
    Ok(Value::Object(Object::new(TENANT, fields)))
}
