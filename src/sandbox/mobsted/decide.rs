//! The platform's rules: decides the event that a command results in.

use super::event::{Command, Event, Refusal};
use super::state::{APP_ONE, MASTER, State, Tenant};

impl State {
    /// Returns the event that carrying out the command would produce, or the refusal.
    pub(in crate::sandbox) fn decide(&self, command: &Command) -> Result<Event, Refusal> {
        match command {
            Command::CreateTenant { email } => self.new_tenant(email),
            Command::CreateApp {
                tenant,
                name,
                site,
                kind,
            } => {
                let id = self.existing(tenant)?.last_app + 1;
                let (name, site, kind) = (name.clone(), site.clone(), kind.clone());
                Ok(Event::App {
                    tenant: tenant.clone(),
                    id,
                    name,
                    site,
                    kind,
                })
            }
            Command::ChangeApp {
                tenant,
                id,
                name,
                site,
            } => {
                let tenant = self.changeable_app(tenant, *id)?;
                Ok(Event::AppChanged {
                    tenant,
                    id: *id,
                    name: name.clone(),
                    site: site.clone(),
                })
            }
            Command::DeleteApp { tenant, id } => Ok(Event::AppDeleted {
                tenant: self.changeable_app(tenant, *id)?,
                id: *id,
            }),
            Command::CreateObject { tenant, app, fields } => {
                let name = self.changeable_app(tenant, *app)?;
                let id = self.existing(tenant)?.last_object + 1;
                Ok(Event::Object {
                    tenant: name,
                    app: *app,
                    id,
                    row: new_uuid(),
                    fields: fields.clone(),
                })
            }
            Command::ChangeObject { tenant, id, fields } => Ok(Event::ObjectChanged {
                tenant: self.owner_of_object(tenant, *id)?,
                id: *id,
                fields: fields.clone(),
            }),
            Command::DeleteObject { tenant, id } => Ok(Event::ObjectDeleted {
                tenant: self.owner_of_object(tenant, *id)?,
                id: *id,
            }),
            Command::CreateList {
                tenant,
                app,
                name,
                structure,
            } => Ok(Event::ListMade {
                tenant: self.changeable_app(tenant, *app)?,
                id: self.existing(tenant)?.last_list + 1,
                app: *app,
                name: name.clone(),
                structure: structure.clone(),
            }),
            Command::SetDomain { tenant, app, domain } => self.new_domain(tenant, *app, domain),
            Command::PostEvent { tenant } => Ok(Event::Posted {
                tenant: tenant.clone(),
                id: self.existing(tenant)?.last_event + 1,
            }),
            Command::SignIn { tenant, uid } => {
                self.existing(tenant)?;
                Ok(Event::SignedIn {
                    tenant: tenant.clone(),
                    uid: uid.clone(),
                })
            }
            Command::Refresh {
                tenant,
                old,
                new,
                strict,
            } => match self.refresh_open(old) {
                Some(open) if open || !strict => Ok(Event::Refreshed {
                    tenant: tenant.clone(),
                    old: old.clone(),
                    new: new.clone(),
                }),
                _ => Err(Refusal::RefreshUsed),
            },
        }
    }

    fn new_tenant(&self, email: &str) -> Result<Event, Refusal> {
        if self.tenant_of(email).is_some() {
            return Err(Refusal::Duplicate(email.to_owned()));
        }
        let name = loop {
            let name = new_name();
            if self.tenant(&name).is_none() {
                break name;
            }
        };
        Ok(Event::Tenant {
            id: self.existing(MASTER)?.last_object + 1,
            name,
            email: email.to_owned(),
            password: new_password(),
            user: new_uuid(),
            row: new_uuid(),
        })
    }

    /// Returns the tenant's name, if the row exists and is not a sub-account.
    fn owner_of_object(&self, tenant: &str, id: u64) -> Result<String, Refusal> {
        let owner = self.existing(tenant)?;
        if owner.name == MASTER && self.sub_accounts().iter().any(|sub| sub.row.id == id) {
            return Err(Refusal::AppOne);
        }
        let known = owner.objects.get(&id).map(|_| owner.name.clone());
        known.ok_or(Refusal::NoObject(id))
    }

    fn new_domain(&self, tenant: &str, app: Option<u64>, domain: &str) -> Result<Event, Refusal> {
        let owner = match app {
            Some(app) => self.changeable_app(tenant, app)?,
            None => self.existing(tenant)?.name.clone(),
        };
        match self.existing(tenant)?.domains.get(domain) {
            Some(Some(other)) if app != Some(*other) => Err(Refusal::DomainUsed(*other)),
            _ => Ok(Event::Domain {
                tenant: owner,
                app,
                domain: domain.to_owned(),
            }),
        }
    }

    fn existing(&self, name: &str) -> Result<&Tenant, Refusal> {
        self.tenant(name)
            .ok_or_else(|| Refusal::NoTenant(name.to_owned()))
    }

    /// Returns the tenant's name, if the app exists and is not the protected App 1.
    fn changeable_app(&self, tenant: &str, id: u64) -> Result<String, Refusal> {
        let owner = self.existing(tenant)?;
        if owner.name == MASTER && id == APP_ONE {
            return Err(Refusal::AppOne);
        }
        owner
            .apps
            .get(&id)
            .map(|_| owner.name.clone())
            .ok_or(Refusal::NoApp(id))
    }
}

/// Returns 32 random hexadecimal digits, as in the vendor manual's example.
pub(in crate::sandbox) fn new_password() -> String {
    format!("{:032x}", fastrand::u128(..))
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
