//! Posting events about objects (public clients).

use serde_json::Value as Json;

use super::Client;
use super::wire;
use crate::client::error::ApiError;
use crate::transport::request::{Body, Method};
use crate::value::{Record, Value};

/// An event to post.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The object it is about.
    pub object: Value,
    /// The action, the platform's `ActionName`.
    pub action: String,
    /// The resulting status, if any.
    pub status: Option<Value>,
    /// An additional value: text, or data to send as JSON text.
    pub value: Option<Value>,
}

impl Client {
    /// Posts an event about an object of an app. Returns its id; null if the platform does not report it.
    pub async fn post_event(&self, app: &str, event: &NewEvent) -> Result<Value, ApiError> {
        if event.action.trim().is_empty() {
            return Err(ApiError::bad_input("an event needs an action name"));
        }
        let mut fields = Record::from([
            ("ApplicationId".to_owned(), app.into()),
            ("ObjectId".to_owned(), event.object.clone()),
            ("ActionName".to_owned(), event.action.as_str().into()),
        ]);
        if let Some(status) = &event.status {
            fields.insert("StatusId".to_owned(), status.clone());
        }
        if let Some(value) = &event.value {
            fields.insert("Value".to_owned(), as_text(value)?);
        }
        let request = self.request(Method::Post, self.endpoints().get("events"))?;
        let answer = self.call(request.body(Body::Form(fields))).await?;
        if answer.response.is_html() {
            return Err(answer.unreadable("it is a web page"));
        }
        let json = answer.json()?;
        let data = json.get("data").unwrap_or(&json);
        let item = data.get(0).unwrap_or(data).as_object();
        Ok(item
            .and_then(|item| wire::id_in(item, &["id"]))
            .unwrap_or_default())
    }
}

/// Converts a value to text, as the platform requires: structured data becomes JSON.
fn as_text(value: &Value) -> Result<Value, ApiError> {
    match value {
        Value::Text(_) | Value::Secret(_) => Ok(value.clone()),
        // The JSON would contain the masked secrets, and they would be sent.
        value if value.has_secret() => Err(ApiError::bad_input(
            "the value of an event cannot contain a secret inside a map or list; send the secret alone",
        )),
        value => Ok(match value.to_masked_json() {
            Json::String(text) => text,
            json => json.to_string(),
        }
        .into()),
    }
}
