//! The in-memory state of the simulated JRNI: a pure fold over its events.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::Value;

use super::book::{Access, JrniTotals};
use super::event::{Event, Fields, Kind};

/// The state of JRNI.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct State {
    access: Access,
    pub(super) companies: BTreeMap<u64, Company>,
    pub(super) administrators: BTreeMap<u64, Administrator>,
    pub(super) records: BTreeMap<(Kind, u64), Record>,
    sessions: HashMap<String, Session>,
    /// The highest identifier in use.
    pub(super) last_id: u64,
    pub(in crate::sandbox) totals: JrniTotals,
}

/// A company. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Default)]
pub(super) struct Company {
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) fields: Fields,
    pub(super) disabled: bool,
    pub(super) created: i64,
    pub(super) updated: i64,
}

/// A user who may sign in to a company.
#[derive(Debug, Clone)]
pub(super) struct Administrator {
    pub(super) id: u64,
    pub(super) company: u64,
    pub(super) fields: Fields,
}

/// A person, client, service or resource of a company.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) company: u64,
    pub(super) fields: Fields,
    pub(super) deleted: bool,
}

/// A sign-in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) email: String,
    pub(super) company: u64,
    /// The last use, in milliseconds since the Unix epoch.
    used: i64,
    /// The last use recorded in the log.
    last_used: i64,
}

impl Company {
    /// Returns a text field; empty if it is not set.
    pub(super) fn text(&self, name: &str) -> &str {
        text(&self.fields, name)
    }
}

impl Administrator {
    /// Returns a text field; empty if it is not set.
    pub(super) fn text(&self, name: &str) -> &str {
        text(&self.fields, name)
    }
}

/// Returns a text among fields; empty if it is not set.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether two addresses are equal, ignoring case and surrounding blanks.
pub(super) fn same_email(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

impl State {
    /// Returns the identifier of the parent company, once the world has one.
    pub(in crate::sandbox) fn founded(&self) -> Option<u64> {
        self.companies
            .contains_key(&self.access.company)
            .then_some(self.access.company)
    }

    /// Returns the credentials of the parent company.
    pub(in crate::sandbox) fn access(&self) -> Access {
        self.access.clone()
    }

    /// Returns the children of a company, oldest first.
    pub(super) fn children(&self, parent: u64) -> impl Iterator<Item = &Company> {
        self.companies
            .values()
            .filter(move |company| company.parent == Some(parent))
    }

    /// Returns the oldest company with that reference, restricted to `above` and the companies below it if given.
    /// Disabled companies are included.
    pub(super) fn by_reference(&self, reference: &str, above: Option<u64>) -> Option<&Company> {
        self.companies.values().find(|company| {
            company.text("ref") == reference && above.is_none_or(|above| self.reaches(above, company.id))
        })
    }

    /// Whether permissions in `above` extend to `company`: it is that company or its ancestor.
    pub(super) fn reaches(&self, above: u64, company: u64) -> bool {
        let mut at = Some(company);
        while let Some(id) = at {
            if id == above {
                return true;
            }
            at = self.companies.get(&id).and_then(|company| company.parent);
        }
        false
    }

    /// Returns the administrators with this address and password.
    pub(super) fn administrators_of(&self, email: &str, password: &str) -> Vec<Administrator> {
        let matches = |one: &&Administrator| {
            same_email(one.text("email"), email)
                && !one.text("password").is_empty()
                && one.text("password") == password
        };
        self.administrators.values().filter(matches).cloned().collect()
    }

    /// Returns the sign-in of a token, if the token is valid at that time.
    pub(super) fn session(&self, token: &str, now: i64, idle: Duration) -> Option<&Session> {
        let idle = i64::try_from(idle.as_millis()).unwrap_or(i64::MAX);
        self.sessions
            .get(token)
            .filter(|session| now.saturating_sub(session.used) < idle)
    }

    /// Notes the use of a token. Returns whether it must be logged, so that a process that opens this world later knows
    /// roughly when the token was last used.
    pub(super) fn touch(&mut self, token: &str, now: i64, idle: Duration) -> bool {
        let coarse = i64::try_from(idle.as_millis() / 24).unwrap_or(i64::MAX);
        self.sessions.get_mut(token).is_some_and(|session| {
            session.used = session.used.max(now);
            now.saturating_sub(session.last_used) > coarse
        })
    }

    /// Applies an event that happened at a time in milliseconds since the Unix epoch.
    pub(in crate::sandbox) fn apply(&mut self, event: Event, at: i64) {
        match event {
            Event::Founded { .. } => self.found(event, at),
            Event::SignedIn { .. }
            | Event::Switched { .. }
            | Event::LoggedOut { .. }
            | Event::Used { .. }
            | Event::Expired { .. }
            | Event::AllExpired => self.apply_session(event, at),
            Event::Company { .. } | Event::CompanyChanged { .. } | Event::CompanyDisabled { .. } => {
                self.apply_company(event, at);
            }
            Event::Administrator { company, id, fields } => {
                self.totals.administrators_created += 1;
                self.last_id = self.last_id.max(id);
                self.administrators
                    .insert(id, Administrator { id, company, fields });
            }
            Event::AdministratorChanged { id, fields, .. } => {
                if let Some(one) = self.administrators.get_mut(&id) {
                    one.fields.extend(fields);
                }
            }
            Event::Duplicate { .. } => self.totals.duplicates_refused += 1,
            Event::Record { .. } | Event::RecordChanged { .. } | Event::RecordDeleted { .. } => {
                self.apply_record(event);
            }
        }
    }

    fn found(&mut self, event: Event, at: i64) {
        let Event::Founded {
            company,
            name,
            administrator,
            email,
            password,
            app_id,
            app_key,
        } = event
        else {
            return;
        };
        let mut fields = Fields::new();
        fields.insert("name".to_owned(), name.into());
        fields.insert("live".to_owned(), true.into());
        let founded = Company {
            id: company,
            fields,
            created: at,
            updated: at,
            ..Company::default()
        };
        self.companies.insert(company, founded);
        let given = [
            ("name", "Owner"),
            ("email", &email),
            ("role", "owner"),
            ("password", &password),
        ];
        let fields = given.map(|(name, value)| (name.to_owned(), Value::from(value)));
        self.administrators.insert(
            administrator,
            Administrator {
                id: administrator,
                company,
                fields: fields.into_iter().collect(),
            },
        );
        self.last_id = self.last_id.max(company).max(administrator);
        self.access = Access {
            company,
            login: email,
            password,
            app_id,
            app_key,
        };
    }

    fn apply_session(&mut self, event: Event, at: i64) {
        match event {
            Event::SignedIn {
                email,
                company,
                token,
            } => {
                self.totals.logins += 1;
                let session = Session {
                    email,
                    company,
                    used: at,
                    last_used: at,
                };
                self.sessions.insert(token, session);
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

    fn apply_company(&mut self, event: Event, at: i64) {
        match event {
            Event::Company { id, parent, fields } => {
                self.totals.companies_created += 1;
                self.last_id = self.last_id.max(id);
                let company = Company {
                    id,
                    parent: Some(parent),
                    fields,
                    disabled: false,
                    created: at,
                    updated: at,
                };
                self.companies.insert(id, company);
            }
            Event::CompanyChanged { id, fields } => {
                self.totals.companies_changed += 1;
                if let Some(company) = self.companies.get_mut(&id) {
                    // Making it live again enables it.
                    company.disabled &= fields.get("live") != Some(&Value::Bool(true));
                    company.fields.extend(fields);
                    company.updated = at;
                }
            }
            Event::CompanyDisabled { id } => {
                self.totals.companies_disabled += 1;
                if let Some(company) = self.companies.get_mut(&id) {
                    company.disabled = true;
                    company.fields.insert("live".to_owned(), false.into());
                    company.updated = at;
                }
            }
            _ => {}
        }
    }

    fn apply_record(&mut self, event: Event) {
        match event {
            Event::Record {
                kind,
                company,
                id,
                fields,
            } => {
                let totals = &mut self.totals;
                match kind {
                    Kind::Person => totals.people_created += 1,
                    Kind::Client => totals.clients_created += 1,
                    Kind::Service | Kind::Resource => {}
                }
                // New staff get a mail unless `notify` is false.
                let notifies = fields.get("notify") != Some(&Value::Bool(false));
                totals.mails_sent += u64::from(kind == Kind::Person && notifies);
                self.last_id = self.last_id.max(id);
                let record = Record {
                    id,
                    company,
                    fields,
                    deleted: false,
                };
                self.records.insert((kind, id), record);
            }
            Event::RecordChanged { kind, id, fields, .. } => {
                if let Some(record) = self.records.get_mut(&(kind, id)) {
                    record.fields.extend(fields);
                }
            }
            Event::RecordDeleted { kind, id, .. } => {
                if let Some(record) = self.records.get_mut(&(kind, id)) {
                    record.deleted = true;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
