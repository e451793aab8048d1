//! The simulated bulk API of Sparrow SMS.
//!
//! It follows the vendor's documentation of `/v2/sms/` and `/v2/credit/`. Where that is silent, this is assumed: which
//! number is an invalid receiver, that a message goes to the valid ones among its receivers, its price, and the form of
//! responses that no document lists.

mod event;
mod send;
mod state;

use axum::http::{Method, StatusCode};
use serde_json::json;

pub(super) use event::{Command, Event};
use event::{Message, Refusal};
pub(super) use state::{Access, State};
pub use state::{SparrowBulkBook, SparrowBulkMessageBook, SparrowBulkTotals};

use super::address::Style;
use super::call::Call;
use super::fault::Route;
use super::platform::Platform;
use super::reply::Reply;
use super::serve::Site;

/// The simulated platform.
#[derive(Debug)]
pub(super) struct SparrowBulk;

/// Its fault routes.
pub(super) const ROUTES: &[&str] = &["sparrow_bulk", "sparrow_bulk-sms", "sparrow_bulk-credit"];

/// The initial balance of the account, in credits.
const CREDITS: u64 = 100_000;

/// The refusals that the vendor's documentation lists, with its own texts.
const REFUSALS: &[(u16, &str)] = &[
    (1000, "A required field is missing"),
    (1001, "Invalid IP Address"),
    (1002, "Invalid Token"),
    (1003, "Account Inactive"),
    (1004, "Account Inactive"),
    (1005, "Account has been expired"),
    (1006, "Account has been expired"),
    (1007, "Invalid Receiver"),
    (1008, "Invalid Sender"),
    (1010, "Text cannot be empty"),
    (1011, "No valid receiver"),
    (1012, "No Credits Available"),
    (1013, "Insufficient Credits"),
];

/// The effect of a request.
type Action = super::platform::Action<Command>;

impl Platform for SparrowBulk {
    type Command = Command;

    fn route(_: &Site, call: &Call) -> Route {
        Route::named(match call.segments().as_slice() {
            ["v2", "sms"] => "sparrow_bulk-sms",
            ["v2", "credit"] => "sparrow_bulk-credit",
            _ => "sparrow_bulk",
        })
    }

    /// Counts nothing: a message may be meant to be sent twice, so no request is a repeat.
    fn count_request(_: &Site, _: &Call) {}

    fn plan(site: &Site, call: &Call) -> Action {
        match planned(site, call) {
            Ok(action) => action,
            Err(reply) => Action::Show(reply),
        }
    }

    fn carry_out(site: &Site, _: &Call, command: &Command) -> Reply {
        match site.world.perform(command) {
            Ok(Event::Sent { message }) => queued(&message),
            // A command has no other results.
            Ok(_) => Reply::ok(&json!({})),
            Err(Refusal::NoCredits) => refused(1012),
            Err(Refusal::Insufficient) => refused(1013),
            Err(refusal @ Refusal::Storage(_)) => {
                Reply::html(StatusCode::INSUFFICIENT_STORAGE, &refusal.to_string())
            }
        }
    }

    /// Tokens do not expire here, so this one is refused once.
    fn expire(_: &Site, _: &Call) -> Reply {
        refused(1002)
    }

    fn server_error() -> Reply {
        Reply::html(StatusCode::INTERNAL_SERVER_ERROR, "nginx")
    }

    fn too_many() -> Reply {
        Reply::html(StatusCode::TOO_MANY_REQUESTS, "nginx").retry_after(1)
    }
}

/// Returns the first event of the platform in a world: an account with credits.
pub(super) fn initial_event() -> Event {
    Event::Founded {
        token: format!("v2_{:032x}", fastrand::u128(..)),
        credits: CREDITS,
    }
}

/// Returns the URL of the platform in the given style, without a final slash.
pub(super) fn root(style: &Style) -> String {
    match style {
        Style::Host(host) => format!("http://{host}"),
        Style::Path(host) => format!("http://{host}/sparrow_bulk"),
    }
}

fn planned(site: &Site, call: &Call) -> Result<Action, Reply> {
    let is_known = [Method::GET, Method::POST].contains(&call.method);
    match call.segments().as_slice() {
        ["v2", "sms" | "credit"] if !is_known => Err(Reply::html(StatusCode::METHOD_NOT_ALLOWED, "nginx")),
        ["v2", "sms"] => send::plan(site, call),
        ["v2", "credit"] => send::credit(site, call).map(Action::Show),
        _ => Err(Reply::html(StatusCode::NOT_FOUND, "nginx")),
    }
}

/// Returns a 403 with one of the documented refusals.
fn refused(code: u16) -> Reply {
    let text = REFUSALS.iter().find(|(known, _)| *known == code);
    let text = text.map_or("", |(_, text)| text);
    Reply::json(
        StatusCode::FORBIDDEN,
        &json!({ "response_code": code, "response": text }),
    )
}

/// Returns the 200 for a message; the vendor's spelling.
fn queued(message: &Message) -> Reply {
    let count = message.recipients.len();
    Reply::ok(&json!({
        "count": count,
        "response_code": 200,
        "response": format!("{count} mesages has been queued for delivery"),
    }))
}
