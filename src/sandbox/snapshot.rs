//! The platforms' own records of what exists and what was requested, for proofs that do not trust the client.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::fault::Route;
pub use super::jrni::{AdministratorBook, CompanyBook, JrniBook, JrniTotals, RecordBook};
pub use super::sparrow::{BatchBook, Channel, SparrowBook, SparrowTotals};
pub use super::sparrow_bulk::{SparrowBulkBook, SparrowBulkMessageBook, SparrowBulkTotals};
pub use super::web::{WebBook, WebTotals};

/// The complete state of the sandbox. It contains passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Every sub-account, oldest first.
    pub tenants: Vec<TenantBook>,
    /// Every app that exists, except App 1 of the master account; by tenant, then by number.
    pub apps: Vec<AppBook>,
    /// What was done since the world was created. It survives the death of the process.
    pub totals: Totals,
    /// The simulated JRNI.
    #[serde(default)]
    pub jrni: JrniBook,
    /// The simulated Sparrow SMS.
    #[serde(default)]
    pub sparrow: SparrowBook,
    /// The simulated bulk API of Sparrow SMS.
    #[serde(default)]
    pub sparrow_bulk: SparrowBulkBook,
    /// The simulated web service.
    #[serde(default)]
    pub web: WebBook,
    /// The requests since the serving process opened the world.
    pub traffic: Traffic,
    /// Effects that may still land: deferred ones (see the fault `drop-late`), and those of requests in progress (see
    /// the fault `slow`).
    pub pending: u64,
}

/// The number of resources of each kind on a platform, and what was done on it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformCounts {
    /// Its display name.
    pub title: &'static str,
    /// The number of resources by their plural name.
    pub resources: Vec<(&'static str, usize)>,
    /// Totals by name.
    pub totals: Json,
}

impl Snapshot {
    /// Returns the counts of every platform.
    pub fn counts(&self) -> Vec<PlatformCounts> {
        let (jrni, sparrow, bulk, web) = (&self.jrni, &self.sparrow, &self.sparrow_bulk, &self.web);
        let accounts = [("tenants", self.tenants.len()), ("apps", self.apps.len())];
        let staff = [
            ("companies", jrni.companies.len()),
            ("administrators", jrni.administrators.len()),
            ("people", jrni.people.len()),
        ];
        let drafts = sparrow.batches.iter().filter(|batch| batch.draft).count();
        let messages = [("messages", sparrow.batches.len() - drafts), ("drafts", drafts)];
        let in_bulk = [("messages", bulk.messages.len())];
        let items = [("items", web.items.len() + web.described.len())];
        vec![
            counts("Mobsted", &accounts, &self.totals),
            counts("JRNI", &staff, &jrni.totals),
            counts("Sparrow", &messages, &sparrow.totals),
            counts("Sparrow bulk", &in_bulk, &bulk.totals),
            counts("Web", &items, &web.totals),
        ]
    }
}

fn counts(
    title: &'static str,
    resources: &[(&'static str, usize)],
    totals: &impl Serialize,
) -> PlatformCounts {
    PlatformCounts {
        title,
        resources: resources.to_vec(),
        totals: serde_json::to_value(totals).unwrap_or_default(),
    }
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

/// Requests received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// All requests to a platform, whatever their outcome.
    pub requests: u64,
    /// `POST /partners`.
    pub partners: u64,
    /// `POST /applications`.
    pub applications: u64,
    /// `GET /object`: lookups of sub-accounts.
    pub object_lists: u64,
    /// `GET /applications`: lookups of apps.
    pub application_lists: u64,
    /// `GET /auth`.
    pub auths: u64,
    /// `GET /refresh`.
    pub refreshes: u64,
    /// Delayed requests in progress, whether or not their client still waits.
    #[serde(default)]
    pub under_way: u64,
    /// Requests hit by a fault.
    pub faults: u64,
    /// Requests to create something that already existed when they arrived: a sub-account by address, an app by name
    /// and site in one account, a JRNI company by reference, an administrator by address or a person by reference in
    /// one company, an item of the web service by reference. A client that looks before it repeats sends none.
    pub repeats: u64,
    /// Requests of all platforms by the name of their fault route.
    #[serde(default)]
    pub routes: BTreeMap<String, u64>,
    /// The number of requests that each fault hit, by its text.
    pub hits: BTreeMap<String, u32>,
}

/// The counters behind [`Traffic`].
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) object_lists: AtomicU64,
    pub(super) repeats: AtomicU64,
    under_way: AtomicU64,
    routes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Meter {
    /// Increments the request count of a route.
    pub(super) fn count_route(&self, route: Route) {
        *self.routes().entry(route.name()).or_default() += 1;
    }

    /// Counts a request as under way until the guard is dropped.
    pub(super) fn under_way(self: &Arc<Self>) -> DelayedRequest {
        count(&self.under_way);
        DelayedRequest(Arc::clone(self))
    }

    fn routes(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, hits: BTreeMap<String, u32>) -> Traffic {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let routes = self.routes().clone();
        let of = |route: Route| routes.get(route.name()).copied().unwrap_or_default();
        Traffic {
            requests: routes.values().sum(),
            partners: of(Route::PARTNERS),
            applications: of(Route::APPLICATIONS_POST),
            object_lists: load(&self.object_lists),
            application_lists: of(Route::APPLICATIONS_GET),
            auths: of(Route::AUTH),
            refreshes: of(Route::REFRESH),
            under_way: load(&self.under_way),
            faults: hits.values().copied().map(u64::from).sum(),
            repeats: load(&self.repeats),
            routes: routes
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            hits,
        }
    }
}

/// The guard of a delayed request in progress.
pub(super) struct DelayedRequest(Arc<Meter>);

impl Drop for DelayedRequest {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Increments a counter.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A resource that exists, or a message that was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulatedResource {
    /// The kind, as in a ledger; messages are in no ledger.
    pub kind: String,
    /// A description with its owner or recipients: the same in every world.
    pub label: String,
    /// The natural key, as in a ledger; empty if it has none and so is in no ledger.
    pub name: String,
    /// The platform's identifier; empty if it has none.
    pub id: String,
    /// Part of the URL of the account that it has in a ledger.
    pub account: String,
    /// Whether identifiers of this kind come from one platform-wide sequence, and so depend on the creation order.
    pub numbered: bool,
}

impl Snapshot {
    /// Returns the resources and messages of all platforms.
    pub fn resources(&self) -> Vec<SimulatedResource> {
        let tenants = self.tenants.iter().map(|tenant| SimulatedResource {
            kind: "tenant".to_owned(),
            label: tenant.address(),
            name: tenant.address(),
            ..SimulatedResource::default()
        });
        let apps = self.apps.iter().map(|app| SimulatedResource {
            kind: "app".to_owned(),
            label: format!("{} for {} of {}", app.name, app.site, owner(self, app)),
            name: app.name.clone(),
            id: app.id.to_string(),
            account: account_of(&app.tenant),
            ..SimulatedResource::default()
        });
        let items = self.web.items.iter().map(|item| {
            let mut fields = item.as_object().cloned().unwrap_or_default();
            fields.remove("id");
            let reference = fields.get("reference").and_then(|name| name.as_str());
            SimulatedResource {
                kind: "http".to_owned(),
                name: reference.unwrap_or_default().to_owned(),
                label: serde_json::Value::Object(fields).to_string(),
                ..SimulatedResource::default()
            }
        });
        let described = self.web.described.iter().map(|item| SimulatedResource {
            kind: item.kind.clone(),
            label: serde_json::Value::Object(item.fields.clone()).to_string(),
            name: item.key.clone(),
            id: item.id.to_string(),
            account: format!("//{}.web.sandbox", item.service),
            numbered: true,
        });
        let sent = self.sparrow.batches.iter().map(message);
        let bulk = self.sparrow_bulk.messages.iter();
        let in_bulk = bulk.map(|sms| format!("in bulk to {}: {}", sms.recipients.join(", "), sms.text));
        let messages = sent.chain(in_bulk).map(|label| SimulatedResource {
            kind: "message".to_owned(),
            label,
            ..SimulatedResource::default()
        });
        let others = items.chain(described).chain(messages);
        let others = others.chain(jrni_resources(&self.jrni));
        tenants.chain(apps).chain(others).collect()
    }
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

fn account_of(tenant: &str) -> String {
    format!("//{tenant}-admin.")
}

fn owner(snapshot: &Snapshot, app: &AppBook) -> String {
    let owner = snapshot.tenants.iter().find(|tenant| tenant.name == app.tenant);
    owner.map_or("the master account".to_owned(), TenantBook::address)
}

fn jrni_resources(book: &JrniBook) -> Vec<SimulatedResource> {
    let names: BTreeMap<u64, &str> = book
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
    let companies = book.companies.iter().map(|company| {
        let parent = company.parent.map_or("nobody", of);
        let label = format!("{} ({}) of {parent}", company.name, company.reference);
        keyed("company", &company.reference, company.id, label)
    });
    let administrators = book.administrators.iter().map(|one| {
        let email = one.email.trim().to_lowercase();
        let label = format!("{email} of {}", of(one.company));
        keyed("administrator", &email, one.id, label)
    });
    let people = book.people.iter().filter(|person| !person.deleted).map(|person| {
        let label = format!("{} ({}) of {}", person.name, person.reference, of(person.company));
        keyed("person", &person.reference, person.id, label)
    });
    companies.chain(administrators).chain(people).collect()
}

fn message(batch: &BatchBook) -> String {
    let channel = match batch.channel {
        Channel::Viber | Channel::ViberTemplate => "by Viber",
        Channel::Sms => "by SMS",
        Channel::Whatsapp => "by WhatsApp",
    };
    let kept = if batch.draft { "kept as a draft, " } else { "" };
    format!(
        "{kept}{channel} to {}: {}",
        batch.recipients.join(", "),
        batch.text
    )
}
