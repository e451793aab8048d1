//! The environment, read once, and the folders provisor keeps its files in.

#![allow(clippy::disallowed_methods, reason = "the environment is read here")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::ConfigError;
use crate::journal;

/// Where provisor keeps its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    config: PathBuf,
    state: PathBuf,
    cache: PathBuf,
}

impl Paths {
    /// `config`, `state` and `cache` below `PROVISOR_HOME` if that is set, else the system's own folder for each.
    /// `None` if neither exists: the user has no home folder.
    pub(crate) fn from_env(env: &Env) -> Option<Paths> {
        if let Some(home) = env.os("PROVISOR_HOME") {
            let home = env.folder().join(home);
            return Some(Paths {
                config: home.join("config"),
                state: home.join("state"),
                cache: home.join("cache"),
            });
        }
        Some(Paths {
            config: dirs::config_dir()?.join("provisor"),
            // macOS and Windows have no folder for state.
            state: dirs::state_dir().or_else(dirs::data_local_dir)?.join("provisor"),
            cache: dirs::cache_dir()?.join("provisor"),
        })
    }

    /// The folder of user-written files.
    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// The folder of data that must not be lost.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// The folder of data that can be recreated.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// The user's configuration.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The journal's database.
    pub(crate) fn journal(&self) -> PathBuf {
        self.state.join("journal.db")
    }

    /// The file with the key that encrypts secrets, used unless `PROVISOR_KEY` is set.
    pub(crate) fn key(&self) -> PathBuf {
        self.state.join("key")
    }

    /// The encrypted tokens.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.cache.join("tokens.db")
    }

    /// The folder of the files of packages.
    pub(crate) fn packages(&self) -> PathBuf {
        self.cache.join("packages")
    }

    /// The encrypted secrets of profiles.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.state.join("secrets.db")
    }

    /// The record of trusted project files.
    pub(crate) fn trusted(&self) -> PathBuf {
        self.state.join("trusted.json")
    }

    /// The folder of the sandbox's state.
    pub(crate) fn sandbox(&self) -> PathBuf {
        self.state.join("sandbox")
    }
}

/// Creates one of provisor's folders if it is missing, accessible by the user only.
pub(crate) fn make_private_folder(folder: &Path) -> Result<(), ConfigError> {
    journal::make_private_folder(folder).map_err(|error| ConfigError::folder(folder, &error))
}

/// The environment and the current folder at program start. The `Debug` form shows no values.
#[derive(Clone, Default)]
pub(crate) struct Env {
    variables: BTreeMap<OsString, OsString>,
    folder: PathBuf,
}

impl Env {
    /// Reads the environment of the process; nothing else does.
    pub(crate) fn capture() -> Env {
        Env {
            variables: std::env::vars_os().collect(),
            folder: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// An environment with these variables and this current folder.
    pub(crate) fn of<K, V>(variables: impl IntoIterator<Item = (K, V)>, folder: impl Into<PathBuf>) -> Env
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        Env {
            variables: variables.collect(),
            folder: folder.into(),
        }
    }

    /// The text of a variable; `None` if it is unset, empty, or not UTF-8.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.os(name)?.to_str()
    }

    /// The raw value of a variable; `None` if it is unset or empty.
    pub(crate) fn os(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// Whether a variable is set to the empty string, for the few features that this disables.
    pub(crate) fn is_set_empty(&self, name: &str) -> bool {
        self.variables
            .get(OsStr::new(name))
            .is_some_and(|value| value.is_empty())
    }

    /// Every variable, for the environment of a child process.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The current folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user's home folder: `HOME`, else the system's answer.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.os("HOME").map(PathBuf::from).or_else(dirs::home_dir)
    }

    /// Replaces `~` at the start of a path by the user's home folder.
    pub(super) fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home()) {
            (Ok(below), Some(home)) => home.join(below),
            _ => path.to_owned(),
        }
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("folder", &self.folder)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_empty_environment_variable_counts_as_unset() {
        let env = Env::of([("PROVISOR_PROFILE", ""), ("A", "1")], "/");
        assert_eq!(env.get("PROVISOR_PROFILE"), None);
        assert_eq!(env.get("A"), Some("1"));
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let env = Env::of([("ACME_PASSWORD", "hunter2")], "/");
        let text = format!("{env:?}");
        assert!(text.contains("ACME_PASSWORD") && !text.contains("hunter2"));
    }

    #[test]
    fn all_paths_are_below_provisor_home_if_set() {
        let env = Env::of([("PROVISOR_HOME", "here")], "/work");
        let paths = Paths::from_env(&env).unwrap();
        assert_eq!(paths.config_file(), Path::new("/work/here/config/config.toml"));
        assert_eq!(paths.journal(), Path::new("/work/here/state/journal.db"));
        assert_eq!(paths.key(), Path::new("/work/here/state/key"));
        assert_eq!(paths.tokens(), Path::new("/work/here/cache/tokens.db"));
        assert_eq!(paths.sandbox(), Path::new("/work/here/state/sandbox"));
    }

    #[cfg(unix)]
    #[test]
    fn created_directories_are_private_to_the_user() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        make_private_folder(&folder).unwrap();
        make_private_folder(&folder).unwrap();
        for made in [root.path().join("a"), folder] {
            assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
}
