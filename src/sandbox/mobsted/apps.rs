//! Lists, creates, changes and deletes apps.
//!
//! The vendor publishes no create call for wrapper apps; this one is assumed, with the column names that public code
//! uses for the same data.

use axum::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, Page, Resource, bad_request, timestamp};
use super::{Action, App, Command, Refusal, refused};

/// The only kind of app that the API creates.
const WRAPPER: &str = "pwaless";

/// Plans a request to `/applications` or below.
pub(super) fn plan(site: &Site, call: &Call, rest: &[&str]) -> Result<Action, Reply> {
    let tenant = call.account.clone();
    let id = match rest {
        [] => None,
        [id] => Some(id.parse::<u64>().map_err(|_| not_found(id))?),
        _ => return Err(not_found(&rest.join("/"))),
    };
    match (&call.method, id) {
        (&Method::GET, None) => Ok(list(site, call)),
        (&Method::POST, None) => create(call),
        (&Method::GET, Some(id)) => Ok(Action::Show(show(site, &tenant, id))),
        (&Method::PUT | &Method::PATCH, Some(id)) => {
            let fields = fields(call)?;
            let name = fields.contains_key("Name").then(|| name(&fields)).transpose()?;
            let site = fields
                .contains_key("appWebSiteUrl")
                .then(|| address(&fields))
                .transpose()?;
            Ok(Action::Do(Command::ChangeApp {
                tenant,
                id,
                name,
                site,
            }))
        }
        (&Method::DELETE, Some(id)) => Ok(Action::Do(Command::DeleteApp { tenant, id })),
        _ => Err(not_found(&call.path)),
    }
}

/// Returns one app.
pub(super) fn show(site: &Site, tenant: &str, id: u64) -> Reply {
    let app = site.world.mobsted(|state| {
        state
            .tenant(tenant)
            .and_then(|tenant| tenant.apps.get(&id))
            .map(resource)
    });
    app.map_or_else(
        || refused(site, &Refusal::NoApp(id)),
        |app| envelope::single(&app),
    )
}

/// Whether the account has an app of the name and site in the request.
pub(super) fn exists(site: &Site, call: &Call) -> bool {
    let fields = fields(call).unwrap_or_default();
    let (Ok(name), Ok(address)) = (name(&fields), address(&fields)) else {
        return false;
    };
    site.world.mobsted(|state| {
        let apps = state
            .tenant(&call.account)
            .into_iter()
            .flat_map(|tenant| tenant.apps.values());
        apps.into_iter()
            .any(|app| app.name == name && app.site == address)
    })
}

fn list(site: &Site, call: &Call) -> Action {
    let page = Page::asked(call);
    let (data, total) = site.world.mobsted(|state| {
        state.tenant(&call.account).map_or((Vec::new(), 0), |tenant| {
            (
                page.of(tenant.apps.values()).map(resource).collect(),
                tenant.apps.len(),
            )
        })
    });
    Action::Show(page.reply(data, total))
}

fn create(call: &Call) -> Result<Action, Reply> {
    let fields = fields(call)?;
    let kind = fields.get("type").map_or(Some(WRAPPER), Value::as_str);
    if kind != Some(WRAPPER) {
        return Err(bad_request(
            "type must be \"pwaless\": the API makes no other kind of application",
        ));
    }
    let (name, site) = (name(&fields)?, address(&fields)?);
    Ok(Action::Do(Command::CreateApp {
        tenant: call.account.clone(),
        name,
        site,
        kind: WRAPPER.to_owned(),
    }))
}

fn fields(call: &Call) -> Result<Map<String, Value>, Reply> {
    call.fields()
        .map_err(|_| bad_request("The body is not a JSON object"))
}

fn name(fields: &Map<String, Value>) -> Result<String, Reply> {
    let name = fields
        .get("Name")
        .and_then(Value::as_str)
        .map(str::trim)
        .unwrap_or_default();
    match name.chars().count() {
        0 => Err(bad_request("Name cannot be blank")),
        1..=255 => Ok(name.to_owned()),
        _ => Err(bad_request("Name is too long (255 characters at most)")),
    }
}

fn address(fields: &Map<String, Value>) -> Result<String, Reply> {
    let given = fields
        .get("appWebSiteUrl")
        .and_then(Value::as_str)
        .map(str::trim)
        .unwrap_or_default();
    let valid =
        url::Url::parse(given).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    valid
        .then(|| given.to_owned())
        .ok_or_else(|| bad_request("appWebSiteUrl is not an http or https address"))
}

fn not_found(what: &str) -> Reply {
    envelope::error(
        StatusCode::NOT_FOUND,
        &format!("Application {what} does not exist"),
    )
}

#[derive(Serialize)]
pub(super) struct Attributes {
    /// As text, unlike the resource's own `id`: the real platform uses both types.
    id: String,
    #[serde(rename = "applicationId")]
    application_id: u64,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "appName")]
    app_name: String,
    #[serde(rename = "appWebSiteUrl")]
    site: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "Params")]
    params: Params,
    #[serde(rename = "DateCreate")]
    created: String,
}

/// The host of the wrapped site in two parts, named as in the vendor's public front-end code.
#[derive(Serialize)]
struct Params {
    clientsiteurlforbrand: String,
    clientsubdomain: String,
}

fn resource(app: &App) -> Resource<Attributes> {
    let host = url::Url::parse(&app.site)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let labels: Vec<&str> = host
        .as_deref()
        .map(|host| host.split('.').collect())
        .unwrap_or_default();
    let (sub, brand) = labels.split_at(labels.len().saturating_sub(2));
    let attributes = Attributes {
        id: app.id.to_string(),
        application_id: app.id,
        name: app.name.clone(),
        app_name: app.name.clone(),
        site: app.site.clone(),
        kind: app.kind.clone(),
        params: Params {
            clientsiteurlforbrand: brand.join("."),
            clientsubdomain: sub.join("."),
        },
        created: timestamp(app.created),
    };
    Resource {
        kind: "Application",
        id: app.id,
        attributes,
    }
}
