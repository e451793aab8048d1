//! The simulated enterprise API of Sparrow SMS.
//!
//! It follows the vendor's documentation. Where that is silent (the status and form of refused sign-ins, the form of
//! the tariffs), the form that it documents for failed sends is assumed.

mod envelope;
mod login;
mod report;
mod send;
mod state;

use axum::http::{Method, StatusCode};
use serde_json::json;

pub(super) use state::State;
pub use state::{BatchBook, Channel, SparrowAccount, SparrowBook, SparrowTotals};
use state::{Event, Message};

use super::admin;
use super::call::Call;
use super::fault::Route;
use super::platform::{self, Platform, Refusal};
use super::reply::Reply;
use super::serve::Site;

type Action = platform::Action<Event>;

/// No request is a repeat: a message may be meant to be sent twice.
impl Platform for State {
    const ROUTES: &'static [&'static str] = &[
        "sparrow",
        "sparrow-login",
        "sparrow-viber",
        "sparrow-viber-compose",
        "sparrow-viber-template",
        "sparrow-sms",
        "sparrow-whatsapp",
        "sparrow-report",
        "sparrow-tariff",
    ];

    fn route(_: &Site, call: &Call) -> Route {
        Route::named(match call.segments().as_slice() {
            ["v1", "autho", ..] => "sparrow-login",
            ["v1", "viber", "message", "compose"] => "sparrow-viber-compose",
            ["v1", "viber", "message", ..] => "sparrow-viber-template",
            ["v1", "intlsms", "compose", "tarrif"] => "sparrow-tariff",
            ["v1", "intlsms", "compose"] => "sparrow-sms",
            ["v1", "whatsapp", ..] => "sparrow-whatsapp",
            [.., "report", _] | [.., "report", _, _] => "sparrow-report",
            _ => "sparrow",
        })
    }

    fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
        let segments = call.segments();
        let path = segments.as_slice();
        if !call.path.ends_with('/') && call.method == Method::POST {
            // The platform's framework would redirect and lose the body.
            return Err(unknown());
        }
        if path == ["v1", "autho", "apitoken", "login"] {
            return login::sign_in(site, call);
        }
        login::authorise(site, call)?;
        let post = call.method == Method::POST;
        match path {
            ["v1", "viber", "message", "compose"] if post => send::plan_bulk_message(call, Channel::Viber),
            ["v1", "viber", "message", "transactional"] if post => {
                send::plan_bulk_message(call, Channel::ViberTemplate)
            }
            ["v1", "intlsms", "compose"] if post => send::plan_bulk_message(call, Channel::Sms),
            ["v1", "whatsapp", "messages"] if post => send::whatsapp(site, call),
            ["v1", "viber", "campaign", "report", rest @ ..] => {
                report::plan(site, call, &[Channel::Viber, Channel::ViberTemplate], rest).map(Action::Show)
            }
            ["v1", "intlsms", "compose", "report", rest @ ..] => {
                report::plan(site, call, &[Channel::Sms], rest).map(Action::Show)
            }
            ["v1", "intlsms", "compose", "tarrif"] if !post => Ok(Action::Show(report::tariffs())),
            ["v1", "viber", "message", "compose" | "transactional"]
            | ["v1", "intlsms", "compose"]
            | ["v1", "whatsapp", "messages"] => Err(not_allowed(call)),
            _ => Err(unknown()),
        }
    }

    fn done(_: &Site, _: &Call, event: Event) -> Reply {
        match event {
            Event::SignedIn { token, expires } => login::signed_in(&token, expires),
            Event::Sent { id, message } if message.channel == Channel::Whatsapp => {
                envelope::ok(&json!({ "message_id": id }))
            }
            Event::Sent { id, message } => envelope::ok(&accepted("Queued successfully", &id, &message)),
            Event::Drafted { id, message } => {
                envelope::draft(&accepted("Insufficient credits", &id, &message))
            }
            // A request has no other results.
            _ => envelope::ok(&json!({})),
        }
    }

    fn refused(_: &Site, refusal: &Refusal) -> Reply {
        envelope::failed(refusal.status, &refusal.text)
    }

    fn expiry(site: &Site, call: &Call) -> Option<Event> {
        let token = login::authorise(site, call).ok()?;
        Some(Event::Expired { token })
    }

    fn admin(site: &Site, method: &Method, path: &[&str]) -> Option<Reply> {
        let (&Method::POST, ["sparrow", "credits", credits]) = (method, path) else {
            return None;
        };
        Some(match credits.parse() {
            Ok(credits) => admin::recorded(site.world.record::<State>(&Event::Credit { credits })),
            Err(_) => admin::missing("that number of credits"),
        })
    }

    fn expired() -> Reply {
        envelope::detail(StatusCode::UNAUTHORIZED, "Invalid token.")
    }

    fn server_error() -> Reply {
        envelope::detail(StatusCode::INTERNAL_SERVER_ERROR, "A server error occurred.")
    }

    fn too_many() -> Reply {
        envelope::detail(StatusCode::TOO_MANY_REQUESTS, "Request was throttled.").retry_after(1)
    }
}

fn accepted(text: &str, id: &str, message: &Message) -> serde_json::Value {
    json!({
        "message": text,
        "batch_id": id,
        "credits_required": message.credits,
        "valid_recipients": message.valid.len(),
        "invalid_recipients": message.invalid,
    })
}

fn not_allowed(call: &Call) -> Reply {
    let text = format!("Method \"{}\" not allowed.", call.method);
    envelope::detail(StatusCode::METHOD_NOT_ALLOWED, &text)
}

fn unknown() -> Reply {
    envelope::detail(StatusCode::NOT_FOUND, "Not found.")
}
