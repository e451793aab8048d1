//! What operations act on: the accounts, the ledger, time and chance.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::call::Call;
use super::error::{Code, OpError};
use crate::clock::{Clock, Ids};
use crate::journal::Journal;
use crate::platform::mobsted::account::{Account, Base, Role};
use crate::platform::mobsted::accounts::Accounts;
use crate::platform::mobsted::endpoints::Endpoints;
use crate::platform::mobsted::error::ApiErrorKind;
use crate::platform::mobsted::tenants::TenantRow;
use crate::platform::mobsted::{Client, Timeouts};
use crate::value::{Object, Value};

/// How a profile's account is reached.
pub use crate::platform::Line;
/// Where a profile's password comes from; read when it is first needed.
pub use crate::platform::Password;

/// A named account, ready for use.
#[derive(Clone)]
pub struct Profile {
    /// Its name in the configuration; `sandbox` for the embedded sandbox's master account.
    pub name: String,
    /// The platform: `mobsted`.
    pub platform: String,
    /// Its address, as configured.
    pub url: String,
    /// Who signs in.
    pub login: String,
    /// Where the password comes from.
    pub password: Password,
    /// How to speak to it.
    pub settings: Settings,
}

/// How to speak to an account.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Overrides of the settle time of every operation.
    pub settle: Option<Duration>,
    /// Overrides of how long an unclear look-up is repeated.
    pub look_for: Option<Duration>,
    /// Overrides of the reply timeout.
    pub reply: Option<Duration>,
    /// Overrides of the tenant creation timeout.
    pub tenant_creation: Option<Duration>,
    /// How its platform is reached: proxy, certificates, pace. One for all that a run does through the profile.
    pub line: Arc<Line>,
    /// Overrides of paths and field names.
    pub endpoints: BTreeMap<String, String>,
    /// May nothing be changed through this account?
    pub read_only: bool,
}

/// Finds profiles. The command line implements it over the configuration.
pub trait Profiles: Send + Sync {
    /// The profile of this name, or the active one.
    fn find(&self, name: Option<&str>) -> Result<Arc<Profile>, OpError>;
}

/// Everything operations act on; one per process.
pub struct World {
    /// Time.
    pub clock: Clock,
    /// Chance.
    pub ids: Ids,
    /// The ledger lives in it.
    pub journal: Journal,
    profiles: Arc<dyn Profiles>,
    accounts: Accounts,
    directories: Mutex<HashMap<String, Arc<Directory>>>,
}

/// The tenants an account had when it was first looked at, read once.
type Directory = OnceCell<Tenants>;

/// Tenants by their address in lower case; nothing where several have one.
type Tenants = HashMap<String, Option<TenantRow>>;

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// A world over these parts.
    pub fn new(
        journal: Journal,
        accounts: Accounts,
        profiles: Arc<dyn Profiles>,
        clock: Clock,
        ids: Ids,
    ) -> World {
        World {
            accounts,
            clock,
            ids,
            journal,
            profiles,
            directories: Mutex::default(),
        }
    }

    /// The profile of this name, or the active one.
    pub fn profile(&self, name: Option<&str>) -> Result<Arc<Profile>, OpError> {
        self.profiles.find(name)
    }

    /// How to speak to the account of a session.
    pub fn settings(&self, session: &Object) -> Result<Settings, OpError> {
        match session.text("$profile") {
            "" => Ok(Settings::default()),
            name => Ok(self.profile(Some(name))?.settings.clone()),
        }
    }

    /// The client of a session. Sends nothing.
    pub fn mobsted(&self, session: &Object) -> Result<Client, OpError> {
        let settings = self.settings(session)?;
        let endpoints = Endpoints::with_overrides(&settings.endpoints).map_err(|unknown| {
            OpError::new(Code::BadProfile, format!("the profile's endpoints: {unknown}"))
        })?;
        let password = match session.fields.get("$password").and_then(Call::secret) {
            Some(password) => Password::known(password),
            None => self.profile(Some(session.text("$profile")))?.password.clone(),
        };
        let role = match session.text("$role") {
            "tenant" => Role::SubAccount,
            _ => Role::Master,
        };
        let account = Account {
            base: Base::parse(session.text("url"))?,
            login: session.text("login").to_owned(),
            password,
            role,
        };
        let usual = Timeouts::default();
        let timeouts = Timeouts {
            reply: settings.reply.unwrap_or(usual.reply),
            tenant_creation: settings.tenant_creation.unwrap_or(usual.tenant_creation),
        };
        Ok(self
            .accounts
            .client(account, &Arc::new(endpoints), timeouts, &settings.line))
    }

    /// The tenant of this address, if the account had it when it was first looked at. Without this a lost answer about
    /// a tenant that somebody else had made would be taken for ours. An account that may not list has none.
    pub async fn tenant_before(&self, session: &Object, email: &str) -> Result<Option<TenantRow>, OpError> {
        let account = format!(
            "{}\n{}",
            super::mobsted::account_of(session)?,
            session.text("login")
        );
        let directory = {
            let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
            directories.entry(account).or_default().clone()
        };
        let known = directory.get_or_try_init(|| self.list_tenants(session)).await?;
        match known.get(&email.trim().to_lowercase()) {
            None => Ok(None),
            Some(Some(row)) => Ok(Some(row.clone())),
            Some(None) => Err(OpError::new(
                Code::AlreadyExists,
                format!("the platform lists several tenants for {}", email.trim()),
            )),
        }
    }

    async fn list_tenants(&self, session: &Object) -> Result<Tenants, OpError> {
        let rows = match self.mobsted(session)?.tenants().await {
            Ok(rows) => rows,
            // An account that may not list is told so when it creates; look-ups will not settle anything for it.
            Err(error) if matches!(error.kind, ApiErrorKind::Forbidden | ApiErrorKind::NotFound) => {
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        let mut tenants = Tenants::new();
        for mut row in rows {
            // Nobody asks for the other columns, and there may be many rows.
            row.attributes = Value::Null;
            let entry = tenants.entry(row.email.trim().to_lowercase());
            entry.and_modify(|row| *row = None).or_insert(Some(row));
        }
        Ok(tenants)
    }
}
