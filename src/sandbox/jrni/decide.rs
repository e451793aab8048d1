//! The platform's rules: decides the event that a command results in.

use super::event::{Command, Event, Kind, Refusal};
use super::state::{State, same_email, text};

impl State {
    /// Returns the event that carrying out the command would produce, or the refusal.
    pub(in crate::sandbox) fn decide(&self, command: &Command) -> Result<Event, Refusal> {
        match command.clone() {
            Command::SignIn {
                email,
                company,
                token,
            } => self.company(company).map(|()| Event::SignedIn {
                email,
                company,
                token,
            }),
            Command::Switch { token, company } => {
                self.company(company)?;
                Ok(Event::Switched { token, company })
            }
            Command::LogOut { token } => Ok(Event::LoggedOut { token }),
            // References are not known to be unique, so several companies may share one.
            Command::CreateCompany { parent, fields } => {
                self.company(parent)?;
                let id = self.last_id + 1;
                Ok(Event::Company { id, parent, fields })
            }
            Command::ChangeCompany { id, fields } => {
                self.company(id)?;
                Ok(Event::CompanyChanged { id, fields })
            }
            Command::DisableCompany { id } => {
                self.company(id)?;
                Ok(Event::CompanyDisabled { id })
            }
            Command::CreateAdministrator { company, fields } => {
                self.company(company)?;
                let email = text(&fields, "email");
                if self.administrator(company, email).is_some() {
                    return Err(Refusal::Duplicate(email.to_owned()));
                }
                let id = self.last_id + 1;
                Ok(Event::Administrator { company, id, fields })
            }
            Command::ChangeAdministrator { company, id, fields } => {
                let owner = self.administrators.get(&id).map(|one| one.company);
                check_owner("administrator", company, id, owner)?;
                Ok(Event::AdministratorChanged { company, id, fields })
            }
            Command::CreateRecord {
                kind,
                company,
                fields,
            } => {
                self.company(company)?;
                Ok(Event::Record {
                    kind,
                    company,
                    id: self.last_id + 1,
                    fields,
                })
            }
            Command::ChangeRecord {
                kind,
                company,
                id,
                fields,
            } => {
                self.record(kind, company, id)?;
                Ok(Event::RecordChanged {
                    kind,
                    company,
                    id,
                    fields,
                })
            }
            Command::DeleteRecord { kind, company, id } => {
                self.record(kind, company, id)?;
                Ok(Event::RecordDeleted { kind, company, id })
            }
        }
    }

    /// Returns the identifier of the company's administrator with that address.
    pub(super) fn administrator(&self, company: u64, email: &str) -> Option<u64> {
        let mut all = self.administrators.values();
        all.find(|one| one.company == company && same_email(one.text("email"), email))
            .map(|one| one.id)
    }

    /// Returns an error unless the company has this record and it has not been deleted.
    pub(super) fn record(&self, kind: Kind, company: u64, id: u64) -> Result<(), Refusal> {
        let record = self.records.get(&(kind, id)).filter(|record| !record.deleted);
        check_owner(kind.name(), company, id, record.map(|record| record.company))
    }

    fn company(&self, id: u64) -> Result<(), Refusal> {
        let known = self.companies.contains_key(&id);
        known.then_some(()).ok_or(Refusal::NoCompany(id))
    }
}

/// Returns an error unless the resource belongs to the company. A resource of another company has its own error.
pub(super) fn check_owner(
    what: &'static str,
    company: u64,
    id: u64,
    owner: Option<u64>,
) -> Result<(), Refusal> {
    match owner {
        Some(owner) if owner == company => Ok(()),
        Some(_) => Err(Refusal::NotOwned { company, what, id }),
        None => Err(Refusal::Nothing { what, id }),
    }
}
