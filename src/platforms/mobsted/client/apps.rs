//! Apps of an account. Their endpoint is public for reading and assumed for writing.

use std::ops::ControlFlow;

use serde_json::Value as Json;

use super::Client;
use super::objects::id_text;
use super::paging::{Entry, Listing};
use super::wire::{self, Fields};
use crate::client::error::ApiError;
use crate::transport::request::{Body, Method};
use crate::value::{Record, Value, identity};

/// An app.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// Its id: a [`Value::Int`] or a [`Value::Text`], as returned by the platform.
    pub id: Value,
    /// Its name; empty if it has none.
    pub name: String,
    /// The site it shows, if it is a wrapper and the platform reports it.
    pub site: Option<String>,
    /// All its attributes; those named like a credential are secrets.
    pub attributes: Value,
}

impl Client {
    /// Lists all apps of the account.
    pub async fn applications(&self) -> Result<Vec<App>, ApiError> {
        let mut apps: Vec<App> = Vec::new();
        let mut unnamed = 0;
        self.for_each_page(self.endpoints().get("applications"), &[], |items| {
            for item in items {
                match self.app(&item) {
                    Some(app) => apps.push(app),
                    None => unnamed += 1,
                }
            }
            ControlFlow::Continue(())
        })
        .await?;
        if unnamed > 0 {
            tracing::warn!(unnamed, "apps without an id were left out");
        }
        Ok(apps)
    }

    /// Continues reading the list of apps; entries are named by the normalized app name.
    pub async fn read_applications_on(&self, listing: &mut Listing<App>) -> Result<(), ApiError> {
        let path = self.endpoints().get("applications");
        self.read_on(path, &[], listing, |item| self.entry(item)).await
    }

    /// The apps with this normalized name on one page of the list.
    pub async fn applications_on_page(&self, page: i64, name: &str) -> Result<Vec<App>, ApiError> {
        let path = self.endpoints().get("applications");
        self.named_on_page(path, &[], (page, name), |item| self.entry(item))
            .await
    }

    fn entry(&self, item: &Fields) -> Option<Entry<App>> {
        let app = self.app(item)?;
        Some(Entry {
            name: identity::name(&app.name),
            id: Some(id_text(&app.id)),
            item: app,
        })
    }

    /// Creates a wrapper app. `extra` fields are added to the request.
    ///
    /// A response without an id is an error with `sent: Maybe`: the app may exist.
    pub async fn create_application(&self, name: &str, site: &str, extra: &Record) -> Result<App, ApiError> {
        let endpoints = self.endpoints();
        let (name_field, site_field) = (endpoints.get("app_name_field"), endpoints.get("app_site_field"));
        let type_field = endpoints.get("app_type_field");
        let mut fields = Record::new();
        if !type_field.is_empty() {
            fields.insert(type_field.to_owned(), endpoints.get("app_type").into());
        }
        fields.extend(extra.clone());
        for (field, value) in [(name_field, name), (site_field, site)] {
            if extra.contains_key(field) {
                let message = format!("`{field}` is given twice: as an argument and as an option");
                return Err(ApiError::bad_input(message));
            }
            fields.insert(field.to_owned(), value.into());
        }
        let request = self
            .request(Method::Post, endpoints.get("create_application"))?
            .body(Body::Json(Value::Record(fields)));
        let answer = self.call(request).await?;
        let json = answer.json()?;
        let id = wire::app_id(&json).ok_or_else(|| answer.unreadable("it contains no app id"))?;
        let nothing = Fields::new();
        let item = resource(&json).unwrap_or(&nothing);
        let app = self.app(item);
        Ok(App {
            id,
            name: app
                .as_ref()
                .map(|app| app.name.clone())
                .filter(|name| !name.is_empty())
                .unwrap_or(name.to_owned()),
            site: app.and_then(|app| app.site).or(Some(site.to_owned())),
            attributes: wire::mark_credentials(Json::Object(wire::attributes(item).clone())),
        })
    }

    /// Updates an app's fields. Returns the platform's response, null if it is empty.
    pub async fn update_application(&self, id: &str, fields: &Record) -> Result<Value, ApiError> {
        let body = Body::Json(Value::Record(fields.clone()));
        let request = self.request(Method::Put, &self.app_path(id)?)?.body(body);
        let answer = self.call(request).await?;
        answer.value()
    }

    /// Deletes an app.
    pub async fn delete_application(&self, id: &str) -> Result<(), ApiError> {
        let request = self.request(Method::Delete, &self.app_path(id)?)?;
        let answer = self.call(request).await?;
        if answer.response.is_html() {
            Err(answer.unreadable("it is a web page"))
        } else {
            Ok(())
        }
    }

    /// The path of an app.
    fn app_path(&self, id: &str) -> Result<String, ApiError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if id.is_empty() || !id.chars().all(plain) {
            return Err(ApiError::bad_input(
                "an app id must be a whole number or a plain text",
            ));
        }
        Ok(format!("{}/{id}", self.endpoints().get("applications")))
    }

    /// Reads an item of the list; `None` if it has no id.
    fn app(&self, item: &Fields) -> Option<App> {
        let attributes = wire::attributes(item);
        let id = wire::id_in(item, &["id"]).or_else(|| wire::id_in(attributes, &["applicationId", "id"]))?;
        let (name, site) = (
            self.endpoints().get("app_name_field"),
            self.endpoints().get("app_site_field"),
        );
        Some(App {
            id,
            name: wire::text(attributes, &[name, "Name", "appName"]).unwrap_or_default(),
            site: wire::text(attributes, &[site, "appWebSiteUrl"]),
            attributes: wire::mark_credentials(Json::Object(attributes.clone())),
        })
    }
}

/// The single resource of a response, with or without its envelope.
fn resource(answer: &Json) -> Option<&Fields> {
    let data = answer.get("data").unwrap_or(answer);
    data.get(0).unwrap_or(data).as_object()
}
