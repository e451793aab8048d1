//! The events of the simulated JRNI.

use serde::{Deserialize, Serialize};

use super::super::form::Fields;

/// The kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Kind {
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

/// A change: as requested, with the identifier 0 for a new resource, and as decided and stored in the log. Each alias is
/// the name of the request in logs before format 6.
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
    SignedIn {
        email: String,
        company: u64,
        token: String,
    },
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
    /// A resource of a company was created; for a company, `company` is its parent.
    #[serde(alias = "create_record")]
    Record {
        kind: Kind,
        company: u64,
        #[serde(default)]
        id: u64,
        fields: Fields,
    },
    /// A resource was changed; for a company, `company` is the company itself.
    #[serde(alias = "change_record")]
    RecordChanged {
        kind: Kind,
        company: u64,
        id: u64,
        fields: Fields,
    },
    /// A resource was marked as deleted, or a company disabled.
    #[serde(alias = "delete_record")]
    RecordDeleted { kind: Kind, company: u64, id: u64 },
    /// An administrator was refused because the company has one with that address.
    Duplicate { email: String },
    // Before format 6, companies and administrators had events of their own.
    #[serde(alias = "create_company")]
    Company {
        #[serde(default)]
        id: u64,
        parent: u64,
        fields: Fields,
    },
    #[serde(alias = "change_company")]
    CompanyChanged { id: u64, fields: Fields },
    #[serde(alias = "disable_company")]
    CompanyDisabled { id: u64 },
    #[serde(alias = "create_administrator")]
    Administrator {
        company: u64,
        #[serde(default)]
        id: u64,
        fields: Fields,
    },
    #[serde(alias = "change_administrator")]
    AdministratorChanged { company: u64, id: u64, fields: Fields },
}

impl Event {
    /// Returns the event in the form of the current format.
    pub(super) fn current(self) -> Event {
        let (kind, company) = match &self {
            Event::Company { parent, .. } => (Kind::Company, *parent),
            Event::CompanyChanged { id, .. } | Event::CompanyDisabled { id } => (Kind::Company, *id),
            Event::Administrator { company, .. } | Event::AdministratorChanged { company, .. } => {
                (Kind::Administrator, *company)
            }
            _ => return self,
        };
        match self {
            Event::Company { id, fields, .. } | Event::Administrator { id, fields, .. } => Event::Record {
                kind,
                company,
                id,
                fields,
            },
            Event::CompanyChanged { id, fields } | Event::AdministratorChanged { id, fields, .. } => {
                Event::RecordChanged {
                    kind,
                    company,
                    id,
                    fields,
                }
            }
            Event::CompanyDisabled { id } => Event::RecordDeleted { kind, company, id },
            current => current,
        }
    }
}
