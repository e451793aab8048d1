//! Simulates a user at a terminal: runs a program in a pseudo-terminal, sends it keys, and reads the screen it draws.
//!
//! Tests compare the screen as a terminal shows it, not the bytes: cursor movements, colours and erased lines are
//! applied. Every wait has a time limit, and a wait that fails shows the screen.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Pty, open};

use super::Home;

/// The time limit of a wait.
const PATIENCE: Duration = Duration::from_mins(2);

/// The number of rows kept after they scroll off the screen.
const SCROLLBACK: usize = 2000;

/// Keys as terminals send them.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\r";
    pub(crate) const CTRL_C: &str = "\x03";
    pub(crate) const CTRL_D: &str = "\x04";
}

/// A running program and the terminal it runs in. It is killed when this is dropped.
pub(crate) struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    shared: Arc<Shared>,
    /// How many bytes the program had written when a key was last pressed.
    pressed: AtomicUsize,
}

/// The state shared by the reading thread and the test.
struct Shared {
    drawn: Mutex<Drawn>,
    changed: Condvar,
}

struct Drawn {
    parser: vt100::Parser<Replies>,
    bytes: Vec<u8>,
    ended: bool,
}

/// Pending replies to the program's queries for the cursor position.
#[derive(Default)]
struct Replies(Vec<String>);

impl vt100::Callbacks for Replies {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        _: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        last: char,
    ) {
        if last == 'n' && params == [[6]] {
            let (row, column) = screen.cursor_position();
            self.0.push(format!("\x1b[{};{}R", row + 1, column + 1));
        }
    }
}

impl Home {
    /// Starts the program in a terminal of 24 rows and 80 columns. `words` are separated by blanks.
    pub(crate) fn terminal(&self, words: &str) -> Terminal {
        let mut command = self.command(words.split_whitespace());
        command.env("TERM", "xterm-256color");
        Terminal::start(command, 24, 80)
    }
}

impl Terminal {
    /// Starts a command in a terminal of this size, which serves as its stdin, stdout and stderr.
    pub(crate) fn start(command: Command, rows: u16, columns: u16) -> Terminal {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        // Overrides the streams set by the builder: all three are the terminal.
        let child = pty_process::blocking::Command::from(command).spawn(pts).unwrap();
        let parser =
            vt100::Parser::new_with_callbacks(size(rows), size(columns), SCROLLBACK, Replies::default());
        let shared = Arc::new(Shared {
            drawn: Mutex::new(Drawn {
                parser,
                bytes: Vec::new(),
                ended: false,
            }),
            changed: Condvar::new(),
        });
        let pty = Arc::new(pty);
        let (reader, screen) = (pty.clone(), shared.clone());
        std::thread::spawn(move || screen.read(&reader));
        Terminal {
            pty,
            child,
            shared,
            pressed: AtomicUsize::new(0),
        }
    }

    /// The process ID of the program.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the terminal reads lines and echoes them, as before the program changed it.
    pub(crate) fn is_plain(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&*self.pty).unwrap().local_modes;
        modes.contains(rustix::termios::LocalModes::ECHO | rustix::termios::LocalModes::ICANON)
    }

    /// Types text or keys unchanged.
    pub(crate) fn press(&self, keys: &str) {
        self.press_bytes(keys.as_bytes());
    }

    /// The same for keys that are not text.
    pub(crate) fn press_bytes(&self, keys: &[u8]) {
        self.pressed.store(self.drawn().bytes.len(), Ordering::SeqCst);
        (&*self.pty).write_all(keys).unwrap();
    }

    /// Types a line and Enter.
    pub(crate) fn type_line(&self, line: &str) {
        self.press(line);
        self.press(key::ENTER);
    }

    /// Changes the size of the terminal; the system notifies the program.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let mut drawn = self.drawn();
        drawn.parser.set_size(size(rows), size(columns));
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    /// Waits until the screen shows this text. Returns the screen.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("`{text}` is shown"), |screen| {
            screen.contents().contains(text)
        })
    }

    /// Waits for an empty line after a prompt, on another line than the one where keys were last pressed.
    #[track_caller]
    pub(crate) fn wait_for_prompt(&self) {
        let pressed = self.pressed.load(Ordering::SeqCst);
        let _ = self.wait_for_drawn("the prompt is empty", |drawn| {
            let contents = drawn.parser.screen().contents();
            let last = contents.lines().rfind(|line| !line.trim().is_empty());
            let left_the_line = pressed == 0 || drawn.bytes[pressed..].contains(&b'\n');
            left_the_line && last.is_some_and(|line| line.trim_end().ends_with('>'))
        });
    }

    /// Waits for a prompt without echo: the program has shown it and turned the echo off.
    #[track_caller]
    pub(crate) fn wait_for_hidden(&self, prompt: &str) -> String {
        let screen = self.wait_for(prompt);
        super::wait_until("the terminal echoes no more", || {
            let modes = rustix::termios::tcgetattr(&*self.pty).unwrap();
            !modes.local_modes.contains(rustix::termios::LocalModes::ECHO)
        });
        screen
    }

    /// Waits until `ready` accepts the screen. Returns its text.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, ready: impl Fn(&vt100::Screen) -> bool) -> String {
        self.wait_for_drawn(what, |drawn| ready(drawn.parser.screen()))
    }

    #[track_caller]
    fn wait_for_drawn(&self, what: &str, ready: impl Fn(&Drawn) -> bool) -> String {
        let start = Instant::now();
        let mut drawn = self.drawn();
        loop {
            let (is_ready, ended) = (ready(&drawn), drawn.ended);
            let contents = drawn.parser.screen().contents();
            if is_ready {
                return contents;
            }
            assert!(!ended, "the program ended before {what}. The screen:\n{contents}");
            let left = PATIENCE.checked_sub(start.elapsed());
            let left =
                left.unwrap_or_else(|| panic!("waited too long until {what}. The screen:\n{contents}"));
            drawn = self.shared.changed.wait_timeout(drawn, left).unwrap().0;
        }
    }

    /// The text now on the screen, with wrapped lines joined.
    pub(crate) fn screen(&self) -> String {
        self.drawn().parser.screen().contents()
    }

    /// Reads the screen now: cells, colours, the cursor.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.drawn().parser.screen())
    }

    /// Every byte the program has written so far, whatever the screen shows.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.drawn().bytes.clone()
    }

    /// Waits for the program to end. Returns its exit code (-1 after a signal) and the last screen.
    #[track_caller]
    pub(crate) fn finish(&mut self) -> (i32, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let _ = self.wait_ended();
                return (status.code().unwrap_or(-1), self.screen());
            }
            let screen = self.screen();
            assert!(
                start.elapsed() < PATIENCE,
                "the program does not end. The screen:\n{screen}"
            );
            let drawn = self.drawn();
            drop(
                self.shared
                    .changed
                    .wait_timeout(drawn, Duration::from_millis(5))
                    .unwrap(),
            );
        }
    }

    /// Waits up to five seconds until all output is on the screen: another process may keep the terminal open.
    fn wait_ended(&self) -> bool {
        let start = Instant::now();
        let mut drawn = self.drawn();
        while !drawn.ended && start.elapsed() < Duration::from_secs(5) {
            drawn = self
                .shared
                .changed
                .wait_timeout(drawn, Duration::from_millis(50))
                .unwrap()
                .0;
        }
        drawn.ended
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.shared.drawn.lock().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Shared {
    /// Draws the program's output until no process holds the terminal any more.
    fn read(&self, pty: &Pty) {
        let mut pty = pty;
        let mut buffer = [0; 4096];
        loop {
            let read = pty.read(&mut buffer).unwrap_or(0);
            let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            if read == 0 {
                drawn.ended = true;
                self.changed.notify_all();
                return;
            }
            drawn.bytes.extend_from_slice(&buffer[..read]);
            drawn.parser.process(&buffer[..read]);
            let replies = std::mem::take(&mut drawn.parser.callbacks_mut().0);
            drop(drawn);
            self.changed.notify_all();
            for reply in replies {
                let _ = pty.write_all(reply.as_bytes());
            }
        }
    }
}

fn size(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap()
}
