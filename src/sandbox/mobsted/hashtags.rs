//! Tags: the names of readable values of objects, apps and the account, and those values.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::form::Fields;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope::{self, bad_request, resource, whole};
use super::extras::app_exists;
use super::{Action, SERVER, read, rows};

/// Plans a request to `/hashtags/{what}`.
pub(super) fn plan(site: &Site, call: &Call, what: &str) -> Result<Action, Reply> {
    Ok(Action::Show(match (&call.method, what) {
        (&Method::GET, "info") => {
            let app = call.number("applicationId");
            app.map_or(Ok(()), |app| app_exists(site, call, app))?;
            info()
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
    }))
}

fn info() -> Reply {
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
