//! JRNI (formerly `BookingBug`): its accounts, operations and errors. `client` sends its requests.

mod client;
mod companies;
mod raw;
mod resources;

mod connection;
mod driver;
mod import;

use crate::client::error::{ApiError, ApiErrorKind};
use crate::journal::{FormerKey, LedgerItem, NaturalKey, Proof};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::platform::{AccountKey, AccountSchema, Platform, SignIn};
use crate::operation::session::{self, receiver};
use crate::operation::spec::{Boxed, Effect, Kind, OpSpec, Param, Probe, Timeout, Type};
use crate::value::{Object, Value};
use client::account::BaseUrl;
use client::fault;

/// A signed-in account, acting on one company.
pub(crate) const SESSION: &str = "jrni::Session";
/// A company.
pub(crate) const COMPANY: &str = "jrni::Company";
/// A user with access to a company.
pub(crate) const ADMINISTRATOR: &str = "jrni::Administrator";
/// A person who works for a company.
pub(crate) const PERSON: &str = "jrni::Person";

/// The kinds of object that JRNI's operations return.
const KINDS: &[Kind] = &[
    Kind {
        name: SESSION,
        summary: "An account that operations act as, and the company they act on; it signs in when needed",
        properties: &[
            ("url", "string", "the address of the API"),
            ("login", "string", "who signs in"),
            ("app_id", "string", "the `App-Id` of the application"),
            (
                "company",
                "string",
                "the number of the company; empty if it is the company that the login leads to",
            ),
        ],
    },
    Kind {
        name: COMPANY,
        summary: "A company: the account of a business, or the parent of several",
        properties: &[
            ("id", "int", "its number"),
            ("name", "string", "its name"),
            ("ref", "string", "the reference by which your systems know it"),
            ("live", "bool", "whether it can be booked"),
            ("disabled", "bool", "whether it is disabled"),
            ("outcome", "string", "created, adopted, changed or unchanged"),
            ("attributes", "map", "all fields that the platform returns"),
        ],
    },
];

/// The operations that create a session from a profile or a map, switch it to another company, and sign out.
static CONNECT: &[OpSpec] = &[
    session::connecting(
        "jrni",
        SESSION,
        "Name the account to work with",
        "Without an argument, uses the account of the active JRNI profile; with a string, that of the named profile; with \
              a map of `url`, `login`, `password`, `app_id` and optionally `app_key` and `company`, the account that it \
              describes. Nothing is sent until an operation needs to sign in.",
        "let group = jrni::connect();\ngroup.login",
        &connect,
    ),
    OpSpec {
        module: "jrni",
        name: "within",
        receiver: Some(SESSION),
        summary: "Act on a company below the one that was signed in to",
        doc: "The sign-in is reused: a parent company's token is valid for its children.",
        params: &[Param {
            name: "company",
            ty: Type::Any,
            required: true,
            doc: "a company, or its number",
        }],
        result: SESSION,
        errors: &[(
            Code::BadArgument,
            "the argument is neither a company nor a number",
        )],
        effect: Effect::Sign,
        timeout: Timeout::Reply,
        example: "let group = jrni::connect();\n\
                  let shop = group.ensure_company(\"shop-1\", #{name: \"Shop\"});\n\
                  group.within(shop).company().name",
        run: &within,
    },
    OpSpec {
        module: "jrni",
        name: "logout",
        receiver: Some(SESSION),
        summary: "Invalidate the session's token",
        doc: "This affects everyone who shares the token: other rows, runs and processes sign in again when needed, and so \
              does this session. Returns false, and sends nothing, if there is no sign-in.",
        params: &[],
        result: "bool",
        errors: &[(Code::Refused, "the platform refuses to invalidate it")],
        effect: Effect::Change {
            probe: &probe_logout,
            ledger_removals: None,
        },
        timeout: Timeout::Reply,
        example: "let group = jrni::connect();\ngroup.company();\ngroup.logout()",
        run: &logout,
    },
];

/// JRNI, formerly `BookingBug`.
pub(crate) static PLATFORM: Platform = Platform {
    account: Some(AccountSchema {
        kind: SESSION,
        texts: &[
            AccountKey::required("url", "Address of the API (https://…/api/v1)"),
            AccountKey::required("login", "Login"),
            AccountKey::required("app_id", "App-Id"),
            AccountKey::optional("company", "Company, if the login has several (Enter: none)"),
        ],
        secrets: &[
            AccountKey::required("password", "Password"),
            AccountKey::optional("app_key", "App-Key, if there is one (Enter: none)"),
        ],
        hidden: &[],
        example: &[
            "--url https://acme.jrni.com/api/v1 --login j@acme.example --app-id 1a2b",
            "--secret password=env:ACME_PASSWORD --secret app_key=file:~/.acme",
        ],
        sign_in: SignIn::Driver,
        test_operations: &["company", "administrators"],
    }),
    operations: &[CONNECT, companies::OPS, raw::OPS],
    resources: resources::RESOURCES,
    kinds: KINDS,
    codes: fault::CODES,
    import: &import::RULES,
    driver: &driver::Jrni,
    ..Platform::new("jrni", "JRNI")
};

/// The company to sign in to, if it is not the one to act on.
const SIGN_IN: &str = "$sign_in";

fn connect<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let mut session = PLATFORM.connect(context, call.arg("account"))?;
        if let Value::Object(session) = &mut session {
            BaseUrl::parse(session.text("url"))?;
            company_number(session.text("company"))?;
            session.fields.entry("company".into()).or_default();
        }
        Ok(session)
    })
}

fn within<'a>(_: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let mut session = receiver(call)?.clone();
        let id = match call.arg("company") {
            Value::Object(company) if company.kind == COMPANY => company.fields.get("id").cloned(),
            Value::Object(_) => None,
            other => Some(other.clone()),
        };
        let id = match id {
            Some(Value::Int(id)) => id.to_string(),
            Some(Value::Text(id)) => id.trim().to_owned(),
            _ => String::new(),
        };
        if company_number(&id)?.is_none() {
            let message = "`within` takes a company, or its number";
            return Err(OpError::new(Code::BadArgument, message));
        }
        if !session.fields.contains_key(SIGN_IN) {
            let own = session.text("company").to_owned();
            session.fields.insert(SIGN_IN.into(), own.into());
        }
        session.fields.insert("company".into(), id.into());
        Ok(Value::Object(session))
    })
}

fn logout<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let done = context.jrni(call)?.log_out().await.map_err(told)?;
        // If our earlier request was lost, there was a token.
        Ok(Value::Bool(done || call.resent))
    })
}

fn probe_logout<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        let signed_in = match context.jrni(call) {
            Ok(client) => client.accepts_token().await.map_err(told),
            Err(error) => Err(error),
        };
        match signed_in {
            Ok(false) => Probe::Found(Value::Bool(true)),
            Ok(true) => Probe::Absent,
            Err(error) => Probe::Unreachable(error.message),
        }
    })
}

/// Parses a company's id; `None` if it is empty.
pub(super) fn company_number(text: &str) -> Result<Option<u64>, OpError> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(OpError::new(
                Code::BadArgument,
                format!("`{text}` is not a company number, which consists of digits"),
            )),
        },
    }
}

/// The company that the platform signs a session in to, if the session names none.
const COMPANY_FIELD: &str = "$company";

/// The account of a session in the ledger: its normalized address and the company it acts on. If the session names
/// none, that is the company the platform signed it in to, since it may be added to the profile later.
pub(super) fn account_of(session: &Object) -> Result<String, OpError> {
    match company_number(session.text(COMPANY_FIELD))? {
        Some(company) => Ok(account_at(&BaseUrl::parse(session.text("url"))?, company)),
        None => named_account_of(session),
    }
}

/// The account according to the session alone: by company, else by login.
pub(super) fn named_account_of(session: &Object) -> Result<String, OpError> {
    match company_number(session.text("company"))? {
        Some(company) => Ok(account_at(&BaseUrl::parse(session.text("url"))?, company)),
        None => account_of_login(session),
    }
}

/// The account, and its name in the ledger while no company was known.
pub(super) fn accounts_of(session: &Object) -> Result<Vec<String>, OpError> {
    let mut accounts = vec![account_of(session)?];
    if !session.fields.contains_key(SIGN_IN) {
        accounts.push(account_of_login(session)?);
    }
    accounts.dedup();
    Ok(accounts)
}

fn account_at(base: &BaseUrl, company: u64) -> String {
    format!("{base}/admin/{company}")
}

fn account_of_login(session: &Object) -> Result<String, OpError> {
    let base = BaseUrl::parse(session.text("url"))?;
    Ok(format!("{base}/{}", session.text("login").trim().to_lowercase()))
}

/// The resource key of the call's resource in the ledger while no company was known. At that time the login may have
/// led to another company.
pub(super) fn former_key(call: &Call, resource: Option<&NaturalKey>) -> Option<FormerKey> {
    let resource = resource.filter(|_| call.op.module == "jrni")?;
    let former = accounts_of(call.receiver.as_ref()?).ok()?.pop()?;
    (former != resource.account).then(|| FormerKey {
        key: NaturalKey {
            account: former,
            ..resource.clone()
        },
        proof: Proof::LookUp,
    })
}

/// The address of a ledger entry, and what identifies its resource there; `None` for a resource of another platform.
pub(super) fn current_name(item: &LedgerItem) -> Option<(String, String)> {
    let resource = &item.resource;
    if !["company", "administrator", "person"].contains(&resource.kind.as_str()) {
        return None;
    }
    let (base, _) = resource
        .account
        .rsplit_once("/admin/")
        .or_else(|| resource.account.rsplit_once('/'))?;
    Some((
        base.to_owned(),
        format!("{}\n{}", resource.name, item.platform_id.as_ref()?),
    ))
}

/// Converts a client error, adding this platform's hints.
fn told(error: ApiError) -> OpError {
    let forbidden = error.kind == ApiErrorKind::Forbidden;
    let told = OpError::from(error);
    if forbidden {
        // According to the vendor's list of statuses, 403 does not mean a missing sign-in.
        return told
            .hint("the company does not own what was asked for, or the login is not for this company");
    }
    told
}
