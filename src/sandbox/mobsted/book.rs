//! The account and the records of Mobsted.

use serde::{Deserialize, Serialize};

use super::super::SimulatedAccount;
use super::super::address::Style;
use super::super::snapshot::{Account, Book, Part, Place, PlatformCounts, SimulatedResource};
use super::{MASTER, SERVER, url_of};

/// The master account of the simulated Mobsted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Master {
    /// Its URL by host name, as on the real platform. The name does not resolve: connect to
    /// [`Sandbox::address`](crate::sandbox::Sandbox::address) instead.
    #[serde(skip)]
    pub url: String,
    /// Its URL by path, for clients that do not know the sandbox.
    #[serde(skip)]
    pub plain_url: String,
    /// The login.
    pub login: String,
    /// The password, generated at random with the world.
    pub password: String,
}

impl Part for Master {
    const KEY: &'static str = "";
}

impl Account for Master {
    fn located(mut self, place: &Place) -> Master {
        self.url = url_of(MASTER, &Style::Host(format!("-admin.{}.{SERVER}", place.label)));
        self.plain_url = url_of(MASTER, &Style::Path(place.address.to_string()));
        self
    }

    fn profile(self) -> SimulatedAccount {
        SimulatedAccount {
            platform: "mobsted",
            texts: vec![("url", self.url), ("login", self.login.clone())],
            secrets: vec![("password", self.password)],
            place: format!("Mobsted at {}", self.plain_url),
            details: vec![self.login],
            files: &[("password", "master-password")],
        }
    }
}

/// The state of the simulated Mobsted. It contains passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MobstedBook {
    /// Every sub-account, oldest first.
    pub tenants: Vec<TenantBook>,
    /// Every app that exists, except App 1 of the master account; by tenant, then by number.
    pub apps: Vec<AppBook>,
    /// What was done since the world was created. It survives the death of the process.
    pub totals: Totals,
}

/// A sub-account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantBook {
    /// The address that signs in to it, as given when it was created.
    pub email: String,
    /// Its name, as in `a23r56k8`.
    pub name: String,
    /// The current password.
    pub password: String,
    /// How many sub-accounts were created for this address, ignoring case and surrounding blanks. Always 1.
    pub created: u64,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppBook {
    /// The name of the tenant that owns it.
    pub tenant: String,
    /// Its number in that tenant.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The site it wraps.
    pub site: String,
}

/// Counts of actions, taken from the durable log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Sub-accounts created.
    pub tenants_created: u64,
    /// Sub-accounts refused because the address already has one.
    pub duplicates_refused: u64,
    /// Apps created.
    pub apps_created: u64,
    /// Apps changed.
    pub apps_changed: u64,
    /// Apps deleted.
    pub apps_deleted: u64,
    /// Objects created by request (not the rows of sub-accounts).
    pub objects_created: u64,
    /// Events posted.
    pub events_posted: u64,
    /// Sign-ins that succeeded.
    pub logins: u64,
    /// Refresh tokens used.
    pub refreshes: u64,
    /// Requests to change or delete App 1 of the master account, all refused.
    pub app1_attempts: u64,
    /// Effects that landed after their connection was lost.
    pub landed_late: u64,
}

impl TenantBook {
    /// Returns its address, as a ledger names it.
    pub fn address(&self) -> String {
        self.email.trim().to_lowercase()
    }

    /// Returns part of the URL of its account.
    pub fn account(&self) -> String {
        account_of(&self.name)
    }
}

impl Part for MobstedBook {
    const KEY: &'static str = "";
}

impl Book for MobstedBook {
    fn counts(&self) -> PlatformCounts {
        let resources = vec![("tenants", self.tenants.len()), ("apps", self.apps.len())];
        PlatformCounts::new("Mobsted", resources, &self.totals)
    }

    fn resources(&self) -> Vec<SimulatedResource> {
        let tenants = self.tenants.iter().map(|tenant| SimulatedResource {
            kind: "tenant".to_owned(),
            label: tenant.address(),
            name: tenant.address(),
            ..SimulatedResource::default()
        });
        let apps = self.apps.iter().map(|app| SimulatedResource {
            kind: "app".to_owned(),
            label: format!("{} for {} of {}", app.name, app.site, self.owner(app)),
            name: app.name.clone(),
            id: app.id.to_string(),
            account: account_of(&app.tenant),
            ..SimulatedResource::default()
        });
        tenants.chain(apps).collect()
    }

    fn tenants(&self) -> Vec<TenantBook> {
        self.tenants.clone()
    }

    fn violations(&self) -> Vec<(&'static str, u64)> {
        vec![
            (
                "the platform had to refuse a second tenant",
                self.totals.duplicates_refused,
            ),
            (
                "App 1 of the master account was touched",
                self.totals.app1_attempts,
            ),
        ]
    }
}

impl MobstedBook {
    fn owner(&self, app: &AppBook) -> String {
        let owner = self.tenants.iter().find(|tenant| tenant.name == app.tenant);
        owner.map_or("the master account".to_owned(), TenantBook::address)
    }
}

/// Returns part of the URL of an account.
fn account_of(tenant: &str) -> String {
    format!("//{tenant}-admin.")
}
