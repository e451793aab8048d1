//! The context of all operations: accounts, ledger, time and randomness.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::catalogue::Catalogue;
use super::error::{Code, OpError};
use super::files::Project;
use super::platform::Driver;
use super::prompt::{NoPrompter, Prompter};
use super::service::Service;
use super::session;
use crate::client::Network;
use crate::clock::{Clock, Ids};
use crate::journal::Journal;
use crate::value::Object;
use crate::value::origin::Origin;
use crate::value::secret::Secret;

/// The connection settings of a profile's account.
pub use crate::client::ConnectOptions;
/// The source of a profile's credential, read on first use.
pub use crate::client::Password;

/// A named account, ready for use.
#[derive(Clone)]
pub struct Profile {
    /// The name in the configuration; `sandbox` for the accounts of the embedded sandbox.
    pub name: String,
    /// The name of the platform.
    pub platform: String,
    /// The non-secret settings of the account, by key: `url`, `login`, `company`.
    pub texts: BTreeMap<String, String>,
    /// The sources of the credentials, by key: `password`, `app_key`.
    pub secrets: BTreeMap<String, Password>,
    /// The settings for requests to the account.
    pub settings: Settings,
}

impl Profile {
    /// Creates an account of a platform, given the platform's name.
    pub fn new(name: &str, platform: &str) -> Profile {
        Profile {
            name: name.to_owned(),
            platform: platform.to_owned(),
            texts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            settings: Settings::default(),
        }
    }

    /// Adds a key whose value may be shown: `url`, `login`.
    #[must_use]
    pub fn text(mut self, key: &str, text: impl Into<String>) -> Profile {
        self.texts.insert(key.to_owned(), text.into());
        self
    }

    /// Adds a key whose value is a secret: `password`.
    #[must_use]
    pub fn secret(mut self, key: &str, secret: Secret) -> Profile {
        self.secrets.insert(key.to_owned(), Password::known(secret));
        self
    }

    /// Returns the error for a missing `key`.
    pub fn missing_key_error(&self, key: &str) -> OpError {
        let message = format!("profile `{}` has no {key}", self.name);
        OpError::new(Code::BadProfile, message).hint(format!("add it: provisor profile edit {}", self.name))
    }
}

/// The settings for requests to an account.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Overrides the settle time of every operation.
    pub settle: Option<Duration>,
    /// The user's guarantee that every request has arrived this long after its sender stopped waiting: a resource that
    /// is absent then may be created again even though the response was late.
    pub lands_within: Option<Duration>,
    /// Overrides how long an inconclusive lookup is repeated.
    pub look_for: Option<Duration>,
    /// Overrides how long the acts of a row are remembered.
    pub remember: Option<Duration>,
    /// Overrides the reply timeout.
    pub reply: Option<Duration>,
    /// Overrides the tenant creation timeout.
    pub tenant_creation: Option<Duration>,
    /// The connection settings: proxy, certificates, rate limit. Shared by everything that a run does through the
    /// profile.
    pub connect_options: Arc<ConnectOptions>,
    /// Overrides paths and field names.
    pub endpoints: BTreeMap<String, String>,
    /// Whether this account may be changed.
    pub permission: Permission,
}

/// Whether an account may be changed. The strictest is last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// It may be changed.
    #[default]
    Allowed,
    /// Not before a person has confirmed it.
    Unconfirmed,
    /// It is read-only.
    ReadOnly,
}

/// The mode of a profile: how careful provisor is with its account. The most careful is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The simulated platforms only.
    Sandbox,
    /// A test account: changes need no confirmation.
    Dev,
    /// A real account: changes from a terminal are confirmed.
    Prod,
    /// Changes are not allowed.
    ReadOnly,
}

impl Mode {
    /// All modes, the most careful last.
    pub const ALL: [Mode; 4] = [Mode::Sandbox, Mode::Dev, Mode::Prod, Mode::ReadOnly];

    /// Returns its name in configuration files and the REPL.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Sandbox => "sandbox",
            Mode::Dev => "dev",
            Mode::Prod => "prod",
            Mode::ReadOnly => "read-only",
        }
    }

    /// Returns what it permits, given whether a person has confirmed the changes.
    pub fn permission(self, is_confirmed: bool) -> Permission {
        match self {
            Mode::ReadOnly => Permission::ReadOnly,
            Mode::Prod if !is_confirmed => Permission::Unconfirmed,
            Mode::Sandbox | Mode::Dev | Mode::Prod => Permission::Allowed,
        }
    }
}

/// A lookup of profiles. The command line implements it over the configuration.
pub trait Profiles: Send + Sync {
    /// Returns the profile with this name, or without a name the active one for the platform.
    fn find(&self, platform: &str, name: Option<&str>) -> Result<Arc<Profile>, OpError>;

    /// Returns the settings for addresses that belong to no profile: whether the active profile permits changes, and
    /// how long to look up a lost response. They contain no connection settings, in particular no client certificate.
    fn elsewhere(&self) -> Result<Settings, OpError> {
        Ok(Settings::default())
    }

    /// Returns the profiles whose account is at `place`: their restrictions apply to every account there.
    fn at(&self, _place: &Origin) -> Result<Vec<Arc<Profile>>, OpError> {
        Ok(Vec::new())
    }

    /// Returns the profiles whose address is a prefix of `url`, the closest first: their restrictions apply there,
    /// whatever profile is named. If the active profile is among them, only that one is returned.
    fn covering(&self, _url: &str) -> Result<Vec<Arc<Profile>>, OpError> {
        Ok(Vec::new())
    }
}

/// The context of all operations; one per process.
pub struct OpContext {
    /// The clock.
    pub clock: Clock,
    /// The source of randomness.
    pub ids: Ids,
    /// The journal, which contains the ledger.
    pub journal: Journal,
    profiles: Arc<dyn Profiles>,
    prompter: Arc<dyn Prompter>,
    project: Option<Project>,
    catalogue: Catalogue,
    network: Network,
    /// The per-process state of each platform.
    states: Vec<Box<dyn Any + Send + Sync>>,
}

impl fmt::Debug for OpContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl OpContext {
    /// Creates a world from these parts. Its network enforces the protections of the platforms.
    pub fn new(
        catalogue: Catalogue,
        journal: Journal,
        network: Network,
        profiles: Arc<dyn Profiles>,
        ids: Ids,
    ) -> OpContext {
        let network = network.with_guards(catalogue.guards());
        let platforms = catalogue.platforms().iter();
        let opened = platforms.filter_map(|platform| platform.driver.open(&network));
        let plain: Box<dyn Any + Send + Sync> = Box::new(Service::new(&network));
        let states = opened.chain([plain]).collect();
        OpContext {
            clock: network.clock.clone(),
            ids,
            journal,
            profiles,
            prompter: Arc::new(NoPrompter),
            project: None,
            catalogue,
            states,
            network,
        }
    }

    /// Sets the prompter.
    #[must_use]
    pub fn with_prompter(mut self, prompter: Arc<dyn Prompter>) -> OpContext {
        self.prompter = prompter;
        self
    }

    /// Lets scripts read this project.
    #[must_use]
    pub fn with_project(mut self, project: Option<Project>) -> OpContext {
        self.project = project;
        self
    }

    /// Returns the catalogue of platforms.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Returns the network, with the protections of the platforms.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Returns the per-process state of a platform, as created by [`Driver::open`].
    pub fn state<T: Any>(&self) -> Result<&T, OpError> {
        let mut found = self.states.iter().filter_map(|state| state.downcast_ref());
        found
            .next()
            .ok_or_else(|| OpError::new(Code::Internal, "this runtime does not include the platform"))
    }

    /// Returns the driver of the object's platform.
    pub(super) fn driver(&self, object: &Object) -> Result<&'static dyn Driver, OpError> {
        let platform = self.catalogue.platform_of(object).ok_or_else(|| {
            let message = format!("this runtime does not include the platform of {}", object.kind);
            OpError::new(Code::BadProfile, message)
        })?;
        Ok(platform.driver)
    }

    /// Reports the address of a call to all drivers, so that a resource one of them protects there is protected in
    /// every way.
    pub(super) fn note_address(&self, url: &str) {
        let platforms = self.catalogue.platforms().iter();
        platforms.for_each(|platform| platform.driver.note_address(self, url));
    }

    /// Returns what scripts may read of this machine; `None` for nothing.
    pub(super) fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    pub(super) fn prompter(&self) -> &Arc<dyn Prompter> {
        &self.prompter
    }

    /// Returns the profile with this name, or the active one for the platform.
    pub fn profile(&self, platform: &str, name: Option<&str>) -> Result<Arc<Profile>, OpError> {
        self.profiles.find(platform, name)
    }

    /// Returns the settings for addresses that belong to no profile.
    pub fn elsewhere(&self) -> Result<Settings, OpError> {
        self.profiles.elsewhere()
    }

    /// Returns the profiles whose address is a prefix of `url`, the closest first.
    pub(crate) fn covering(&self, url: &str) -> Result<Vec<Arc<Profile>>, OpError> {
        self.profiles.covering(url)
    }

    /// Returns the settings for the account of a session. An account that a script describes itself gets the settings
    /// of the active profile and the restrictions of the profiles at its address, so no script can bypass those. An
    /// account reached from a profile, such as a tenant, gets the profile's settings and these restrictions; the
    /// profile's client certificate and CAs are used only for its own host.
    pub fn settings(&self, session: &Object) -> Result<Settings, OpError> {
        let place = Origin::parse(session.text("url"));
        let mut settings = match session.text("$profile") {
            "" => self.elsewhere()?,
            name => {
                let profile = self.profile(session::platform_of(session), Some(name))?;
                let own = profile.texts.get("url").and_then(|url| Origin::parse(url));
                let mut settings = profile.settings.clone();
                if own == place {
                    return Ok(settings);
                }
                settings.connect_options = Arc::new(settings.connect_options.for_other_hosts());
                settings
            }
        };
        for profile in place.map_or(Ok(Vec::new()), |place| self.profiles.at(&place))? {
            settings.permission = settings.permission.max(profile.settings.permission);
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::client::tokens::MemoryTokens;
    use crate::journal::Sealer;
    use crate::transport::connect_options::Authorities;
    use crate::transport::rate_limit::Rate;
    use crate::transport::{Http, HttpConfig};

    /// One profile, and a read-only one at the tenant's address.
    struct Two(Arc<Profile>, Arc<Profile>);

    impl Profiles for Two {
        fn find(&self, _: &str, _: Option<&str>) -> Result<Arc<Profile>, OpError> {
            Ok(Arc::clone(&self.0))
        }

        fn at(&self, place: &Origin) -> Result<Vec<Arc<Profile>>, OpError> {
            let there = Origin::parse(&self.1.texts["url"]).as_ref() == Some(place);
            Ok(there.then(|| Arc::clone(&self.1)).into_iter().collect())
        }
    }

    fn profile(name: &str, url: &str, settings: Settings) -> Arc<Profile> {
        Arc::new(Profile {
            name: name.to_owned(),
            platform: "mobsted".to_owned(),
            texts: BTreeMap::from([("url".to_owned(), url.to_owned())]),
            secrets: BTreeMap::new(),
            settings,
        })
    }

    fn session(url: &str) -> Object {
        Object::new(
            "mobsted::Session",
            [("url", url.into()), ("$profile", "acme".into())],
        )
    }

    #[test]
    fn tenants_share_the_rate_limit_not_ca_and_have_own_modes() {
        let connect_options = ConnectOptions {
            name: "acme".into(),
            ca: Some(Authorities::default()),
            rate: Rate::parse("10/s"),
            ..ConnectOptions::default()
        };
        let acme = Settings {
            connect_options: Arc::new(connect_options.clone()),
            ..Settings::default()
        };
        let strict = Settings {
            permission: Permission::ReadOnly,
            ..Settings::default()
        };
        let profiles = Two(
            profile("acme", "https://acme.example", acme),
            profile("own", "https://t2.example", strict),
        );
        let clock = Clock::frozen(0);
        let http = Http::new(HttpConfig::default(), clock.clone());
        let network = Network::new(http, Arc::new(MemoryTokens::default()), clock.clone());
        let journal = Journal::in_memory(Sealer::new(&[7; 32]), clock, Ids::seeded(1)).unwrap();
        let context = OpContext::new(
            crate::platforms::catalogue(),
            journal,
            network,
            Arc::new(profiles),
            Ids::seeded(1),
        );
        let own = context.settings(&session("https://ACME.example/")).unwrap();
        assert_eq!(*own.connect_options, connect_options);
        let tenant = context.settings(&session("https://t1.example")).unwrap();
        assert_eq!(
            (&tenant.connect_options.ca, tenant.permission),
            (&None, Permission::Allowed)
        );
        assert_eq!(
            tenant.connect_options.rate, connect_options.rate,
            "the pace is one for all"
        );
        let strict = context.settings(&session("https://t2.example")).unwrap();
        assert_eq!(strict.permission, Permission::ReadOnly);
    }
}
