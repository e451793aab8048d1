//! The in-memory state of the simulated JRNI, a pure fold over its events, and the rules that decide them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::form::object;
use super::super::platform::{PlatformState, Refusal};
use super::super::token;
use super::super::world::{self, millis};
use super::book::{AdministratorBook, CompanyBook, JrniAccount, JrniBook, JrniTotals, RecordBook};
use super::event::{Event, Kind, Record, Session};

/// The state of JRNI.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct State {
    access: JrniAccount,
    /// By kind, then by identifier: oldest first.
    records: BTreeMap<(Kind, u64), Record>,
    sessions: HashMap<String, Session>,
    /// The highest identifier in use.
    last_id: u64,
    pub(in crate::sandbox) totals: JrniTotals,
}

impl PlatformState for State {
    const NAME: &'static str = "jrni";

    type Event = Event;
    type Account = JrniAccount;
    type Book = JrniBook;

    /// A parent company and its owner.
    fn founding(&self) -> Option<Event> {
        (!self.is_founded()).then(|| Event::Founded {
            company: 37_000,
            name: "Example Group".to_owned(),
            administrator: 37_001,
            email: "owner@example.com".to_owned(),
            password: token::random(),
            app_id: format!("{:08x}", fastrand::u32(..)),
            app_key: token::random(),
        })
    }

    fn decide(&self, wanted: Event) -> Result<Event, Refusal> {
        let mut event = wanted.current();
        match &mut event {
            Event::SignedIn(Session { company, .. }) | Event::Switched { company, .. } => {
                self.company(*company)?;
            }
            // References are not known to be unique, so several companies may share one.
            Event::Record(record) => {
                let company = record.company.unwrap_or_default();
                self.company(company)?;
                let email = record.text("email");
                let mut others = self.below(company, record.kind);
                if record.kind == Kind::Administrator && others.any(|other| other.has("email", email)) {
                    let text = format!("The administrator {email} exists already");
                    let email = email.to_owned();
                    return Err(Refusal {
                        trace: Some(world::Event::of::<State>(&Event::Duplicate { email })),
                        ..Refusal::new(StatusCode::CONFLICT, text)
                    });
                }
                record.id = self.last_id + 1;
            }
            Event::RecordChanged(record) | Event::RecordDeleted(record) => {
                self.record(record.kind, record.company.unwrap_or_default(), record.id)?;
            }
            _ => {}
        }
        Ok(event)
    }

    fn apply(&mut self, event: Event, at: i64) {
        match event.current() {
            Event::Founded {
                company,
                name,
                administrator,
                email,
                password,
                app_id,
                app_key,
            } => {
                let parent = Record {
                    id: company,
                    fields: object(json!({ "name": name, "live": true })),
                    ..Record::default()
                };
                self.insert(parent, at);
                let owner = json!({ "name": "Owner", "email": email, "role": "owner", "password": password });
                let owner = Record::new(Kind::Administrator, company, administrator, object(owner));
                self.insert(owner, at);
                self.access = JrniAccount {
                    company,
                    login: email,
                    password,
                    app_id,
                    app_key,
                    ..JrniAccount::default()
                };
            }
            Event::Record(record) => {
                self.count_creation(&record);
                self.insert(record, at);
            }
            Event::RecordChanged(change) => {
                let is_company = change.kind == Kind::Company;
                self.totals.companies_changed += u64::from(is_company);
                if let Some(record) = self.records.get_mut(&(change.kind, change.id)) {
                    // Making a company live again enables it.
                    record.off &= !(is_company && change.fields.get("live") == Some(&Value::Bool(true)));
                    record.fields.extend(change.fields);
                    record.updated = at;
                }
            }
            Event::RecordDeleted(Record { kind, id, .. }) => {
                self.totals.companies_disabled += u64::from(kind == Kind::Company);
                if let Some(record) = self.records.get_mut(&(kind, id)) {
                    record.off = true;
                    if kind == Kind::Company {
                        record.fields.insert("live".to_owned(), false.into());
                    }
                    record.updated = at;
                }
            }
            Event::Duplicate { .. } => self.totals.duplicates_refused += 1,
            session => self.apply_session(session, at),
        }
    }

    fn is_refusal(event: &Event) -> bool {
        matches!(event, Event::Duplicate { .. })
    }

    fn landed_late(&mut self) -> &mut u64 {
        &mut self.totals.landed_late
    }

    fn account(&self) -> JrniAccount {
        self.access()
    }

    fn book(&self) -> JrniBook {
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

    fn expiry_of_all() -> Option<Event> {
        Some(Event::AllExpired)
    }
}

impl State {
    /// Whether the world has this platform.
    pub(super) fn is_founded(&self) -> bool {
        self.get(Kind::Company, self.access.company).is_some()
    }

    /// Returns the credentials of the parent company.
    pub(in crate::sandbox) fn access(&self) -> JrniAccount {
        self.access.clone()
    }

    /// Returns every resource of a kind, oldest first, also those that were deleted or disabled.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Record> {
        let records = self.records.range((kind, 0)..=(kind, u64::MAX));
        records.map(|(_, record)| record)
    }

    /// Returns the resources of a company, oldest first: its child companies, also disabled ones, or the records of
    /// another kind that have not been deleted.
    pub(super) fn below(&self, company: u64, kind: Kind) -> impl Iterator<Item = &Record> {
        self.all(kind)
            .filter(move |record| record.company == Some(company) && (kind == Kind::Company || !record.off))
    }

    /// Returns a company, also a disabled one.
    pub(super) fn company(&self, id: u64) -> Result<&Record, Refusal> {
        let company = self.get(Kind::Company, id);
        company.ok_or_else(|| {
            let text = format!("Could not find company {id}");
            Refusal::new(StatusCode::NOT_FOUND, text)
        })
    }

    /// Returns a resource of the company. One of another company has its own refusal.
    pub(super) fn record(&self, kind: Kind, company: u64, id: u64) -> Result<&Record, Refusal> {
        if kind == Kind::Company {
            return self.company(id);
        }
        let name = kind.name();
        match self.get(kind, id).filter(|record| !record.off) {
            Some(record) if record.company == Some(company) => Ok(record),
            Some(_) => {
                let text = format!("Company {company} does not own {name} {id}");
                Err(Refusal::new(StatusCode::FORBIDDEN, text))
            }
            None => {
                let text = format!("Could not find {name} {id}");
                Err(Refusal::new(StatusCode::NOT_FOUND, text))
            }
        }
    }

    /// Whether permissions in `above` extend to `company`: it is that company or its ancestor.
    pub(super) fn reaches(&self, above: u64, company: u64) -> bool {
        let mut at = Some(company);
        while let Some(id) = at {
            if id == above {
                return true;
            }
            at = self.get(Kind::Company, id).and_then(|company| company.company);
        }
        false
    }

    /// Returns the administrators with this address that may sign in to the company: of it or of one above it.
    pub(super) fn administrators_for(&self, email: &str, company: u64) -> Vec<&Record> {
        let may = |one: &&Record| {
            one.has("email", email) && one.company.is_some_and(|own| self.reaches(own, company))
        };
        self.all(Kind::Administrator).filter(may).collect()
    }

    /// Returns the administrators with this address and password.
    pub(super) fn administrators_with(&self, email: &str, password: &str) -> Vec<&Record> {
        let matches = |one: &&Record| {
            one.has("email", email) && !password.is_empty() && one.text("password") == password
        };
        self.all(Kind::Administrator).filter(matches).collect()
    }

    /// Returns the sign-in of a token, if the token is valid at that time.
    pub(super) fn session(&self, token: &str, now: i64, idle: Duration) -> Option<&Session> {
        self.sessions
            .get(token)
            .filter(|session| now.saturating_sub(session.used) < millis(idle))
    }

    /// Notes the use of a token. Returns whether it must be logged, so that a process that opens this world later knows
    /// roughly when the token was last used.
    pub(super) fn touch(&mut self, token: &str, now: i64, idle: Duration) -> bool {
        self.sessions.get_mut(token).is_some_and(|session| {
            session.used = session.used.max(now);
            now.saturating_sub(session.last_used) > millis(idle / 24)
        })
    }

    fn get(&self, kind: Kind, id: u64) -> Option<&Record> {
        self.records.get(&(kind, id))
    }

    fn insert(&mut self, record: Record, at: i64) {
        self.last_id = self.last_id.max(record.id);
        let record = Record {
            created: at,
            updated: at,
            ..record
        };
        self.records.insert((record.kind, record.id), record);
    }

    fn count_creation(&mut self, record: &Record) {
        let totals = &mut self.totals;
        match record.kind {
            Kind::Company => totals.companies_created += 1,
            Kind::Administrator => totals.administrators_created += 1,
            Kind::Person => {
                totals.people_created += 1;
                // New staff get a mail unless `notify` is false.
                totals.mails_sent += u64::from(record.fields.get("notify") != Some(&Value::Bool(false)));
            }
            Kind::Client => totals.clients_created += 1,
            Kind::Service | Kind::Resource => {}
        }
    }

    fn apply_session(&mut self, event: Event, at: i64) {
        match event {
            Event::SignedIn(session) => {
                self.totals.logins += 1;
                let session = Session {
                    used: at,
                    last_used: at,
                    ..session
                };
                self.sessions.insert(session.token.clone(), session);
            }
            Event::Switched { token, company } => {
                if let Some(session) = self.sessions.get_mut(&token) {
                    session.company = company;
                }
            }
            Event::LoggedOut { token } => {
                self.totals.logouts += u64::from(self.sessions.remove(&token).is_some());
            }
            Event::Used { token } => {
                if let Some(session) = self.sessions.get_mut(&token) {
                    session.used = session.used.max(at);
                    session.last_used = at;
                }
            }
            Event::Expired { token } => {
                self.sessions.remove(&token);
            }
            Event::AllExpired => self.sessions.clear(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
