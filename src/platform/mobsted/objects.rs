//! Objects: the rows of an app's table, and whether one belongs to App 1.

use std::ops::ControlFlow;

use serde_json::Value as Json;

use super::Client;
use super::account::Role;
use super::guard;
use super::tenants::SUB_ACCOUNTS_APP;
use super::wire::{self, Fields};
use crate::platform::error::{ApiError, ApiErrorKind};
use crate::value::Value;

/// A row of an app's table.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectRow {
    /// Its id: an [`Value::Int`] or a [`Value::Text`], as the platform writes it.
    pub id: Value,
    /// Its e-mail address; empty when it has none.
    pub email: String,
    /// All its columns; what is named like a credential (`UserPassword`, `defaultPassword`, `PIN`) is a secret.
    pub attributes: Value,
}

impl Client {
    /// All objects of an app (public for reading).
    pub async fn objects(&self, app: &str) -> Result<Vec<ObjectRow>, ApiError> {
        let mut rows = Vec::new();
        self.each_object_page(app, |page| {
            rows.extend(page);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(rows)
    }

    /// The object of this id, if the app has it. Pages after the one that holds it are not read. No public call reads
    /// a single object with all its columns.
    pub async fn object(&self, app: &str, id: &str) -> Result<Option<ObjectRow>, ApiError> {
        let mut found = None;
        self.each_object_page(app, |page| {
            found = page.into_iter().find(|row| id_text(&row.id) == id);
            match found {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        })
        .await?;
        Ok(found)
    }

    /// Refuses when one of these objects is in App 1 of a master account. Asks the platform, so that an object cannot
    /// be passed off as another app's.
    pub(super) async fn refuse_rows_of_app_one(&self, ids: &[u64]) -> Result<(), ApiError> {
        if self.role() == Role::SubAccount || ids.is_empty() {
            return Ok(());
        }
        let mut hit = false;
        let read = self
            .each_object_page(&SUB_ACCOUNTS_APP.to_string(), |page| {
                hit = page
                    .iter()
                    .any(|row| ids.iter().any(|id| id_text(&row.id) == id.to_string()));
                if hit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .await;
        match read {
            _ if hit => Err(guard::protected()),
            // An account without App 1 has nothing to protect.
            Err(error) if error.kind == ApiErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    async fn each_object_page(
        &self,
        app: &str,
        mut each: impl FnMut(Vec<ObjectRow>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        let of = [(self.endpoints().get("objects_app_field"), Value::from(app))];
        self.each_page(self.endpoints().get("objects"), &of, |items| {
            each(items.iter().filter_map(row).collect())
        })
        .await
    }
}

/// Reads an item of the list; nothing when it has no id.
fn row(item: &Fields) -> Option<ObjectRow> {
    let columns = wire::attributes(item);
    Some(ObjectRow {
        id: wire::id_in(item, &["id"]).or_else(|| wire::id_in(columns, &["id"]))?,
        email: wire::text(columns, &["Email", "UserLogin"]).unwrap_or_default(),
        attributes: wire::guarded(Json::Object(columns.clone())),
    })
}

/// An id in one spelling.
fn id_text(id: &Value) -> String {
    match id {
        Value::Int(int) => int.to_string(),
        Value::Text(text) => text
            .trim()
            .parse::<u64>()
            .map_or_else(|_| text.trim().to_owned(), |id| id.to_string()),
        _ => String::new(),
    }
}
