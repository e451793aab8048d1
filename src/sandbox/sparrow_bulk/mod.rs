//! The simulated bulk API of Sparrow SMS.
//!
//! It follows the vendor's documentation of `/v2/sms/` and `/v2/credit/`. Where that is silent, this is assumed: which
//! number is an invalid receiver, that a message goes to the valid ones among its receivers, its price, and the form of
//! responses that no document lists.

mod send;
mod state;

use axum::http::{Method, StatusCode};
use serde_json::json;

pub(super) use state::State;
use state::{Event, Message};
pub use state::{SparrowBulkAccount, SparrowBulkBook, SparrowBulkMessageBook, SparrowBulkTotals};

use super::admin;
use super::call::Call;
use super::fault::Route;
use super::platform::{self, Platform, Refusal};
use super::reply::Reply;
use super::serve::Site;

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

type Action = platform::Action<Event>;

/// No request is a repeat: a message may be meant to be sent twice.
impl Platform for State {
    const ROUTES: &'static [&'static str] = &["sparrow_bulk", "sparrow_bulk-sms", "sparrow_bulk-credit"];

    fn route(_: &Site, call: &Call) -> Route {
        Route::named(match call.segments().as_slice() {
            ["v2", "sms"] => "sparrow_bulk-sms",
            ["v2", "credit"] => "sparrow_bulk-credit",
            _ => "sparrow_bulk",
        })
    }

    fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
        let is_known = [Method::GET, Method::POST].contains(&call.method);
        match call.segments().as_slice() {
            ["v2", "sms" | "credit"] if !is_known => {
                Err(Reply::html(StatusCode::METHOD_NOT_ALLOWED, "nginx"))
            }
            ["v2", "sms"] => send::plan(site, call),
            ["v2", "credit"] => send::credit(site, call).map(Action::Show),
            _ => Err(Reply::html(StatusCode::NOT_FOUND, "nginx")),
        }
    }

    fn done(_: &Site, _: &Call, event: Event) -> Reply {
        match event {
            Event::Sent { message } => queued(&message),
            // A request has no other results.
            _ => Reply::ok(&json!({})),
        }
    }

    fn refused(_: &Site, refusal: &Refusal) -> Reply {
        match REFUSALS.iter().find(|(_, text)| *text == refusal.text) {
            Some((code, _)) => refused(*code),
            None => Reply::html(refusal.status, &refusal.text),
        }
    }

    fn admin(site: &Site, method: &Method, path: &[&str]) -> Option<Reply> {
        let (&Method::POST, ["sparrow_bulk", "credits", credits]) = (method, path) else {
            return None;
        };
        Some(match credits.parse() {
            Ok(credits) => admin::recorded(site.world.record::<State>(&Event::Credit { credits })),
            Err(_) => admin::missing("that number of credits"),
        })
    }

    /// Tokens do not expire here, so this one is refused once.
    fn expired() -> Reply {
        refused(1002)
    }

    fn server_error() -> Reply {
        Reply::html(StatusCode::INTERNAL_SERVER_ERROR, "nginx")
    }

    fn too_many() -> Reply {
        Reply::html(StatusCode::TOO_MANY_REQUESTS, "nginx").retry_after(1)
    }
}

/// Returns a 403 with one of the documented refusals.
fn refused(code: u16) -> Reply {
    let body = json!({ "response_code": code, "response": text_of(code) });
    Reply::json(StatusCode::FORBIDDEN, &body)
}

fn text_of(code: u16) -> &'static str {
    let known = REFUSALS.iter().find(|(known, _)| *known == code);
    known.map_or("", |(_, text)| text)
}

/// Returns the 200 for a message; the vendor's spelling.
fn queued(message: &Message) -> Reply {
    let count = message.book.recipients.len();
    Reply::ok(&json!({
        "count": count,
        "response_code": 200,
        "response": format!("{count} mesages has been queued for delivery"),
    }))
}
