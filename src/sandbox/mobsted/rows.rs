//! The rows of an app's table ("objects"). The rows of App 1 of the master account are the sub-accounts.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::address::Style;
use super::super::call::Call;
use super::super::form::{self, Fields};
use super::super::platform::Refusal;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, bad_request, resource, timestamp, whole};
use super::event::{Event, Object};
use super::state::{APP_ONE, State, Tenant, app_one, missing};
use super::{Action, MASTER, SERVER, read, url_of};

/// Plans `GET /object?applicationId=`.
pub(super) fn list(site: &Site, call: &Call) -> Result<Action, Reply> {
    let app = call
        .number("applicationId")
        .ok_or_else(|| bad_request("applicationId is required"))?;
    if call.account == MASTER && app == APP_ONE {
        let page = envelope::page(call);
        // The slow part is done outside the world's lock.
        let (tenants, total) = site.read(|state: &State| {
            let (tenants, total) = page.of(state.sub_accounts());
            (tenants.into_iter().cloned().collect::<Vec<_>>(), total)
        });
        let row = |tenant: &Tenant| resource("Object", tenant.account.id, sub_account(tenant, &call.style));
        let rows: Vec<Value> = tenants.iter().map(row).collect();
        return Ok(Action::Show(envelope::on_page(page, &rows, total)));
    }
    let rows = read(site, call, |tenant| {
        let rows = tenant.objects.values().filter(|object| object.app == app);
        let reply = || envelope::list(call, rows, |row| resource("Object", row.id, columns(row)));
        tenant.apps.contains_key(&app).then(reply)
    });
    rows.map(Action::Show)
        .ok_or_else(|| envelope::refused(&missing("Application", app)))
}

/// Plans `POST /object`. Only the platform creates rows of sub-accounts: creating one directly is an attempt on App 1.
pub(super) fn create(site: &Site, call: &Call) -> Result<Action, Reply> {
    let mut fields = envelope::form(call)?;
    let is_app = |key: &&String| key.eq_ignore_ascii_case("ApplicationId");
    let key = fields.keys().find(is_app).cloned();
    let app = key.and_then(|key| fields.remove(&key));
    let app = app.as_ref().and_then(whole);
    let app = app.ok_or_else(|| bad_request("ApplicationId is required"))?;
    if call.account == MASTER && app == APP_ONE {
        return Err(refuse_app_one_change(site));
    }
    Ok(Action::Do(Event::Object(Object {
        tenant: call.account.clone(),
        app,
        id: 0,
        row: String::new(),
        fields,
        created: 0,
    })))
}

/// Plans `PUT`, `PATCH` and `DELETE /object/{id}`: assumed, like those of apps. The application in the request is
/// ignored: the row's id alone decides.
pub(super) fn change(site: &Site, call: &Call, id: &str) -> Result<Action, Reply> {
    let no_row = |_| envelope::refused(&missing("Object", 0));
    let id: u64 = id.parse().map_err(no_row)?;
    let tenant = call.account.clone();
    if site.read(|state: &State| state.is_sub_account(&tenant, id)) {
        return Err(refuse_app_one_change(site));
    }
    if call.method == Method::DELETE {
        return Ok(Action::Do(Event::ObjectDeleted { tenant, id }));
    }
    let mut fields = envelope::form(call)?;
    fields.retain(|name, _| !name.eq_ignore_ascii_case("ApplicationId"));
    Ok(Action::Do(Event::ObjectChanged { tenant, id, fields }))
}

/// Counts and refuses an attempt to change App 1.
fn refuse_app_one_change(site: &Site) -> Reply {
    let recorded = site.world.record::<State>(&Event::AppOneAttempt);
    envelope::refused(&recorded.map_or_else(Refusal::from, |()| app_one()))
}

/// Returns the columns of rows of an app by id; rows that do not exist are left out.
pub(super) fn columns_of(site: &Site, call: &Call, app: u64, ids: &[u64]) -> Vec<(u64, Value)> {
    if call.account == MASTER && app == APP_ONE {
        return site.read(|state: &State| {
            let wanted = state
                .sub_accounts()
                .iter()
                .filter(|sub| ids.contains(&sub.account.id));
            wanted
                .map(|sub| (sub.account.id, sub_account(sub, &call.style)))
                .collect()
        });
    }
    read(site, call, |tenant| {
        let wanted = |object: &&Object| object.app == app && ids.contains(&object.id);
        let rows = tenant.objects.values().filter(wanted);
        rows.map(|row| (row.id, columns(row).into())).collect()
    })
}

/// Returns one row.
pub(super) fn show(site: &Site, call: &Call, id: u64) -> Reply {
    let row = read(site, call, |tenant| tenant.objects.get(&id).map(columns));
    envelope::data(row.map(|row| resource("Object", id, row)))
}

/// Returns the built-in columns of a row and the given ones.
fn columns(object: &Object) -> Fields {
    let mut columns = form::object(json!({
        "id": object.id.to_string(),
        "ApplicationId": object.app,
        "applicationId": object.app,
        "Enabled": 1,
        "LoginUrl": null,
        "PIN": null,
        "LastLogin": null,
        "DateCreate": timestamp(object.created),
        "uuid": object.row,
    }));
    columns.extend(object.fields.clone());
    columns
}

/// Returns the columns of a sub-account's row. Two vocabularies exist, the partner manual's (`TenantName`) and a later
/// one of the vendor (`tenant`); the row has both. Numbers in columns that are not built in are text, missing ones are
/// null.
fn sub_account(tenant: &Tenant, style: &Style) -> Value {
    let account = &tenant.account;
    let url = url_of(&account.name, style);
    let created = timestamp(tenant.created);
    let last_login = tenant.last_login.map(timestamp);
    let apps = tenant.apps.len().to_string();
    json!({
        "id": account.id.to_string(),
        "ApplicationId": APP_ONE,
        "applicationId": APP_ONE,
        "Enabled": 1,
        "LoginUrl": url,
        "PIN": null,
        "LastLogin": last_login,
        "DateCreate": created,
        "uuid": account.row,
        "ServerName": SERVER,
        "TenantName": account.name,
        "UserLogin": account.email,
        "UserPassword": tenant.row_password,
        "server": SERVER,
        "tenant": account.name,
        "url": url,
        "Email": account.email,
        "defaultPassword": tenant.row_password,
        "tenantCreated": created,
        "tenentCreated": created,
        "bcLastLogin": last_login,
        "Phone": "",
        "appsTotal": apps,
        "appsPwaLess": apps,
        "appsMu": "0",
        "objectsTotal": tenant.objects.len().to_string(),
        "eventsTotal": null,
        "launchAppTotal": null,
        "trafficTotal": null,
    })
}
