//! A collection that stores any item it is given, like many web services: its commands, events and state.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::error::SandboxError;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::super::snapshot::count;
use super::super::world::{self, Later, Memory, What};
use super::Action;

/// The fields of an item.
type Fields = Map<String, Value>;

/// A changing request, with everything needed to carry it out later and in another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Command {
    /// Create an item.
    Create { fields: Fields },
    /// Replace all fields of an item.
    Replace { id: u64, fields: Fields },
    /// Set these fields of an item and keep the others.
    Change { id: u64, fields: Fields },
    /// Delete an item.
    Delete { id: u64 },
}

/// An event, as stored in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// An item was created.
    Created { id: u64, fields: Fields },
    /// An item's fields were replaced.
    Changed { id: u64, fields: Fields },
    /// An item was deleted.
    Deleted { id: u64 },
}

/// The reason why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Refusal {
    /// The item does not exist.
    #[error("there is no item {0}")]
    Nothing(u64),
    /// The log could not be written, so nothing was done.
    #[error("the sandbox could not record the change: {0}")]
    Storage(String),
}

/// The state of the collection.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct State {
    items: BTreeMap<u64, Fields>,
    last: u64,
    pub(in crate::sandbox) totals: WebTotals,
}

/// The collection, for proofs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebBook {
    /// Every item that exists, oldest first, with its `id`.
    pub items: Vec<Value>,
    /// What was done since the world was created.
    pub totals: WebTotals,
}

/// Counts of actions on the collection, taken from the durable log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebTotals {
    /// Items created.
    pub created: u64,
    /// Changes to items.
    pub changed: u64,
    /// Items deleted.
    pub deleted: u64,
    /// Effects that landed after their connection was lost.
    pub landed_late: u64,
}

impl State {
    fn decide(&self, command: Command) -> Result<Event, Refusal> {
        let known = |id: u64| self.items.get(&id).ok_or(Refusal::Nothing(id));
        Ok(match command {
            Command::Create { fields } => Event::Created {
                id: self.last + 1,
                fields,
            },
            Command::Replace { id, fields } => {
                known(id)?;
                Event::Changed { id, fields }
            }
            Command::Change { id, fields } => {
                let mut all = known(id)?.clone();
                all.extend(fields);
                Event::Changed { id, fields: all }
            }
            Command::Delete { id } => {
                known(id)?;
                Event::Deleted { id }
            }
        })
    }

    /// Applies an event.
    pub(in crate::sandbox) fn apply(&mut self, event: Event) {
        match event {
            Event::Created { id, fields } => {
                self.totals.created += 1;
                self.last = self.last.max(id);
                self.items.insert(id, fields);
            }
            Event::Changed { id, fields } => {
                self.totals.changed += 1;
                self.items.insert(id, fields);
            }
            Event::Deleted { id } => {
                self.totals.deleted += 1;
                self.items.remove(&id);
            }
        }
    }

    /// Returns the records of the collection.
    pub(in crate::sandbox) fn book(&self) -> WebBook {
        WebBook {
            items: self.items.iter().map(|(id, fields)| shown(*id, fields)).collect(),
            totals: self.totals.clone(),
        }
    }

    fn of_reference(&self, reference: &str) -> impl Iterator<Item = Value> {
        let has = move |fields: &Fields| fields.get("reference").and_then(Value::as_str) == Some(reference);
        self.items
            .iter()
            .filter(move |(_, fields)| has(fields))
            .map(|(id, fields)| shown(*id, fields))
    }
}

/// Plans a request to `/items` or below: `GET` lists (with `?reference=…` the items of that reference), `POST` creates,
/// and `GET`, `PUT`, `PATCH` and `DELETE` act on `/items/{id}`.
pub(super) fn plan(site: &Site, call: &Call, rest: &[&str]) -> Result<Action, Reply> {
    let id = match rest {
        [] => None,
        [id] => Some(id.parse::<u64>().map_err(|_| missing(id))?),
        _ => return Err(missing(&call.path)),
    };
    let fields = || {
        let read = call.fields().map_err(|_| {
            let text = "the body is not a JSON object, a form or multipart";
            Reply::json(StatusCode::BAD_REQUEST, &json!({ "error": text }))
        });
        read.map(|mut fields| {
            fields.remove("id");
            fields
        })
    };
    match (call.method.as_str(), id) {
        ("GET" | "HEAD", None) => Ok(Action::Show(list(site, call))),
        ("GET" | "HEAD", Some(id)) => show(site, id, StatusCode::OK).map(Action::Show),
        ("POST", None) => Ok(Action::Do(Command::Create { fields: fields()? })),
        ("PUT", Some(id)) => Ok(Action::Do(Command::Replace {
            id,
            fields: fields()?,
        })),
        ("PATCH", Some(id)) => Ok(Action::Do(Command::Change {
            id,
            fields: fields()?,
        })),
        ("DELETE", Some(id)) => Ok(Action::Do(Command::Delete { id })),
        _ => Err(super::not_allowed()),
    }
}

/// Makes the change and returns the response.
pub(super) fn carry_out(site: &Site, command: &Command) -> Reply {
    let reply = match site.world.perform(command) {
        Ok(Event::Created { id, .. }) => show(site, id, StatusCode::CREATED),
        Ok(Event::Changed { id, .. }) => show(site, id, StatusCode::OK),
        Ok(Event::Deleted { .. }) => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        Err(refusal @ Refusal::Nothing(_)) => Err(missing(&refusal.to_string())),
        Err(refusal) => {
            let status = StatusCode::INSUFFICIENT_STORAGE;
            Err(Reply::json(status, &json!({ "error": refusal.to_string() })))
        }
    };
    reply.unwrap_or_else(|refused| refused)
}

/// Counts a request to create an item that already exists.
pub(super) fn notice(site: &Site, call: &Call) {
    if call.method != Method::POST || call.segments().as_slice() != ["items"] {
        return;
    }
    let fields = call.fields().unwrap_or_default();
    let Some(reference) = fields.get("reference").and_then(Value::as_str) else {
        return;
    };
    if site
        .world
        .web(|state| state.of_reference(reference).next().is_some())
    {
        count(&site.meter.repeats);
    }
}

fn list(site: &Site, call: &Call) -> Reply {
    let reference = call.parameter("reference");
    let items: Vec<Value> = site.world.web(|state| match reference {
        Some(reference) => state.of_reference(&reference).collect(),
        None => state.book().items,
    });
    Reply::ok(&json!({ "total": items.len(), "items": items }))
}

fn show(site: &Site, id: u64, status: StatusCode) -> Result<Reply, Reply> {
    let item = site
        .world
        .web(|state| state.items.get(&id).map(|fields| shown(id, fields)));
    item.map(|item| Reply::json(status, &item))
        .ok_or_else(|| missing(&format!("there is no item {id}")))
}

fn shown(id: u64, fields: &Fields) -> Value {
    let mut item = fields.clone();
    item.insert("id".to_owned(), id.into());
    Value::Object(item)
}

fn missing(what: &str) -> Reply {
    Reply::json(StatusCode::NOT_FOUND, &json!({ "error": what }))
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Refusal {
        Refusal::Storage(error.to_string())
    }
}

impl world::Command for Command {
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, memory: &Memory) -> Result<Event, Refusal> {
        memory.web.decide(self.clone())
    }

    fn trace(_: &Refusal) -> Option<Event> {
        None
    }
}

impl From<Command> for Later {
    fn from(command: Command) -> Later {
        Later::Web(command)
    }
}

impl From<Event> for What {
    fn from(event: Event) -> What {
        What::Web(event)
    }
}
