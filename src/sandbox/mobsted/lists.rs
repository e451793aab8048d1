//! Lists of an app, created and read as by public clients.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, Page, Resource, bad_request};
use super::extras::app_exists;
use super::rows::whole;
use super::state::List;
use super::{Action, Command};

/// Plans a request to `/lists`.
pub(super) fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
    match (&call.method, call.segments().as_slice()) {
        (&Method::GET, ["lists"]) => {
            let app = call.number("appId");
            app.map_or(Ok(()), |app| app_exists(site, call, app))?;
            Ok(Action::Show(all(site, call, app)))
        }
        (&Method::POST, ["lists"]) => create(site, call),
        _ => Err(envelope::error(
            StatusCode::NOT_FOUND,
            &format!("{} /{} is not known to the sandbox", call.method, call.path),
        )),
    }
}

/// Returns one list.
pub(super) fn show(site: &Site, tenant: &str, id: u64) -> Reply {
    let list = site.world.mobsted(|state| {
        let list = state.tenant(tenant)?.lists.get(&id)?;
        Some(resource(id, list))
    });
    list.map_or_else(envelope::empty, |list| envelope::single(&list))
}

fn all(site: &Site, call: &Call, app: Option<u64>) -> Reply {
    let page = Page::asked(call);
    let (data, total) = site.world.mobsted(|state| {
        let lists = || {
            let all = state
                .tenant(&call.account)
                .into_iter()
                .flat_map(|tenant| &tenant.lists);
            all.filter(|(_, list)| app.is_none_or(|app| app == list.app))
        };
        let data: Vec<Resource<Value>> = page.of(lists()).map(|(id, list)| resource(*id, list)).collect();
        (data, lists().count())
    });
    page.reply(data, total)
}

fn create(site: &Site, call: &Call) -> Result<Action, Reply> {
    let fields = call
        .fields()
        .map_err(|_| bad_request("The body is neither JSON nor a form"))?;
    let app = fields
        .get("AppId")
        .and_then(whole)
        .ok_or_else(|| bad_request("AppId is required"))?;
    app_exists(site, call, app)?;
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.trim().is_empty() {
        return Err(bad_request("name cannot be blank"));
    }
    // Forms carry it as JSON text.
    let structure = match fields.get("structure") {
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| bad_request("structure is not JSON"))?
        }
        Some(other) => other.clone(),
        None => json!({ "tables": [] }),
    };
    Ok(Action::Do(Command::CreateList {
        tenant: call.account.clone(),
        app,
        name: name.to_owned(),
        structure,
    }))
}

fn resource(id: u64, list: &List) -> Resource<Value> {
    Resource {
        kind: "List",
        id,
        attributes: json!({
            "id": id.to_string(),
            "appId": list.app,
            "name": list.name,
            "status": 1,
            "structure": list.structure,
        }),
    }
}
