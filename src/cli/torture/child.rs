//! One child process: the program itself, until it ends or is killed.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::trap::{self, Moment};
use crate::cli::paths::Env;
use crate::clock::Misset;

/// What is done to a child.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) kill: Kill,
    /// Its clock is set wrong.
    pub(super) clock: Option<Misset>,
}

/// When the child dies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kill {
    /// When it wants to.
    Never,
    /// After this time.
    After(Duration),
    /// When it passes this moment for the nth time.
    At(Moment, u32),
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// As intended.
    Killed,
    /// It was still at work after minutes.
    Stuck,
    /// Because the user interrupted the torture.
    Stopped,
}

/// Where a child runs.
pub(super) struct Setting<'a> {
    pub(super) program: &'a Path,
    pub(super) env: &'a Env,
    /// What it says on standard error is added to this file.
    pub(super) log: &'a Path,
    pub(super) stop: &'a AtomicBool,
}

/// Longer than any run of a few rows takes, whatever is done to it.
const PATIENCE: Duration = Duration::from_mins(3);

/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);

const SIGKILL: i32 = 9;

/// Starts a child and waits for its end, or brings it about.
pub(super) fn run(setting: &Setting<'_>, words: &[OsString], fate: &Fate) -> io::Result<End> {
    let mut child = Mortal(start(setting, words, fate)?);
    let started = Instant::now();
    loop {
        if let Some(status) = child.0.try_wait()? {
            return Ok(ended(status));
        }
        let end = match &fate.kill {
            _ if setting.stop.load(Ordering::SeqCst) => End::Stopped,
            Kill::After(time) if started.elapsed() >= *time => End::Killed,
            _ if started.elapsed() >= PATIENCE => End::Stuck,
            _ => {
                thread::sleep(LOOK);
                continue;
            }
        };
        child.0.kill()?;
        let status = child.0.wait()?;
        // It may have ended by itself just before.
        return Ok(if end == End::Killed { ended(status) } else { end });
    }
}

fn start(setting: &Setting<'_>, words: &[OsString], fate: &Fate) -> io::Result<Child> {
    let log = OpenOptions::new().append(true).create(true).open(setting.log)?;
    let mut command = Command::new(setting.program);
    command
        .args(words)
        .env_clear()
        .envs(setting.env.variables())
        .current_dir(setting.env.folder())
        // A group of its own: Ctrl-C is for this process, which then kills it.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    if let Some(clock) = fate.clock {
        command.env(trap::CLOCK, trap::written(clock));
    }
    if let Kill::At(moment, passing) = &fate.kill {
        command.env(trap::VARIABLE, format!("{}:{passing}", moment.name()));
    }
    command.spawn()
}

fn ended(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Exited(code),
        None if status.signal() == Some(SIGKILL) => End::Killed,
        // By another signal: a crash of its own.
        None => End::Exited(-1),
    }
}

/// A child that does not outlive the wait for it.
struct Mortal(Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        // Both fail for one that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
