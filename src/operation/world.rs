//! What operations act on: the accounts, the ledger, time and chance.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::catalogue::Catalogue;
use super::error::{Code, OpError};
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

/// How a profile's account is reached.
pub use crate::client::Line;
/// Where a profile's credential comes from; read when it is first needed.
pub use crate::client::Password;

/// A named account, ready for use.
#[derive(Clone)]
pub struct Profile {
    /// Its name in the configuration; `sandbox` for the embedded sandbox's accounts.
    pub name: String,
    /// The platform, by its name.
    pub platform: String,
    /// What it says of the account, by key: `url`, `login`, `company`.
    pub texts: BTreeMap<String, String>,
    /// Where its credentials come from, by key: `password`, `app_key`.
    pub secrets: BTreeMap<String, Password>,
    /// How to speak to it.
    pub settings: Settings,
}

impl Profile {
    /// An account of a platform, by the platform's name.
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

    /// The error that it lacks `key`.
    pub fn lacks(&self, key: &str) -> OpError {
        let message = format!("profile `{}` has no {key}", self.name);
        OpError::new(Code::BadProfile, message).hint(format!("add it: provisor profile edit {}", self.name))
    }
}

/// How to speak to an account.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Overrides of the settle time of every operation.
    pub settle: Option<Duration>,
    /// How long after its sender has stopped waiting every request has landed, as the user vouches for: what is absent then
    /// may be sent again even though the answer was late.
    pub lands_within: Option<Duration>,
    /// Overrides of how long an unclear look-up is repeated.
    pub look_for: Option<Duration>,
    /// Overrides of how long the acts of a row are remembered.
    pub remember: Option<Duration>,
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
    /// May nothing be changed through this account before a person has agreed to it, and has nobody yet?
    pub unconfirmed: bool,
}

/// Finds profiles. The command line implements it over the configuration.
pub trait Profiles: Send + Sync {
    /// The profile of this name; without a name the one that is active for the platform.
    fn find(&self, platform: &str, name: Option<&str>) -> Result<Arc<Profile>, OpError>;

    /// How to treat addresses that belong to no profile: whether the active one lets anything be changed, and for how
    /// long to look for a lost answer. Nothing of a profile's line is among it, least of all its certificate.
    fn elsewhere(&self) -> Result<Settings, OpError> {
        Ok(Settings::default())
    }

    /// The profiles whose account is at `place`: what they forbid is forbidden to every account there.
    fn at(&self, _place: &Origin) -> Result<Vec<Arc<Profile>>, OpError> {
        Ok(Vec::new())
    }

    /// The profiles whose address the address `url` is below, the nearest first: what they forbid is forbidden there,
    /// whoever names them. The active profile alone when it is among them.
    fn around(&self, _url: &str) -> Result<Vec<Arc<Profile>>, OpError> {
        Ok(Vec::new())
    }
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
    asker: Arc<dyn Prompter>,
    catalogue: Catalogue,
    network: Network,
    /// What each platform keeps for the process.
    states: Vec<Box<dyn Any + Send + Sync>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// A world over these parts. What the platforms protect is protected on its network.
    pub fn new(
        catalogue: Catalogue,
        journal: Journal,
        network: Network,
        profiles: Arc<dyn Profiles>,
        ids: Ids,
    ) -> World {
        let network = network.guarded(catalogue.guards());
        let platforms = catalogue.platforms().iter();
        let opened = platforms.filter_map(|platform| platform.driver.open(&network));
        let plain: Box<dyn Any + Send + Sync> = Box::new(Service::new(&network));
        let states = opened.chain([plain]).collect();
        World {
            clock: network.clock.clone(),
            ids,
            journal,
            profiles,
            asker: Arc::new(NoPrompter),
            catalogue,
            states,
            network,
        }
    }

    /// The same with somebody to ask.
    #[must_use]
    pub fn asking(mut self, asker: Arc<dyn Prompter>) -> World {
        self.asker = asker;
        self
    }

    /// The platforms.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// How requests leave, with what the platforms protect.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What a platform keeps for the process, as its [`Driver::open`] made it.
    pub fn state<T: Any>(&self) -> Result<&T, OpError> {
        let mut found = self.states.iter().filter_map(|state| state.downcast_ref());
        found
            .next()
            .ok_or_else(|| OpError::new(Code::Internal, "the platform is not one of this runtime"))
    }

    /// What knows the platform of an object.
    pub(super) fn driver(&self, object: &Object) -> Result<&'static dyn Driver, OpError> {
        let platform = self.catalogue.platform_of(object).ok_or_else(|| {
            let message = format!("the platform of {} is not one of this runtime", object.kind);
            OpError::new(Code::BadProfile, message)
        })?;
        Ok(platform.driver)
    }

    /// Notes an address that a call goes to, so that what any platform protects there is protected in every way.
    pub(super) fn note_address(&self, url: &str) {
        let platforms = self.catalogue.platforms().iter();
        platforms.for_each(|platform| platform.driver.note_address(self, url));
    }

    pub(super) fn asker(&self) -> &Arc<dyn Prompter> {
        &self.asker
    }

    /// The profile of this name, or the one that is active for the platform.
    pub fn profile(&self, platform: &str, name: Option<&str>) -> Result<Arc<Profile>, OpError> {
        self.profiles.find(platform, name)
    }

    /// How to treat addresses that belong to no profile.
    pub fn elsewhere(&self) -> Result<Settings, OpError> {
        self.profiles.elsewhere()
    }

    /// The profiles whose address the address `url` is below, the nearest first.
    pub(crate) fn around(&self, url: &str) -> Result<Vec<Arc<Profile>>, OpError> {
        self.profiles.around(url)
    }

    /// How to speak to the account of a session. One that a script describes itself is treated as the active profile
    /// says, and as those at its address do: no script gets around what they forbid. So is one that was reached from a
    /// profile, such as a tenant; what the profile shows to its own host, and trusts there alone, is not for that one.
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
                settings.line = Arc::new(settings.line.to_others());
                settings
            }
        };
        for profile in place.map_or(Ok(Vec::new()), |place| self.profiles.at(&place))? {
            settings.read_only |= profile.settings.read_only;
            settings.unconfirmed |= profile.settings.unconfirmed;
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::client::{TokenKey, TokenStore};
    use crate::journal::Sealer;
    use crate::transport::line::Authorities;
    use crate::transport::rate_limit::Rate;
    use crate::transport::{Http, HttpConfig};
    use crate::value::Value;

    struct NoTokens;

    impl TokenStore for NoTokens {
        fn load(&self, _: &TokenKey) -> Option<Value> {
            None
        }

        fn save(&self, _: &TokenKey, _: &Value) -> Result<(), String> {
            Ok(())
        }

        fn forget(&self, _: &TokenKey) {}
    }

    /// One profile, and another at the tenant's address that is read-only.
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
    fn a_tenant_sees_no_certificate_of_the_profile_and_counts_under_the_modes_at_its_own_address() {
        let line = Line {
            name: "acme".into(),
            ca: Some(Authorities::default()),
            rate: Rate::parse("10/s"),
            ..Line::default()
        };
        let acme = Settings {
            line: Arc::new(line.clone()),
            ..Settings::default()
        };
        let strict = Settings {
            read_only: true,
            ..Settings::default()
        };
        let profiles = Two(
            profile("acme", "https://acme.example", acme),
            profile("own", "https://t2.example", strict),
        );
        let clock = Clock::frozen(0);
        let http = Http::new(HttpConfig::default(), clock.clone());
        let network = Network::new(http, Arc::new(NoTokens), clock.clone());
        let journal = Journal::in_memory(Sealer::new(&[7; 32]), clock, Ids::seeded(1));
        let world = World::new(
            crate::platforms::catalogue(),
            journal,
            network,
            Arc::new(profiles),
            Ids::seeded(1),
        );
        let own = world.settings(&session("https://ACME.example/")).unwrap();
        assert_eq!(*own.line, line);
        let tenant = world.settings(&session("https://t1.example")).unwrap();
        assert_eq!((&tenant.line.ca, tenant.read_only), (&None, false));
        assert_eq!(tenant.line.rate, line.rate, "the pace is one for all");
        assert!(world.settings(&session("https://t2.example")).unwrap().read_only);
    }
}
