//! The events of the simulated JRNI.

use serde::{Deserialize, Serialize};

use super::super::form::{Fields, text};

/// The kinds of resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Kind {
    #[default]
    Company,
    Administrator,
    Person,
    Client,
    Service,
    Resource,
}

impl Kind {
    /// Returns its name in responses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Company => "company",
            Kind::Administrator => "administrator",
            Kind::Person => "person",
            Kind::Client => "client",
            Kind::Service => "service",
            Kind::Resource => "resource",
        }
    }
}

/// A resource: in the state, and as the content of the events that create, change and delete it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Record {
    pub(super) kind: Kind,
    pub(super) id: u64,
    /// The company that it belongs to; for a company, its parent.
    #[serde(alias = "parent")]
    pub(super) company: Option<u64>,
    pub(super) fields: Fields,
    /// Whether it was deleted or, for a company, disabled.
    #[serde(skip)]
    pub(super) off: bool,
    /// In milliseconds since the Unix epoch, as is the next.
    #[serde(skip)]
    pub(super) created: i64,
    #[serde(skip)]
    pub(super) updated: i64,
}

/// A sign-in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Session {
    pub(super) email: String,
    pub(super) company: u64,
    pub(super) token: String,
    /// The last use, in milliseconds since the Unix epoch.
    #[serde(skip)]
    pub(super) used: i64,
    /// The last use recorded in the log.
    #[serde(skip)]
    pub(super) last_used: i64,
}

/// A change: as requested, with the identifier 0 for a new resource, and as decided and stored in the log. Each alias
/// is the name of the request in logs before format 6.
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
    /// A user signed in; the password has been checked.
    #[serde(alias = "sign_in")]
    SignedIn(Session),
    /// A token was switched to another company.
    #[serde(alias = "switch")]
    Switched { token: String, company: u64 },
    /// A token was invalidated by its owner.
    #[serde(alias = "log_out")]
    LoggedOut { token: String },
    /// A token was used; not every use is in the log.
    Used { token: String },
    /// A token was invalidated early.
    Expired { token: String },
    /// All tokens were invalidated early.
    AllExpired,
    /// A resource was created.
    #[serde(alias = "create_record")]
    Record(Record),
    /// Fields of a resource were changed.
    #[serde(alias = "change_record")]
    RecordChanged(Record),
    /// A resource was marked as deleted, or a company disabled.
    #[serde(alias = "delete_record")]
    RecordDeleted(Record),
    /// An administrator was refused because the company has one with that address.
    Duplicate { email: String },
    // Before format 6, companies and administrators had events of their own, without the kind.
    #[serde(alias = "create_company")]
    Company(Record),
    #[serde(alias = "change_company")]
    CompanyChanged(Record),
    #[serde(alias = "disable_company")]
    CompanyDisabled(Record),
    #[serde(alias = "create_administrator")]
    Administrator(Record),
    #[serde(alias = "change_administrator")]
    AdministratorChanged(Record),
}

impl Record {
    /// Returns a resource of a company as requested.
    pub(super) fn new(kind: Kind, company: u64, id: u64, fields: Fields) -> Record {
        Record {
            kind,
            id,
            company: Some(company),
            fields,
            ..Record::default()
        }
    }

    /// Returns a text field; empty if it is not set.
    pub(super) fn text(&self, name: &str) -> &str {
        text(&self.fields, name)
    }

    /// Whether a text field has this value. Addresses are equal ignoring case and surrounding blanks.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        if name == "email" {
            self.text(name).trim().to_lowercase() == value.trim().to_lowercase()
        } else {
            self.text(name) == value
        }
    }
}

impl Event {
    /// Returns the event in the form of the current format.
    pub(super) fn current(self) -> Event {
        let company = |record: Record| Record {
            kind: Kind::Company,
            ..record
        };
        let administrator = |record: Record| Record {
            kind: Kind::Administrator,
            ..record
        };
        match self {
            Event::Company(record) => Event::Record(company(record)),
            Event::CompanyChanged(record) => Event::RecordChanged(company(record)),
            Event::CompanyDisabled(record) => Event::RecordDeleted(company(record)),
            Event::Administrator(record) => Event::Record(administrator(record)),
            Event::AdministratorChanged(record) => Event::RecordChanged(administrator(record)),
            current => current,
        }
    }
}
