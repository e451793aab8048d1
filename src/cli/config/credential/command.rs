//! Runs a program that prints a password.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::MAX_SECRET_BYTES;
use crate::cli::paths::Env;
use crate::value::secret::{Scrubber, Secret};

/// The interval at which a running program is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Returns the first line of the program's stdout, trimmed. The error is a clause that contains no secret.
pub(super) fn first_line(
    argv: &[String],
    folder: &Path,
    env: &Env,
    timeout: Duration,
) -> Result<Secret, String> {
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

#[cfg(all(test, unix))]
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
