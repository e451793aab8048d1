//! Why the configuration cannot be used, and what to do about it.

use crate::value::nearest::nearest;
use std::path::PathBuf;

use super::Location;

/// Why the configuration, or a credential it points to, cannot be used. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file is there and cannot be read.
    #[error("{} cannot be read: {why}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        why: String,
    },
    /// Others can write the user's own file, and so name programs for secrets and hosts for them.
    #[error("{} can be written by others", .place.display())]
    Writable {
        /// The file, or its folder.
        place: PathBuf,
    },
    /// A file is not TOML.
    #[error("{origin}: {problem}")]
    Syntax {
        /// Where.
        origin: Location,
        /// The parser's message, on one line.
        problem: String,
    },
    /// A key that means nothing.
    #[error("{origin}: unknown key `{key}`")]
    UnknownKey {
        /// Where.
        origin: Location,
        /// The key with the tables above it.
        key: String,
        /// The known key that is most like it.
        nearest: Option<String>,
        /// Every key that may stand there.
        known: Vec<String>,
    },
    /// A value that does not fit.
    #[error("{origin}: `{key}` {problem}")]
    BadValue {
        /// Where.
        origin: Location,
        /// The key with the tables above it.
        key: String,
        /// What is wrong, as the rest of the sentence.
        problem: String,
    },
    /// A password in clear.
    #[error("{origin}: `{key}` is written in clear: passwords do not belong in a configuration file")]
    PlainPassword {
        /// Where.
        origin: Location,
        /// The key with the tables above it.
        key: String,
    },
    /// The project sends the user's credential somewhere else.
    #[error("{url} changes the address of profile `{profile}`, but its password comes from {password}")]
    CredentialElsewhere {
        /// The profile.
        profile: String,
        /// Where the address is written.
        url: Location,
        /// Where the password is written.
        password: Location,
    },
    /// The project says whom to trust with the user's credential.
    #[error("{ca} adds a CA for profile `{profile}`, but its password comes from {password}")]
    TrustElsewhere {
        /// The profile.
        profile: String,
        /// Where the certificates are written.
        ca: Location,
        /// Where the password is written.
        password: Location,
    },
    /// A profile that is asked for and not there.
    #[error("there is no profile `{name}` ({asked_by})")]
    UnknownProfile {
        /// The name.
        name: String,
        /// Who asks for it.
        asked_by: String,
        /// The profiles there are.
        known: Vec<String>,
        /// The user's configuration.
        file: PathBuf,
    },
    /// There is no profile at all.
    #[error("no profile is configured")]
    NoProfile {
        /// The user's configuration.
        file: PathBuf,
    },
    /// There are several, and none is chosen.
    #[error("there are {} profiles and none is chosen: {}", .known.len(), .known.join(", "))]
    ManyProfiles {
        /// The profiles there are.
        known: Vec<String>,
    },
    /// A profile lacks a value that is needed now.
    #[error("profile `{profile}` has no {key}")]
    Incomplete {
        /// The profile.
        profile: String,
        /// The missing key.
        key: &'static str,
        /// The file to add it to.
        file: PathBuf,
    },
    /// A project's file that nobody has looked at does what needs trust.
    #[error("{} is not trusted, and {what}", .file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// What it does, in a clause.
        what: String,
    },
    /// A credential cannot be had.
    #[error("cannot read the secret from {source_name}: {problem}")]
    Credential {
        /// The place it should come from.
        source_name: String,
        /// What went wrong, in a clause.
        problem: String,
        /// What to do, when there is more to say.
        hint: Option<String>,
    },
}

impl ConfigError {
    /// What to do about it, in a sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownKey {
                nearest: Some(name), ..
            } => Some(format!("did you mean `{name}`?")),
            ConfigError::UnknownKey { known, .. } => Some(format!("known here: {}", known.join(", "))),
            ConfigError::PlainPassword { .. } => Some(PASSWORD_FORMS.into()),
            ConfigError::CredentialElsewhere { profile, .. } => Some(format!(
                "if the new address is right, write `password` for `{profile}` into the same file, or use another name"
            )),
            ConfigError::TrustElsewhere { profile, .. } => Some(format!(
                "write `ca` for `{profile}` into the file that has its password"
            )),
            ConfigError::UnknownProfile {
                name, known, file, ..
            } => Some(
                match (nearest(name, known.iter().map(String::as_str)), known.len()) {
                    (Some(like), _) => format!("did you mean `{like}`?"),
                    (None, 0) => how_to_add(name, file),
                    (None, _) => format!("there are: {}", known.join(", ")),
                },
            ),
            ConfigError::NoProfile { file } => Some(how_to_add("NAME", file)),
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
            _ => None,
        }
    }
}

/// How a password is written.
const PASSWORD_FORMS: &str = "let `provisor profile edit NAME --secret password=sealed` seal it, or write password = \
     { env = \"VARIABLE\" }, { file = \"PATH\" } (chmod 600) or { command = [\"PROGRAM\", \"ARGUMENT\"] }";

fn how_to_add(name: &str, file: &std::path::Path) -> String {
    format!(
        "add one to {}, or try it with --sandbox:\n\n[profiles.{name}]\nurl = \"https://…\"\nlogin = \"you@example.com\"\n\
         password = {{ env = \"PROVISOR_PASSWORD\" }}",
        file.display()
    )
}
