//! A question at the terminal that Ctrl-C ends.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cli::ui::printable;
use crate::run::interrupt::Interrupt;

/// How often the interrupt is looked at.
const MOMENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// The line that somebody types; `None` when nobody can, the input ends, or the interrupt comes first.
pub(super) fn ask(question: &str, interrupt: &Interrupt) -> Option<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return None;
    }
    let mut err = io::stderr().lock();
    // An answer counts only when the question was seen.
    write!(err, "{}", printable(question))
        .and_then(|()| err.flush())
        .ok()?;
    while !interrupt.is_asked() {
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut ready, Some(&MOMENT)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => {
                let mut line = String::new();
                let read = stdin.lock().read_line(&mut line).ok()?;
                return (read > 0).then_some(line);
            }
            Err(_) => return None,
        }
    }
    // The line that the question stands in ends here.
    let _ = writeln!(err);
    None
}
