//! Mobsted: its accounts, operations and errors. `client` sends its requests.

mod apps;
mod catalogue;
mod client;
mod events;
mod objects;
mod raw;
mod tenants;

mod connection;
mod directory;
mod driver;
pub(crate) mod fault;
mod import;

use crate::journal::{FormerKey, LedgerItem, NaturalKey, Proof};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::platform::{AccountKey, AccountSchema, Platform, SignIn, SubAccounts};
use crate::operation::session::{self, receiver};
use crate::operation::spec::{Boxed, Effect, Kind, OpSpec, Timeout};
use crate::value::secret::Secret;
use crate::value::{Object, Value, identity};
use client::account::BaseUrl;

/// The kinds of object that Mobsted's operations return.
const KINDS: &[Kind] = &[
    Kind {
        name: SESSION,
        summary: "An account that operations act as; it signs in when needed",
        properties: &[
            ("url", "string", "the account's address"),
            ("login", "string", "who signs in"),
        ],
    },
    Kind {
        name: TENANT,
        summary: "A client's own account below the master account",
        properties: &[
            ("email", "string", "the address it was created for"),
            ("login", "string", "who signs in to it: the e-mail address"),
            ("url", "string", "its address"),
            (
                "password",
                "secret",
                "its first password; empty if it is not available",
            ),
            ("name", "string", "its name on the platform"),
            (
                "phone",
                "string",
                "the phone number of a new one; `()` if it was not in the response",
            ),
            ("outcome", "string", "created, adopted or unchanged"),
        ],
    },
    Kind {
        name: APP,
        summary: "An application of an account",
        properties: &[
            ("id", "int", "its identifier (text if the platform sends text)"),
            (
                "applicationId",
                "int",
                "the identifier under the name that requests use; `()` if an earlier version recorded the app",
            ),
            ("name", "string", "its name"),
            (
                "site",
                "string",
                "the site it wraps; empty if the platform does not return it",
            ),
            ("outcome", "string", "created, adopted or unchanged"),
            ("attributes", "map", "all fields that the platform returns"),
        ],
    },
    Kind {
        name: OBJECT,
        summary: "A row of an app's table",
        properties: &[
            ("id", "int", "its identifier (text if the platform sends text)"),
            ("app", "int", "the app it belongs to"),
            ("email", "string", "its e-mail address; empty if it has none"),
            (
                "attributes",
                "map",
                "all its columns; those that hold a credential are secrets",
            ),
        ],
    },
    Kind {
        name: SCREEN,
        summary: "A screen of an app",
        properties: PART,
    },
    Kind {
        name: LIST,
        summary: "A list of an app: a set of tables",
        properties: &[
            PART[0],
            PART[1],
            PART[2],
            ("tables", "list", "the names of its tables"),
        ],
    },
];

const PART: &[(&str, &str, &str)] = &[
    ("id", "int", "its identifier (text if the platform sends text)"),
    ("name", "string", "its name"),
    ("attributes", "map", "all fields that the platform returns"),
];

/// A signed-in account.
pub(crate) const SESSION: &str = "mobsted::Session";
/// A sub-account.
pub(crate) const TENANT: &str = "mobsted::Tenant";
/// An application.
pub(crate) const APP: &str = "mobsted::App";

/// A row of an app's table.
pub(crate) const OBJECT: &str = "mobsted::Object";
/// A screen of an app.
pub(crate) const SCREEN: &str = "mobsted::Screen";
/// A list of an app.
pub(crate) const LIST: &str = "mobsted::List";

/// The operations that create a session from a profile, an address or a tenant.
static CONNECT: &[OpSpec] = &[
    session::connecting(
        "mobsted",
        SESSION,
        "Name the account to work with",
        "Without an argument, uses the account of the active profile; with a string, that of the named profile; with a map \
              of `url`, `login` and `password`, the account that it describes. Nothing is sent until an operation needs to \
              sign in.",
        "let partner = mobsted::connect();\npartner.login",
        &connect,
    ),
    OpSpec {
        module: "mobsted",
        name: "connect",
        receiver: Some(TENANT),
        summary: "Name the tenant as the account to work with",
        doc: "The session signs in as the tenant with its first password when an operation needs it.",
        params: &[],
        result: SESSION,
        errors: &[(
            Code::CredentialMissing,
            "the tenant's password is not on record; record it with `provisor tenants set-password`",
        )],
        effect: Effect::Sign,
        timeout: Timeout::Reply,
        example: "let tenant = mobsted::connect().ensure_tenant(\"ann@example.com\");\ntenant.connect().apps()",
        run: &connect_tenant,
    },
];

/// Mobsted.
pub(crate) static PLATFORM: Platform = Platform {
    account: Some(AccountSchema {
        kind: SESSION,
        texts: &[
            AccountKey::required("url", "Address of the master account (https://…)"),
            AccountKey::required("login", "Login"),
        ],
        secrets: &[AccountKey::required("password", "Password")],
        hidden: &[("$role", "master")],
        example: &[
            "--url https://acme-admin.mobsted.com --login partner@acme.example",
            "--secret password=env:ACME_PASSWORD --mode dev",
        ],
        sign_in: SignIn::Driver,
        test_operations: &["tenants", "apps"],
    }),
    operations: &[
        CONNECT,
        tenants::OPS,
        apps::OPS,
        objects::OPS,
        catalogue::OPS,
        events::OPS,
        raw::OPS,
    ],
    kinds: KINDS,
    sub_accounts: Some(SubAccounts {
        kind: TENANT,
        role: "tenant",
        refusal: NOT_MASTER,
    }),
    import: &import::RULES,
    codes: fault::CODES,
    driver: &driver::Mobsted,
    ..Platform::new("mobsted", "Mobsted")
};

fn connect<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { PLATFORM.connect(context, call.arg("account")) })
}

fn connect_tenant<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let tenant = receiver(call)?;
        let own = tenant.fields.get("password").and_then(Call::secret);
        let Some(password) =
            own.map_or_else(|| replacement_password(context, tenant), |own| Ok(Some(own)))?
        else {
            let email = tenant.text("email");
            return Err(OpError::new(
                Code::CredentialMissing,
                format!("the password of tenant {email} is not on record"),
            )
            .hint(crate::operation::credential::repair(email)));
        };
        // A sub-account may list any account as its own.
        let role = match tenant.text("$role") {
            "master" => "master",
            _ => "tenant",
        };
        Ok(Value::Object(Object::new(
            SESSION,
            [
                ("url", tenant.text("url").into()),
                ("login", tenant.text("login").into()),
                ("$profile", tenant.text("$profile").into()),
                ("$password", password.into()),
                ("$role", role.into()),
                ("$master", tenant.text("$master").into()),
            ],
        )))
    })
}

/// The password that a person has provided for a tenant since its step was recorded.
fn replacement_password(context: &OpContext, tenant: &Object) -> Result<Option<Secret>, OpError> {
    let key = NaturalKey {
        account: tenant.text("$master").to_owned(),
        kind: "tenant",
        name: identity::email(tenant.text("email")).unwrap_or_else(|| tenant.text("email").to_owned()),
    };
    let item = context.journal.ledger_get(&key);
    let item = item.map_err(|error| OpError::new(Code::Internal, error.to_string()))?;
    Ok(item.and_then(|item| match item.value {
        Value::Object(tenant) => tenant.fields.get("password").and_then(Call::secret),
        _ => None,
    }))
}

/// The reason why a tenant's own account is denied what only a master account has.
pub(super) const NOT_MASTER: &str = "the account is not a master account";

/// The account of a session in the ledger: its normalized address.
pub(super) fn account_of(session: &Object) -> Result<String, OpError> {
    Ok(BaseUrl::parse(session.text("url"))?.as_str().to_owned())
}

/// The key of the call's resource in version 1 of the journal, if different: addresses and names had no Unicode
/// normalization.
pub(super) fn former_key(call: &Call, resource: Option<&NaturalKey>) -> Option<FormerKey> {
    let resource = resource.filter(|_| call.op.module == "mobsted")?;
    let folded = |name: &str| call.text(name).trim().to_lowercase();
    let name = match resource.kind {
        "tenant" => folded("email"),
        "app" => format!("{} @ {}", folded("name"), identity::site(&call.text("site"))?),
        _ => return None,
    };
    (name != resource.name).then(|| FormerKey {
        key: NaturalKey {
            name,
            ..resource.clone()
        },
        proof: Proof::Name,
    })
}

/// The account of a ledger entry, and its name as a call would form it now; `None` for a resource of another platform.
pub(super) fn current_name(item: &LedgerItem) -> Option<(String, String)> {
    let resource = &item.resource;
    let name = match resource.kind.as_str() {
        "tenant" => identity::email(&resource.name)?,
        "app" => {
            let (name, site) = resource.name.rsplit_once(" @ ")?;
            format!("{} @ {}", identity::name(name), identity::site(site)?)
        }
        _ => return None,
    };
    Some((resource.account.clone(), name))
}

#[cfg(test)]
mod tests;
