//! Administrators of a company: who may sign in to it.

use serde_json::Value as Json;

use super::Client;
use crate::client::error::ApiError;
pub(crate) use crate::client::fields::{self, Fields};
use crate::transport::request::Method;
use crate::value::{Record, Value};

/// An administrator.
#[derive(Debug, Clone, PartialEq)]
pub struct Administrator {
    /// Its number.
    pub id: u64,
    /// What the platform calls them; empty when it does not say.
    pub name: String,
    /// Who signs in.
    pub email: String,
    /// What they may do, as in `owner`; empty if the platform does not return it.
    pub role: String,
    /// The number of the company; 0 when the platform does not say.
    pub company: u64,
    /// Everything the platform says of them; what is named like a credential is a secret.
    pub attributes: Value,
}

impl Client {
    /// The administrators of the company that calls act on.
    pub async fn administrators(&self) -> Result<Vec<Administrator>, ApiError> {
        let request = self.admin(Method::Get, "/administrators").await?;
        let items = self.listed(&request, "administrators").await?;
        let items = items.ok_or_else(|| super::missing("administrators"))?;
        let all: Option<Vec<Administrator>> = items.iter().map(read).collect();
        all.ok_or_else(|| super::unreadable("an administrator of the list has no `id`"))
    }

    /// Makes an administrator (the body is assumed). Never repeated when it may have been carried out.
    ///
    /// An answer that cannot be used is an error with `sent: Maybe`: the administrator may exist.
    pub async fn create_administrator(&self, fields: &Record) -> Result<Administrator, ApiError> {
        let request = self.admin(Method::Post, "/administrators").await?;
        let answer = self.send(request, fields).await?;
        let json = answer.json()?;
        let one = json.as_object().and_then(read);
        one.ok_or_else(|| answer.unreadable("it is no administrator with an `id`"))
    }
}

fn read(item: &Fields) -> Option<Administrator> {
    let text = |name: &str| fields::text(item, &[name]).unwrap_or_default();
    let company = fields::int(item, &["company_id"]);
    Some(Administrator {
        id: super::id(item)?,
        name: text("name"),
        email: text("email"),
        role: text("role"),
        company: company
            .and_then(|company| u64::try_from(company).ok())
            .unwrap_or_default(),
        attributes: fields::guarded(Json::Object(item.clone())),
    })
}
