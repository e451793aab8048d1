//! Builds every run of the program, with its own home and a cleared environment, and collects its output.

pub(crate) mod account;
#[cfg(unix)]
pub(crate) mod pty;
mod state;

pub(crate) use state::Books;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A home for provisor and a working folder; both are deleted on drop.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

/// The exit code and output of a finished process.
#[must_use]
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub(crate) fn new() -> Home {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        Home { dir }
    }

    /// Provisor's own folder.
    pub(crate) fn provisor(&self) -> PathBuf {
        self.dir.path().join("provisor")
    }

    /// The folder the program runs in.
    pub(crate) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// The sandbox's folder.
    pub(crate) fn sandbox(&self) -> PathBuf {
        self.provisor().join("state/sandbox")
    }

    /// Writes a file in the working folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Reads a file in the working folder.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work().join(name)).unwrap()
    }

    /// The program with these arguments, ready to be adjusted and started.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provisor"));
        command
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("PROVISOR_HOME", self.provisor())
            // The fault that a build for `tests/sabotage.sh` has.
            .envs(std::env::var_os("SABOTAGE").map(|fault| ("SABOTAGE", fault)))
            .current_dir(self.work())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end. `words` are separated by blanks.
    pub(crate) fn run(&self, words: &str) -> Ran {
        finish(self.command(words.split_whitespace()).spawn().unwrap())
    }

    /// Runs the program with these arguments, which may contain blanks.
    pub(crate) fn run_with_words(&self, words: &[&str]) -> Ran {
        finish(self.command(words).spawn().unwrap())
    }

    /// Runs the program with this input on stdin.
    pub(crate) fn run_with_input(&self, words: &str, input: &str) -> Ran {
        let mut command = self.command(words.split_whitespace());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that ends early closes its input; its output is compared anyway.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        finish(child)
    }
}

impl Ran {
    /// Checks the exit code; shows all output otherwise.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Ran {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Checks that stderr contains all of these texts.
    #[track_caller]
    pub(crate) fn said(self, texts: &[&str]) -> Ran {
        for text in texts {
            assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        }
        self
    }
}

/// Waits for the process to end, for ten minutes at most.
pub(crate) fn finish(child: Child) -> Ran {
    let pid = child.id();
    let watchdog = Watchdog::new(pid);
    let output = child.wait_with_output().unwrap();
    drop(watchdog);
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Kills a process that exceeds the time limit, so that a test fails rather than hangs.
struct Watchdog {
    _alive: std::sync::mpsc::Sender<()>,
}

impl Watchdog {
    fn new(pid: u32) -> Watchdog {
        let (alive, gone) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            let late = std::sync::mpsc::RecvTimeoutError::Timeout;
            if gone.recv_timeout(Duration::from_mins(10)) == Err(late) {
                signal(pid, "KILL");
            }
        });
        Watchdog { _alive: alive }
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(sent.is_ok(), "the `kill` command is needed");
}

/// A running program whose stderr is read as it arrives.
pub(crate) struct Talking {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Talking {
    pub(crate) fn start(home: &Home, words: &str) -> Talking {
        Talking::of(home.command(words.split_whitespace()))
    }

    pub(crate) fn of(mut command: Command) -> Talking {
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let Ok(line) = line else { return };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Talking {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Waits for a line with this text, for five minutes at most.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_mins(5);
        while !self.said.iter().any(|line| line.contains(text)) {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(reason) => panic!("`{text}` was not said ({reason}):\n{}", self.said.join("\n")),
            }
        }
    }

    /// Sends SIGINT; returns the exit code and all of stderr.
    pub(crate) fn interrupt(self) -> (i32, String) {
        self.stopped_by("INT")
    }

    /// Sends a signal; returns the exit code and all of stderr.
    pub(crate) fn stopped_by(mut self, name: &str) -> (i32, String) {
        signal(self.child.id(), name);
        let ran = finish(self.child);
        self.said.extend(self.lines.iter());
        (ran.code, self.said.join("\n"))
    }
}

/// Polls `ready` until it returns true, for 30 seconds at most.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "waited too long until {what}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The path of the repository's script with this name.
pub(crate) fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scripts")
        .join(name)
        .display()
        .to_string()
}

/// A CSV text as records by column.
pub(crate) fn csv(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let cells = header.iter().zip(record.iter());
            cells
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .collect()
        })
        .collect()
}

/// Rows for `onboard.rhai`.
pub(crate) fn clients(count: usize) -> String {
    let mut text = String::from("email,site,name\n");
    for number in 0..count {
        text.push_str(&format!(
            "client{number}@example.com,https://client{number}.example,Client {number}\n"
        ));
    }
    text
}
