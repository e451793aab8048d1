//! Lists of an app, created and read as by public clients.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::form::text;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, bad_request, resource, whole};
use super::event::{Event, List};
use super::extras::app_exists;
use super::{Action, read};

/// Plans a request to `/lists`.
pub(super) fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
    match (&call.method, call.segments().as_slice()) {
        (&Method::GET, ["lists"]) => {
            let app = call.number("appId");
            app.map_or(Ok(()), |app| app_exists(site, call, app))?;
            Ok(Action::Show(read(site, call, |tenant| {
                let lists = tenant.lists.values();
                let lists = lists.filter(|list| app.is_none_or(|app| app == list.app));
                envelope::list(call, lists, shown)
            })))
        }
        (&Method::POST, ["lists"]) => create(site, call),
        _ => Err(envelope::unknown(call)),
    }
}

/// Returns one list.
pub(super) fn show(site: &Site, call: &Call, id: u64) -> Reply {
    envelope::data(read(site, call, |tenant| tenant.lists.get(&id).map(shown)))
}

fn create(site: &Site, call: &Call) -> Result<Action, Reply> {
    let fields = envelope::form(call)?;
    let app = fields
        .get("AppId")
        .and_then(whole)
        .ok_or_else(|| bad_request("AppId is required"))?;
    app_exists(site, call, app)?;
    let name = text(&fields, "name");
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
    Ok(Action::Do(Event::ListMade(List {
        tenant: call.account.clone(),
        id: 0,
        app,
        name: name.to_owned(),
        structure,
    })))
}

fn shown(list: &List) -> Value {
    let attributes = json!({
        "id": list.id.to_string(),
        "appId": list.app,
        "name": list.name,
        "status": 1,
        "structure": list.structure,
    });
    resource("List", list.id, attributes)
}
