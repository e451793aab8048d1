//! What an app is made of besides its objects: screens, lists, and the tags that can be read (public clients).

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
    /// Its id: an [`Value::Int`] or a [`Value::Text`], as the platform writes it.
    pub id: Value,
    /// Its name; empty when it has none.
    pub name: String,
    /// The names of a list's tables.
    pub tables: Vec<String>,
    /// All its attributes; what is named like a credential is a secret.
    pub attributes: Value,
}

/// Whose tags are read.
#[derive(Debug, Clone, PartialEq)]
pub enum TagsOf {
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

/// What the tags of one thing say.
#[derive(Debug, Clone, PartialEq)]
pub struct TagValues {
    /// Whose: its id; nothing for the account itself.
    pub id: Value,
    /// The values by tag. What a tag for a credential gives is a secret.
    pub values: Record,
}

impl Client {
    /// The screens of an app.
    pub async fn screens(&self, app: &str) -> Result<Vec<Part>, ApiError> {
        self.parts("screens", "ApplicationId", app).await
    }

    /// The lists of an app.
    pub async fn lists(&self, app: &str) -> Result<Vec<Part>, ApiError> {
        self.parts("lists", "appId", app).await
    }

    async fn parts(&self, endpoint: &str, field: &str, app: &str) -> Result<Vec<Part>, ApiError> {
        let mut parts = Vec::new();
        let of = [(field, Value::from(app))];
        self.each_page(self.endpoints().get(endpoint), &of, |items| {
            parts.extend(items.iter().filter_map(part));
            ControlFlow::Continue(())
        })
        .await?;
        Ok(parts)
    }

    /// The tags that can be read of an app's things: `#Object:Email#`.
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

    /// What these tags say. It is sent as a POST, and changes nothing.
    pub async fn read_tags(&self, of: &TagsOf, tags: &[String]) -> Result<Vec<TagValues>, ApiError> {
        let list = |items: &[Value]| Value::List(items.to_vec());
        let tags_value = Value::List(tags.iter().map(|tag| tag.as_str().into()).collect());
        let mut body = Record::from([("tags".to_owned(), tags_value)]);
        let what = match of {
            TagsOf::Objects { app, ids } => {
                body.insert("applicationId".into(), app.clone());
                body.insert("ids".into(), list(ids));
                "objects"
            }
            TagsOf::Apps(ids) => {
                body.insert("ids".into(), list(ids));
                "applications"
            }
            TagsOf::Tenant => "tenant",
        };
        let path = format!("{}/{what}", self.endpoints().get("hashtags"));
        let request = self
            .request(Method::Post, &path)?
            .body(Body::Json(Value::Record(body)));
        // Asking twice is asking once, and nothing is changed by a lost answer.
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

/// Reads an item of a list; nothing when it has no id.
fn part(item: &Fields) -> Option<Part> {
    let attributes = wire::attributes(item);
    let tables = wire::field(attributes, &["structure"])
        .and_then(|structure| match structure {
            // Written as JSON in a text when the list was made.
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
        attributes: wire::guarded(Json::Object(attributes.clone())),
    })
}

fn tag_values(item: &Fields) -> TagValues {
    let attributes = wire::attributes(item).clone();
    let values = attributes.into_iter().map(|(tag, json)| {
        // The tag `#Object:defaultPassword#` is the column `defaultPassword`.
        let column = tag.trim_matches('#').rsplit(':').next().unwrap_or(&tag);
        let value = match (wire::is_credential_field(column), json) {
            (true, Json::String(text)) => Value::Secret(Secret::new(text)),
            (_, other) => wire::guarded(other),
        };
        (tag, value)
    });
    TagValues {
        id: wire::id_in(item, &["id"]).unwrap_or_default(),
        values: values.collect(),
    }
}
