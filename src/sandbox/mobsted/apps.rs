//! Lists, creates, changes and deletes apps.
//!
//! The vendor publishes no create call for wrapper apps; this one is assumed, with the column names that public code
//! uses for the same data.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::form::{Fields, text};
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, bad_request, resource, timestamp};
use super::event::{App, Event};
use super::state::missing;
use super::{Action, read};

/// The only kind of app that the API creates.
const WRAPPER: &str = "pwaless";

/// Plans a request to `/applications` or below.
pub(super) fn plan(site: &Site, call: &Call, rest: &[&str]) -> Result<Action, Reply> {
    let not_found = |what: &str| envelope::refused(&missing("Application", what));
    let tenant = call.account.clone();
    let id = match rest {
        [] => None,
        [id] => Some(id.parse::<u64>().map_err(|_| not_found(id))?),
        _ => return Err(not_found(&rest.join("/"))),
    };
    match (&call.method, id) {
        (&Method::GET, None) => Ok(Action::Show(read(site, call, |tenant| {
            envelope::list(call, tenant.apps.values(), shown)
        }))),
        (&Method::POST, None) => {
            let fields = envelope::document(call)?;
            if fields.get("type").is_some_and(|kind| kind != WRAPPER) {
                let detail = "type must be \"pwaless\": the API makes no other kind of application";
                return Err(bad_request(detail));
            }
            Ok(Action::Do(Event::App(App {
                tenant,
                id: 0,
                name: name(&fields)?,
                site: address(&fields)?,
                kind: WRAPPER.to_owned(),
                created: 0,
            })))
        }
        (&Method::GET, Some(id)) => Ok(Action::Show(show(site, call, id))),
        (&Method::PUT | &Method::PATCH, Some(id)) => {
            let fields = envelope::document(call)?;
            let name = fields.contains_key("Name").then(|| name(&fields)).transpose()?;
            let site = fields
                .contains_key("appWebSiteUrl")
                .then(|| address(&fields))
                .transpose()?;
            Ok(Action::Do(Event::AppChanged {
                tenant,
                id,
                name,
                site,
            }))
        }
        (&Method::DELETE, Some(id)) => Ok(Action::Do(Event::AppDeleted { tenant, id })),
        _ => Err(not_found(&call.path)),
    }
}

/// Returns one app.
pub(super) fn show(site: &Site, call: &Call, id: u64) -> Reply {
    let app = read(site, call, |tenant| tenant.apps.get(&id).map(shown));
    app.map_or_else(
        || envelope::refused(&missing("Application", id)),
        |app| envelope::data([app]),
    )
}

/// Whether the account has an app of the name and site in the request.
pub(super) fn exists(site: &Site, call: &Call) -> bool {
    let fields = call.fields().unwrap_or_default();
    let (Ok(name), Ok(address)) = (name(&fields), address(&fields)) else {
        return false;
    };
    let same = |app: &App| app.name == name && app.site == address;
    read(site, call, |tenant| tenant.apps.values().any(same))
}

fn name(fields: &Fields) -> Result<String, Reply> {
    let name = text(fields, "Name").trim();
    match name.chars().count() {
        0 => Err(bad_request("Name cannot be blank")),
        1..=255 => Ok(name.to_owned()),
        _ => Err(bad_request("Name is too long (255 characters at most)")),
    }
}

fn address(fields: &Fields) -> Result<String, Reply> {
    let given = text(fields, "appWebSiteUrl").trim();
    let valid =
        url::Url::parse(given).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    valid
        .then(|| given.to_owned())
        .ok_or_else(|| bad_request("appWebSiteUrl is not an http or https address"))
}

fn shown(app: &App) -> Value {
    let url = url::Url::parse(&app.site).ok();
    let host = url.as_ref().and_then(url::Url::host_str);
    let labels: Vec<&str> = host.map(|host| host.split('.').collect()).unwrap_or_default();
    let (sub, brand) = labels.split_at(labels.len().saturating_sub(2));
    let attributes = json!({
        // As text, unlike the resource's own `id`: the real platform uses both types.
        "id": app.id.to_string(),
        "applicationId": app.id,
        "Name": app.name,
        "appName": app.name,
        "appWebSiteUrl": app.site,
        "type": app.kind,
        // The host of the wrapped site in two parts, named as in the vendor's public front-end code.
        "Params": { "clientsiteurlforbrand": brand.join("."), "clientsubdomain": sub.join(".") },
        "DateCreate": timestamp(app.created),
    });
    resource("Application", app.id, attributes)
}
