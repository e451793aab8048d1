//! Minor calls seen in public clients, with plausible responses, so that raw calls have something to use; and branded
//! domains, whose rules and texts follow the vendor's own back-end code (the path is assumed).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::form::text;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, bad_request, resource, whole};
use super::state::missing;
use super::{Action, Event, read};

/// `GET /nginx/validate`: a fixed marker that identifies a Mobsted host.
pub(super) fn validate() -> Action {
    Action::Show(Reply::ok(&json!({ "code": "5a4d0b0c1e2f3a4b5c6d7e8f90a1b2c3" })))
}

/// Plans every call that has no file of its own.
pub(super) fn plan(site: &Site, call: &Call, path: &[&str]) -> Result<Action, Reply> {
    match (&call.method, path) {
        (&Method::GET, ["screen"]) => {
            let app = call.number("ApplicationId");
            let app = app.ok_or_else(|| bad_request("ApplicationId is required"))?;
            app_exists(site, call, app)?;
            let screen = json!({ "id": "1", "ApplicationId": app, "Name": "Main" });
            let screens = vec![resource("Screen", 1, screen)];
            Ok(Action::Show(envelope::on_page(envelope::page(call), screens, 1)))
        }
        (&Method::GET, ["operations", "list"]) => {
            let operation = json!({ "Name": "Send an email", "APIProviderMethodId": 1 });
            Ok(Action::Show(envelope::data([resource(
                "Operation",
                1,
                operation,
            )])))
        }
        (&Method::POST, ["events"]) => {
            let fields = envelope::form(call)?;
            let app = fields.get("ApplicationId").and_then(whole);
            let app = app.ok_or_else(|| bad_request("ApplicationId is required"))?;
            app_exists(site, call, app)?;
            if text(&fields, "ActionName").is_empty() {
                return Err(bad_request("ActionName cannot be blank"));
            }
            let tenant = call.account.clone();
            Ok(Action::Do(Event::Posted { tenant, id: 0 }))
        }
        (&Method::POST, ["nginx", "config"]) => set_domain(call),
        _ => Err(envelope::unknown(call)),
    }
}

/// Returns the response to a posted event.
pub(super) fn posted(id: u64) -> Reply {
    envelope::data([resource("Event", id, json!({ "id": id.to_string() }))])
}

/// Returns an error if the account does not have the app.
pub(super) fn app_exists(site: &Site, call: &Call, app: u64) -> Result<(), Reply> {
    let found = read(site, call, |tenant| tenant.apps.contains_key(&app));
    found
        .then_some(())
        .ok_or_else(|| envelope::refused(&missing("Application", app)))
}

/// Plans `POST /nginx/config`. A domain that ends in `.invalid` points nowhere.
fn set_domain(call: &Call) -> Result<Action, Reply> {
    let fields = envelope::document(call)?;
    let given = text(&fields, "domain");
    let domain = given.split('/').next().unwrap_or_default().trim().to_lowercase();
    let number = |name: &str| fields.get(name).and_then(whole);
    let custom = number("isCustom") == Some(1);
    let dots = domain.matches('.').count();
    let label = |label: &str| (1..=63).contains(&label.len());
    if domain.len() > 253 || !domain.split('.').all(label) || dots != 1 + usize::from(custom) {
        let reason = "The domain name is not valid";
        return Err(domain_refused(StatusCode::BAD_REQUEST, reason));
    }
    if domain.ends_with(".invalid") {
        let reason = "The domain has no CNAME record that points here";
        return Err(domain_refused(StatusCode::INTERNAL_SERVER_ERROR, reason));
    }
    Ok(Action::Do(Event::Domain {
        tenant: call.account.clone(),
        app: number("appId"),
        domain,
    }))
}

/// Returns the refusal of a domain, a bare sentence as in the vendor's own code.
pub(super) fn domain_refused(status: StatusCode, reason: &str) -> Reply {
    Reply::json(status, &Value::from(reason))
}
