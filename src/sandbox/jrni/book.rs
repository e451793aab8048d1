//! The records of JRNI.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::SimulatedAccount;
use super::super::snapshot::{Account, Book, Part, Place, PlatformCounts, SimulatedResource};

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

impl Part for JrniAccount {
    const KEY: &'static str = "jrni";
}

impl Account for JrniAccount {
    fn located(mut self, place: &Place) -> JrniAccount {
        let (url, plain_url) = place.urls("bookings", "jrni");
        (self.url, self.plain_url) = (url + "/api/v1", plain_url + "/api/v1");
        self
    }

    fn profile(self) -> SimulatedAccount {
        SimulatedAccount {
            platform: "jrni",
            place: format!("JRNI at {}", self.plain_url),
            details: vec![
                self.login.clone(),
                format!("App-Id {}", self.app_id),
                format!("company {}", self.company),
            ],
            files: &[("password", "jrni-password"), ("app_key", "jrni-app-key")],
            texts: vec![("url", self.url), ("login", self.login), ("app_id", self.app_id)],
            secrets: vec![("password", self.password), ("app_key", self.app_key)],
        }
    }
}

impl Part for JrniBook {
    const KEY: &'static str = "jrni";
}

impl Book for JrniBook {
    fn counts(&self) -> PlatformCounts {
        let resources = vec![
            ("companies", self.companies.len()),
            ("administrators", self.administrators.len()),
            ("people", self.people.len()),
        ];
        PlatformCounts::new("JRNI", resources, &self.totals)
    }

    fn resources(&self) -> Vec<SimulatedResource> {
        let names: BTreeMap<u64, &str> = self
            .companies
            .iter()
            .map(|company| (company.id, company.name.as_str()))
            .collect();
        let of = |company: u64| names.get(&company).copied().unwrap_or("no company");
        let keyed = |kind: &str, name: &str, id: u64, label: String| SimulatedResource {
            kind: kind.to_owned(),
            label,
            name: name.to_owned(),
            id: id.to_string(),
            numbered: true,
            ..SimulatedResource::default()
        };
        let companies = self.companies.iter().map(|company| {
            let parent = company.parent.map_or("nobody", of);
            let label = format!("{} ({}) of {parent}", company.name, company.reference);
            keyed("company", &company.reference, company.id, label)
        });
        let administrators = self.administrators.iter().map(|one| {
            let email = one.email.trim().to_lowercase();
            let label = format!("{email} of {}", of(one.company));
            keyed("administrator", &email, one.id, label)
        });
        let people = self.people.iter().filter(|person| !person.deleted).map(|person| {
            let label = format!("{} ({}) of {}", person.name, person.reference, of(person.company));
            keyed("person", &person.reference, person.id, label)
        });
        companies.chain(administrators).chain(people).collect()
    }
}
