//! The sources of secrets. A secret is fetched when it is needed and never written to a configuration file.

use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::read::Entry;
use super::{ConfigError, Env, SecretId, SecretStore, keychain};
use crate::value::secret::{Scrubber, Secret};

/// The keys of a source, of which exactly one is set.
const KINDS: [&str; 5] = ["env", "file", "command", "keyring", "sealed"];

/// The ways to specify a password.
const PASSWORD_FORMS: &str = "let `provisor profile edit NAME --secret password=sealed` seal it, or write password = \
     { env = \"VARIABLE\" }, { file = \"PATH\" } (chmod 600) or { command = [\"PROGRAM\", \"ARGUMENT\"] }";

/// The maximum length of a secret, in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// The timeout of a command, in which a person may have to unlock a store.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// The interval at which a running program is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The source of a password or another secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretSource {
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

impl SecretSource {
    /// Fetches the secret that `secret_id` identifies.
    ///
    /// Errors: an unset variable, a file that is missing or that others can read, a command that fails or takes longer
    /// than 30 s, a keyring that cannot be opened, a secret that was never stored, is empty, too long or not UTF-8.
    pub(super) fn fetch(&self, secret_id: &SecretId, env: &Env) -> Result<Secret, ConfigError> {
        let reenter = || Some(reenter_hint(secret_id));
        let secret = match self {
            SecretSource::Env(name) | SecretSource::Implicit(name) => self.read_variable(name, env)?,
            SecretSource::File(path) => self.read_file(&env.expand(path))?,
            SecretSource::Command { argv, folder } => first_line(argv, folder, env, COMMAND_TIMEOUT)
                .map_err(|problem| self.failed(problem, None))?,
            SecretSource::Keyring(name) => {
                let found = keychain::get(name).map_err(|problem| self.failed(problem, None))?;
                found.ok_or_else(|| self.failed("it has no such entry", reenter()))?
            }
            SecretSource::Sealed => {
                let found = SecretStore::find(env, secret_id)
                    .map_err(|error| self.failed(error.to_string(), error.hint()))?;
                found.ok_or_else(|| {
                    let problem = format!("none is sealed for {} with this home's key", secret_id.place());
                    self.failed(problem, reenter())
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
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            SecretSource::Env(_) | SecretSource::Implicit(_) => "env",
            SecretSource::File(_) => "file",
            SecretSource::Command { .. } => "command",
            SecretSource::Keyring(_) => "keyring",
            SecretSource::Sealed => "sealed",
        }
    }

    /// Reads a source from a configuration file. A secret in clear is an error.
    pub(super) fn read(entry: &Entry<'_>) -> Result<SecretSource, ConfigError> {
        if entry.is_text() {
            let problem = "is written in clear: passwords do not belong in a configuration file";
            return Err(entry.bad(problem).with_hint(PASSWORD_FORMS));
        }
        let entries = entry.entries()?;
        if let Some(unknown) = entries.iter().find(|entry| !KINDS.contains(&entry.name)) {
            return Err(unknown.unknown(KINDS));
        }
        let [value] = entries.as_slice() else {
            return Err(entry.bad("must have exactly one of env, file, command, keyring and sealed"));
        };
        Ok(match value.name {
            "env" => SecretSource::Env(value.text()?),
            "file" => SecretSource::File(value.file()?),
            "command" => {
                const FORM: &str = "a list of strings, the program first";
                let argv: Vec<String> = value.get(FORM)?;
                if argv.first().is_none_or(String::is_empty) {
                    return Err(value.bad(format!("must be {FORM}")));
                }
                let folder = value.folder().to_owned();
                SecretSource::Command { argv, folder }
            }
            "keyring" => SecretSource::Keyring(value.text()?),
            _ if value.get("true")? => SecretSource::Sealed,
            _ => return Err(value.bad("must be true")),
        })
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

    fn read_file(&self, path: &Path) -> Result<Secret, ConfigError> {
        let reason = |error: std::io::Error| self.failed(error.to_string(), None);
        // Opening a pipe would block until there is a writer.
        let about = std::fs::metadata(path).map_err(reason)?;
        if !about.is_file() {
            let what = if about.is_dir() {
                "a folder"
            } else {
                "not a regular file"
            };
            return Err(self.failed(format!("it is {what}"), None));
        }
        let file = std::fs::File::open(path).map_err(reason)?;
        if is_open_to_others(&about) {
            let hint = format!("chmod 600 {}", path.display());
            return Err(self.failed("users other than its owner can read it", Some(hint)));
        }
        let mut text = Zeroizing::new(String::new());
        // One byte more shows that it is too long.
        file.take(MAX_SECRET_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(reason)?;
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

impl fmt::Display for SecretSource {
    /// Describes the source for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) | SecretSource::Implicit(name) => {
                write!(f, "the environment variable {name}")
            }
            SecretSource::File(path) => write!(f, "the file {}", path.display()),
            SecretSource::Command { argv, .. } => {
                write!(f, "the command `{}`", argv.first().map_or("", String::as_str))
            }
            SecretSource::Keyring(name) => write!(f, "the keyring's entry `{name}`"),
            SecretSource::Sealed => f.write_str("provisor's own folder, sealed"),
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

/// Returns the first line of the program's stdout, trimmed. The error is a clause that contains no secret.
fn first_line(argv: &[String], folder: &Path, env: &Env, timeout: Duration) -> Result<Secret, String> {
    let deadline = Instant::now() + timeout;
    let mut child = start(argv, folder, env).map_err(|error| format!("it cannot be started: {error}"))?;
    let out = read_all(child.stdout.take());
    let err = read_all(child.stderr.take());
    let Some(status) = wait(&mut child, deadline) else {
        return Err(format!(
            "it was stopped: it took longer than {} s",
            timeout.as_secs()
        ));
    };
    let (Some(out), Some(err)) = (receive_until(&out, deadline), receive_until(&err, deadline)) else {
        return Err("it ended, but a program it started keeps its output open".into());
    };
    let text = std::str::from_utf8(&out).map_err(|_| "its output is not UTF-8 text".to_owned());
    let secret = text.map(|text| Secret::new(text.lines().next().unwrap_or_default().trim()));
    if !status.success() {
        return Err(failure(status, &err, secret.as_ref().ok()));
    }
    secret
}

fn start(argv: &[String], folder: &Path, env: &Env) -> std::io::Result<Child> {
    let (program, arguments) = argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let program = if program.contains(std::path::is_separator) {
        folder.join(program)
    } else {
        PathBuf::from(program)
    };
    let mut command = Command::new(program);
    let variables = env.variables().filter(|(name, _)| !is_own_secret(name));
    command.args(arguments).env_clear().envs(variables);
    if !folder.as_os_str().is_empty() {
        command.current_dir(folder);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn()
}

/// Whether the variable holds one of provisor's own secrets, which the program need not see.
fn is_own_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let endings = ["_KEY", "_PASSWORD", "_TOKEN", "_SECRET"];
    name.starts_with("PROVISOR_") && endings.iter().any(|ending| name.ends_with(ending))
}

/// Reads a pipe in its own thread, so that a full pipe cannot block the program.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        if let Some(pipe) = pipe {
            // After a failure, return what was read before.
            let _ = pipe.take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn receive_until(output: &Receiver<Zeroizing<Vec<u8>>>, deadline: Instant) -> Option<Zeroizing<Vec<u8>>> {
    output
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .ok()
}

/// Waits for the program to end; at the deadline, kills it and returns `None`.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL_INTERVAL),
            _ => {
                // It may have ended in the meantime; either way, no process must be left.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Describes the exit status with the first line of the program's stderr; the secret is masked.
fn failure(status: ExitStatus, err: &[u8], secret: Option<&Secret>) -> String {
    let ended = status
        .code()
        .map_or("it was killed by a signal".to_owned(), |code| {
            format!("exit status {code}")
        });
    let mut scrubber = Scrubber::new();
    if let Some(secret) = secret {
        scrubber.add_secret(secret);
    }
    let err = String::from_utf8_lossy(err);
    match err.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => format!("{ended}: {}", scrubber.scrub(line)),
        None => ended,
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, timeout: Duration) -> Result<Secret, String> {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        let env = Env::of(
            [
                ("PATH", "/usr/bin:/bin"),
                ("WORD", "from the environment"),
                ("PROVISOR_KEY", "the key"),
                ("PROVISOR_GLOBEX_PASSWORD", "another"),
                ("PROVISOR_HOME", "/here"),
            ],
            "/",
        );
        first_line(&argv, Path::new("/"), &env, timeout)
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_password_command_yields_its_first_output_line_trimmed() {
        assert_eq!(
            run("echo ' hunter2 '; echo more", LONG),
            Ok(Secret::new("hunter2"))
        );
        assert_eq!(run("echo $WORD", LONG), Ok(Secret::new("from the environment")));
    }

    #[test]
    fn a_password_command_does_not_inherit_other_secret_variables() {
        let shown = run(
            "echo \"[$PROVISOR_KEY$PROVISOR_GLOBEX_PASSWORD]$PROVISOR_HOME\"",
            LONG,
        );
        assert_eq!(shown, Ok(Secret::new("[]/here")));
    }

    #[test]
    fn a_failed_password_command_reports_exit_status_and_redacted_stderr() {
        let failed = run(
            "echo hunter2; echo 'no hunter2 for you' >&2; echo more >&2; exit 3",
            LONG,
        );
        assert_eq!(failed.unwrap_err(), "exit status 3: no *** for you");
    }

    #[test]
    fn a_password_command_is_stopped_after_its_timeout() {
        let started = Instant::now();
        let failed = run("exec sleep 60", Duration::from_millis(50));
        assert!(failed.unwrap_err().starts_with("it was stopped"));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_missing_password_command_is_reported() {
        let env = Env::of([("PATH", "/nowhere")], "/");
        let failed = first_line(&["no-such-program".to_owned()], Path::new("/"), &env, LONG).unwrap_err();
        assert!(failed.starts_with("it cannot be started"), "{failed}");
    }
}
