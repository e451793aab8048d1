//! The sources of secrets. A secret is fetched when it is needed and never written to a configuration file.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::entry::Entry;
use super::{ConfigError, Sourced, folder_of};
use crate::cli::keychain;
use crate::cli::paths::Env;
use crate::cli::secret_store::{SecretId, SecretStore};
use crate::value::secret::Secret;

mod command;

/// The keys of a source, of which exactly one is set.
const KINDS: [&str; 5] = ["env", "file", "command", "keyring", "sealed"];

/// The maximum length of a secret, in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// The timeout of a command, in which a person may have to unlock a store.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// The source of a password or another secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// An environment variable.
    Env(String),
    /// An environment variable that no file names, but that has the conventional name: `PROVISOR_ACME_PASSWORD`.
    Implicit(String),
    /// A file that only its owner can read; a line end at its end is ignored.
    File(PathBuf),
    /// The first line that a program writes to stdout. No shell is involved.
    Command {
        /// The program and its arguments; at least the program.
        argv: Vec<String>,
        /// The folder it runs in: that of the configuration file.
        folder: PathBuf,
    },
    /// An entry of the system keyring.
    Keyring(String),
    /// Sealed in provisor's own folder, for the profile's address only.
    Sealed,
}

impl CredentialSource {
    /// Fetches the secret that `secret_id` identifies.
    ///
    /// Errors: an unset variable, a file that is missing or that others can read, a command that fails or takes longer
    /// than 30 s, a keyring that cannot be opened, a secret that was never stored, is empty, too long or not UTF-8.
    pub(in crate::cli) fn read(&self, secret_id: &SecretId, env: &Env) -> Result<Secret, ConfigError> {
        let secret = match self {
            CredentialSource::Env(name) | CredentialSource::Implicit(name) => {
                self.read_variable(name, env)?
            }
            CredentialSource::File(path) => self.read_file(path, env)?,
            CredentialSource::Command { argv, folder } => {
                command::first_line(argv, folder, env, COMMAND_TIMEOUT)
                    .map_err(|problem| self.failed(problem, None))?
            }
            CredentialSource::Keyring(name) => {
                let found = keychain::get(name).map_err(|problem| self.failed(problem, None))?;
                found.ok_or_else(|| self.failed("it has no such entry", Some(reenter_hint(secret_id))))?
            }
            CredentialSource::Sealed => {
                let found = SecretStore::find(env, secret_id);
                let found =
                    found.map_err(|error| self.failed(error.message, error.hints.into_iter().next()))?;
                found.ok_or_else(|| {
                    let problem = format!("none is sealed for {} with this home's key", secret_id.place());
                    self.failed(problem, Some(reenter_hint(secret_id)))
                })?
            }
        };
        if secret.is_empty() {
            return Err(self.failed("it is empty", None));
        }
        if secret.len() as u64 > MAX_SECRET_BYTES {
            return Err(self.failed(format!("it is longer than {MAX_SECRET_BYTES} bytes"), None));
        }
        Ok(secret)
    }

    /// The kind of source, as its key.
    pub(in crate::cli) fn kind(&self) -> &'static str {
        match self {
            CredentialSource::Env(_) | CredentialSource::Implicit(_) => "env",
            CredentialSource::File(_) => "file",
            CredentialSource::Command { .. } => "command",
            CredentialSource::Keyring(_) => "keyring",
            CredentialSource::Sealed => "sealed",
        }
    }

    pub(super) fn parse(entry: &Entry<'_>) -> Result<Sourced<CredentialSource>, ConfigError> {
        if entry.is_text() {
            return Err(ConfigError::PlainPassword {
                origin: entry.origin(),
                key: entry.key().to_owned(),
            });
        }
        let table = entry.table()?;
        table.check_keys(&KINDS)?;
        let mut written = KINDS.iter().filter_map(|kind| Some((*kind, table.get(kind)?)));
        let (Some((kind, value)), None) = (written.next(), written.next()) else {
            return Err(entry.bad("must have exactly one of env, file, command, keyring and sealed"));
        };
        let folder = folder_of(entry.file());
        let source = match kind {
            "env" => CredentialSource::Env(value.text()?.value),
            "file" => CredentialSource::File(match value.text()?.value {
                path if path.starts_with("~/") => path.into(),
                path => folder.join(path),
            }),
            "command" => CredentialSource::Command {
                argv: value.words()?,
                folder,
            },
            "keyring" => CredentialSource::Keyring(value.text()?.value),
            _ if value.is_true() => CredentialSource::Sealed,
            _ => return Err(value.bad("must be true")),
        };
        Ok(entry.sourced(source))
    }

    fn read_variable(&self, name: &str, env: &Env) -> Result<Secret, ConfigError> {
        match (env.get(name), env.os(name)) {
            (Some(text), _) => Ok(Secret::new(text)),
            (None, Some(_)) => Err(self.failed("it is not UTF-8 text", None)),
            (None, None) => {
                let hint = format!("set it for this shell: read -rs {name} && export {name}");
                Err(self.failed("it is not set", Some(hint)))
            }
        }
    }

    fn read_file(&self, path: &Path, env: &Env) -> Result<Secret, ConfigError> {
        let path = match (path.strip_prefix("~"), env.home()) {
            (Ok(below), Some(home)) => home.join(below),
            _ => path.to_owned(),
        };
        let reason = |error: &std::io::Error| self.failed(error.to_string(), None);
        // Opening a pipe would block until there is a writer.
        let about = std::fs::metadata(&path).map_err(|error| reason(&error))?;
        if !about.is_file() {
            let what = if about.is_dir() {
                "a folder"
            } else {
                "not a regular file"
            };
            return Err(self.failed(format!("it is {what}"), None));
        }
        let file = std::fs::File::open(&path).map_err(|error| reason(&error))?;
        if is_open_to_others(&about) {
            let hint = format!("chmod 600 {}", path.display());
            return Err(self.failed("users other than its owner can read it", Some(hint)));
        }
        let mut text = zeroize::Zeroizing::new(String::new());
        // One byte more shows that it is too long.
        file.take(MAX_SECRET_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| reason(&error))?;
        let line_end = text
            .strip_suffix('\n')
            .map(|text| text.strip_suffix('\r').unwrap_or(text));
        Ok(Secret::new(line_end.unwrap_or(&text)))
    }

    fn failed(&self, problem: impl Into<String>, hint: Option<String>) -> ConfigError {
        ConfigError::Credential {
            source_name: self.to_string(),
            problem: problem.into(),
            hint,
        }
    }
}

impl fmt::Display for CredentialSource {
    /// Describes the source for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialSource::Env(name) | CredentialSource::Implicit(name) => {
                write!(f, "the environment variable {name}")
            }
            CredentialSource::File(path) => write!(f, "the file {}", path.display()),
            CredentialSource::Command { argv, .. } => {
                write!(f, "the command `{}`", argv.first().map_or("", String::as_str))
            }
            CredentialSource::Keyring(name) => write!(f, "the keyring's entry `{name}`"),
            CredentialSource::Sealed => f.write_str("provisor's own folder, sealed"),
        }
    }
}

fn reenter_hint(secret_id: &SecretId) -> String {
    format!(
        "enter it: provisor profile edit {} --secret {}=sealed",
        secret_id.profile, secret_id.key
    )
}

#[cfg(unix)]
pub(super) fn is_open_to_others(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o077 != 0
}

/// On other systems, permissions are lists that the standard library does not read.
#[cfg(not(unix))]
pub(super) fn is_open_to_others(_about: &std::fs::Metadata) -> bool {
    false
}
