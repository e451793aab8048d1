//! People: the staff of a company.

use serde_json::Value as Json;

use super::Client;
pub(crate) use crate::client::answer::Answer;
use crate::client::error::ApiError;
pub(crate) use crate::client::fields::{self, Fields};
use crate::transport::request::Method;
use crate::value::{Record, Value};

/// A person who works for a company.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Its number.
    pub id: u64,
    /// The person's name.
    pub name: String,
    /// The reference that other systems know the person by; empty when there is none.
    pub reference: String,
    /// The person's address; empty when there is none.
    pub email: String,
    /// Everything the platform says of the person; what is named like a credential is a secret.
    pub attributes: Value,
}

impl Client {
    /// The people of the company that calls act on.
    pub async fn people(&self) -> Result<Vec<Person>, ApiError> {
        let request = self.admin(Method::Get, "/people").await?;
        let items = self.listed(&request, "people").await?;
        let items = items.ok_or_else(|| super::missing("people"))?;
        let all: Option<Vec<Person>> = items.iter().map(read).collect();
        all.ok_or_else(|| super::unreadable("a person of the list has no `id`"))
    }

    /// The person of this reference.
    pub async fn find_person(&self, reference: &str) -> Result<Option<Person>, ApiError> {
        let path = format!("/people/find_by_ref/{}", super::segment(reference));
        let Some(answer) = self.find(self.admin(Method::Get, &path).await?).await? else {
            return Ok(None);
        };
        let person = one(&answer)?;
        if person.reference == reference {
            Ok(Some(person))
        } else {
            Err(answer.unreadable("it is a person of another reference"))
        }
    }

    /// Makes a person. The platform sends them mail unless `notify` is false (vendor's documents). Never repeated when
    /// it may have been carried out.
    ///
    /// An answer that cannot be used is an error with `sent: Maybe`: the person may exist.
    pub async fn create_person(&self, fields: &Record) -> Result<Person, ApiError> {
        let request = self.admin(Method::Post, "/people").await?;
        one(&self.send(request, fields).await?)
    }
}

fn one(answer: &Answer) -> Result<Person, ApiError> {
    let json = answer.json()?;
    let person = json.as_object().and_then(read);
    person.ok_or_else(|| answer.unreadable("it is no person with an `id`"))
}

fn read(item: &Fields) -> Option<Person> {
    let text = |name: &str| fields::text(item, &[name]).unwrap_or_default();
    Some(Person {
        id: super::id(item)?,
        name: text("name"),
        reference: text("reference"),
        email: text("email"),
        attributes: fields::guarded(Json::Object(item.clone())),
    })
}
