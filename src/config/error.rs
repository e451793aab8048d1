//! Configuration errors, and what to do about them.

use crate::value::nearest::nearest;
use std::path::{Path, PathBuf};

use super::Location;

/// An error in the configuration or in a credential it refers to. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
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
    /// The key for everything at rest is missing or invalid.
    #[error("{problem}")]
    Key {
        /// The problem, as a sentence without a full stop.
        problem: String,
        /// What to do about it, as a sentence without a full stop.
        hint: String,
    },
    /// A change of the user's file is invalid, and was not written.
    #[error("{}; nothing was written", .0.without_location())]
    NotWritten(Box<ConfigError>),
    /// Others can write the user's own file, and so name programs for secrets and hosts for them.
    #[error("other users can write to {}", .place.display())]
    Writable {
        /// The file, or its folder.
        place: PathBuf,
    },
    /// A file is not TOML.
    #[error("{origin:#}: {problem}")]
    Syntax {
        /// The position.
        origin: Location,
        /// The parser's message, on one line.
        problem: String,
    },
    /// An unknown key.
    #[error("{origin:#}: unknown key `{key}`")]
    UnknownKey {
        /// The position.
        origin: Location,
        /// The key, including the tables above it.
        key: String,
        /// The most similar known key.
        nearest: Option<String>,
        /// All keys that are allowed there.
        known: Vec<String>,
    },
    /// An invalid value.
    #[error("{origin:#}: `{key}` {problem}")]
    BadValue {
        /// The position.
        origin: Location,
        /// The key, including the tables above it.
        key: String,
        /// The problem, as the rest of a sentence about the key.
        problem: String,
    },
    /// A plain-text password.
    #[error("{origin:#}: `{key}` is written in clear: passwords do not belong in a configuration file")]
    PlainPassword {
        /// The position.
        origin: Location,
        /// The key, including the tables above it.
        key: String,
    },
    /// The project changes the address that the user's credential is sent to, or adds a CA there.
    #[error("{origin} {} profile `{profile}`, but its password comes from {password}", change(.key))]
    CredentialElsewhere {
        /// The profile.
        profile: String,
        /// The key that does this: `url` or `ca`.
        key: &'static str,
        /// Where the key is written.
        origin: Location,
        /// Where the password is written.
        password: Location,
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
    #[error("{} is not trusted, and {what}", .file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// What it does, as a clause.
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
    pub(crate) fn folder(folder: &Path, error: &std::io::Error) -> ConfigError {
        ConfigError::Folder {
            folder: folder.to_owned(),
            reason: error.to_string(),
        }
    }

    /// The message for a file that was never written, in which a line number would mean nothing.
    fn without_location(&self) -> String {
        match self {
            ConfigError::BadValue { key, problem, .. } => format!("`{key}` {problem}"),
            ConfigError::UnknownKey { key, .. } => format!("unknown key `{key}`"),
            other => other.to_string(),
        }
    }

    /// Returns what to do about it, as a sentence without a full stop.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownKey {
                nearest: Some(name), ..
            } => Some(format!("did you mean `{name}`?")),
            ConfigError::UnknownKey { known, .. } => Some(format!("known here: {}", known.join(", "))),
            ConfigError::PlainPassword { .. } => Some(PASSWORD_FORMS.into()),
            ConfigError::CredentialElsewhere { profile, key, .. } => Some(if *key == "url" {
                format!(
                    "if the new address is right, write `password` for `{profile}` into the same file, or use another name"
                )
            } else {
                format!("write `{key}` for `{profile}` into the file that has its password")
            }),
            ConfigError::Key { hint, .. } => Some(hint.clone()),
            ConfigError::UnknownProfile {
                name, known, file, ..
            } => Some(
                match (nearest(name, known.iter().map(String::as_str)), known.len()) {
                    (Some(like), _) => format!("did you mean `{like}`?"),
                    (None, 0) => add_profile_hint(name, file),
                    (None, _) => format!("the profiles are {}", known.join(", ")),
                },
            ),
            ConfigError::NoProfile { file } => Some(add_profile_hint("NAME", file)),
            ConfigError::ManyProfiles { .. } => {
                Some("pass --profile NAME, set PROVISOR_PROFILE, or set default_profile = \"NAME\"".into())
            }
            ConfigError::Incomplete { profile, key, file } => Some(format!(
                "write `{key}` below [profiles.{profile}] in {}",
                file.display()
            )),
            ConfigError::Untrusted { file, .. } => {
                Some(format!("review it, then: provisor trust {}", file.display()))
            }
            ConfigError::Writable { place } => Some(format!("chmod go-w {}", place.display())),
            ConfigError::Credential { hint, .. } => hint.clone(),
            ConfigError::NoHome => Some("set PROVISOR_HOME to a folder".into()),
            ConfigError::NotWritten(error) => error.hint(),
            _ => None,
        }
    }
}

/// What a key does that a credential must not follow.
fn change(key: &str) -> &'static str {
    if key == "url" {
        "changes the address of"
    } else {
        "adds a CA for"
    }
}

/// The ways to specify a password.
const PASSWORD_FORMS: &str = "let `provisor profile edit NAME --secret password=sealed` seal it, or write password = \
     { env = \"VARIABLE\" }, { file = \"PATH\" } (chmod 600) or { command = [\"PROGRAM\", \"ARGUMENT\"] }";

fn add_profile_hint(name: &str, file: &Path) -> String {
    format!(
        "add one to {}, or try it with --sandbox:\n\n[profiles.{name}]\nurl = \"https://…\"\nlogin = \"you@example.com\"\n\
         password = {{ env = \"PROVISOR_PASSWORD\" }}",
        file.display()
    )
}
