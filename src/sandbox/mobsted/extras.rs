//! Minor calls seen in public clients, with plausible responses, so that raw calls have something to use; lists and
//! tags, as public clients use them; and branded domains, whose rules and texts follow the vendor's own back-end code
//! (the path is assumed).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::form::{Fields, text};
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, bad_request, resource, whole};
use super::event::{Event, List};
use super::state::missing;
use super::{Action, SERVER, read, rows};

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
            let screens = [resource("Screen", 1, screen)];
            Ok(Action::Show(envelope::on_page(envelope::page(call), &screens, 1)))
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
        (&Method::GET, ["lists"]) => {
            let app = call.number("appId");
            app.map_or(Ok(()), |app| app_exists(site, call, app))?;
            Ok(Action::Show(read(site, call, |tenant| {
                let lists = tenant.lists.values();
                let lists = lists.filter(|list| app.is_none_or(|app| app == list.app));
                envelope::list(call, lists, shown_list)
            })))
        }
        (&Method::POST, ["lists"]) => create_list(site, call),
        (_, ["hashtags", what]) => hashtags(site, call, what).map(Action::Show),
        _ => Err(envelope::unknown(call)),
    }
}

/// Returns the response to a posted event.
pub(super) fn posted(id: u64) -> Reply {
    envelope::data([resource("Event", id, json!({ "id": id.to_string() }))])
}

/// Returns an error if the account does not have the app.
fn app_exists(site: &Site, call: &Call, app: u64) -> Result<(), Reply> {
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

/// Returns one list.
pub(super) fn show_list(site: &Site, call: &Call, id: u64) -> Reply {
    envelope::data(read(site, call, |tenant| tenant.lists.get(&id).map(shown_list)))
}

fn create_list(site: &Site, call: &Call) -> Result<Action, Reply> {
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

fn shown_list(list: &List) -> Value {
    let attributes = json!({
        "id": list.id.to_string(),
        "appId": list.app,
        "name": list.name,
        "status": 1,
        "structure": list.structure,
    });
    resource("List", list.id, attributes)
}

/// Responds to a request to `/hashtags/{what}`: the names of readable values of objects, apps and the account, and
/// those values.
fn hashtags(site: &Site, call: &Call, what: &str) -> Result<Reply, Reply> {
    Ok(match (&call.method, what) {
        (&Method::GET, "info") => {
            let app = call.number("applicationId");
            app.map_or(Ok(()), |app| app_exists(site, call, app))?;
            tags()
        }
        (&Method::POST, "objects") => {
            let asked = TagQuery::read(call)?;
            let app = asked
                .app
                .ok_or_else(|| bad_request("applicationId is required"))?;
            app_exists(site, call, app)?;
            asked.reply("Object", rows::columns_of(site, call, app, &asked.ids))
        }
        (&Method::POST, "applications") => {
            let asked = TagQuery::read(call)?;
            let found = read(site, call, |tenant| {
                let apps = tenant.apps.values().filter(|app| asked.ids.contains(&app.id));
                let fields = apps.map(|app| {
                    let fields =
                        json!({ "id": app.id.to_string(), "Name": app.name, "appWebSiteUrl": app.site });
                    (app.id, fields)
                });
                fields.collect()
            });
            asked.reply("Application", found)
        }
        (&Method::POST, "tenant") => {
            let fields = json!({ "Name": call.account, "Server": SERVER });
            TagQuery::read(call)?.reply("Tenant", vec![(1, fields)])
        }
        _ => return Err(envelope::unknown(call)),
    })
}

fn tags() -> Reply {
    let tags = [
        "#Object:id#",
        "#Object:Email#",
        "#Object:DateCreate#",
        "#Application:Name#",
        "#Tenant:Name#",
    ];
    envelope::data([resource("ObjectTagsInfo", 1, json!({ "availableTags": tags }))])
}

/// A request for tags of certain resources.
struct TagQuery {
    app: Option<u64>,
    ids: Vec<u64>,
    tags: Vec<String>,
}

impl TagQuery {
    fn read(call: &Call) -> Result<TagQuery, Reply> {
        let fields = envelope::document(call)?;
        let list = |name: &str| fields.get(name).and_then(Value::as_array).into_iter().flatten();
        let tags: Vec<String> = list("tags")
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect();
        if tags.is_empty() {
            return Err(bad_request("tags is required"));
        }
        Ok(TagQuery {
            app: fields.get("applicationId").and_then(whole),
            ids: list("ids").filter_map(whole).collect(),
            tags,
        })
    }

    /// Returns the values by column name, as public clients expect; a tag without a value is left out.
    fn reply(&self, kind: &str, found: Vec<(u64, Value)>) -> Reply {
        envelope::data(found.into_iter().map(|(id, fields)| {
            let columns = self.tags.iter().filter_map(|tag| {
                let column = tag.trim_matches('#').rsplit(':').next()?;
                Some((column.to_owned(), fields.get(column)?.clone()))
            });
            resource(kind, id, columns.collect::<Fields>())
        }))
    }
}
