//! The commands, events and refusals of the simulated Mobsted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::error::SandboxError;
use super::super::world::{self, DeferredCommand, LogContent, Memory};

/// A changing request, with everything needed to carry it out later and in another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Command {
    /// Create a sub-account.
    CreateTenant { email: String },
    /// Create an app.
    CreateApp {
        tenant: String,
        name: String,
        site: String,
        kind: String,
    },
    /// Change an app.
    ChangeApp {
        tenant: String,
        id: u64,
        name: Option<String>,
        site: Option<String>,
    },
    /// Delete an app.
    DeleteApp { tenant: String, id: u64 },
    /// Create a row in an app's table.
    CreateObject {
        tenant: String,
        app: u64,
        fields: Map<String, Value>,
    },
    /// Change columns of a row.
    ChangeObject {
        tenant: String,
        id: u64,
        fields: Map<String, Value>,
    },
    /// Delete a row.
    DeleteObject { tenant: String, id: u64 },
    /// Create a list of an app.
    CreateList {
        tenant: String,
        app: u64,
        name: String,
        structure: Value,
    },
    /// Assign a domain to an app or to the account.
    SetDomain {
        tenant: String,
        app: Option<u64>,
        domain: String,
    },
    /// Post an event.
    PostEvent { tenant: String },
    /// Sign in; the password has been checked.
    SignIn { tenant: String, uid: String },
    /// Exchange the refresh token of a sign-in for a new pair. `strict`: it can be used once only.
    Refresh {
        tenant: String,
        old: String,
        new: String,
        strict: bool,
    },
}

/// An event, as stored in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The master account was created, together with the world.
    Master {
        name: String,
        email: String,
        password: String,
        user: String,
    },
    /// A sub-account was created, with its row in App 1 of the master account.
    Tenant {
        id: u64,
        name: String,
        email: String,
        password: String,
        user: String,
        row: String,
    },
    /// A sub-account was refused because its address already has one.
    Duplicate { email: String },
    /// An app was created.
    App {
        tenant: String,
        id: u64,
        name: String,
        site: String,
        kind: String,
    },
    /// An app was changed.
    AppChanged {
        tenant: String,
        id: u64,
        name: Option<String>,
        site: Option<String>,
    },
    /// An app was deleted.
    AppDeleted { tenant: String, id: u64 },
    /// A change of App 1 of the master account was requested and refused.
    AppOneAttempt,
    /// A row was created.
    Object {
        tenant: String,
        app: u64,
        id: u64,
        row: String,
        fields: Map<String, Value>,
    },
    /// Columns of a row were changed.
    ObjectChanged {
        tenant: String,
        id: u64,
        fields: Map<String, Value>,
    },
    /// A row was deleted.
    ObjectDeleted { tenant: String, id: u64 },
    /// A list was created.
    ListMade {
        tenant: String,
        id: u64,
        app: u64,
        name: String,
        structure: Value,
    },
    /// A domain was assigned.
    Domain {
        tenant: String,
        app: Option<u64>,
        domain: String,
    },
    /// An event was posted.
    Posted { tenant: String, id: u64 },
    /// A user signed in.
    SignedIn { tenant: String, uid: String },
    /// A refresh token was used.
    Refreshed {
        tenant: String,
        old: String,
        new: String,
    },
    /// The access token of a sign-in was invalidated early.
    Expired { uid: String },
    /// All access tokens were invalidated early.
    AllExpired,
    /// The row of a sub-account no longer shows a password.
    RowPasswordGone { name: String },
    /// The owner of a sub-account changed the password; the row still shows the original one.
    PasswordChanged { name: String, password: String },
}

/// The reason why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Refusal {
    /// The address already has a sub-account.
    #[error("Email {0} is already used")]
    Duplicate(String),
    /// The tenant does not exist.
    #[error("Account {0} does not exist")]
    NoTenant(String),
    /// The tenant has no such app.
    #[error("Application {0} does not exist")]
    NoApp(u64),
    /// The tenant has no such row.
    #[error("Object {0} does not exist")]
    NoObject(u64),
    /// Another app of the tenant has the domain.
    #[error("The domain is already used by application {0}")]
    DomainUsed(u64),
    /// The command would change App 1 of the master account.
    #[error("Application 1 keeps the partner account working and cannot be changed or deleted")]
    AppOne,
    /// The refresh token was already used.
    #[error("The refresh token is not accepted")]
    RefreshUsed,
    /// The log could not be written, so nothing was done.
    #[error("The sandbox could not record the change: {0}")]
    Storage(String),
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
        memory.mobsted.decide(self)
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
        DeferredCommand::Mobsted(command)
    }
}

impl From<Event> for LogContent {
    fn from(event: Event) -> LogContent {
        LogContent::Mobsted(event)
    }
}
