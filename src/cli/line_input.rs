//! Reads lines typed at the terminal, with or without echo. A read ends as soon as its answer is no longer wanted.
//!
//! A confirmation counts only if the user has seen the question: input typed before it is discarded, and there is no
//! prompt if the question would go to a file.

use std::io::{self, BufRead as _, IsTerminal as _, Stdin, Write as _};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread};
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use self::keys::{KeyEffect, Keys};
use super::ui::printable;

mod keys;

/// How often cancellation is checked.
const MOMENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// How long a signal handler may take to see a signal.
const SIGNAL_GRACE: Duration = Duration::from_millis(500);

/// Reads a typed line, without its end. `None` without a terminal, at the end of input, or if `given_up` comes first.
pub(super) fn line(question: &str, given_up: impl Fn() -> bool) -> Option<Zeroizing<String>> {
    let stdin = terminal()?;
    let shown = EchoOn::begin(&stdin)?;
    show(question)?;
    let mut keys = Keys::default();
    let mut unechoed = shown.unechoed;
    let ended = loop {
        let ended = press_next(&stdin, &mut keys, &given_up);
        if unechoed > 0 {
            // Input typed before the prompt has not been echoed.
            unechoed -= 1;
            if unechoed == 0 || ended != KeyEffect::More {
                show(&keys.line().unwrap_or_default())?;
                if ended == KeyEffect::Enter {
                    end_line();
                }
                unechoed = 0;
            }
        }
        if ended != KeyEffect::More {
            break ended;
        }
    };
    if ended == KeyEffect::Enter {
        return keys.line();
    }
    end_line();
    None
}

/// Whether there is a terminal for both the question and the answer.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Reads the answer to a confirmation prompt. Only input typed after the prompt counts; earlier input is discarded with
/// a message.
pub(super) fn read_confirmation(question: &str, given_up: impl Fn() -> bool) -> Option<Zeroizing<String>> {
    if !has_terminal() {
        return None;
    }
    discard_early_input(&terminal()?)?;
    line(question, given_up)
}

/// Discards input typed before the prompt, and reports it.
fn discard_early_input(stdin: &Stdin) -> Option<()> {
    if TypeaheadMode::take(stdin)?.discard_input() {
        show("keys typed before this question were discarded and do not answer it\n")?;
    }
    Some(())
}

/// Waits for the next typed byte, and passes it to `keys`.
fn press_next(stdin: &Stdin, keys: &mut Keys, given_up: impl Fn() -> bool) -> KeyEffect {
    let mut byte = Zeroizing::new([0]);
    loop {
        // Byte by byte: input after this line is for another reader.
        match wait(stdin, &given_up).map(|()| rustix::io::read(stdin, &mut *byte)) {
            Some(Err(Errno::INTR)) => {}
            None | Some(Ok(0) | Err(_)) => return KeyEffect::End,
            Some(Ok(_)) => return keys.press(byte[0]),
        }
    }
}

/// Asks for yes or no after the question is shown; anything but a clear yes means no.
pub(super) fn confirmed(question: &str, given_up: impl Fn() -> bool) -> bool {
    read_confirmation(&format!("{question} [y/N] "), given_up).is_some_and(|answer| is_yes(&answer))
}

/// Whether this is a clear yes.
pub(super) fn is_yes(answer: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

/// Reads a line without echo, starting before the question is shown: of any length, with Backspace, Ctrl-W and Ctrl-U.
/// Ctrl-C is sent as SIGINT after the terminal is restored.
pub(super) fn hidden_line(question: &str, given_up: impl Fn() -> bool) -> Option<Zeroizing<String>> {
    let stdin = terminal()?;
    let hidden = EchoOff::begin(&stdin)?;
    discard_early_input(&stdin)?;
    show(question)?;
    let mut keys = Keys::default();
    let ended = loop {
        match press_next(&stdin, &mut keys, &given_up) {
            KeyEffect::More => {}
            ended => break ended,
        }
    };
    drop(hidden);
    end_line();
    match ended {
        KeyEffect::Enter => keys.line(),
        KeyEffect::Interrupt => {
            interrupt(given_up);
            None
        }
        KeyEffect::End | KeyEffect::More => None,
    }
}

/// Sends the process the signal of Ctrl-C, which ends it or reaches its signal handler; waits a moment for that.
fn interrupt(given_up: impl Fn() -> bool) {
    let sent = Instant::now();
    let _ = kill_process(getpid(), Signal::INT);
    while !given_up() && sent.elapsed() < SIGNAL_GRACE {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn terminal() -> Option<Stdin> {
    let stdin = io::stdin();
    stdin.is_terminal().then_some(stdin)
}

/// Shows the question. `None` if that fails: an answer counts only if the question was seen.
fn show(question: &str) -> Option<()> {
    let mut err = io::stderr().lock();
    write!(err, "{}", printable(question))
        .and_then(|()| err.flush())
        .ok()
}

/// Ends the line of a prompt.
fn end_line() {
    let _ = writeln!(io::stderr());
}

/// Waits for input; `None` if it is no longer wanted.
fn wait(stdin: &Stdin, given_up: impl Fn() -> bool) -> Option<()> {
    while !given_up() {
        let mut ready = [PollFd::new(stdin, PollFlags::IN)];
        match poll(&mut ready, Some(&MOMENT)) {
            Ok(0) | Err(Errno::INTR) => {}
            // Input typed after the wait has ended is for another reader.
            Ok(_) => return (!given_up()).then_some(()),
            Err(_) => return None,
        }
    }
    None
}

/// Puts the terminal in a mode in which reads return at once, to take input typed before the prompt. Restored on drop.
struct TypeaheadMode<'a>(&'a Stdin, Termios);

impl TypeaheadMode<'_> {
    fn take(stdin: &Stdin) -> Option<TypeaheadMode<'_>> {
        let before = tcgetattr(stdin).ok()?;
        let mut at_once = before.clone();
        at_once.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        at_once.special_codes[SpecialCodeIndex::VMIN] = 0;
        at_once.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin, OptionalActions::Now, &at_once).ok()?;
        Some(TypeaheadMode(stdin, before))
    }

    /// Discards all such input, from the terminal and from stdin's buffer. Returns whether there was any.
    fn discard_input(&self) -> bool {
        let mut stdin = self.0.lock();
        let mut any = false;
        loop {
            let taken = match stdin.fill_buf() {
                Ok(early) => early.len(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            if taken == 0 {
                return any;
            }
            any = true;
            stdin.consume(taken);
        }
    }
}

impl Drop for TypeaheadMode<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(self.0, OptionalActions::Now, &self.1);
    }
}

/// Turns on echo and line editing until dropped, whatever the terminal's mode was before.
struct EchoOn {
    before: Option<Termios>,
    /// The number of bytes typed while echo was off.
    unechoed: u64,
}

impl EchoOn {
    fn begin(stdin: &Stdin) -> Option<EchoOn> {
        let before = tcgetattr(stdin).ok()?;
        if before.local_modes.contains(LocalModes::ICANON) {
            return Some(EchoOn {
                before: None,
                unechoed: 0,
            });
        }
        let mut shown = before.clone();
        shown.input_modes.insert(InputModes::ICRNL);
        shown.local_modes.remove(LocalModes::NOFLSH);
        shown.local_modes.insert(
            LocalModes::ICANON
                | LocalModes::ECHO
                | LocalModes::ECHOE
                | LocalModes::ECHOK
                | LocalModes::IEXTEN
                | LocalModes::ISIG,
        );
        let unechoed = ioctl_fionread(stdin).ok()?;
        tcsetattr(stdin, OptionalActions::Now, &shown).ok()?;
        Some(EchoOn {
            before: Some(before),
            unechoed,
        })
    }
}

impl Drop for EchoOn {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that is gone needs no restoring.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Turns off echo until dropped, and reads key by key: whole lines could not exceed 4,095 bytes on Linux, and the rest
/// would be lost silently.
struct EchoOff(Termios);

impl EchoOff {
    fn begin(stdin: &Stdin) -> Option<EchoOff> {
        let before = tcgetattr(stdin).ok()?;
        let mut hidden = before.clone();
        hidden
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(stdin, OptionalActions::Now, &hidden).ok()?;
        Some(EchoOff(before))
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_y_or_yes_confirms_a_prompt() {
        for yes in ["y\n", " YES \r\n", "Yes"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yep\n", "y y\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
