//! The environment, and the folders provisor keeps its files in.

mod env;
mod show;

use std::path::{Path, PathBuf};

pub use env::Env;
pub(super) use show::{PathsCommand, show};

/// Where provisor keeps its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    state: PathBuf,
    cache: PathBuf,
}

impl Paths {
    /// `config`, `state` and `cache` below `PROVISOR_HOME` if that is set, else the system's own folder for each.
    /// `None` if neither exists: the user has no home folder.
    pub fn from_env(env: &Env) -> Option<Paths> {
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
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The folder of data that must not be lost.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The folder of data that can be recreated.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The user's configuration.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The journal's database.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.db")
    }

    /// The file with the key that encrypts secrets, used unless `PROVISOR_KEY` is set.
    pub fn key(&self) -> PathBuf {
        self.state.join("key")
    }

    /// The encrypted tokens.
    pub fn tokens(&self) -> PathBuf {
        self.cache.join("tokens.db")
    }

    /// The encrypted secrets of profiles.
    pub fn secrets(&self) -> PathBuf {
        self.state.join("secrets.db")
    }

    /// The record of trusted project files.
    pub fn trusted(&self) -> PathBuf {
        self.state.join("trusted.json")
    }

    /// The folder of the sandbox's state.
    pub fn sandbox(&self) -> PathBuf {
        self.state.join("sandbox")
    }
}

pub use crate::journal::make_private_folder;

#[cfg(test)]
mod tests;
