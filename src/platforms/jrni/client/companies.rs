//! Companies: the current one and its children, and creating, updating and disabling them.

use serde_json::Value as Json;

use super::Client;
use super::paging::embedded;
pub(crate) use crate::client::answer::Answer;
use crate::client::error::ApiError;
pub(crate) use crate::client::fields::{self, Fields};
use crate::client::site::segment;
use crate::transport::request::Method;
use crate::value::{Record, Value};

/// A company.
#[derive(Debug, Clone, PartialEq)]
pub struct Company {
    /// Its id.
    pub id: u64,
    /// Its name; empty if it has none.
    pub name: String,
    /// Its reference in other systems; empty if it has none.
    pub reference: String,
    /// Whether it can be booked.
    pub live: bool,
    /// Whether it was disabled. The platform keeps such companies, and still finds them.
    pub disabled: bool,
    /// All fields that the platform returns; those named like a credential are secrets.
    pub attributes: Value,
}

impl Client {
    /// Reads the company that calls act on.
    pub async fn company(&self) -> Result<Company, ApiError> {
        let answer = self.call(self.admin(Method::Get, "/company").await?).await?;
        one(&answer)
    }

    /// Lists its child companies: by page, or as embedded in the company if the platform has no such list.
    pub async fn children(&self) -> Result<Vec<Company>, ApiError> {
        let path = self.endpoints().of("children", self.company_id().await?);
        let listed = self
            .listed(&self.request(Method::Get, &path)?, "companies")
            .await?;
        if let Some(items) = listed {
            return read_all(&items, &path);
        }
        let answer = self.call(self.admin(Method::Get, "/company").await?).await?;
        let json = answer.json()?;
        let inside = json.as_object().and_then(|top| embedded(top, "companies"));
        read_all(&inside.unwrap_or_default(), &path)
    }

    /// Finds the company with this reference, within reach of the company that calls act on. Also finds disabled ones.
    pub async fn find_company(&self, reference: &str) -> Result<Option<Company>, ApiError> {
        let path = format!("/company/find_by_ref/{}", segment(reference));
        let Some(answer) = self.find(self.admin(Method::Get, &path).await?).await? else {
            return Ok(None);
        };
        let company = one(&answer)?;
        // A server that interprets the path differently responds with another company.
        if company.reference == reference {
            Ok(Some(company))
        } else {
            Err(answer.unreadable("it is a company with a different reference"))
        }
    }

    /// Creates a company below the one that calls act on (assumed: the vendor documents no such call). Never retried if
    /// it may have been carried out.
    ///
    /// An unusable response is an error with `sent: Maybe`: the company may exist.
    pub async fn create_company(&self, fields: &Record) -> Result<Company, ApiError> {
        let path = self.endpoints().of("create_company", self.company_id().await?);
        let answer = self.send(self.request(Method::Post, &path)?, fields).await?;
        one(&answer)
    }

    /// Updates fields of the company that calls act on.
    pub async fn update_company(&self, fields: &Record) -> Result<Company, ApiError> {
        let request = self.admin(Method::Put, "/company").await?;
        one(&self.send(request, fields).await?)
    }

    /// Disables the company that calls act on. Its bookings remain.
    pub async fn disable_company(&self) -> Result<(), ApiError> {
        let answer = self.call(self.admin(Method::Delete, "/company").await?).await?;
        if answer.response.is_html() {
            Err(answer.unreadable("it is a web page"))
        } else {
            Ok(())
        }
    }
}

fn one(answer: &Answer) -> Result<Company, ApiError> {
    let json = answer.json()?;
    let company = json.as_object().and_then(read);
    company.ok_or_else(|| answer.unreadable("it is not a company with an `id`"))
}

fn read_all(items: &[Fields], path: &str) -> Result<Vec<Company>, ApiError> {
    let all: Option<Vec<Company>> = items.iter().map(read).collect();
    all.ok_or_else(|| super::unreadable(&format!("a company of the list at {path} has no `id`")))
}

fn read(item: &Fields) -> Option<Company> {
    let text = |names: &[&str]| fields::text(item, names).unwrap_or_default();
    Some(Company {
        id: super::id(item)?,
        name: text(&["name"]),
        reference: text(&["ref", "reference"]),
        live: flag(item, "live"),
        disabled: flag(item, "disabled"),
        attributes: fields::mark_credentials(Json::Object(item.clone())),
    })
}

/// Reads a flag, which may be given as text.
fn flag(item: &Fields, name: &str) -> bool {
    match fields::field(item, &[name]) {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}
