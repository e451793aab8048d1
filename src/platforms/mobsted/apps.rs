//! Apps of an account.

use super::client::apps::App;
use super::client::objects::id_text;
use super::{APP, SESSION, account_of};
use crate::client::error::{ApiError, ApiErrorKind};
use crate::journal::NaturalKey;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Probe, Timeout, Type};
use crate::platforms::mobsted::fault::PROTECTED_APP;
use crate::value::{Object, Record, Value, identity};

const NAME: Param = Param {
    name: "name",
    ty: Type::Text,
    required: true,
    doc: "the app's name",
};
const SITE: Param = Param {
    name: "site",
    ty: Type::Text,
    required: true,
    doc: "the address of the site that the app wraps",
};
const ID: Param = Param {
    name: "id",
    ty: Type::Id,
    required: true,
    doc: "the app's identifier",
};
const FIELDS: Param = Param {
    name: "fields",
    ty: Type::Map,
    required: false,
    doc: "further fields of the request, named as on the platform",
};
const ADOPT: Param = Param {
    name: "adopt",
    ty: Type::Bool,
    required: false,
    doc: "true: adopt an app with this name and site that is not in the ledger",
};

const CREATE_ERRORS: &[(Code, &str)] = &[
    (Code::AlreadyExists, "an app with this name and site exists"),
    (Code::Refused, "the platform refuses the name or the site"),
    (Code::SignInRefused, "the account refuses the login or password"),
];
const NAMED: &[(Code, &str)] = &[
    (
        Code::Own(&PROTECTED_APP),
        "App 1 of a master account is always refused",
    ),
    (Code::NotFound, "there is no such app"),
    (Code::Refused, "the platform refuses the change"),
];

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "mobsted",
        name: "ensure_app",
        receiver: Some(SESSION),
        summary: "Make sure that an account has an app that wraps a site",
        doc: "An app that the ledger holds is returned as `unchanged`, without a request. One with the same name and site \
              that is not in the ledger is an error, unless `adopt: true` declares that it is yours. The vendor does not \
              document the endpoint publicly; a profile can correct it under `endpoints`.",
        params: &[
            NAME,
            SITE,
            Param {
                name: "options",
                ty: Type::Options(&[ADOPT, FIELDS]),
                required: false,
                doc: "adopt, fields",
            },
        ],
        result: APP,
        errors: CREATE_ERRORS,
        effect: Effect::Ensure {
            key: &key,
            check: &check,
            probe: &probe,
            unique: false,
        },
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  client.ensure_app(\"Ann\", \"https://ann.example\").outcome",
        run: &create,
    },
    OpSpec {
        module: "mobsted",
        name: "create_app",
        receiver: Some(SESSION),
        summary: "Create an app that wraps a site; the app must not exist yet",
        doc: "The vendor does not document the endpoint publicly; a profile can correct it under `endpoints`.",
        params: &[
            NAME,
            SITE,
            Param {
                name: "options",
                ty: Type::Options(&[FIELDS]),
                required: false,
                doc: "fields",
            },
        ],
        result: APP,
        errors: CREATE_ERRORS,
        effect: Effect::Create {
            key: &key,
            check: &check,
            probe: &probe,
            unique: false,
        },
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  client.create_app(\"Shop\", \"https://shop.example\").name",
        run: &create,
    },
    OpSpec {
        module: "mobsted",
        name: "apps",
        receiver: Some(SESSION),
        summary: "List the account's apps",
        doc: "",
        params: &[],
        result: "list of mobsted::App",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "mobsted::connect().apps().len()",
        run: &list,
    },
    OpSpec {
        module: "mobsted",
        name: "find_app",
        receiver: Some(SESSION),
        summary: "Look an app up by its name",
        doc: "Returns `()` if there is none. Case and surrounding blanks in the name are ignored.",
        params: &[NAME],
        result: "mobsted::App or ()",
        errors: &[(Code::AlreadyExists, "several apps have the name")],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "mobsted::connect().find_app(\"No such app\") == ()",
        run: &find,
    },
    OpSpec {
        module: "mobsted",
        name: "update_app",
        receiver: Some(SESSION),
        summary: "Change fields of an app",
        doc: "App 1 of a master account is refused before any request. The vendor does not document the endpoint publicly; \
              a profile can correct it under `endpoints`.",
        params: &[
            ID,
            Param {
                name: "fields",
                ty: Type::Map,
                required: true,
                doc: "the fields to change, named as on the platform",
            },
        ],
        result: "map",
        errors: NAMED,
        effect: Effect::Change {
            probe: &probe_update,
            ledger_removals: None,
        },
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  client.update_app(app.id, #{Name: \"Ann's shop\"})",
        run: &update,
    },
    OpSpec {
        module: "mobsted",
        name: "delete_app",
        receiver: Some(SESSION),
        summary: "Delete an app",
        doc: "App 1 of a master account is refused before any request. The vendor does not document the endpoint publicly; \
              a profile can correct it under `endpoints`.",
        params: &[ID],
        result: "()",
        errors: NAMED,
        effect: Effect::Change {
            probe: &probe_delete,
            ledger_removals: Some("app"),
        },
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Old\", \"https://old.example\");\n\
                  client.delete_app(app.id)",
        run: &delete,
    },
];

/// The resource key of an app: its name and site, since the platform permits several apps with one name. A site
/// contains no spaces, so a name containing ` @ ` cannot produce another app's key.
fn key(call: &Call) -> Result<NaturalKey, OpError> {
    let (name, site) = (call.text("name"), call.text("site"));
    if name.trim().is_empty() {
        return Err(OpError::new(Code::BadArgument, "an app's name must not be empty"));
    }
    if identity::has_credentials(&site) {
        let message =
            "the site's address contains a user or a password, which the ledger would store in plain text";
        return Err(OpError::new(Code::BadArgument, message).hint("remove them from the address"));
    }
    let Some(site) = identity::site(&site) else {
        let message = format!("`{site}` is not the address of a site, such as https://ann.example");
        return Err(OpError::new(Code::BadArgument, message));
    };
    Ok(NaturalKey {
        account: account_of(receiver(call)?)?,
        kind: "app",
        name: format!("{} @ {site}", identity::name(&name)),
    })
}

/// The apps that the call may refer to. Callers never choose between two, and an app that the ledger attributes to
/// another call is excluded.
async fn candidates(context: &OpContext, call: &Call) -> Result<Vec<App>, OpError> {
    let session = receiver(call)?;
    let mut apps = context
        .current_apps(session, &identity::name(&call.text("name")))
        .await?;
    let site = identity::site(&call.text("site"));
    apps.retain(|app| {
        app.site
            .as_ref()
            .is_none_or(|known| identity::site(known) == site)
    });
    if !apps.is_empty() {
        let taken = context
            .journal
            .recorded_platform_ids(&account_of(session)?, "app");
        let taken = taken.map_err(|error| OpError::new(Code::Internal, error.to_string()))?;
        apps.retain(|app| !taken.contains(&id_text(&app.id)));
    }
    Ok(apps)
}

fn probe<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        match candidates(context, call).await {
            Ok(found) => match found.as_slice() {
                [] => Probe::Absent,
                [app] if is_unclear(context, call, app) => Probe::Unknown(format!(
                    "an app `{}` exists, but the platform does not report whether it is this one or another in doubt",
                    call.text("name")
                )),
                [app] => Probe::Found(to_app(app, "created")),
                several => Probe::Unknown(format!(
                    "{} apps have the name `{}` and the site, and none is in the ledger",
                    several.len(),
                    call.text("name")
                )),
            },
            Err(error) => Probe::Unreachable(error.message),
        }
    })
}

fn check<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async move {
        let name = call.text("name");
        match candidates(context, call).await?.as_slice() {
            [] => Ok(None),
            [app] if call.resent && !is_unclear(context, call, app) => Ok(Some(to_app(app, "created"))),
            [app] if call.flag("adopt") && app.site.is_none() => Err(OpError::new(
                Code::AlreadyExists,
                format!(
                    "an app `{name}` exists, but the platform does not return its site, so it is not adopted"
                ),
            )
            .hint("check the app on the platform; give yours another name, or change it: update_app(id, fields)")),
            [app] if call.flag("adopt") => Ok(Some(to_app(app, "adopted"))),
            [_] => Err(exists(&name)),
            several => Err(OpError::new(
                Code::AlreadyExists,
                format!(
                    "{} apps `{name}` for this site exist on the platform",
                    several.len()
                ),
            )
            .hint("rename or delete all but one")),
        }
    })
}

fn create<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let name = call.text("name");
        let fields = match call.option("fields") {
            Some(Value::Record(fields)) => fields.clone(),
            _ => Record::new(),
        };
        let client = context.mobsted(receiver(call)?)?.with_flight(Some(&call.flight));
        let made = client
            .create_application(&name, &call.text("site"), &fields)
            .await;
        match made {
            Ok(app) => Ok(to_app(&app, "created")),
            Err(error) if matches!(error.kind, ApiErrorKind::Conflict | ApiErrorKind::Invalid) => {
                resolve_refusal(context, call, error).await
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// Handles a refusal that may stem from an earlier request of ours whose response was lost; a lookup decides.
async fn resolve_refusal(context: &OpContext, call: &Call, refusal: ApiError) -> Result<Value, OpError> {
    match candidates(context, call).await?.as_slice() {
        [app] if call.resent && !is_unclear(context, call, app) => Ok(to_app(app, "created")),
        // It is not listed yet, or cannot be distinguished from another app.
        _ if call.resent => Err(OpError::from(refusal).maybe_sent()),
        [] => Err(refusal.into()),
        _ => Err(OpError {
            status: refusal.status,
            ..exists(&call.text("name"))
        }),
    }
}

fn exists(name: &str) -> OpError {
    OpError::new(
        Code::AlreadyExists,
        format!("an app `{name}` for this site exists on the platform, but is not in the ledger"),
    )
    .hint("if it is yours, adopt it: ensure_app(name, site, #{adopt: true})")
}

fn list<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let apps = all(context, call).await?;
        Ok(Value::List(
            apps.iter().map(|app| to_app(app, "unchanged")).collect(),
        ))
    })
}

fn find<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let name = identity::name(&call.text("name"));
        let apps = all(context, call).await?;
        let found: Vec<&App> = apps
            .iter()
            .filter(|app| identity::name(&app.name) == name)
            .collect();
        match found.as_slice() {
            [] => Ok(Value::Null),
            [app] => Ok(to_app(app, "unchanged")),
            several => Err(OpError::new(
                Code::AlreadyExists,
                format!("{} apps are named `{}`", several.len(), call.text("name")),
            )
            .hint("look for the one you mean in apps()")),
        }
    })
}

fn update<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let client = context.mobsted(receiver(call)?)?.with_flight(Some(&call.flight));
        let id = identity::id(&call.text("id"));
        Ok(client.update_application(&id, &call.map("fields")).await?)
    })
}

fn probe_update<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        let wanted = call.map("fields");
        match one(context, call).await {
            Ok(Some(app)) => {
                let now = app.attributes.as_record();
                let as_wanted = |(name, value): (&String, &Value)| {
                    now.and_then(|now| now.get(name))
                        .is_some_and(|now| same(now, value))
                };
                if wanted.iter().all(as_wanted) {
                    Probe::Found(app.attributes.clone())
                } else {
                    Probe::Absent
                }
            }
            Ok(None) => Probe::Unknown(format!("app {} no longer exists", call.text("id"))),
            Err(error) => Probe::Unreachable(error.message),
        }
    })
}

fn delete<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let client = context.mobsted(receiver(call)?)?.with_flight(Some(&call.flight));
        let id = identity::id(&call.text("id"));
        match client.delete_application(&id).await {
            Ok(()) => Ok(Value::Null),
            // Deleted by an earlier request of ours whose response was lost.
            Err(error) if call.resent && error.status == Some(404) => Ok(Value::Null),
            Err(error) => Err(error.into()),
        }
    })
}

fn probe_delete<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        match one(context, call).await {
            Ok(None) => Probe::Found(Value::Null),
            Ok(Some(_)) => Probe::Absent,
            Err(error) => Probe::Unreachable(error.message),
        }
    })
}

async fn all(context: &OpContext, call: &Call) -> Result<Vec<App>, OpError> {
    let client = context.mobsted(receiver(call)?)?;
    Ok(client.applications().await?)
}

async fn one(context: &OpContext, call: &Call) -> Result<Option<App>, OpError> {
    let id = identity::id(&call.text("id"));
    let apps = all(context, call).await?;
    Ok(apps.into_iter().find(|app| id_text(&app.id) == id))
}

fn to_app(app: &App, outcome: &str) -> Value {
    Value::Object(Object::new(
        APP,
        [
            ("id", app.id.clone()),
            ("applicationId", app.id.clone()),
            ("name", app.name.as_str().into()),
            ("site", app.site.clone().unwrap_or_default().into()),
            ("outcome", outcome.into()),
            ("attributes", app.attributes.clone()),
        ],
    ))
}

/// Whether the platform does not report the app's site, and another app of its name is in doubt, too.
fn is_unclear(context: &OpContext, call: &Call, app: &App) -> bool {
    let Ok(own) = key(call) else { return true };
    let prefix = format!("{} @ ", identity::name(&call.text("name")));
    let doubts = context.journal.in_doubt(&own.account, "app");
    app.site.is_none()
        && doubts.map_or(true, |doubts| {
            let mut names = doubts.iter().map(|doubt| &doubt.resource.name);
            names.any(|name| name.starts_with(&prefix) && *name != own.name)
        })
}

/// Whether a field has the wanted value; some columns return numbers as text.
fn same(now: &Value, wanted: &Value) -> bool {
    if let (Some(now), Some(wanted)) = (Call::secret(now), Call::secret(wanted)) {
        return now == wanted;
    }
    let plain = |value: &Value| value.to_masked_json().to_string().trim_matches('"').to_owned();
    now == wanted || (!now.has_secret() && !wanted.has_secret() && plain(now) == plain(wanted))
}

#[cfg(test)]
mod tests;
