//! The configuration: profiles from the user's file and the project's.

mod connection;
mod credential;
mod document;
mod entry;
mod error;
mod profile;
mod reading;
mod show;
mod table;
mod trust_policy;
mod write;

use crate::operation::catalogue::Catalogue;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use connection::{Connection, ProxySetting};
pub use credential::CredentialSource;
pub use error::ConfigError;
pub use profile::Profile;
pub(super) use profile::SANDBOX;
pub(super) use reading::{check_address, is_local_or_sandbox};
pub(super) use show::{ConfigCommand, lines, show};
pub(super) use write::ConfigDraft;

use self::document::Document;
use self::table::Table;
use super::paths::{Env, Paths};
use super::trust::Trust;
use crate::client::http::account::is_below;
use crate::operation::context::Mode;
use crate::value::origin as value;

/// The name of the project's file, which is searched for from the current folder upwards.
pub const PROJECT_FILE: &str = "provisor.toml";

/// The position of a value in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// A value with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub origin: Location,
}

/// The merged configuration files.
#[derive(Debug, Clone)]
pub struct Config {
    /// The platforms that profiles can name.
    catalogue: Catalogue,
    default_profile: Option<Sourced<String>>,
    /// Why the default profile must not be used, if so.
    default_refused: Option<ConfigError>,
    profiles: BTreeMap<String, Profile>,
    /// The files that were read, in ascending precedence; and the one where a first profile would be written.
    files: Vec<PathBuf>,
    user_file: PathBuf,
}

impl Config {
    /// Returns an empty configuration.
    pub(super) fn of(catalogue: &Catalogue) -> Config {
        Config {
            catalogue: catalogue.clone(),
            default_profile: None,
            default_refused: None,
            profiles: BTreeMap::new(),
            files: Vec::new(),
            user_file: PathBuf::new(),
        }
    }

    /// Loads the user's file and the project's, either of which may be missing. The project's values take precedence;
    /// but a project cannot send the user's credential to another address.
    ///
    /// Errors: a file that cannot be read, is not TOML or can be written by others; an unknown key or an invalid value.
    pub fn load(catalogue: &Catalogue, paths: &Paths, env: &Env) -> Result<Config, ConfigError> {
        let user_file = paths.config_file();
        let mut config = Config {
            user_file: user_file.clone(),
            ..Config::of(catalogue)
        };
        if let Some(document) = Document::read(&user_file)? {
            trust_policy::check_only_user_writable(&user_file)?;
            config.add(&document, true)?;
            config.check_encryption()?;
            config.files.push(user_file);
        }
        if let Some(file) = project_file(env)
            && let Some(document) = Document::read(&file)?
        {
            let trusted = Trust::of(paths).covers(&file, &document.text);
            config.add(&document, trusted)?;
            config.check_encryption()?;
            config.files.push(file);
        }
        // Neither profile gets a variable that two would share: the secret of one must not reach the other's address.
        let mut sharing: BTreeMap<String, u32> = BTreeMap::new();
        for profile in config.profiles.values() {
            *sharing.entry(profile.variable("")).or_default() += 1;
        }
        for profile in config.profiles.values_mut() {
            if sharing.get(&profile.variable("")) == Some(&1) {
                profile.take_variables(env);
            }
        }
        Ok(config)
    }

    /// The default profile that a file names, and where it does.
    pub fn default_profile(&self) -> Option<&Sourced<String>> {
        self.default_profile.as_ref()
    }

    /// The files that were read, in ascending precedence.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The profiles by name.
    pub fn profiles(&self) -> &BTreeMap<String, Profile> {
        &self.profiles
    }

    /// Returns the profile that `flag` names, else `PROVISOR_PROFILE`, else `default_profile`, else the only one.
    pub fn choose(&self, flag: Option<&str>, env: &Env) -> Result<&Profile, ConfigError> {
        self.chosen(flag, env)?.usable()
    }

    /// Like [`Config::choose`], but the profile may be unusable.
    fn chosen(&self, flag: Option<&str>, env: &Env) -> Result<&Profile, ConfigError> {
        if let Some(name) = flag {
            return self.find(name, "--profile");
        }
        if let Some(name) = env.get("PROVISOR_PROFILE") {
            return self.find(name, "PROVISOR_PROFILE");
        }
        if let Some(refused) = &self.default_refused {
            return Err(refused.clone());
        }
        if let Some(name) = &self.default_profile {
            return self.find(&name.value, &format!("default_profile in {}", name.origin));
        }
        let mut profiles = self.profiles.values();
        match (profiles.next(), profiles.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(ConfigError::NoProfile {
                file: self.user_file.clone(),
            }),
            _ => Err(ConfigError::ManyProfiles { known: self.names() }),
        }
    }

    /// Returns the profile to use for a platform: the result of [`Config::choose`] if it is of that platform, else the
    /// only profile of that platform. A profile that is named must exist, whatever the platform.
    pub fn choose_for(&self, platform: &str, flag: Option<&str>, env: &Env) -> Result<&Profile, ConfigError> {
        let chosen = match self.chosen(flag, env) {
            Ok(chosen) if chosen.platform().name == platform => return chosen.usable(),
            Err(wrong @ ConfigError::UnknownProfile { .. }) => return Err(wrong),
            chosen => chosen,
        };
        let mut of_platform = self
            .profiles
            .values()
            .filter(|profile| profile.platform().name == platform);
        match (of_platform.next(), of_platform.next()) {
            (Some(only), None) => only.usable(),
            (Some(_), Some(_)) => Err(ConfigError::ManyProfiles {
                known: self.names_of(platform),
            }),
            (None, _) => chosen,
        }
    }

    /// Returns the profile of this name; errors mention `asked_by` (a flag, a variable, a script).
    pub fn named(&self, name: &str, asked_by: &str) -> Result<&Profile, ConfigError> {
        self.find(name, asked_by)?.usable()
    }

    fn find(&self, name: &str, asked_by: &str) -> Result<&Profile, ConfigError> {
        self.profiles
            .get(name)
            .ok_or_else(|| ConfigError::UnknownProfile {
                name: name.to_owned(),
                asked_by: asked_by.to_owned(),
                known: self.names(),
                file: self.user_file.clone(),
            })
    }

    /// The profiles whose account is at `place` and is not replaced by the sandbox.
    pub(super) fn at(&self, place: &value::Origin) -> Vec<&Profile> {
        let profiles = self.profiles.values();
        profiles
            .filter(|profile| profile.origin().as_ref() == Some(place) && profile.sandboxed().is_none())
            .collect()
    }

    /// The profiles whose address is a parent of `url`, however its host is spelled, most specific first.
    pub(super) fn covering(&self, url: &str) -> Vec<&Profile> {
        let holds = |profile: &&Profile| profile.url().is_ok_and(|base| is_below(base, url));
        let mut covering: Vec<&Profile> = self.profiles.values().filter(holds).collect();
        let length = |profile: &&Profile| profile.url().unwrap_or_default().trim_end_matches('/').len();
        covering.sort_by_key(|profile| std::cmp::Reverse(length(profile)));
        covering
    }

    fn names(&self) -> Vec<String> {
        self.profiles.keys().cloned().collect()
    }

    fn names_of(&self, platform: &str) -> Vec<String> {
        let of_platform = self
            .profiles
            .values()
            .filter(|profile| profile.platform().name == platform);
        of_platform.map(|profile| profile.name.clone()).collect()
    }

    /// Checks a user's file.
    fn check(catalogue: &Catalogue, document: &Document) -> Result<(), ConfigError> {
        let mut config = Config::of(catalogue);
        config.add(document, true)?;
        config.check_encryption()
    }

    /// Returns an error if an account is reached by plain http beyond this machine, and its user does not accept that.
    /// A project's file alone does not tell.
    fn check_encryption(&self) -> Result<(), ConfigError> {
        match self.profiles.values().find_map(Profile::exposes) {
            Some(refused) => Err(refused),
            None => Ok(()),
        }
    }

    /// Merges a file over the values so far. What a file that is not `trusted` must not do is reported on use.
    fn add(&mut self, document: &Document, trusted: bool) -> Result<(), ConfigError> {
        let parsed = document.parse()?;
        let root = Table::root(document, parsed.get_ref());
        root.check_keys(&["default_profile", "profiles"])?;
        if let Some(name) = root.text("default_profile")? {
            // Only the user decides which of the user's profiles is the default.
            let overrides_trusted = !trusted && self.profiles.contains_key(&name.value);
            self.default_refused = overrides_trusted.then(|| ConfigError::Untrusted {
                file: document.file.clone(),
                what: format!("it makes `{}` the default profile", name.value),
            });
            self.default_profile = Some(name);
        }
        let known: Vec<Profile> = self.profiles.values().cloned().collect();
        let Some(profiles) = root.table("profiles")? else {
            return Ok(());
        };
        for (name, table) in profiles.tables()? {
            let mut profile = reading::profile(&self.catalogue, &name, &table)?;
            if !trusted {
                profile.untrusted = Some(document.file.clone());
                profile.refused = trust_policy::exceeds_trust(&profile);
            }
            let below = self.profiles.remove(&name);
            let is_project = document.file != self.user_file && !self.user_file.as_os_str().is_empty();
            if is_project
                && let Some(refused) =
                    trust_policy::shortens_settle_time(&profile, below.as_ref(), &self.user_file).or_else(
                        || trust_policy::accepts_plain_http(&profile, below.as_ref(), &self.user_file),
                    )
            {
                return Err(refused);
            }
            let mut merged = match below {
                Some(below) => profile.merged_over(below)?,
                None => profile,
            };
            if let Some(refused) = merged.settle_time_too_short() {
                return Err(refused);
            }
            if !trusted {
                trust_policy::apply_strictest_mode(&mut merged, &known);
            }
            self.profiles.insert(name, merged);
        }
        Ok(())
    }
}

/// Finds the nearest project file at or above the current folder, up to the user's home folder.
pub(super) fn project_file(env: &Env) -> Option<PathBuf> {
    let home = env.home();
    for folder in env.folder().ancestors() {
        let file = folder.join(PROJECT_FILE);
        if file.is_file() {
            return Some(file);
        }
        if Some(folder) == home.as_deref() {
            break;
        }
    }
    None
}

/// The folder that relative paths in a configuration file are resolved against.
fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_owned()
}

#[cfg(test)]
mod tests;
