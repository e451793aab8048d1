//! The parts of an app other than its objects: screens, lists, and readable tags (public clients).

use std::ops::ControlFlow;

use serde_json::Value as Json;

use super::Client;
use super::wire::{self, Fields};
use crate::client::Sent;
use crate::client::error::ApiError;
use crate::transport::request::{Body, Method, Request};
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// A screen or a list of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its id: a [`Value::Int`] or a [`Value::Text`], as returned by the platform.
    pub id: Value,
    /// Its name; empty if it has none.
    pub name: String,
    /// The names of a list's tables.
    pub tables: Vec<String>,
    /// All its attributes; those named like a credential are secrets.
    pub attributes: Value,
}

/// The owner of the tags to read.
#[derive(Debug, Clone, PartialEq)]
pub enum TagOwner {
    /// Objects of an app, by their ids.
    Objects {
        /// The app.
        app: Value,
        /// The objects.
        ids: Vec<Value>,
    },
    /// Apps, by their ids.
    Apps(Vec<Value>),
    /// The account itself.
    Tenant,
}

/// The tag values of one owner.
#[derive(Debug, Clone, PartialEq)]
pub struct TagValues {
    /// The owner's id; null for the account itself.
    pub id: Value,
    /// The values by tag. The value of a tag for a credential is a secret.
    pub values: Record,
}

impl Client {
    /// Lists the screens of an app.
    pub async fn screens(&self, app: &str) -> Result<Vec<Part>, ApiError> {
        self.parts("screens", "ApplicationId", app).await
    }

    /// Lists the lists of an app.
    pub async fn lists(&self, app: &str) -> Result<Vec<Part>, ApiError> {
        self.parts("lists", "appId", app).await
    }

    async fn parts(&self, endpoint: &str, field: &str, app: &str) -> Result<Vec<Part>, ApiError> {
        let mut parts = Vec::new();
        let of = [(field, Value::from(app))];
        self.for_each_page(self.endpoints().get(endpoint), &of, |items| {
            parts.extend(items.iter().filter_map(part));
            ControlFlow::Continue(())
        })
        .await?;
        Ok(parts)
    }

    /// Lists the tags available in an app, such as `#Object:Email#`.
    pub async fn available_tags(&self, app: &str) -> Result<Vec<String>, ApiError> {
        let path = format!("{}/info", self.endpoints().get("hashtags"));
        let request = self.request(Method::Get, &path)?.query("applicationId", app);
        let answer = self.call(request).await?;
        let json = answer.json()?;
        let items = json.get("data").and_then(Json::as_array);
        let items = items.ok_or_else(|| answer.unreadable("it has no list under `data`"))?;
        let attributes = items.iter().filter_map(Json::as_object).map(wire::attributes);
        let tags =
            attributes.filter_map(|fields| wire::field(fields, &["availableTags"])?.as_array().cloned());
        let tags = tags.flatten().filter_map(|tag| tag.as_str().map(str::to_owned));
        Ok(tags.collect())
    }

    /// Reads the values of these tags. The request is a POST, but changes nothing.
    pub async fn read_tags(&self, of: &TagOwner, tags: &[String]) -> Result<Vec<TagValues>, ApiError> {
        let list = |items: &[Value]| Value::List(items.to_vec());
        let tags_value = Value::List(tags.iter().map(|tag| tag.as_str().into()).collect());
        let mut body = Record::from([("tags".to_owned(), tags_value)]);
        let what = match of {
            TagOwner::Objects { app, ids } => {
                body.insert("applicationId".into(), app.clone());
                body.insert("ids".into(), list(ids));
                "objects"
            }
            TagOwner::Apps(ids) => {
                body.insert("ids".into(), list(ids));
                "applications"
            }
            TagOwner::Tenant => "tenant",
        };
        let path = format!("{}/{what}", self.endpoints().get("hashtags"));
        let request = self
            .request(Method::Post, &path)?
            .body(Body::Json(Value::Record(body)));
        // Repeating it is harmless, and a lost response leaves nothing changed.
        let request = Request {
            idempotent: true,
            ..request
        };
        let read = async {
            let answer = self.call(request).await?;
            let json = answer.json()?;
            let items = json.get("data").and_then(|data| match data {
                Json::Array(items) => Some(items.clone()),
                Json::Object(_) => Some(vec![data.clone()]),
                _ => None,
            });
            items.ok_or_else(|| answer.unreadable("it has no list under `data`"))
        };
        let items = read.await.map_err(|error| ApiError {
            sent: Sent::No,
            ..error
        })?;
        Ok(items.iter().filter_map(Json::as_object).map(tag_values).collect())
    }
}

/// Reads an item of a list; `None` if it has no id.
fn part(item: &Fields) -> Option<Part> {
    let attributes = wire::attributes(item);
    let tables = wire::field(attributes, &["structure"])
        .and_then(|structure| match structure {
            // Encoded as JSON text when the list was created.
            Json::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        })
        .and_then(|structure: Json| structure.get("tables")?.as_array().cloned())
        .unwrap_or_default();
    let names = tables
        .iter()
        .filter_map(|table| Some(table.get("name")?.as_str()?.to_owned()));
    Some(Part {
        id: wire::id_in(item, &["id"]).or_else(|| wire::id_in(attributes, &["id"]))?,
        name: wire::text(attributes, &["Name", "name"]).unwrap_or_default(),
        tables: names.collect(),
        attributes: wire::mark_credentials(Json::Object(attributes.clone())),
    })
}

fn tag_values(item: &Fields) -> TagValues {
    let attributes = wire::attributes(item).clone();
    let values = attributes.into_iter().map(|(tag, json)| {
        // The tag `#Object:defaultPassword#` refers to the column `defaultPassword`.
        let column = tag.trim_matches('#').rsplit(':').next().unwrap_or(&tag);
        let value = match (wire::is_credential_field(column), json) {
            (true, Json::String(text)) => Value::Secret(Secret::new(text)),
            (_, other) => wire::mark_credentials(other),
        };
        (tag, value)
    });
    TagValues {
        id: wire::id_in(item, &["id"]).unwrap_or_default(),
        values: values.collect(),
    }
}
