//! Minor calls seen in public clients, with plausible responses, so that raw calls have something to use.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, Page, Resource, bad_request};
use super::{Action, Command, Refusal, refused};

/// `GET /nginx/validate`: a fixed marker that identifies a Mobsted host.
pub(super) fn validate() -> Action {
    Action::Show(Reply::ok(&json!({ "code": "5a4d0b0c1e2f3a4b5c6d7e8f90a1b2c3" })))
}

/// Plans every call that has no file of its own.
pub(super) fn plan(site: &Site, call: &Call, path: &[&str]) -> Result<Action, Reply> {
    match (&call.method, path) {
        (&Method::GET, ["screen"]) => screens(site, call),
        (&Method::GET, ["operations", "list"]) => Ok(Action::Show(operations())),
        (&Method::POST, ["events"]) => post_event(site, call),
        _ => {
            let detail = format!("{} /{} is not known to the sandbox", call.method, path.join("/"));
            Err(envelope::error(StatusCode::NOT_FOUND, &detail))
        }
    }
}

/// Returns the response to a posted event.
pub(super) fn posted(id: u64) -> Reply {
    envelope::single(&Resource {
        kind: "Event",
        id,
        attributes: json!({ "id": id.to_string() }),
    })
}

fn screens(site: &Site, call: &Call) -> Result<Action, Reply> {
    let app = call
        .number("ApplicationId")
        .ok_or_else(|| bad_request("ApplicationId is required"))?;
    app_exists(site, call, app)?;
    let attributes = json!({ "id": "1", "ApplicationId": app, "Name": "Main" });
    Ok(Action::Show(Page::asked(call).reply(
        vec![Resource {
            kind: "Screen",
            id: 1,
            attributes,
        }],
        1,
    )))
}

fn operations() -> Reply {
    let attributes = json!({ "Name": "Send an email", "APIProviderMethodId": 1 });
    envelope::single(&Resource {
        kind: "Operation",
        id: 1,
        attributes,
    })
}

fn post_event(site: &Site, call: &Call) -> Result<Action, Reply> {
    let fields = call
        .fields()
        .map_err(|_| bad_request("The body is neither JSON nor a form"))?;
    let number = |fields: &Map<String, Value>| {
        let app = fields.get("ApplicationId")?;
        app.as_u64().or_else(|| app.as_str()?.parse().ok())
    };
    let app = number(&fields).ok_or_else(|| bad_request("ApplicationId is required"))?;
    app_exists(site, call, app)?;
    if fields
        .get("ActionName")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err(bad_request("ActionName cannot be blank"));
    }
    Ok(Action::Do(Command::PostEvent {
        tenant: call.account.clone(),
    }))
}

/// Returns an error if the account does not have the app.
pub(super) fn app_exists(site: &Site, call: &Call, app: u64) -> Result<(), Reply> {
    let found = site.world.mobsted(|state| {
        state
            .tenant(&call.account)
            .is_some_and(|tenant| tenant.apps.contains_key(&app))
    });
    if found {
        Ok(())
    } else {
        Err(refused(site, &Refusal::NoApp(app)))
    }
}
