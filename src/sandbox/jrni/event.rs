//! The commands, events and refusals of the simulated JRNI.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::error::SandboxError;
use super::super::world::{self, DeferredCommand, LogContent, Memory};

/// The accepted fields of a request: known and valid.
pub(super) type Fields = Map<String, Value>;

/// The kinds of a company's resources that are created, read, changed and deleted in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Kind {
    Person,
    Client,
    Service,
    Resource,
}

/// A changing request, with everything needed to carry it out later and in another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Command {
    /// Sign in; the password has been checked.
    SignIn {
        email: String,
        company: u64,
        token: String,
    },
    /// Switch a token to another company.
    Switch { token: String, company: u64 },
    /// Invalidate a token.
    LogOut { token: String },
    /// Create a child company.
    CreateCompany { parent: u64, fields: Fields },
    /// Change a company.
    ChangeCompany { id: u64, fields: Fields },
    /// Disable a company without deleting it.
    DisableCompany { id: u64 },
    /// Create an administrator.
    CreateAdministrator { company: u64, fields: Fields },
    /// Change an administrator.
    ChangeAdministrator { company: u64, id: u64, fields: Fields },
    /// Create a person, client, service or resource.
    CreateRecord {
        kind: Kind,
        company: u64,
        fields: Fields,
    },
    /// Change a person, client, service or resource.
    ChangeRecord {
        kind: Kind,
        company: u64,
        id: u64,
        fields: Fields,
    },
    /// Mark a person, client, service or resource as deleted.
    DeleteRecord { kind: Kind, company: u64, id: u64 },
}

/// An event, as stored in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The parent company and its owner were created, together with the world.
    Founded {
        company: u64,
        name: String,
        administrator: u64,
        email: String,
        password: String,
        app_id: String,
        app_key: String,
    },
    /// A user signed in.
    SignedIn {
        email: String,
        company: u64,
        token: String,
    },
    /// A token was switched to another company.
    Switched { token: String, company: u64 },
    /// A token was invalidated by its owner.
    LoggedOut { token: String },
    /// A token was used; not every use is in the log.
    Used { token: String },
    /// A token was invalidated early.
    Expired { token: String },
    /// All tokens were invalidated early.
    AllExpired,
    /// A company was created.
    Company { id: u64, parent: u64, fields: Fields },
    /// A company was changed.
    CompanyChanged { id: u64, fields: Fields },
    /// A company was disabled.
    CompanyDisabled { id: u64 },
    /// An administrator was created.
    Administrator { company: u64, id: u64, fields: Fields },
    /// An administrator was changed.
    AdministratorChanged { company: u64, id: u64, fields: Fields },
    /// An administrator was refused because the company has one with that address.
    Duplicate { email: String },
    /// A person, client, service or resource was created.
    Record {
        kind: Kind,
        company: u64,
        id: u64,
        fields: Fields,
    },
    /// A person, client, service or resource was changed.
    RecordChanged {
        kind: Kind,
        company: u64,
        id: u64,
        fields: Fields,
    },
    /// A person, client, service or resource was deleted.
    RecordDeleted { kind: Kind, company: u64, id: u64 },
}

/// The reason why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Refusal {
    /// The company does not exist.
    #[error("Could not find company {0}")]
    NoCompany(u64),
    /// The resource does not exist.
    #[error("Could not find {what} {id}")]
    Nothing {
        /// The kind of the resource.
        what: &'static str,
        /// Its identifier.
        id: u64,
    },
    /// The resource belongs to another company.
    #[error("Company {company} does not own {what} {id}")]
    NotOwned {
        /// The company in the request.
        company: u64,
        /// The kind of the resource.
        what: &'static str,
        /// Its identifier.
        id: u64,
    },
    /// The company already has an administrator with that address.
    #[error("The administrator {0} exists already")]
    Duplicate(String),
    /// The log could not be written, so nothing was done.
    #[error("The sandbox could not record the change: {0}")]
    Storage(String),
}

impl Kind {
    /// Returns its name in responses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Client => "client",
            Kind::Service => "service",
            Kind::Resource => "resource",
        }
    }
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
        memory.jrni.decide(self)
    }

    fn trace(refusal: &Refusal) -> Option<Event> {
        match refusal {
            Refusal::Duplicate(email) => Some(Event::Duplicate { email: email.clone() }),
            _ => None,
        }
    }
}

impl From<Command> for DeferredCommand {
    fn from(command: Command) -> DeferredCommand {
        DeferredCommand::Jrni(command)
    }
}

impl From<Event> for LogContent {
    fn from(event: Event) -> LogContent {
        LogContent::Jrni(event)
    }
}
