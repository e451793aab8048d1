//! Any other web service: `http::get`, `http::post` and so on. `client::http` sends the requests.

mod account;
mod driver;
mod options;
mod request;
mod settle;

use crate::platforms::mobsted::fault::PROTECTED_APP;
use options::{CHANGING, METHOD, READING, URL};
use settle::{changing, effect_by_method};

use crate::client::Method;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::import::ImportRules;
use crate::operation::platform::{AccountKey, AccountSchema, Platform, SignIn};
use crate::operation::spec::{Boxed, Effect, Fields, Kind, OpSpec, Param, Timeout, Type};
use crate::operation::{session, target};
use crate::value::{Record, Value};

/// The kind of a session.
const SESSION: &str = "web::Session";

const PROTECTED: (Code, &str) = (
    Code::Own(&PROTECTED_APP),
    "it goes to a Mobsted account, and could change App 1 of a master account",
);

const READ_ERRORS: &[(Code, &str)] = &[
    PROTECTED,
    (
        Code::BadAddress,
        "the address is not https, contains credentials, or is not below the address of the profile or session",
    ),
    (
        Code::BadProfile,
        "the profile is not configured, or is not a web service",
    ),
    (Code::Unreachable, "no connection can be made"),
    (
        Code::UnreadableAnswer,
        "the response is declared as JSON, but is not",
    ),
    (Code::NotFound, "with `check: true`: 404 or 410"),
    (
        Code::Refused,
        "with `check: true`: any other status of 400 or above",
    ),
];

const CHANGE_ERRORS: &[(Code, &str)] = &[
    PROTECTED,
    (
        Code::BadArgument,
        "options that cannot be combined, such as two bodies",
    ),
    (
        Code::BadAddress,
        "the address is not https, contains credentials, or is not below the address of the profile or session",
    ),
    (
        Code::Forbidden,
        "the profile is read-only, or prod and not confirmed",
    ),
    (Code::Unreachable, "no connection can be made"),
    (
        Code::Refused,
        "with `check: true` or a key: the service refuses the request",
    ),
];

const READ_DOC: &str = "Returns the response as a map of `status`, `headers` and `body`, whatever the status; with `check: \
                        true`, a status of 400 or above is an error. JSON is returned as a value, anything else as text; \
                        fields named like credentials are secrets. Redirects are followed within the origin. Temporary \
                        failures are retried.";

const CHANGE_DOC: &str = "Returns the response as a map of `status`, `headers` and `body`, whatever the status; with \
                          `check: true`, a status of 400 or above is an error. Without further options, provisor cannot \
                          check afterwards whether a lost request was carried out, and its row is parked. With `key` and \
                          `probe` it is settled like the ensure operations: the object has a name in the ledger, and the \
                          function is called to check whether it exists, before the request and after a lost response; for \
                          a DELETE, it is called to check whether the object still exists, after a lost response and after \
                          404 or 410. With `key` alone it is sent only once, permanently. `reads: true` marks a request \
                          that changes nothing.";

/// Defines the operation of one HTTP method; they differ only slightly.
macro_rules! operation {
    ($name:literal, $summary:literal, $doc:expr, $options:expr, $errors:expr, $effect:expr, $example:literal, $run:ident) => {
        OpSpec {
            module: "http",
            name: $name,
            receiver: None,
            summary: $summary,
            doc: $doc,
            params: &[URL, $options],
            result: "map",
            errors: $errors,
            effect: $effect,
            timeout: Timeout::Reply,
            example: $example,
            run: &$run,
        }
    };
}

/// Any other web service. Its operations are functions that take any address, and methods of a session, which is bound to
/// one.
pub(crate) static PLATFORM: Platform = Platform {
    module: "http",
    account: Some(AccountSchema {
        kind: SESSION,
        texts: &[
            AccountKey::required("url", "Base address of all requests (https://…)"),
            AccountKey::optional(
                "login",
                "Login, if it requires a user and a password (Enter: none)",
            ),
            AccountKey::optional("header", "Header for an API key, such as X-Api-Key (Enter: none)"),
        ],
        secrets: &[
            AccountKey::optional("bearer", "Bearer token, if it requires one (Enter: none)"),
            AccountKey::optional("password", "Password, if there is a login (Enter: none)")
                .completing("login"),
            AccountKey::optional(
                "header_value",
                "Value of the header, if there is one (Enter: none)",
            )
            .completing("header"),
        ],
        hidden: &[],
        example: &["--url https://api.crm.example/v2 --secret bearer=env:CRM_TOKEN"],
        sign_in: SignIn::None,
        test_operations: &[],
    }),
    operations: &[CONNECT, OPS],
    kinds: &[Kind {
        name: SESSION,
        summary: "A web service with an account on it; its methods are the operations of `http::`",
        properties: &[
            ("url", "string", "the address that requests are below"),
            ("login", "string", "the login, if it signs in with a password"),
            (
                "header",
                "string",
                "the header that carries its key, if it has one",
            ),
        ],
    }],
    bind: Some(target::bind),
    maps: &[(OPS, RESULT)],
    import: &ImportRules {
        aliases: &[(
            "bearer",
            &[
                "bearertoken",
                "accesstoken",
                "authtoken",
                "token",
                "apitoken",
                "jwt",
            ],
        )],
        ..ImportRules::NONE
    },
    driver: &driver::Web,
    ..Platform::new("web", "web")
};

/// The fields of a response as seen by a script.
const RESULT: Fields = &[
    ("status", "int", "the HTTP status"),
    ("headers", "map", "the headers, by their names in lower case"),
    ("body", "any value", "JSON as a value, anything else as text"),
    ("encoding", "string", "`base64` if the body is base64"),
    (
        "outcome",
        "string",
        "with a key: `created`, `found`, `deleted` or `unchanged`",
    ),
];

static CONNECT: &[OpSpec] = &[OpSpec {
    doc: "Sends nothing. The session has `get`, `head`, `post`, `put`, `patch`, `delete` and `request` as methods, which are \
          the functions of these names with the account filled in. A path is appended to the session's address; an \
          address that is not below it is an error. A map has the keys `url` and `bearer`, `login` and `password`, or \
          `header` and `header_value`.",
    params: &[Param {
        name: "account",
        ty: Type::Any,
        required: false,
        doc: "a profile's name, an address such as \"https://api.example.com\", or a map that describes the account",
    }],
    ..session::connecting(
        "http",
        SESSION,
        "Name the web service to work with",
        "",
        "let api = http::connect(\"https://api.web.sandbox\");\napi.get(\"/items\").body.total",
        &connect,
    )
}];

static OPS: &[OpSpec] = &[
    operation!(
        "get",
        "Send a GET to any address",
        READ_DOC,
        READING,
        READ_ERRORS,
        Effect::Observe,
        "let found = http::get(\"https://api.web.sandbox/items\", #{query: #{reference: \"A-17\"}});\nfound.body.total",
        get
    ),
    operation!(
        "head",
        "Send a HEAD to any address",
        READ_DOC,
        READING,
        READ_ERRORS,
        Effect::Observe,
        "http::head(\"https://api.web.sandbox/anything\").status == 200",
        head
    ),
    operation!(
        "post",
        "Send a POST to any address",
        CHANGE_DOC,
        CHANGING,
        CHANGE_ERRORS,
        Effect::ByCall(changing),
        "let items = \"https://api.web.sandbox/items\";\nlet made = http::post(items, #{\n    json: #{reference: \"A-17\", name: \"Ann\"},\n    key: \"A-17\",\n    probe: |key| {\n        let found = http::get(items, #{query: #{reference: key}, check: true}).body.items;\n        if found.is_empty() { () } else { found[0] }\n    },\n});\nmade.body.id",
        post
    ),
    operation!(
        "put",
        "Send a PUT to any address",
        CHANGE_DOC,
        CHANGING,
        CHANGE_ERRORS,
        Effect::ByCall(changing),
        "let item = http::post(\"https://api.web.sandbox/items\", #{form: #{name: \"Ann\"}}).body;\nhttp::put(`https://api.web.sandbox/items/${item.id}`, #{json: #{name: \"Eve\"}, check: true}).body.name",
        put
    ),
    operation!(
        "patch",
        "Send a PATCH to any address",
        CHANGE_DOC,
        CHANGING,
        CHANGE_ERRORS,
        Effect::ByCall(changing),
        "let item = http::post(\"https://api.web.sandbox/items\", #{json: #{name: \"Ann\"}}).body;\nhttp::patch(`https://api.web.sandbox/items/${item.id}`, #{json: #{plan: \"plus\"}}).body.plan",
        patch
    ),
    operation!(
        "delete",
        "Send a DELETE to any address, and remove its object from the ledger",
        CHANGE_DOC,
        CHANGING,
        CHANGE_ERRORS,
        Effect::ByCall(changing),
        "let item = http::post(\"https://api.web.sandbox/items\", #{json: #{name: \"Ann\"}}).body;\nhttp::delete(`https://api.web.sandbox/items/${item.id}`).status == 204",
        delete
    ),
    OpSpec {
        module: "http",
        name: "request",
        receiver: None,
        summary: "Send a request to any address, by the name of its method",
        doc: CHANGE_DOC,
        params: &[METHOD, URL, CHANGING],
        result: "map",
        errors: CHANGE_ERRORS,
        effect: Effect::ByCall(effect_by_method),
        timeout: Timeout::Reply,
        example: "let cache = \"https://api.web.sandbox/anything/pages\";\nhttp::request(\"OPTIONS\", cache, #{check: true});\nhttp::request(\"PURGE\", cache, #{headers: #{\"X-Tag\": \"home\"}, check: true}).body.method",
        run: &request,
    },
];

fn connect<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let account = match call.arg("account") {
            Value::Text(address) if address.contains("://") => {
                Value::Record(Record::from([("url".to_owned(), address.trim().into())]))
            }
            account => account.clone(),
        };
        let mut session = PLATFORM.connect(context, &account)?;
        if let Value::Record(given) = &account {
            check_description(given)?;
            if let Value::Object(session) = &mut session {
                target::note_plain_credentials(session, given);
            }
        }
        Ok(session)
    })
}

/// Checks the values of a map that describes an account.
fn check_description(given: &Record) -> Result<(), OpError> {
    let has = |key: &str| given.get(key).is_some_and(|value| *value != Value::Null);
    if let Some(key) = PLATFORM.unpaired_keys(has).first() {
        let message = format!("`http::connect` needs the key `{key}` with the others");
        return Err(OpError::new(Code::BadArgument, message));
    }
    for (key, code) in [("url", Code::BadAddress), ("header", Code::BadArgument)] {
        let text = given.get(key).and_then(Value::as_text);
        if let Some(reason) = text.and_then(|text| PLATFORM.why_invalid(key, text)) {
            return Err(OpError::new(code, format!("`http::connect`: {reason}")));
        }
    }
    Ok(())
}

fn get<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(settle::exchange(context, call, Method::Get))
}

fn head<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(settle::exchange(context, call, Method::Head))
}

fn post<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(settle::exchange(context, call, Method::Post))
}

fn put<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(settle::exchange(context, call, Method::Put))
}

fn patch<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(settle::exchange(context, call, Method::Patch))
}

fn delete<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(settle::exchange(context, call, Method::Delete))
}

fn request<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let name = call.text("method");
        let method = Method::parse(name.trim())
            .map_err(|reason| OpError::new(Code::BadArgument, format!("`{}` {reason}", name.trim())))?;
        settle::exchange(context, call, method).await
    })
}
