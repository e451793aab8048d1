//! The environment, read once.

#![allow(clippy::disallowed_methods, reason = "the environment is read here")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment and the current folder at program start. The `Debug` form shows no values.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    folder: PathBuf,
}

impl Env {
    /// Reads the environment of the process; nothing else does.
    pub fn capture() -> Env {
        Env {
            variables: std::env::vars_os().collect(),
            folder: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// An environment with these variables and this current folder.
    pub fn of<K, V>(variables: impl IntoIterator<Item = (K, V)>, folder: impl Into<PathBuf>) -> Env
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
    pub fn get(&self, name: &str) -> Option<&str> {
        self.os(name)?.to_str()
    }

    /// The raw value of a variable; `None` if it is unset or empty.
    pub fn os(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// Whether a variable is set to the empty string, for the few features that this disables.
    pub fn is_set_empty(&self, name: &str) -> bool {
        self.variables
            .get(OsStr::new(name))
            .is_some_and(|value| value.is_empty())
    }

    /// Every variable, for the environment of a child process.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The current folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user's home folder: `HOME`, else the system's answer.
    pub fn home(&self) -> Option<PathBuf> {
        self.os("HOME").map(PathBuf::from).or_else(dirs::home_dir)
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
}
