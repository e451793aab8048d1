//! Profiles for scripts: from the configuration, or the sandbox's accounts in place of all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::app::{Accounts, App};
use super::approval::Approvals;
use super::error::CommandError;
use super::parent_session;
use crate::config::{self, Config, ConfigError, Env, Paths, SANDBOX};
use crate::operation::catalogue::Catalogue;
use crate::operation::context::{Password, Permission, Profile, Profiles, Settings};
use crate::operation::error::{Code, OpError};
use crate::sandbox::Sandbox;
use crate::value::origin::Origin;
use crate::value::secret::{Home, Secret};

/// The profiles of the configuration, which is read when a script first asks for an account.
pub(super) struct ConfiguredProfiles {
    env: Env,
    paths: Paths,
    requested: Option<String>,
    catalogue: Catalogue,
    /// A password for the requested profile that is not stored yet.
    password: Option<Secret>,
    /// The simulated accounts by platform, if the sandbox replaces all accounts.
    sandbox: Option<BTreeMap<&'static str, Profile>>,
    /// The `prod` profiles whose changes are confirmed.
    agreed: Approvals,
    /// A cache of the profiles found, by requested platform and name.
    found: Mutex<HashMap<ProfileRequest, Arc<Profile>>>,
    config: OnceLock<Result<Config, OpError>>,
}

/// A platform, and the name of a profile if one was named.
type ProfileRequest = (String, Option<String>);

impl ConfiguredProfiles {
    /// Creates the profiles for these accounts.
    pub(super) fn new(
        app: &App,
        accounts: &Accounts,
        sandbox: Option<&Sandbox>,
    ) -> Result<ConfiguredProfiles, CommandError> {
        Ok(ConfiguredProfiles {
            env: app.env.clone(),
            catalogue: app.catalogue().clone(),
            paths: app.paths()?.clone(),
            requested: accounts.profile.clone(),
            password: accounts.password.clone(),
            sandbox: sandbox.map(|sandbox| simulated(sandbox, app.catalogue())),
            agreed: accounts.agreed.clone(),
            found: Mutex::default(),
            config: OnceLock::new(),
        })
    }

    fn config(&self) -> Result<&Config, OpError> {
        let load = || Ok(Config::load(&self.catalogue, &self.paths, &self.env)?);
        self.config.get_or_init(load).as_ref().map_err(Clone::clone)
    }

    /// The settings for the sandbox (settle, timeouts, endpoints), which can be configured as `[profiles.sandbox]`; its
    /// addresses and logins cannot.
    fn sandbox_settings(&self) -> Result<Settings, OpError> {
        let configured = self.config()?.profiles().get(SANDBOX);
        let settings = configured.map(|profile| settings(profile, &self.env));
        let mut settings = settings.transpose()?.unwrap_or_default();
        settings.settle.get_or_insert(super::sandbox::SETTLE);
        settings.reply.get_or_insert(super::sandbox::REPLY);
        settings.tenant_creation.get_or_insert(super::sandbox::REPLY);
        let connect_options = Arc::make_mut(&mut settings.connect_options);
        connect_options
            .connect_timeout
            .get_or_insert(super::sandbox::CONNECT);
        Ok(settings)
    }
}

/// The sandbox's accounts by platform, in the form of profiles without settings.
pub(super) fn simulated(sandbox: &Sandbox, catalogue: &Catalogue) -> BTreeMap<&'static str, Profile> {
    let accounts = sandbox.accounts().into_iter();
    let own = accounts.map(|account| {
        let mut profile = Profile::new(SANDBOX, account.platform);
        for (key, text) in account.texts {
            profile = profile.text(key, text);
        }
        for (key, secret) in account.secrets {
            profile = profile.secret(key, Secret::new(secret));
        }
        (account.platform, profile)
    });
    let described = catalogue.platforms().iter().filter_map(|platform| {
        let url = super::sandbox::url_of(platform)?;
        let mut profile = Profile::new(SANDBOX, platform.name);
        for key in platform.texts().iter().filter(|key| key.required) {
            profile = profile.text(key.name, "sandbox");
        }
        for key in platform.secrets().iter().filter(|key| key.required) {
            profile = profile.secret(key.name, Secret::new("of-the-sandbox"));
        }
        Some((platform.name, profile.text("url", url)))
    });
    own.chain(described).collect()
}

/// Returns the name and address of the active profile; `None` if there is none or the configuration is invalid, since
/// scripts that use no account do not need one.
pub(super) fn active(app: &App, requested: Option<&str>) -> Option<(String, String)> {
    let config = app.config().ok()?;
    let profile = config.choose(requested, &app.env).ok()?;
    let url = profile.url().unwrap_or_default();
    Some((profile.name.clone(), url.to_owned()))
}

/// Returns the name of the active profile if the sandbox replaces its account.
pub(super) fn sandboxed(app: &App, requested: Option<&str>) -> Option<String> {
    let config = app.config().ok()?;
    let profile = config.choose(requested, &app.env).ok()?;
    profile.sandboxed().map(|_| profile.name.clone())
}

impl Profiles for ConfiguredProfiles {
    fn find(&self, platform: &str, name: Option<&str>) -> Result<Arc<Profile>, OpError> {
        let requested = (platform.to_owned(), name.map(str::to_owned));
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(profile) = found.get(&requested) {
            return Ok(profile.clone());
        }
        let profile = self.look_for(platform, name)?;
        found.insert(requested, profile.clone());
        Ok(profile)
    }

    fn elsewhere(&self) -> Result<Settings, OpError> {
        if self.sandbox.is_some() {
            return self.sandbox_settings();
        }
        let config = self.config()?;
        let profile = match (
            config.choose(self.requested.as_deref(), &self.env),
            &self.requested,
        ) {
            (Ok(profile), _) => profile,
            (Err(error), Some(_)) => return Err(error.into()),
            // A script that uses no account needs no profile.
            (Err(_), None) => {
                return Ok(Settings {
                    permission: parent_session::mode(&self.env).permission(self.agreed.covers("")),
                    ..Settings::default()
                });
            }
        };
        // An error in them is reported here as well.
        settings(profile, &self.env)?;
        Ok(Settings {
            permission: self.permission(profile),
            ..Settings::default()
        })
    }

    fn at(&self, place: &Origin) -> Result<Vec<Arc<Profile>>, OpError> {
        if self.sandbox.is_some() {
            return Ok(Vec::new());
        }
        let found = self.config()?.at(place).into_iter();
        found.map(|profile| self.covering_profile(profile)).collect()
    }

    fn covering(&self, url: &str) -> Result<Vec<Arc<Profile>>, OpError> {
        if self.sandbox.is_some() {
            return Ok(Vec::new());
        }
        let config = self.config()?;
        let mut covering = config.covering(url);
        let active = config.choose(self.requested.as_deref(), &self.env).ok();
        if let Some(active) = active.filter(|active| covering.iter().any(|one| one.name == active.name)) {
            covering = vec![active];
        }
        covering
            .into_iter()
            .map(|profile| self.covering_profile(profile))
            .collect()
    }
}

impl ConfiguredProfiles {
    /// Returns a profile that applies because of its address, although it was not named.
    fn covering_profile(&self, profile: &config::Profile) -> Result<Arc<Profile>, OpError> {
        let found = self.find(profile.platform().name, Some(&profile.name));
        found.map_err(|error| OpError {
            message: format!("a profile has this address: {}", error.message),
            ..error
        })
    }

    fn look_for(&self, platform: &str, name: Option<&str>) -> Result<Arc<Profile>, OpError> {
        // With the sandbox on, every profile is the sandbox: a forgotten flag cannot reach a live account.
        if let Some(accounts) = &self.sandbox {
            return match accounts.get(platform) {
                Some(account) => Ok(Arc::new(Profile {
                    settings: self.sandbox_settings()?,
                    ..account.clone()
                })),
                None => Err(OpError::new(
                    Code::BadProfile,
                    format!("the sandbox has no account of the platform `{platform}`"),
                )),
            };
        }
        let config = self.config()?;
        let profile = match name {
            Some(name) => config.named(name, "the script")?,
            None => config.choose_for(platform, self.requested.as_deref(), &self.env)?,
        };
        let mut found = to_profile(profile, &self.env)?;
        found.settings.permission = self.permission(profile);
        if let (Some(password), true) = (&self.password, self.requested.as_ref() == Some(&profile.name)) {
            found
                .secrets
                .insert("password".into(), Password::known(password.clone()));
        }
        Ok(Arc::new(found))
    }

    /// Whether its account may be changed, as far as changes are confirmed.
    fn permission(&self, profile: &config::Profile) -> Permission {
        parent_session::effective_mode(profile, &self.env).permission(self.agreed.covers(&profile.name))
    }
}

impl From<ConfigError> for OpError {
    fn from(error: ConfigError) -> OpError {
        let bad = OpError::new(Code::BadProfile, error.to_string());
        match error.hint() {
            Some(hint) => bad.hint(hint),
            None => bad,
        }
    }
}

fn to_profile(config: &config::Profile, env: &Env) -> Result<Profile, OpError> {
    if let Some(origin) = config.sandboxed() {
        let message = format!("profile `{}` is for the sandbox only ({origin})", config.name);
        return Err(OpError::new(Code::BadProfile, message).hint("add --sandbox"));
    }
    let settings = settings(config, env)?;
    let url = config.url()?;
    let texts = config.texts().chain([("url", url)]);
    let texts = texts.map(|(key, text)| (key.to_owned(), text.to_owned()));
    let home = Home::of(Origin::parse(url));
    let secrets = config.secrets().map(|(key, _)| {
        let (name, config, env) = (key.to_owned(), config.clone(), env.clone());
        let (place, home) = (config.place_of(key), home.clone());
        let read = move || {
            let read = config.read_secret(&name, &env);
            let read = read.map(|secret| match &home {
                Some(home) => secret.with_home(home),
                None => secret,
            });
            read.map_err(|error| match error.hint() {
                Some(hint) => format!("{error} ({hint})"),
                None => error.to_string(),
            })
        };
        (key.to_owned(), Password::ask(&place, read))
    });
    Ok(Profile {
        name: config.name.clone(),
        platform: config.platform().name.to_owned(),
        texts: texts.collect(),
        secrets: secrets.collect(),
        settings,
    })
}

fn settings(config: &config::Profile, env: &Env) -> Result<Settings, OpError> {
    Ok(Settings {
        settle: config.duration("settle"),
        lands_within: config.duration("lands_within"),
        look_for: config.duration("look_for"),
        remember: config.duration("remember"),
        reply: config.duration("timeouts.reply"),
        tenant_creation: config.duration("timeouts.tenant_creation"),
        connect_options: Arc::new(config.connect_options(env)?),
        endpoints: config.endpoints(),
        permission: parent_session::effective_mode(config, env).permission(true),
    })
}
