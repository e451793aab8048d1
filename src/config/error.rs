//! Configuration errors, and what to do about them.

use std::path::{Path, PathBuf};

use super::Location;
use crate::value::nearest::nearest;

/// An error in the configuration or in a credential it refers to. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Something in a file is invalid.
    #[error("{origin:#}: {problem}")]
    Invalid {
        /// The position.
        origin: Location,
        /// The problem, as a sentence without a full stop.
        problem: String,
        /// What to do about it, if known.
        hint: Option<String>,
    },
    /// A change of the user's file is invalid, and was not written.
    #[error("{problem}; nothing was written")]
    NotWritten {
        /// The problem, without a position in a file that was never written.
        problem: String,
        /// What to do about it, if known.
        hint: Option<String>,
    },
    /// A file exists but cannot be read.
    #[error("{} cannot be read: {reason}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error message.
        reason: String,
    },
    /// A file cannot be written.
    #[error("`{}` cannot be written: {reason}", .file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The system's error message.
        reason: String,
    },
    /// A folder of provisor's own files cannot be used.
    #[error("the folder `{}` cannot be created or used: {reason}", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's error message.
        reason: String,
    },
    /// There is no home folder.
    #[error("the home folder is unknown, so provisor has nowhere to keep its files")]
    NoHome,
    /// Others can write the user's own file, and so name programs for secrets and hosts for them.
    #[error("other users can write to {}", .place.display())]
    Writable {
        /// The file, or its folder.
        place: PathBuf,
    },
    /// The key for everything at rest is missing or invalid.
    #[error("{problem}")]
    Key {
        /// The problem, as a sentence without a full stop.
        problem: String,
        /// What to do about it.
        hint: String,
    },
    /// A requested profile does not exist.
    #[error("there is no profile `{name}` ({asked_by})")]
    UnknownProfile {
        /// The requested name.
        name: String,
        /// The source of the name: a flag, a variable, a script.
        asked_by: String,
        /// The existing profiles.
        known: Vec<String>,
        /// The user's configuration file.
        file: PathBuf,
    },
    /// No profile is configured.
    #[error("no profile is configured")]
    NoProfile {
        /// The user's configuration file.
        file: PathBuf,
    },
    /// There are several profiles, and none is chosen.
    #[error("there are {} profiles and none is chosen: {}", .known.len(), .known.join(", "))]
    ManyProfiles {
        /// The existing profiles.
        known: Vec<String>,
    },
    /// A profile lacks a value that is required now.
    #[error("profile `{profile}` has no {key}")]
    Incomplete {
        /// The profile.
        profile: String,
        /// The missing key.
        key: String,
        /// The file to add it to.
        file: PathBuf,
    },
    /// A project's file that is not trusted does what requires trust.
    #[error("{} is not trusted, and it {what}", .file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// What it does: the rest of a clause that begins with `it`.
        what: String,
    },
    /// A credential cannot be fetched.
    #[error("cannot read the secret from {source_name}: {problem}")]
    Credential {
        /// The source of the credential.
        source_name: String,
        /// The problem, as a clause.
        problem: String,
        /// What to do about it, if known.
        hint: Option<String>,
    },
}

impl ConfigError {
    /// The error for a folder of provisor's own files.
    pub(super) fn folder(folder: &Path, error: &std::io::Error) -> ConfigError {
        ConfigError::Folder {
            folder: folder.to_owned(),
            reason: error.to_string(),
        }
    }

    /// The error for an invalid value of a key, which includes the tables above it; `problem` is the rest of a sentence
    /// about the key.
    pub(super) fn bad_value(origin: Location, key: &str, problem: &str) -> ConfigError {
        ConfigError::Invalid {
            origin,
            problem: format!("`{key}` {problem}"),
            hint: None,
        }
    }

    /// Adds to the error for something invalid what to do about it.
    pub(super) fn with_hint(self, hint: impl Into<String>) -> ConfigError {
        match self {
            ConfigError::Invalid { origin, problem, .. } => ConfigError::Invalid {
                origin,
                problem,
                hint: Some(hint.into()),
            },
            other => other,
        }
    }

    /// The same error about a change that was not written.
    pub(super) fn not_written(self) -> ConfigError {
        match self {
            ConfigError::Invalid { problem, hint, .. } => ConfigError::NotWritten { problem, hint },
            other => other,
        }
    }

    /// Returns what to do about it, as a sentence without a full stop.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            ConfigError::Invalid { hint, .. }
            | ConfigError::NotWritten { hint, .. }
            | ConfigError::Credential { hint, .. } => return hint.clone(),
            ConfigError::Unreadable { .. } | ConfigError::Unwritable { .. } | ConfigError::Folder { .. } => {
                return None;
            }
            ConfigError::NoHome => "set PROVISOR_HOME to a folder".into(),
            ConfigError::Writable { place } => format!("chmod go-w {}", place.display()),
            ConfigError::Key { hint, .. } => hint.clone(),
            ConfigError::UnknownProfile {
                name, known, file, ..
            } => match (nearest(name, known.iter().map(String::as_str)), known.len()) {
                (Some(like), _) => format!("did you mean `{like}`?"),
                (None, 0) => add_profile_hint(name, file),
                (None, _) => format!("the profiles are {}", known.join(", ")),
            },
            ConfigError::NoProfile { file } => add_profile_hint("NAME", file),
            ConfigError::ManyProfiles { .. } => {
                "pass --profile NAME, set PROVISOR_PROFILE, or set default_profile = \"NAME\"".into()
            }
            ConfigError::Incomplete { profile, key, file } => {
                format!("write `{key}` below [profiles.{profile}] in {}", file.display())
            }
            ConfigError::Untrusted { file, .. } => {
                format!("review it, then: provisor trust {}", file.display())
            }
        })
    }
}

fn add_profile_hint(name: &str, file: &Path) -> String {
    format!(
        "add one to {}, or try it with --sandbox:\n\n[profiles.{name}]\nurl = \"https://…\"\nlogin = \"you@example.com\"\n\
         password = {{ env = \"PROVISOR_PASSWORD\" }}",
        file.display()
    )
}
