//! The in-memory state of the simulated Mobsted: a pure fold over its events.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::super::snapshot::{AppBook, TenantBook, Totals};
use super::event::Event;

/// The name of the master account.
pub(in crate::sandbox) const MASTER: &str = "ppp";

/// The app of the master account whose rows are the sub-accounts.
pub(super) const APP_ONE: u64 = 1;

/// The state of Mobsted.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct State {
    /// The master account first, then the sub-accounts in order of creation.
    tenants: Vec<Tenant>,
    by_name: HashMap<String, usize>,
    /// By address: the index of the newest sub-account, and how many were created.
    by_email: HashMap<String, (usize, u64)>,
    sessions: HashMap<String, Session>,
    pub(in crate::sandbox) totals: Totals,
}

/// An account: the master account or a sub-account.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct Tenant {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) email: String,
    pub(in crate::sandbox) password: String,
    pub(super) user: String,
    /// The password shown in App 1 of the master account; `None` if it was blanked.
    pub(super) row_password: Option<String>,
    pub(super) row: Object,
    pub(super) last_login: Option<i64>,
    pub(super) apps: BTreeMap<u64, App>,
    pub(super) objects: BTreeMap<u64, Object>,
    pub(super) lists: BTreeMap<u64, List>,
    /// Each domain with the app that it is assigned to; `None` for the account itself.
    pub(super) domains: BTreeMap<String, Option<u64>>,
    pub(super) last_list: u64,
    pub(super) last_app: u64,
    pub(super) last_object: u64,
    pub(super) last_event: u64,
}

/// An app of a tenant.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct App {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) site: String,
    pub(super) kind: String,
    pub(super) created: i64,
}

/// A row of an app's table. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    pub(super) id: u64,
    pub(super) app: u64,
    pub(super) uuid: String,
    pub(super) created: i64,
    pub(super) fields: Map<String, Value>,
}

/// A list of an app.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) app: u64,
    pub(super) name: String,
    pub(super) structure: Value,
}

/// A sign-in: which of its two tokens are still valid.
#[derive(Debug)]
struct Session {
    access: bool,
    refresh: bool,
}

impl State {
    /// Returns the account of that name.
    pub(in crate::sandbox) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.by_name.get(name).map(|&index| &self.tenants[index])
    }

    /// Returns the sub-account of that address, ignoring case and surrounding blanks.
    pub(in crate::sandbox) fn tenant_of(&self, email: &str) -> Option<&Tenant> {
        self.by_email
            .get(&email_key(email))
            .map(|&(index, _)| &self.tenants[index])
    }

    /// Returns how many sub-accounts were created for the address.
    pub(in crate::sandbox) fn created(&self, email: &str) -> u64 {
        self.by_email
            .get(&email_key(email))
            .map_or(0, |&(_, count)| count)
    }

    /// Returns the master account.
    pub(in crate::sandbox) fn master(&self) -> Option<&Tenant> {
        self.tenants.first()
    }

    /// Returns the sub-accounts, oldest first.
    pub(in crate::sandbox) fn sub_accounts(&self) -> &[Tenant] {
        self.tenants.get(1..).unwrap_or_default()
    }

    /// Returns every app with its account, without App 1 of the master account.
    pub(in crate::sandbox) fn apps(&self) -> impl Iterator<Item = (&Tenant, &App)> {
        let all = self
            .tenants
            .iter()
            .flat_map(|tenant| tenant.apps.values().map(move |app| (tenant, app)));
        all.filter(|(tenant, app)| !(tenant.name == MASTER && app.id == APP_ONE))
    }

    /// Returns the records of the sub-accounts and of every account's apps.
    pub(in crate::sandbox) fn snapshot(&self) -> (Vec<TenantBook>, Vec<AppBook>) {
        let tenant = |tenant: &Tenant| TenantBook {
            email: tenant.email.clone(),
            name: tenant.name.clone(),
            password: tenant.password.clone(),
            created: self.created(&tenant.email),
        };
        let app = |(tenant, app): (&Tenant, &App)| AppBook {
            tenant: tenant.name.clone(),
            id: app.id,
            name: app.name.clone(),
            site: app.site.clone(),
        };
        let tenants = self.sub_accounts().iter().map(tenant).collect();
        (tenants, self.apps().map(app).collect())
    }

    /// Whether the refresh token of that sign-in is unused; `None` if there was no such sign-in.
    pub(super) fn refresh_open(&self, uid: &str) -> Option<bool> {
        self.sessions.get(uid).map(|session| session.refresh)
    }

    /// Whether the access token of that sign-in is valid, apart from its lifetime.
    pub(super) fn access_open(&self, uid: &str) -> bool {
        self.sessions.get(uid).is_some_and(|session| session.access)
    }

    /// Applies an event that happened at a time in milliseconds since the Unix epoch.
    pub(in crate::sandbox) fn apply(&mut self, event: Event, at: i64) {
        let totals = &mut self.totals;
        match event {
            Event::Master { .. } | Event::Tenant { .. } => self.apply_tenant(event, at),
            Event::App { .. } | Event::AppChanged { .. } | Event::AppDeleted { .. } => {
                self.apply_app(event, at);
            }
            Event::Duplicate { .. } => totals.duplicates_refused += 1,
            Event::AppOneAttempt => totals.app1_attempts += 1,
            Event::Object { .. }
            | Event::ObjectChanged { .. }
            | Event::ObjectDeleted { .. }
            | Event::ListMade { .. }
            | Event::Domain { .. } => self.apply_content(event, at),
            Event::Posted { tenant, id } => {
                totals.events_posted += 1;
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.last_event = id;
                }
            }
            Event::SignedIn { .. } | Event::Refreshed { .. } | Event::Expired { .. } | Event::AllExpired => {
                self.apply_session(event, at);
            }
            Event::RowPasswordGone { name } => {
                if let Some(tenant) = self.tenant_mut(&name) {
                    tenant.row_password = None;
                }
            }
            Event::PasswordChanged { name, password } => {
                if let Some(tenant) = self.tenant_mut(&name) {
                    tenant.password = password;
                }
            }
        }
    }

    fn apply_tenant(&mut self, event: Event, at: i64) {
        let index = self.tenants.len();
        let tenant = match event {
            Event::Master {
                name,
                email,
                password,
                user,
            } => {
                let app = App {
                    id: APP_ONE,
                    name: "My Sub Accounts".to_owned(),
                    site: String::new(),
                    kind: "system".to_owned(),
                    created: at,
                };
                let apps = BTreeMap::from([(APP_ONE, app)]);
                Tenant {
                    name,
                    email,
                    password,
                    user,
                    apps,
                    last_app: APP_ONE,
                    ..Tenant::default()
                }
            }
            Event::Tenant {
                id,
                name,
                email,
                password,
                user,
                row,
            } => {
                self.totals.tenants_created += 1;
                let entry = self.by_email.entry(email_key(&email)).or_default();
                *entry = (index, entry.1 + 1);
                if let Some(master) = self.tenants.first_mut() {
                    master.last_object = id;
                }
                let row = Object {
                    id,
                    app: APP_ONE,
                    uuid: row,
                    created: at,
                    fields: Map::new(),
                };
                let row_password = Some(password.clone());
                Tenant {
                    name,
                    email,
                    password,
                    user,
                    row_password,
                    row,
                    ..Tenant::default()
                }
            }
            _ => return,
        };
        self.by_name.insert(tenant.name.clone(), index);
        self.tenants.push(tenant);
    }

    fn apply_app(&mut self, event: Event, at: i64) {
        match event {
            Event::App {
                tenant,
                id,
                name,
                site,
                kind,
            } => {
                self.totals.apps_created += 1;
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.last_app = id;
                    owner.apps.insert(
                        id,
                        App {
                            id,
                            name,
                            site,
                            kind,
                            created: at,
                        },
                    );
                }
            }
            Event::AppChanged {
                tenant,
                id,
                name,
                site,
            } => {
                self.totals.apps_changed += 1;
                if let Some(app) = self.tenant_mut(&tenant).and_then(|owner| owner.apps.get_mut(&id)) {
                    app.name = name.unwrap_or(std::mem::take(&mut app.name));
                    app.site = site.unwrap_or(std::mem::take(&mut app.site));
                }
            }
            Event::AppDeleted { tenant, id } => {
                self.totals.apps_deleted += 1;
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.apps.remove(&id);
                    owner.objects.retain(|_, object| object.app != id);
                    owner.lists.retain(|_, list| list.app != id);
                }
            }
            _ => {}
        }
    }

    /// Applies an event on rows, lists or domains.
    fn apply_content(&mut self, event: Event, at: i64) {
        match event {
            Event::Object {
                tenant,
                app,
                id,
                row,
                fields,
            } => {
                self.totals.objects_created += 1;
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.last_object = id;
                    let object = Object {
                        id,
                        app,
                        uuid: row,
                        created: at,
                        fields,
                    };
                    owner.objects.insert(id, object);
                }
            }
            Event::ObjectChanged { tenant, id, fields } => {
                let object = self
                    .tenant_mut(&tenant)
                    .and_then(|owner| owner.objects.get_mut(&id));
                if let Some(object) = object {
                    object.fields.extend(fields);
                }
            }
            Event::ObjectDeleted { tenant, id } => {
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.objects.remove(&id);
                }
            }
            Event::ListMade {
                tenant,
                id,
                app,
                name,
                structure,
            } => {
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.last_list = id;
                    owner.lists.insert(id, List { app, name, structure });
                }
            }
            Event::Domain { tenant, app, domain } => {
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.domains.insert(domain, app);
                }
            }
            _ => {}
        }
    }

    fn apply_session(&mut self, event: Event, at: i64) {
        match event {
            Event::SignedIn { tenant, uid } => {
                self.totals.logins += 1;
                self.sessions.insert(
                    uid,
                    Session {
                        access: true,
                        refresh: true,
                    },
                );
                if let Some(owner) = self.tenant_mut(&tenant) {
                    owner.last_login = Some(at);
                }
            }
            Event::Refreshed { old, new, .. } => {
                self.totals.refreshes += 1;
                if let Some(session) = self.sessions.get_mut(&old) {
                    session.refresh = false;
                }
                self.sessions.insert(
                    new,
                    Session {
                        access: true,
                        refresh: true,
                    },
                );
            }
            Event::Expired { uid } => {
                if let Some(session) = self.sessions.get_mut(&uid) {
                    session.access = false;
                }
            }
            Event::AllExpired => self
                .sessions
                .values_mut()
                .for_each(|session| session.access = false),
            _ => {}
        }
    }

    fn tenant_mut(&mut self, name: &str) -> Option<&mut Tenant> {
        self.by_name.get(name).map(|&index| &mut self.tenants[index])
    }
}

/// Returns the form in which equal addresses compare equal.
fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
