//! A company's resources: read in pages, found by reference, created.

use super::Client;
use crate::client::answer::Answer;
use crate::client::error::ApiError;
use crate::client::fields::Fields;
use crate::transport::request::Method;
use crate::value::Record;

impl Client {
    /// Reads all items named `rel` of the list at `path` below the admin path of the company that calls act on.
    pub async fn items(&self, path: &str, rel: &str) -> Result<Vec<Fields>, ApiError> {
        let request = self.admin(Method::Get, path).await?;
        let items = self.listed(&request, rel).await?;
        items.ok_or_else(|| super::missing(rel))
    }

    /// Reads the item at `path` there; `None` if the platform has none.
    pub async fn item(&self, path: &str) -> Result<Option<Fields>, ApiError> {
        let found = self.find(self.admin(Method::Get, path).await?).await?;
        found.map(|answer| one(&answer)).transpose()
    }

    /// Posts a new item to the list at `path` there. Never retried if it may have been carried out.
    ///
    /// An unusable response is an error with `sent: Maybe`: the item may exist.
    pub async fn create_item(&self, path: &str, fields: &Record) -> Result<Fields, ApiError> {
        let request = self.admin(Method::Post, path).await?;
        one(&self.send(request, fields).await?)
    }
}

fn one(answer: &Answer) -> Result<Fields, ApiError> {
    let item = answer.json()?.as_object().cloned();
    let item = item.filter(|item| super::id(item).is_some());
    item.ok_or_else(|| answer.unreadable("it has no `id`"))
}
