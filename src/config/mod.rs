//! The configuration: profiles and where each value is set, secrets and where they are kept, trusted project files, and
//! the folders that hold all of this. The only module that reads the environment.
//!
//! Settings are layered. In ascending precedence: the user's file, the project's file, the environment (which profile
//! is active), and the command line. [`Config::load`] puts the files over each other, key by key; each value knows its
//! file, line and column.

mod edit;
mod error;
pub(crate) mod keychain;
mod paths;
mod profile;
mod read;
mod secret_source;
mod secret_store;
mod staged_file;
mod trust;
mod withheld;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use edit::ConfigDraft;
pub(crate) use error::ConfigError;
pub(crate) use paths::{Env, Paths, make_private_folder};
pub(crate) use profile::{Line, Profile, Provenance, SANDBOX};
pub(crate) use read::{Setting, check_address, is_local_or_sandbox};
pub(crate) use secret_source::SecretSource;
pub(crate) use secret_store::{SecretId, SecretStore, StoreError, sealed_file, sealer};
pub(crate) use staged_file::{StagedFile, rewrite};
pub(crate) use trust::Trust;
pub(crate) use withheld::ProtectedSources;

use self::read::ConfigFile;
use crate::client::http::account::is_below;
use crate::operation::catalogue::Catalogue;
use crate::value::origin::Origin;

/// The name of the project's file, which is searched for from the current folder upwards.
pub(crate) const PROJECT_FILE: &str = "provisor.toml";

/// The position of a value in a configuration file. Displayed as `FILE:LINE`, in the alternate form as
/// `FILE:LINE:COLUMN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// The file.
    pub(crate) file: PathBuf,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The column in characters, counted from 1.
    pub(crate) column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)?;
        if f.alternate() {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// A value with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it was written.
    pub(crate) origin: Location,
}

/// The source of a secret, as a file names it.
#[derive(Debug, Clone)]
struct NamedSource {
    profile: String,
    /// The module of the profile's operations.
    module: &'static str,
    key: String,
    source: SecretSource,
}

/// A file of settings. A later one takes precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// The user's own file.
    User,
    /// The project's file, and whether the user trusts it as it is.
    Project { trusted: bool },
}

/// The merged configuration files.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The platforms that profiles can name.
    catalogue: Catalogue,
    default_profile: Option<Sourced<String>>,
    /// Why the default profile must not be used, if so.
    default_refused: Option<ConfigError>,
    profiles: BTreeMap<String, Profile>,
    /// The sources of secrets that any of the files names, also those that another file replaces.
    secret_sources: Vec<NamedSource>,
    /// The files that were read, in ascending precedence; and the one where a first profile would be written.
    files: Vec<PathBuf>,
    user_file: PathBuf,
}

impl Config {
    /// Returns an empty configuration.
    pub(crate) fn of(catalogue: &Catalogue) -> Config {
        Config {
            catalogue: catalogue.clone(),
            default_profile: None,
            default_refused: None,
            profiles: BTreeMap::new(),
            secret_sources: Vec::new(),
            files: Vec::new(),
            user_file: PathBuf::new(),
        }
    }

    /// Loads the user's file and the project's, either of which may be missing. The project's values take precedence;
    /// but a project cannot send the user's credential to another address.
    ///
    /// Errors: a file that cannot be read, is not TOML or can be written by others; an unknown key or an invalid value.
    pub(crate) fn load(catalogue: &Catalogue, paths: &Paths, env: &Env) -> Result<Config, ConfigError> {
        let mut config = Config {
            user_file: paths.config_file(),
            ..Config::of(catalogue)
        };
        if let Some(file) = ConfigFile::read(&paths.config_file())? {
            trust::check_only_user_writable(&file.path)?;
            config.load_layer(file, Layer::User)?;
        }
        if let Some(path) = project_file(env)
            && let Some(file) = ConfigFile::read(&path)?
        {
            let trusted = Trust::of(paths).covers(&path, &file.text);
            config.load_layer(file, Layer::Project { trusted })?;
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

    fn load_layer(&mut self, file: ConfigFile, layer: Layer) -> Result<(), ConfigError> {
        self.add(&file, layer)?;
        self.check_encryption()?;
        self.files.push(file.path);
        Ok(())
    }

    /// Checks a user's file.
    fn check(catalogue: &Catalogue, file: &ConfigFile) -> Result<(), ConfigError> {
        let mut config = Config::of(catalogue);
        config.add(file, Layer::User)?;
        config.check_encryption()
    }

    /// Returns an error if an account is reached by plain http beyond this machine, and its user does not accept that.
    /// A project's file alone does not tell.
    fn check_encryption(&self) -> Result<(), ConfigError> {
        self.profiles.values().try_for_each(Profile::check_encryption)
    }

    /// Puts a file over the values so far. What a file that is not trusted must not do is reported on use.
    fn add(&mut self, file: &ConfigFile, layer: Layer) -> Result<(), ConfigError> {
        let content = file.parse(&self.catalogue)?;
        let untrusted = layer == Layer::Project { trusted: false };
        if let Some(name) = content.default_profile {
            // Only the user decides which of the user's profiles is the default.
            let overrides_trusted = untrusted && self.profiles.contains_key(&name.value);
            self.default_refused = overrides_trusted.then(|| ConfigError::Untrusted {
                file: file.path.clone(),
                what: format!("makes `{}` the default profile", name.value),
            });
            self.default_profile = Some(name);
        }
        let known = self.profiles.clone();
        for (name, settings) in content.profiles {
            let mut profile = Profile::new(&name, self.catalogue.usual(), settings, &file.path);
            let module = profile.platform().module;
            let sources = profile.secrets().map(|(key, source)| NamedSource {
                profile: name.clone(),
                module,
                key: key.to_owned(),
                source: source.clone(),
            });
            self.secret_sources.extend(sources);
            if untrusted {
                profile.untrusted = Some(file.path.clone());
                profile.refused = trust::exceeds_trust(&profile);
            }
            let below = known.get(&name);
            if layer != Layer::User {
                trust::check_project(&profile, below, &self.user_file)?;
            }
            let mut merged = match below {
                Some(below) => profile.merged_over(below.clone())?,
                None => profile,
            };
            merged.check_settle_time()?;
            if untrusted {
                trust::apply_strictest_mode(&mut merged, known.values());
            }
            self.profiles.insert(name, merged);
        }
        Ok(())
    }

    /// The default profile that a file names, and where it does.
    pub(crate) fn default_profile(&self) -> Option<&Sourced<String>> {
        self.default_profile.as_ref()
    }

    /// The files that were read, in ascending precedence.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The profiles by name.
    pub(crate) fn profiles(&self) -> &BTreeMap<String, Profile> {
        &self.profiles
    }

    /// Returns the profile that `flag` names, else `PROVISOR_PROFILE`, else `default_profile`, else the only one.
    pub(crate) fn choose(&self, flag: Option<&str>, env: &Env) -> Result<&Profile, ConfigError> {
        self.chosen(flag, env)?.usable()
    }

    /// The name of the profile that is used if no flag names one.
    pub(crate) fn active(&self, env: &Env) -> Option<&str> {
        let active = self.choose(None, env).ok();
        active.map(|profile| profile.name.as_str())
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
    pub(crate) fn choose_for(
        &self,
        platform: &str,
        flag: Option<&str>,
        env: &Env,
    ) -> Result<&Profile, ConfigError> {
        let is_of_platform = |profile: &&Profile| profile.platform().name == platform;
        let chosen = match self.chosen(flag, env) {
            Ok(chosen) if is_of_platform(&chosen) => return chosen.usable(),
            Err(wrong @ ConfigError::UnknownProfile { .. }) => return Err(wrong),
            chosen => chosen,
        };
        let of_platform: Vec<&Profile> = self.profiles.values().filter(is_of_platform).collect();
        match of_platform.as_slice() {
            [] => chosen,
            [only] => only.usable(),
            several => Err(ConfigError::ManyProfiles {
                known: several.iter().map(|profile| profile.name.clone()).collect(),
            }),
        }
    }

    /// Returns the profile of this name; errors mention `asked_by` (a flag, a variable, a script).
    pub(crate) fn named(&self, name: &str, asked_by: &str) -> Result<&Profile, ConfigError> {
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

    fn names(&self) -> Vec<String> {
        self.profiles.keys().cloned().collect()
    }

    /// The profiles whose account is at `place` and is not replaced by the sandbox.
    pub(crate) fn at(&self, place: &Origin) -> Vec<&Profile> {
        let profiles = self.profiles.values();
        profiles.filter(|profile| profile.is_at(place)).collect()
    }

    /// The profiles whose address is a parent of `url`, however its host is spelled, most specific first.
    pub(crate) fn covering(&self, url: &str) -> Vec<&Profile> {
        let holds = |profile: &&Profile| profile.url().is_ok_and(|base| is_below(base, url));
        let mut covering: Vec<&Profile> = self.profiles.values().filter(holds).collect();
        let length = |profile: &&Profile| profile.url().unwrap_or_default().trim_end_matches('/').len();
        covering.sort_by_key(|profile| std::cmp::Reverse(length(profile)));
        covering
    }
}

/// Finds the nearest project file at or above the current folder, up to the user's home folder.
pub(crate) fn project_file(env: &Env) -> Option<PathBuf> {
    project_file_above(env.folder(), env)
}

/// Finds the nearest project file at or above a folder, up to the user's home folder.
pub(crate) fn project_file_above(folder: &Path, env: &Env) -> Option<PathBuf> {
    let home = env.home();
    for folder in folder.ancestors() {
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

#[cfg(test)]
mod tests;
