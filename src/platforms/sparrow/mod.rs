//! Sparrow SMS: its accounts, operations and errors. `client` sends its requests.

mod client;
mod report;
mod send;

mod driver;
mod import;
mod message;

use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::platform::{AccountKey, AccountSchema, Platform, SignIn};
use crate::operation::session;
use crate::operation::spec::{Boxed, Kind, OpSpec};
use crate::value::{Object, Value};
use client::account::{Account, BaseUrl};
use client::fault;
use client::{Accounts, Client, REPLY};

/// The kinds of object that Sparrow's operations return.
const KINDS: &[Kind] = &[Kind {
    name: SESSION,
    summary: "An account that messages are sent from; it signs in when needed",
    properties: &[("url", "string", "the address of the API")],
}];

/// The kind of an account's session.
pub(crate) const SESSION: &str = "sparrow::Session";

/// The operation that creates a session from a profile or a map.
static CONNECT: &[OpSpec] = &[session::connecting(
    "sparrow",
    SESSION,
    "Name the account to send messages from",
    "Without an argument, uses the account of the active Sparrow profile; with a string, that of the named profile; with a \
          map of `url`, `api_token` and `partner_token`, the account that it describes. Nothing is sent until an operation \
          needs to sign in.",
    "let sms = sparrow::connect();\nsms.url",
    &connect,
)];

/// Sparrow SMS.
pub(crate) static PLATFORM: Platform = Platform {
    account: Some(AccountSchema {
        kind: SESSION,
        texts: &[AccountKey::required("url", "Address of the API (https://…)")],
        secrets: &[
            AccountKey::required("api_token", "API token"),
            AccountKey::required("partner_token", "Partner token"),
        ],
        hidden: &[],
        example: &[
            "--url https://api.sparrow.example",
            "--secret api_token=stdin --secret partner_token=stdin < tokens.txt",
        ],
        sign_in: SignIn::Driver,
        test_operations: &["tariffs"],
    }),
    operations: &[CONNECT, send::OPS, report::OPS],
    kinds: KINDS,
    codes: fault::CODES,
    maps: &[(send::OPS, send::SENT)],
    import: &import::RULES,
    driver: &driver::Sparrow,
    ..Platform::new("sparrow", "Sparrow SMS")
};

fn connect<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { PLATFORM.connect(context, call.arg("account")) })
}

impl OpContext {
    /// The client of a session. Sends nothing.
    pub(super) fn sparrow(&self, session: &Object) -> Result<Client, OpError> {
        let settings = self.settings(session)?;
        let token = |key: &str| {
            session::credential(self, session, key)?.ok_or_else(|| {
                OpError::new(Code::BadProfile, format!("the session has no {key}"))
                    .hint(format!("add `{key}` to its profile, or pass it to connect()"))
            })
        };
        let account = Account {
            base: BaseUrl::parse(session.text("url"))?,
            name: session.text("$profile").to_owned(),
            api_token: token("api_token")?,
            partner_token: token("partner_token")?,
        };
        let reply = settings.reply.unwrap_or(REPLY);
        Ok(self
            .state::<Accounts>()?
            .client(&account, reply, &settings.connect_options))
    }
}

/// Sign-in failures, each with the vendor's reason, appended to the given errors.
macro_rules! errors {
    ($($more:expr),* $(,)?) => {
        &[
            $($more,)*
            (crate::operation::error::Code::Own(&crate::platforms::sparrow::client::fault::INVALID_PARTNER_TOKEN), "the platform does not recognize the partner token"),
            (crate::operation::error::Code::Own(&crate::platforms::sparrow::client::fault::INVALID_API_TOKEN), "the API token does not belong to the account"),
            (crate::operation::error::Code::Own(&crate::platforms::sparrow::client::fault::API_TOKEN_EXPIRED), "the API token has expired"),
            (crate::operation::error::Code::Own(&crate::platforms::sparrow::client::fault::TOKENS_MISSING), "one of the two tokens is blank"),
            (crate::operation::error::Code::Own(&crate::platforms::sparrow::client::fault::LOGIN_FAILED), "the two tokens do not belong together"),
            (crate::operation::error::Code::Own(&crate::platforms::sparrow::client::fault::ACCOUNT_EXPIRED), "the account has expired"),
            (crate::operation::error::Code::Own(&crate::platforms::sparrow::client::fault::INVALID_USER), "the account is no longer active"),
        ]
    };
}
use errors;
