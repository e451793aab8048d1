//! What may be asked of the simulated JRNI, and what then has happened.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::error::SandboxError;
use super::super::world::{self, Later, Memory, What};

/// Given fields: those that were read and found good.
pub(super) type Fields = Map<String, Value>;

/// Things of a company that are alike in how they are made, read, changed and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Kind {
    Person,
    Client,
    Service,
    Resource,
}

/// A request that changes something, with everything needed to carry it out later and in another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Command {
    /// Sign in; the password has been checked.
    SignIn {
        email: String,
        company: u64,
        token: String,
    },
    /// Let a token stand for another company.
    Switch { token: String, company: u64 },
    /// Make a token invalid.
    LogOut { token: String },
    /// Make a child company.
    CreateCompany { parent: u64, fields: Fields },
    /// Change a company.
    ChangeCompany { id: u64, fields: Fields },
    /// Switch a company off; it stays.
    DisableCompany { id: u64 },
    /// Make an administrator.
    CreateAdministrator { company: u64, fields: Fields },
    /// Change an administrator.
    ChangeAdministrator { company: u64, id: u64, fields: Fields },
    /// Make a person, a client, a service or a resource.
    CreateRecord {
        kind: Kind,
        company: u64,
        fields: Fields,
    },
    /// Change one.
    ChangeRecord {
        kind: Kind,
        company: u64,
        id: u64,
        fields: Fields,
    },
    /// Delete one: it stays, marked as deleted.
    DeleteRecord { kind: Kind, company: u64, id: u64 },
}

/// Something that has happened, as the log keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The parent company and its owner were made, together with the world.
    Founded {
        company: u64,
        name: String,
        administrator: u64,
        email: String,
        password: String,
        app_id: String,
        app_key: String,
    },
    /// Somebody signed in.
    SignedIn {
        email: String,
        company: u64,
        token: String,
    },
    /// A token stands for another company.
    Switched { token: String, company: u64 },
    /// A token was made invalid by its holder.
    LoggedOut { token: String },
    /// A token was used; not every use is in the log.
    Used { token: String },
    /// A token stopped working before its time.
    Expired { token: String },
    /// All tokens stopped working before their time.
    AllExpired,
    /// A company was made.
    Company { id: u64, parent: u64, fields: Fields },
    /// A company was changed.
    CompanyChanged { id: u64, fields: Fields },
    /// A company was switched off.
    CompanyDisabled { id: u64 },
    /// An administrator was made.
    Administrator { company: u64, id: u64, fields: Fields },
    /// An administrator was changed.
    AdministratorChanged { company: u64, id: u64, fields: Fields },
    /// An administrator was refused because the company has one of that address.
    Duplicate { email: String },
    /// A person, client, service or resource was made.
    Record {
        kind: Kind,
        company: u64,
        id: u64,
        fields: Fields,
    },
    /// One was changed.
    RecordChanged {
        kind: Kind,
        company: u64,
        id: u64,
        fields: Fields,
    },
    /// One was deleted.
    RecordDeleted { kind: Kind, company: u64, id: u64 },
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Refusal {
    /// There is no such company.
    #[error("Could not find company {0}")]
    NoCompany(u64),
    /// There is nothing of that number.
    #[error("Could not find {what} {id}")]
    Nothing {
        /// What was looked for.
        what: &'static str,
        /// Its number.
        id: u64,
    },
    /// It belongs to another company.
    #[error("Company {company} does not own {what} {id}")]
    NotOwned {
        /// The company that was named.
        company: u64,
        /// What belongs to another.
        what: &'static str,
        /// Its number.
        id: u64,
    },
    /// The company has an administrator of that address.
    #[error("The administrator {0} exists already")]
    Duplicate(String),
    /// The log could not be written, so nothing was done.
    #[error("The sandbox could not record the change: {0}")]
    Storage(String),
}

impl Kind {
    /// Its name in answers.
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

impl From<Command> for Later {
    fn from(command: Command) -> Later {
        Later::Jrni(command)
    }
}

impl From<Event> for What {
    fn from(event: Event) -> What {
        What::Jrni(event)
    }
}
