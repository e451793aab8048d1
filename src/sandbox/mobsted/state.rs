//! The in-memory state of the simulated Mobsted, a pure fold over its events, and the rules that decide them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::platform::{PlatformState, Refusal};
use super::super::{token, world};
use super::book::{AppBook, Master, MobstedBook, TenantBook, Totals};
use super::event::{Account, App, Event, List, Object};

/// The name of the master account.
pub(in crate::sandbox) const MASTER: &str = "ppp";

/// The login of the master account.
const MASTER_LOGIN: &str = "partner@example.com";

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
    /// By sign-in.
    sessions: HashMap<String, Session>,
    pub(in crate::sandbox) totals: Totals,
}

/// An account: the master account or a sub-account.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct Tenant {
    pub(in crate::sandbox) account: Account,
    /// In milliseconds since the Unix epoch, as is the next.
    pub(super) created: i64,
    pub(super) last_login: Option<i64>,
    /// The password shown in App 1 of the master account; `None` if it was blanked.
    pub(super) row_password: Option<String>,
    pub(super) apps: BTreeMap<u64, App>,
    pub(super) objects: BTreeMap<u64, Object>,
    pub(super) lists: BTreeMap<u64, List>,
    /// Each domain with the app that it is assigned to; `None` for the account itself.
    domains: BTreeMap<String, Option<u64>>,
    last_list: u64,
    last_app: u64,
    last_object: u64,
    last_event: u64,
}

/// A sign-in: which of its two tokens are still valid.
#[derive(Debug)]
struct Session {
    access: bool,
    refresh: bool,
}

impl PlatformState for State {
    const NAME: &'static str = "mobsted";

    type Event = Event;
    type Account = Master;
    type Book = MobstedBook;

    /// The master account.
    fn founding(&self) -> Option<Event> {
        let account = || Account {
            name: MASTER.to_owned(),
            email: MASTER_LOGIN.to_owned(),
            password: token::random(),
            user: new_uuid(),
            ..Account::default()
        };
        self.master().is_none().then(|| Event::Master(account()))
    }

    fn decide(&self, mut event: Event) -> Result<Event, Refusal> {
        match &mut event {
            Event::CreateTenant { email } => return self.new_tenant(email),
            Event::App(app) => app.id = self.existing(&app.tenant)?.last_app + 1,
            Event::AppChanged { tenant, id, .. } | Event::AppDeleted { tenant, id } => {
                self.with_app(tenant, *id)?;
            }
            Event::Object(object) => {
                object.id = self.with_app(&object.tenant, object.app)?.last_object + 1;
                object.row = new_uuid();
            }
            Event::ObjectChanged { tenant, id, .. } | Event::ObjectDeleted { tenant, id } => {
                let owner = self.existing(tenant)?;
                if self.is_sub_account(tenant, *id) {
                    return Err(app_one());
                }
                if !owner.objects.contains_key(id) {
                    return Err(missing("Object", id));
                }
            }
            Event::ListMade(list) => list.id = self.with_app(&list.tenant, list.app)?.last_list + 1,
            Event::Domain { tenant, app, domain } => {
                let owner = match app {
                    Some(app) => self.with_app(tenant, *app)?,
                    None => self.existing(tenant)?,
                };
                if let Some(Some(other)) = owner.domains.get(domain)
                    && *app != Some(*other)
                {
                    let text = format!("The domain is already used by application {other}");
                    return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
                }
            }
            Event::Posted { tenant, id } => *id = self.existing(tenant)?.last_event + 1,
            Event::SignedIn { tenant, .. } => {
                self.existing(tenant)?;
            }
            Event::Refreshed { old, strict, .. } => {
                let session = self.sessions.get(old);
                if !session.is_some_and(|session| session.refresh || !*strict) {
                    let text = "The refresh token is not accepted";
                    return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, text));
                }
            }
            _ => {}
        }
        Ok(event)
    }

    fn apply(&mut self, event: Event, at: i64) {
        match &event {
            Event::Master(account) => {
                let app = App {
                    tenant: account.name.clone(),
                    id: APP_ONE,
                    name: "My Sub Accounts".to_owned(),
                    site: String::new(),
                    kind: "system".to_owned(),
                    created: at,
                };
                self.insert(Tenant {
                    account: account.clone(),
                    apps: BTreeMap::from([(APP_ONE, app)]),
                    last_app: APP_ONE,
                    ..Tenant::default()
                });
            }
            Event::Tenant(account) => {
                self.totals.tenants_created += 1;
                let entry = self.by_email.entry(email_key(&account.email)).or_default();
                *entry = (self.tenants.len(), entry.1 + 1);
                if let Some(master) = self.tenants.first_mut() {
                    master.last_object = account.id;
                }
                self.insert(Tenant {
                    account: account.clone(),
                    created: at,
                    row_password: Some(account.password.clone()),
                    ..Tenant::default()
                });
            }
            Event::Duplicate { .. } => self.totals.duplicates_refused += 1,
            Event::AppOneAttempt => self.totals.app1_attempts += 1,
            Event::SignedIn { uid, .. } => self.open(uid.clone()),
            Event::Refreshed { old, new, .. } => {
                self.totals.refreshes += 1;
                if let Some(session) = self.sessions.get_mut(old) {
                    session.refresh = false;
                }
                self.open(new.clone());
            }
            Event::Expired { uid } => {
                if let Some(session) = self.sessions.get_mut(uid) {
                    session.access = false;
                }
            }
            Event::AllExpired => self
                .sessions
                .values_mut()
                .for_each(|session| session.access = false),
            _ => {}
        }
        let index = event.tenant().and_then(|name| self.by_name.get(name));
        if let Some(&index) = index {
            self.tenants[index].apply(event, &mut self.totals, at);
        }
    }

    fn is_refusal(event: &Event) -> bool {
        matches!(event, Event::Duplicate { .. })
    }

    fn landed_late(&mut self) -> &mut u64 {
        &mut self.totals.landed_late
    }

    /// A world is created with its master account, so there always is one.
    fn account(&self) -> Master {
        let master = self.master().map(|master| Master {
            login: master.account.email.clone(),
            password: master.account.password.clone(),
            ..Master::default()
        });
        master.unwrap_or_default()
    }

    fn book(&self) -> MobstedBook {
        let created = |email: &str| self.by_email.get(&email_key(email));
        let tenant = |tenant: &Tenant| TenantBook {
            email: tenant.account.email.clone(),
            name: tenant.account.name.clone(),
            password: tenant.account.password.clone(),
            created: created(&tenant.account.email).map_or(0, |&(_, count)| count),
        };
        let app = |(tenant, app): (&Tenant, &App)| AppBook {
            tenant: tenant.account.name.clone(),
            id: app.id,
            name: app.name.clone(),
            site: app.site.clone(),
        };
        MobstedBook {
            tenants: self.sub_accounts().iter().map(tenant).collect(),
            apps: self.apps().map(app).collect(),
            totals: self.totals.clone(),
        }
    }

    fn status(&self) -> Map<String, Value> {
        Map::from_iter([
            ("tenants".to_owned(), self.sub_accounts().len().into()),
            ("apps".to_owned(), self.apps().count().into()),
            ("totals".to_owned(), json!(self.totals)),
        ])
    }

    fn expiry_of_all() -> Option<Event> {
        Some(Event::AllExpired)
    }
}

impl State {
    /// Returns the account of that name.
    pub(in crate::sandbox) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.by_name.get(name).map(|&index| &self.tenants[index])
    }

    /// Returns the sub-account of that address, ignoring case and surrounding blanks.
    pub(in crate::sandbox) fn tenant_of(&self, email: &str) -> Option<&Tenant> {
        let found = self.by_email.get(&email_key(email));
        found.map(|&(index, _)| &self.tenants[index])
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
        all.filter(|(tenant, app)| !(tenant.account.name == MASTER && app.id == APP_ONE))
    }

    /// Whether the access token of that sign-in is valid, apart from its lifetime.
    pub(super) fn access_open(&self, uid: &str) -> bool {
        self.sessions.get(uid).is_some_and(|session| session.access)
    }

    /// Whether a row is that of a sub-account, which belongs to App 1 of the master account.
    pub(super) fn is_sub_account(&self, tenant: &str, row: u64) -> bool {
        tenant == MASTER && self.sub_accounts().iter().any(|sub| sub.account.id == row)
    }

    fn new_tenant(&self, email: &str) -> Result<Event, Refusal> {
        let email = email.to_owned();
        if self.tenant_of(&email).is_some() {
            let text = format!("Email {email} is already used");
            return Err(Refusal {
                trace: Some(world::Event::of::<State>(&Event::Duplicate { email })),
                ..Refusal::new(StatusCode::CONFLICT, text)
            });
        }
        let name = loop {
            let name = new_name();
            if self.tenant(&name).is_none() {
                break name;
            }
        };
        Ok(Event::Tenant(Account {
            id: self.existing(MASTER)?.last_object + 1,
            name,
            email,
            password: token::random(),
            user: new_uuid(),
            row: new_uuid(),
        }))
    }

    fn existing(&self, name: &str) -> Result<&Tenant, Refusal> {
        self.tenant(name).ok_or_else(|| missing("Account", name))
    }

    /// Returns the tenant, if it has the app and that is not the protected App 1.
    fn with_app(&self, tenant: &str, id: u64) -> Result<&Tenant, Refusal> {
        let owner = self.existing(tenant)?;
        if tenant == MASTER && id == APP_ONE {
            return Err(app_one());
        }
        let has = owner.apps.contains_key(&id);
        has.then_some(owner).ok_or_else(|| missing("Application", id))
    }

    fn insert(&mut self, tenant: Tenant) {
        self.by_name
            .insert(tenant.account.name.clone(), self.tenants.len());
        self.tenants.push(tenant);
    }

    fn open(&mut self, uid: String) {
        let session = Session {
            access: true,
            refresh: true,
        };
        self.sessions.insert(uid, session);
    }
}

impl Tenant {
    /// Applies an event in this account.
    fn apply(&mut self, event: Event, totals: &mut Totals, at: i64) {
        match event {
            Event::App(app) => {
                totals.apps_created += 1;
                self.last_app = app.id;
                self.apps.insert(app.id, App { created: at, ..app });
            }
            Event::AppChanged { id, name, site, .. } => {
                totals.apps_changed += 1;
                if let Some(app) = self.apps.get_mut(&id) {
                    app.name = name.unwrap_or(std::mem::take(&mut app.name));
                    app.site = site.unwrap_or(std::mem::take(&mut app.site));
                }
            }
            Event::AppDeleted { id, .. } => {
                totals.apps_deleted += 1;
                self.apps.remove(&id);
                self.objects.retain(|_, object| object.app != id);
                self.lists.retain(|_, list| list.app != id);
            }
            Event::Object(object) => {
                totals.objects_created += 1;
                self.last_object = object.id;
                let object = Object {
                    created: at,
                    ..object
                };
                self.objects.insert(object.id, object);
            }
            Event::ObjectChanged { id, fields, .. } => {
                if let Some(object) = self.objects.get_mut(&id) {
                    object.fields.extend(fields);
                }
            }
            Event::ObjectDeleted { id, .. } => {
                self.objects.remove(&id);
            }
            Event::ListMade(list) => {
                self.last_list = list.id;
                self.lists.insert(list.id, list);
            }
            Event::Domain { app, domain, .. } => {
                self.domains.insert(domain, app);
            }
            Event::Posted { id, .. } => {
                totals.events_posted += 1;
                self.last_event = id;
            }
            Event::SignedIn { .. } => {
                totals.logins += 1;
                self.last_login = Some(at);
            }
            Event::RowPasswordGone { .. } => self.row_password = None,
            Event::PasswordChanged { password, .. } => self.account.password = password,
            _ => {}
        }
    }
}

/// Returns the form in which equal addresses compare equal.
fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Returns the refusal of something that does not exist.
pub(super) fn missing(what: &str, id: impl fmt::Display) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("{what} {id} does not exist"))
}

/// Returns the refusal of a change of App 1 of the master account.
pub(super) fn app_one() -> Refusal {
    let text = "Application 1 keeps the partner account working and cannot be changed or deleted";
    Refusal::new(StatusCode::FORBIDDEN, text)
}

/// Returns a random UUID.
pub(super) fn new_uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Returns eight random lower-case letters and digits, a letter first, as in the vendor manual's example.
fn new_name() -> String {
    let mut name = String::from(fastrand::lowercase());
    name.extend((1..8).map(|_| fastrand::digit(36)));
    name
}
