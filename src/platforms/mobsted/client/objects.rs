//! Objects: the rows of an app's table.

use std::ops::ControlFlow;

use serde_json::Value as Json;

use super::Client;
use super::wire::{self, Fields};
use crate::client::error::ApiError;
use crate::value::Value;

/// A row of an app's table.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectRow {
    /// Its id: a [`Value::Int`] or a [`Value::Text`], as returned by the platform.
    pub id: Value,
    /// Its e-mail address; empty if it has none.
    pub email: String,
    /// All its columns; those named like a credential (`UserPassword`, `defaultPassword`, `PIN`) are secrets.
    pub attributes: Value,
}

impl Client {
    /// Lists all objects of an app (public for reading).
    pub async fn objects(&self, app: &str) -> Result<Vec<ObjectRow>, ApiError> {
        let mut rows = Vec::new();
        self.for_each_object_page(app, |page| {
            rows.extend(page);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(rows)
    }

    /// The object with this id, if the app has it. Stops reading at the page that contains it. No public call reads a
    /// single object with all its columns.
    pub async fn object(&self, app: &str, id: &str) -> Result<Option<ObjectRow>, ApiError> {
        let mut found = None;
        self.for_each_object_page(app, |page| {
            found = page.into_iter().find(|row| id_text(&row.id) == id);
            match found {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        })
        .await?;
        Ok(found)
    }

    async fn for_each_object_page(
        &self,
        app: &str,
        mut each: impl FnMut(Vec<ObjectRow>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        let of = [(self.endpoints().get("objects_app_field"), Value::from(app))];
        self.for_each_page(self.endpoints().get("objects"), &of, |items| {
            each(items.iter().filter_map(row).collect())
        })
        .await
    }
}

/// Reads an item of the list; `None` if it has no id.
fn row(item: &Fields) -> Option<ObjectRow> {
    let columns = wire::attributes(item);
    Some(ObjectRow {
        id: wire::id_in(item, &["id"]).or_else(|| wire::id_in(columns, &["id"]))?,
        email: wire::text(columns, &["Email", "UserLogin"]).unwrap_or_default(),
        attributes: wire::mark_credentials(Json::Object(columns.clone())),
    })
}

/// Normalizes an id to text.
pub(crate) fn id_text(id: &Value) -> String {
    match id {
        Value::Int(int) => int.to_string(),
        Value::Text(text) => text
            .trim()
            .parse::<u64>()
            .map_or_else(|_| text.trim().to_owned(), |id| id.to_string()),
        _ => String::new(),
    }
}
