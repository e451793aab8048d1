//! Tags: the names of readable values of objects, apps and the account, and those values.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, Resource, bad_request};
use super::extras::app_exists;
use super::rows::{self, whole};
use super::state::App;
use super::{Action, SERVER};

/// Plans a request to `/hashtags/{what}`.
pub(super) fn plan(site: &Site, call: &Call, what: &str) -> Result<Action, Reply> {
    match (&call.method, what) {
        (&Method::GET, "info") => {
            let app = call.number("applicationId");
            app.map_or(Ok(()), |app| app_exists(site, call, app))?;
            Ok(Action::Show(info()))
        }
        (&Method::POST, "objects") => {
            let asked = asked(call)?;
            let app = asked
                .app
                .ok_or_else(|| bad_request("applicationId is required"))?;
            app_exists(site, call, app)?;
            let found = rows::columns(site, call, app, &asked.ids);
            Ok(Action::Show(asked.reply("Object", found)))
        }
        (&Method::POST, "applications") => {
            let asked = asked(call)?;
            let found = site.world.mobsted(|state| {
                let apps = state
                    .tenant(&call.account)
                    .into_iter()
                    .flat_map(|tenant| tenant.apps.values());
                let wanted = apps.filter(|app| asked.ids.contains(&app.id));
                wanted.map(|app| (app.id, app_fields(app))).collect()
            });
            Ok(Action::Show(asked.reply("Application", found)))
        }
        (&Method::POST, "tenant") => {
            let asked = asked(call)?;
            let fields = Map::from_iter([
                ("Name".to_owned(), Value::from(call.account.as_str())),
                ("Server".to_owned(), SERVER.into()),
            ]);
            Ok(Action::Show(asked.reply("Tenant", vec![(1, fields)])))
        }
        _ => Err(envelope::error(
            StatusCode::NOT_FOUND,
            &format!("{} /hashtags/{what} is not known to the sandbox", call.method),
        )),
    }
}

fn info() -> Reply {
    let tags = [
        "#Object:id#",
        "#Object:Email#",
        "#Object:DateCreate#",
        "#Application:Name#",
        "#Tenant:Name#",
    ];
    envelope::single(&Resource {
        kind: "ObjectTagsInfo",
        id: 1,
        attributes: json!({ "availableTags": tags }),
    })
}

/// A request for tags of certain resources.
struct TagQuery {
    app: Option<u64>,
    ids: Vec<u64>,
    tags: Vec<String>,
}

fn asked(call: &Call) -> Result<TagQuery, Reply> {
    let fields = call
        .fields()
        .map_err(|_| bad_request("The body is not a JSON object"))?;
    let list = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let tags: Vec<String> = list("tags")
        .iter()
        .filter_map(|tag| tag.as_str().map(str::to_owned))
        .collect();
    if tags.is_empty() {
        return Err(bad_request("tags is required"));
    }
    Ok(TagQuery {
        app: fields.get("applicationId").and_then(whole),
        ids: list("ids").iter().filter_map(whole).collect(),
        tags,
    })
}

impl TagQuery {
    /// Returns the values by column name, as public clients expect; a tag without a value is left out.
    fn reply(&self, kind: &'static str, found: Vec<(u64, Map<String, Value>)>) -> Reply {
        let resource = |(id, fields): (u64, Map<String, Value>)| {
            let columns = self.tags.iter().filter_map(|tag| {
                let column = tag.trim_matches('#').rsplit(':').next()?;
                Some((column.to_owned(), fields.get(column)?.clone()))
            });
            json!({ "type": kind, "id": id, "attributes": columns.collect::<Map<String, Value>>() })
        };
        let data: Vec<Value> = found.into_iter().map(resource).collect();
        Reply::ok(&json!({ "data": data, "meta": {} }))
    }
}

fn app_fields(app: &App) -> Map<String, Value> {
    Map::from_iter([
        ("id".to_owned(), app.id.to_string().into()),
        ("Name".to_owned(), app.name.as_str().into()),
        ("appWebSiteUrl".to_owned(), app.site.as_str().into()),
    ])
}
