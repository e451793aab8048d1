//! The environment, read once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment and the current folder, as they were when the program started. Its `Debug` form shows no value.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    folder: PathBuf,
}

impl Env {
    /// Reads the process's environment: the only place that does.
    pub fn capture() -> Env {
        Env {
            variables: std::env::vars_os().collect(),
            folder: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// An environment of these variables, seen from `folder`.
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

    /// A variable's text; `None` when it is not set, empty, or not UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.os(name)?.to_str()
    }

    /// A variable as it is; `None` when it is not set or empty.
    pub fn os(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// Is a variable set to nothing? For the few that are switched off so.
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

    /// The user's home folder: `HOME`, else what the system says.
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
    fn an_empty_variable_is_none() {
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
