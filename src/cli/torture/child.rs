//! Runs the program itself as a child process until it ends or is killed.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::kill_switch::{self, KillPoint};
use crate::clock::ClockSkew;
use crate::config::Env;

/// What happens to a child.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChildFaults {
    pub(super) kill: Kill,
    /// How its clock is set wrong, if it is.
    pub(super) clock: Option<ClockSkew>,
}

/// When the child is killed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kill {
    /// Not at all; it ends by itself.
    Never,
    /// After this time.
    After(Duration),
    /// When it passes this moment for the nth time.
    At(KillPoint, u32),
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// On its own, with this exit code.
    Exited(i32),
    /// Killed as intended.
    Killed,
    /// Killed because it was still running after minutes.
    Stuck,
    /// Killed because the user interrupted the test.
    Stopped,
}

/// The environment of a child process.
pub(super) struct ChildEnvironment<'a> {
    pub(super) program: &'a Path,
    pub(super) env: &'a Env,
    /// The file that its stderr is appended to.
    pub(super) log: &'a Path,
    pub(super) stop: &'a AtomicBool,
}

/// Longer than any run of a few rows takes, whatever is injected.
const CHILD_TIMEOUT: Duration = Duration::from_mins(3);

/// How often to check whether the child has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

const SIGKILL: i32 = 9;

/// Starts a child and waits for its end, or kills it.
pub(super) fn run(setting: &ChildEnvironment<'_>, args: &[OsString], fate: &ChildFaults) -> io::Result<End> {
    let mut child = KillOnDrop(start(setting, args, fate)?);
    let started = Instant::now();
    loop {
        if let Some(status) = child.0.try_wait()? {
            return Ok(ended(status));
        }
        let end = match &fate.kill {
            _ if setting.stop.load(Ordering::SeqCst) => End::Stopped,
            Kill::After(time) if started.elapsed() >= *time => End::Killed,
            _ if started.elapsed() >= CHILD_TIMEOUT => End::Stuck,
            _ => {
                thread::sleep(POLL_INTERVAL);
                continue;
            }
        };
        child.0.kill()?;
        let status = child.0.wait()?;
        // It may have ended on its own just before.
        return Ok(if end == End::Killed { ended(status) } else { end });
    }
}

fn start(setting: &ChildEnvironment<'_>, args: &[OsString], fate: &ChildFaults) -> io::Result<Child> {
    let log = OpenOptions::new().append(true).create(true).open(setting.log)?;
    let mut command = Command::new(setting.program);
    command
        .args(args)
        .env_clear()
        .envs(setting.env.variables())
        .current_dir(setting.env.folder())
        // A separate process group: Ctrl-C reaches only this process, which then kills the child.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    if let Some(clock) = fate.clock {
        command.env(kill_switch::CLOCK, kill_switch::written(clock));
    }
    if let Kill::At(moment, passing) = &fate.kill {
        command.env(kill_switch::VARIABLE, format!("{}:{passing}", moment.name()));
    }
    command.spawn()
}

fn ended(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Exited(code),
        None if status.signal() == Some(SIGKILL) => End::Killed,
        // Another signal: the child crashed.
        None => End::Exited(-1),
    }
}

/// A child process that is killed when dropped.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // Both fail if the child has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
