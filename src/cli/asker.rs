//! Lines that somebody types while something runs: the wait ends as soon as nobody wants the answer any more.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::ui::printable;
use crate::ops::asking::{Asker, NoAnswer};
use crate::value::Value;
use crate::value::secret::Secret;

/// How often it is looked whether the answer is still wanted.
const MOMENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// The line that somebody types, without its end; `None` when nobody can, the input ends, or `given_up` says so first.
pub(super) fn ask_line(question: &str, given_up: impl Fn() -> bool) -> Option<Zeroizing<String>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return None;
    }
    let mut err = io::stderr().lock();
    // An answer counts only when the question was seen.
    write!(err, "{}", printable(question))
        .and_then(|()| err.flush())
        .ok()?;
    while !given_up() {
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut ready, Some(&MOMENT)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => {
                let mut line = Zeroizing::new(String::new());
                let read = stdin.lock().read_line(&mut line).ok()?;
                let kept = line.trim_end_matches(['\r', '\n']).len();
                line.truncate(kept);
                return (read > 0).then_some(line);
            }
            Err(_) => return None,
        }
    }
    // The line that the question stands in ends here.
    let _ = writeln!(err);
    None
}

/// Asks at the terminal of the process, one question at a time.
#[derive(Debug, Default)]
pub(super) struct TerminalAsker(Mutex<()>);

impl Asker for TerminalAsker {
    fn ask(&self, question: &str, secret: bool, given_up: &AtomicBool) -> Result<Value, NoAnswer> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(NoAnswer::NoTerminal);
        }
        let _turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = || given_up.load(Ordering::SeqCst);
        if !secret {
            let line = ask_line(question, given_up).ok_or(NoAnswer::Ended)?;
            return Ok(Value::from(line.trim()));
        }
        let hidden = Hidden::begin().ok_or(NoAnswer::NoTerminal)?;
        let line = ask_line(question, given_up);
        drop(hidden);
        let _ = writeln!(io::stderr());
        let line = line.ok_or(NoAnswer::Ended)?;
        Ok(Value::Secret(Secret::new(line.as_str())))
    }
}

/// What is typed is not shown until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> Option<Hidden> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&stdin, OptionalActions::Flush, &hidden).ok()?;
        Some(Hidden(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
