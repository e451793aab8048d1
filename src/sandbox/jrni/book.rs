//! The records of JRNI.

use serde::{Deserialize, Serialize};

use super::event::{Kind, Record};
use super::state::State;

/// The parent company of the simulated JRNI, with its credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JrniAccount {
    /// The URL of its API by host name, with `/api/v1`. The name does not resolve: connect to
    /// [`Sandbox::address`](crate::sandbox::Sandbox::address) instead.
    #[serde(skip)]
    pub url: String,
    /// The URL of its API by path, for clients that do not know the sandbox.
    #[serde(skip)]
    pub plain_url: String,
    /// The identifier of the parent company.
    pub company: u64,
    /// The login.
    pub login: String,
    /// The password, generated at random with the world, as are the next two.
    pub password: String,
    /// The value of the header `App-Id`.
    pub app_id: String,
    /// The value of the header `App-Key`.
    pub app_key: String,
}

/// The state of the simulated JRNI. It contains passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JrniBook {
    /// Every company, the parent first, then oldest first.
    pub companies: Vec<CompanyBook>,
    /// Every administrator, oldest first.
    pub administrators: Vec<AdministratorBook>,
    /// Every person, oldest first, including deleted ones.
    pub people: Vec<RecordBook>,
    /// What was done since the world was created.
    pub totals: JrniTotals,
}

/// A company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyBook {
    /// Its identifier.
    pub id: u64,
    /// The identifier of its parent company.
    pub parent: Option<u64>,
    /// Its name.
    pub name: String,
    /// Its reference; empty if it has none.
    pub reference: String,
    /// Whether it was disabled.
    pub disabled: bool,
}

/// An administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministratorBook {
    /// Its identifier.
    pub id: u64,
    /// The company that it may sign in to.
    pub company: u64,
    /// Its address.
    pub email: String,
    /// The password; empty if none was given.
    pub password: String,
    /// Its role, as in `owner`.
    pub role: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordBook {
    /// Its identifier.
    pub id: u64,
    /// The company that it belongs to.
    pub company: u64,
    /// Its name.
    pub name: String,
    /// Its reference; empty if it has none.
    pub reference: String,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// Counts of actions at JRNI, taken from the durable log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JrniTotals {
    /// Companies created.
    pub companies_created: u64,
    /// Changes to companies.
    pub companies_changed: u64,
    /// Companies disabled.
    pub companies_disabled: u64,
    /// Administrators created.
    pub administrators_created: u64,
    /// Administrators refused because the company has one with that address.
    pub duplicates_refused: u64,
    /// People created.
    pub people_created: u64,
    /// Clients created.
    pub clients_created: u64,
    /// Mails to new staff.
    pub mails_sent: u64,
    /// Sign-ins that succeeded.
    pub logins: u64,
    /// Tokens invalidated by their owner.
    pub logouts: u64,
    /// Effects that landed after their connection was lost.
    pub landed_late: u64,
}

impl State {
    /// Returns the records of JRNI.
    pub(in crate::sandbox) fn book(&self) -> JrniBook {
        let company = |one: &Record| CompanyBook {
            id: one.id,
            parent: one.company,
            name: one.text("name").to_owned(),
            reference: one.text("ref").to_owned(),
            disabled: one.off,
        };
        let administrator = |one: &Record| AdministratorBook {
            id: one.id,
            company: one.company.unwrap_or_default(),
            email: one.text("email").to_owned(),
            password: one.text("password").to_owned(),
            role: one.text("role").to_owned(),
        };
        let person = |one: &Record| RecordBook {
            id: one.id,
            company: one.company.unwrap_or_default(),
            name: one.text("name").to_owned(),
            reference: one.text("reference").to_owned(),
            deleted: one.off,
        };
        JrniBook {
            companies: self.all(Kind::Company).map(company).collect(),
            administrators: self.all(Kind::Administrator).map(administrator).collect(),
            people: self.all(Kind::Person).map(person).collect(),
            totals: self.totals.clone(),
        }
    }
}
