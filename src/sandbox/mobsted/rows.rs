//! The rows of an app's table ("objects"). The rows of App 1 of the master account are the sub-accounts.

use axum::http::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::address::Style;
use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, Page, Resource, bad_request, timestamp};
use super::state::{APP_ONE, Object, State, Tenant};
use super::{Action, Command, Event, MASTER, Refusal, SERVER, refused, url_of};

/// Plans `GET /object?applicationId=`.
pub(super) fn list(site: &Site, call: &Call) -> Result<Action, Reply> {
    let app = call
        .number("applicationId")
        .ok_or_else(|| bad_request("applicationId is required"))?;
    let page = Page::asked(call);
    if call.account == MASTER && app == APP_ONE {
        return Ok(Action::Show(sub_accounts(site, page, &call.style)));
    }
    let rows = site.world.mobsted(|state| {
        let tenant = state
            .tenant(&call.account)
            .filter(|tenant| tenant.apps.contains_key(&app))?;
        let of_app = || tenant.objects.values().filter(|object| object.app == app);
        Some((page.of(of_app()).map(resource).collect(), of_app().count()))
    });
    let (data, total) = rows.ok_or_else(|| refused(site, &Refusal::NoApp(app)))?;
    Ok(Action::Show(page.reply(data, total)))
}

/// Plans `POST /object`. Only the platform creates rows of sub-accounts: creating one directly is an attempt on App 1.
pub(super) fn create(site: &Site, call: &Call) -> Result<Action, Reply> {
    let mut fields = call
        .fields()
        .map_err(|_| bad_request("The body is neither JSON nor a form"))?;
    let key = fields
        .keys()
        .find(|key| key.eq_ignore_ascii_case("ApplicationId"))
        .cloned();
    let app = key
        .and_then(|key| fields.remove(&key))
        .and_then(|app| whole(&app));
    let app = app.ok_or_else(|| bad_request("ApplicationId is required"))?;
    if call.account == MASTER && app == APP_ONE {
        return Err(refuse_app_one_change(site));
    }
    Ok(Action::Do(Command::CreateObject {
        tenant: call.account.clone(),
        app,
        fields,
    }))
}

/// Plans `PUT`, `PATCH` and `DELETE /object/{id}`: assumed, like those of apps. The application in the request is
/// ignored: the row's id alone decides.
pub(super) fn change(site: &Site, call: &Call, id: &str) -> Result<Action, Reply> {
    let no_row = || refused(site, &Refusal::NoObject(0));
    let id: u64 = id.parse().map_err(|_| no_row())?;
    let is_sub_account = |state: &State| state.sub_accounts().iter().any(|tenant| tenant.row.id == id);
    if call.account == MASTER && site.world.mobsted(is_sub_account) {
        return Err(refuse_app_one_change(site));
    }
    let tenant = call.account.clone();
    if call.method == Method::DELETE {
        return Ok(Action::Do(Command::DeleteObject { tenant, id }));
    }
    let mut fields = call
        .fields()
        .map_err(|_| bad_request("The body is neither JSON nor a form"))?;
    fields.retain(|name, _| !name.eq_ignore_ascii_case("ApplicationId"));
    Ok(Action::Do(Command::ChangeObject { tenant, id, fields }))
}

/// Counts and refuses an attempt to change App 1.
fn refuse_app_one_change(site: &Site) -> Reply {
    site.world.record(Event::AppOneAttempt).map_or_else(
        |error| refused(site, &Refusal::from(error)),
        |()| refused(site, &Refusal::AppOne),
    )
}

/// Returns the columns of rows of an app by id; rows that do not exist are left out.
pub(super) fn columns(site: &Site, call: &Call, app: u64, ids: &[u64]) -> Vec<(u64, Map<String, Value>)> {
    let sub_account = |tenant: &Tenant| (tenant.row.id, Row::of(tenant));
    if call.account == MASTER && app == APP_ONE {
        let rows: Vec<(u64, Row)> = site.world.mobsted(|state| {
            let wanted = state
                .sub_accounts()
                .iter()
                .filter(|tenant| ids.contains(&tenant.row.id));
            wanted.map(sub_account).collect()
        });
        let plain = |row: Row| serde_json::to_value(row.resource(&call.style).attributes);
        return rows
            .into_iter()
            .filter_map(|(id, row)| Some((id, plain(row).ok()?.as_object()?.clone())))
            .collect();
    }
    site.world.mobsted(|state| {
        let objects = state
            .tenant(&call.account)
            .into_iter()
            .flat_map(|tenant| tenant.objects.values());
        let wanted = objects.filter(|object| object.app == app && ids.contains(&object.id));
        wanted
            .map(|object| (object.id, resource(object).attributes))
            .collect()
    })
}

/// Returns one row.
pub(super) fn show(site: &Site, tenant: &str, id: u64) -> Reply {
    let row = site.world.mobsted(|state| {
        state
            .tenant(tenant)
            .and_then(|tenant| tenant.objects.get(&id))
            .map(resource)
    });
    row.map_or_else(envelope::empty, |row| envelope::single(&row))
}

/// Parses a whole number, or its digits as text, because forms have no numbers.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns a row with the built-in columns first, then the given ones.
fn resource(object: &Object) -> Resource<Map<String, Value>> {
    let built_in = json!({
        "id": object.id.to_string(),
        "ApplicationId": object.app,
        "applicationId": object.app,
        "Enabled": 1,
        "LoginUrl": null,
        "PIN": null,
        "LastLogin": null,
        "DateCreate": timestamp(object.created),
        "uuid": object.uuid,
    });
    let mut attributes = match built_in {
        Value::Object(attributes) => attributes,
        _ => Map::new(),
    };
    attributes.extend(object.fields.clone());
    Resource {
        kind: "Object",
        id: object.id,
        attributes,
    }
}

fn sub_accounts(site: &Site, page: Page, style: &Style) -> Reply {
    // The slow part is done outside the world's lock.
    let (rows, total) = site.world.mobsted(|state| {
        let all = state.sub_accounts();
        (page.of(all.iter()).map(Row::of).collect::<Vec<_>>(), all.len())
    });
    let data = rows.into_iter().map(|row| row.resource(style)).collect();
    page.reply(data, total)
}

/// The data of a sub-account's row.
struct Row {
    object: Object,
    name: String,
    email: String,
    password: Option<String>,
    last_login: Option<i64>,
    apps: usize,
    objects: usize,
}

impl Row {
    fn of(tenant: &Tenant) -> Row {
        Row {
            object: tenant.row.clone(),
            name: tenant.name.clone(),
            email: tenant.email.clone(),
            password: tenant.row_password.clone(),
            last_login: tenant.last_login,
            apps: tenant.apps.len(),
            objects: tenant.objects.len(),
        }
    }

    fn resource(self, style: &Style) -> Resource<SubAccount> {
        let id = self.object.id;
        let url = url_of(&self.name, style);
        let created = timestamp(self.object.created);
        let last_login = self.last_login.map(timestamp);
        let attributes = SubAccount {
            id: id.to_string(),
            application_id: APP_ONE,
            application: APP_ONE,
            enabled: 1,
            login_url: url.clone(),
            pin: None,
            last_login: last_login.clone(),
            date_create: created.clone(),
            uuid: self.object.uuid,
            server_name: SERVER,
            tenant_name: self.name.clone(),
            user_login: self.email.clone(),
            user_password: self.password.clone(),
            server: SERVER,
            tenant: self.name,
            url,
            email: self.email,
            default_password: self.password,
            tenant_created: created.clone(),
            tenent_created: created,
            bc_last_login: last_login,
            phone: "",
            apps_total: self.apps.to_string(),
            apps_pwa_less: self.apps.to_string(),
            apps_mu: "0",
            objects_total: self.objects.to_string(),
            events_total: None,
            launch_app_total: None,
            traffic_total: None,
        };
        Resource {
            kind: "Object",
            id,
            attributes,
        }
    }
}

/// The columns of a sub-account's row. Two vocabularies exist, the partner manual's (`TenantName`) and a later one of
/// the vendor (`tenant`); the row has both. Numbers in columns that are not built in are text, missing ones null.
#[derive(Serialize)]
struct SubAccount {
    id: String,
    #[serde(rename = "ApplicationId")]
    application_id: u64,
    #[serde(rename = "applicationId")]
    application: u64,
    #[serde(rename = "Enabled")]
    enabled: u8,
    #[serde(rename = "LoginUrl")]
    login_url: String,
    #[serde(rename = "PIN")]
    pin: Option<String>,
    #[serde(rename = "LastLogin")]
    last_login: Option<String>,
    #[serde(rename = "DateCreate")]
    date_create: String,
    uuid: String,
    #[serde(rename = "ServerName")]
    server_name: &'static str,
    #[serde(rename = "TenantName")]
    tenant_name: String,
    #[serde(rename = "UserLogin")]
    user_login: String,
    #[serde(rename = "UserPassword")]
    user_password: Option<String>,
    server: &'static str,
    tenant: String,
    url: String,
    #[serde(rename = "Email")]
    email: String,
    #[serde(rename = "defaultPassword")]
    default_password: Option<String>,
    #[serde(rename = "tenantCreated")]
    tenant_created: String,
    #[serde(rename = "tenentCreated")]
    tenent_created: String,
    #[serde(rename = "bcLastLogin")]
    bc_last_login: Option<String>,
    #[serde(rename = "Phone")]
    phone: &'static str,
    #[serde(rename = "appsTotal")]
    apps_total: String,
    #[serde(rename = "appsPwaLess")]
    apps_pwa_less: String,
    #[serde(rename = "appsMu")]
    apps_mu: &'static str,
    #[serde(rename = "objectsTotal")]
    objects_total: String,
    #[serde(rename = "eventsTotal")]
    events_total: Option<String>,
    #[serde(rename = "launchAppTotal")]
    launch_app_total: Option<String>,
    #[serde(rename = "trafficTotal")]
    traffic_total: Option<String>,
}
