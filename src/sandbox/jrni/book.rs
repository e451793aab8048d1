//! JRNI's part of the books.

use serde::{Deserialize, Serialize};

use super::event::Kind;
use super::state::{Administrator, Company, Record, State, text};

/// Who signs in to the parent company. It holds secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Access {
    pub(in crate::sandbox) company: u64,
    pub(in crate::sandbox) login: String,
    pub(in crate::sandbox) password: String,
    pub(in crate::sandbox) app_id: String,
    pub(in crate::sandbox) app_key: String,
}

/// Everything that the simulated JRNI knows. It holds passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JrniBook {
    /// Every company, the parent first, then oldest first.
    pub companies: Vec<CompanyBook>,
    /// Every administrator, oldest first.
    pub administrators: Vec<AdministratorBook>,
    /// Every person, deleted ones too, oldest first.
    pub people: Vec<RecordBook>,
    /// What was done since the world was made.
    pub totals: JrniTotals,
}

/// A company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyBook {
    /// Its number.
    pub id: u64,
    /// The number of the company it belongs to.
    pub parent: Option<u64>,
    /// Its name.
    pub name: String,
    /// Its reference, empty when it has none.
    pub reference: String,
    /// Whether it was switched off.
    pub disabled: bool,
}

/// An administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministratorBook {
    /// Its number.
    pub id: u64,
    /// The company that it may sign in to.
    pub company: u64,
    /// Who it is.
    pub email: String,
    /// The password, empty when none was given.
    pub password: String,
    /// What it may do, as in `owner`.
    pub role: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordBook {
    /// Its number.
    pub id: u64,
    /// The company that it belongs to.
    pub company: u64,
    /// Its name.
    pub name: String,
    /// Its reference, empty when it has none.
    pub reference: String,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// Things done at JRNI, counted from the durable log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JrniTotals {
    /// Companies made.
    pub companies_created: u64,
    /// Changes of companies.
    pub companies_changed: u64,
    /// Companies switched off.
    pub companies_disabled: u64,
    /// Administrators made.
    pub administrators_created: u64,
    /// Administrators refused because the company has one of that address.
    pub duplicates_refused: u64,
    /// People made.
    pub people_created: u64,
    /// Clients made.
    pub clients_created: u64,
    /// Mails to new staff.
    pub mails_sent: u64,
    /// Sign-ins that succeeded.
    pub logins: u64,
    /// Tokens that their holder made invalid.
    pub logouts: u64,
    /// Effects that came after their connection had died.
    pub landed_late: u64,
}

impl State {
    /// The books.
    pub(in crate::sandbox) fn book(&self) -> JrniBook {
        let people = self.records.iter().filter(|((kind, _), _)| *kind == Kind::Person);
        JrniBook {
            companies: self.companies.values().map(company).collect(),
            administrators: self.administrators.values().map(administrator).collect(),
            people: people.map(|(_, record)| person(record)).collect(),
            totals: self.totals.clone(),
        }
    }
}

fn company(company: &Company) -> CompanyBook {
    CompanyBook {
        id: company.id,
        parent: company.parent,
        name: company.text("name").to_owned(),
        reference: company.text("ref").to_owned(),
        disabled: company.disabled,
    }
}

fn administrator(one: &Administrator) -> AdministratorBook {
    AdministratorBook {
        id: one.id,
        company: one.company,
        email: one.text("email").to_owned(),
        password: one.text("password").to_owned(),
        role: one.text("role").to_owned(),
    }
}

fn person(record: &Record) -> RecordBook {
    RecordBook {
        id: record.id,
        company: record.company,
        name: text(&record.fields, "name").to_owned(),
        reference: text(&record.fields, "reference").to_owned(),
        deleted: record.deleted,
    }
}
