//! The bulk API of Sparrow SMS: domestic messages, on an account of its own. `client` sends its requests.

mod client;
mod driver;
mod operations;

use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::import::{ApiRoot, ImportArg, ImportRoute, ImportRules};
use crate::operation::platform::{AccountKey, AccountSchema, Platform, SignIn};
use crate::operation::session;
use crate::operation::spec::{Boxed, OpSpec};
use crate::value::{Object, Value};
use client::account::{Account, BaseUrl};
use client::fault;
use client::{Accounts, Client, REPLY};

/// The kind of an account's session.
const SESSION: &str = "sparrow_bulk::Session";

/// The operation that creates a session from a profile or a map.
static CONNECT: &[OpSpec] = &[session::connecting(
    "sparrow_bulk",
    SESSION,
    "Name the account to send messages from",
    "Without an argument, uses the account of the active profile of this platform; with a string, that of the named \
     profile; with a map of `url` and `api_token`, the account that it describes. Nothing is sent: each request of an \
     operation carries the token. The vendor serves this API by plain http, which only a profile can accept.",
    "let sms = sparrow_bulk::connect();\nsms.url",
    &connect,
)];

/// The rules that convert requests recorded by other tools to calls. Each request carries the token.
const IMPORT: ImportRules = ImportRules {
    roots: &[ApiRoot {
        path: "/v2",
        in_address: false,
        distinctive: false,
    }],
    hosts: &["//api.sparrowsms."],
    aliases: &[("api_token", &["token", "apikey"])],
    routes: &[
        ImportRoute::call("GET|POST", "sms", "sparrow_bulk::send_sms", &[MESSAGE]).implied(&["token"]),
        ImportRoute::call("GET|POST", "credit", "sparrow_bulk::credit", &[]).implied(&["token"]),
    ],
    ..ImportRules::NONE
};

const MESSAGE: ImportArg = ImportArg::Map {
    places: &[("sender", "/from"), ("recipients", "/to"), ("text", "/text")],
    moves: &[],
};

/// The bulk API of Sparrow SMS.
pub(crate) static PLATFORM: Platform = Platform {
    account: Some(AccountSchema {
        kind: SESSION,
        texts: &[AccountKey::required("url", "Address of the bulk API (https://…)")],
        secrets: &[AccountKey::required("api_token", "API token")],
        hidden: &[],
        example: &[
            "--url https://api.bulk.example",
            "--secret api_token=stdin < token.txt",
        ],
        sign_in: SignIn::None,
        test_operations: &["credit"],
    }),
    operations: &[CONNECT, operations::SEND, operations::CREDIT],
    codes: fault::CODES,
    maps: &[
        (operations::SEND, operations::SENT),
        (operations::CREDIT, operations::CREDITS),
    ],
    import: &IMPORT,
    driver: &driver::SparrowBulk,
    ..Platform::new("sparrow_bulk", "Sparrow SMS (bulk)")
};

fn connect<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { PLATFORM.connect(context, call.arg("account")) })
}

impl OpContext {
    /// The client of a session. Sends nothing.
    pub(super) fn sparrow_bulk(&self, session: &Object) -> Result<Client, OpError> {
        let settings = self.settings(session)?;
        let token = session::credential(self, session, "api_token")?.ok_or_else(|| {
            OpError::new(Code::BadProfile, "the session has no api_token")
                .hint("add `api_token` to its profile, or pass it to connect()")
        })?;
        let account = Account {
            base: BaseUrl::parse(session.text("url"))?,
            name: session.text("$profile").to_owned(),
            token,
        };
        let reply = settings.reply.unwrap_or(REPLY);
        Ok(self
            .state::<Accounts>()?
            .client(&account, reply, &settings.connect_options))
    }
}
