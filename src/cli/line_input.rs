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

use super::ui::printable;

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
    let (_shown, mut unechoed) = TerminalMode::echo_on(&stdin)?;
    show(question)?;
    let mut keys = Keys::default();
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

/// Discards input typed before the prompt, from the terminal and from stdin's buffer, and reports it.
fn discard_early_input(stdin: &Stdin) -> Option<()> {
    // Reads return at once.
    let at_once = TerminalMode::set(stdin, |modes| {
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        modes.special_codes[SpecialCodeIndex::VMIN] = 0;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    })?;
    let mut buffer = stdin.lock();
    let mut any = false;
    loop {
        let taken = match buffer.fill_buf() {
            Ok(early) => early.len(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        if taken == 0 {
            break;
        }
        any = true;
        buffer.consume(taken);
    }
    drop(buffer);
    drop(at_once);
    if any {
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
    let hidden = TerminalMode::echo_off(&stdin)?;
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

/// A changed terminal mode; the mode before is restored on drop.
struct TerminalMode(Termios);

impl TerminalMode {
    fn set(stdin: &Stdin, change: impl FnOnce(&mut Termios)) -> Option<TerminalMode> {
        let before = tcgetattr(stdin).ok()?;
        let mut modes = before.clone();
        change(&mut modes);
        tcsetattr(stdin, OptionalActions::Now, &modes).ok()?;
        Some(TerminalMode(before))
    }

    /// Turns on echo and line editing, whatever the mode is; `None` inside if they are on. Also returns the number of
    /// bytes typed while echo was off.
    fn echo_on(stdin: &Stdin) -> Option<(Option<TerminalMode>, u64)> {
        if tcgetattr(stdin).ok()?.local_modes.contains(LocalModes::ICANON) {
            return Some((None, 0));
        }
        let unechoed = ioctl_fionread(stdin).ok()?;
        let shown = TerminalMode::set(stdin, |modes| {
            modes.input_modes.insert(InputModes::ICRNL);
            modes.local_modes.remove(LocalModes::NOFLSH);
            modes.local_modes.insert(
                LocalModes::ICANON
                    | LocalModes::ECHO
                    | LocalModes::ECHOE
                    | LocalModes::ECHOK
                    | LocalModes::IEXTEN
                    | LocalModes::ISIG,
            );
        })?;
        Some((Some(shown), unechoed))
    }

    /// Turns off echo, and reads key by key: whole lines could not exceed 4,095 bytes on Linux, and the rest would be
    /// lost silently.
    fn echo_off(stdin: &Stdin) -> Option<TerminalMode> {
        let echo = LocalModes::ECHO | LocalModes::ECHONL;
        TerminalMode::set(stdin, |modes| {
            modes
                .local_modes
                .remove(echo | LocalModes::ICANON | LocalModes::ISIG);
        })
    }
}

impl Drop for TerminalMode {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// The effect of a key on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyEffect {
    /// The line continues.
    More,
    /// The line is complete.
    Enter,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line: the end of the input.
    End,
}

/// A line built from typed bytes.
#[derive(Default)]
struct Keys {
    line: Zeroizing<Vec<u8>>,
    escape: Escape,
}

/// The position within the escape sequence of an arrow or another special key.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    No,
    Begun,
    Within,
}

impl Keys {
    fn press(&mut self, byte: u8) -> KeyEffect {
        if self.is_special(byte) {
            return KeyEffect::More;
        }
        match byte {
            3 => return KeyEffect::Interrupt,
            4 if self.line.is_empty() => return KeyEffect::End,
            4 | b'\r' | b'\n' => return KeyEffect::Enter,
            8 | 0x7f => self.erase_character(),
            0x15 => self.truncate_to(0),
            0x17 => self.erase_word(),
            0..0x20 => {}
            _ => self.line.push(byte),
        }
        KeyEffect::More
    }

    /// The typed line; `None` if it is not UTF-8.
    fn line(&self) -> Option<Zeroizing<String>> {
        let line = std::str::from_utf8(&self.line).ok()?;
        Some(Zeroizing::new(line.to_owned()))
    }

    /// Whether the byte belongs to a special key such as an arrow: ESC, `[` or `O`, numbers, and a final letter.
    fn is_special(&mut self, byte: u8) -> bool {
        self.escape = match (self.escape, byte) {
            (Escape::No, 0x1b) => Escape::Begun,
            (Escape::No, _) => return false,
            (Escape::Begun, b'[' | b'O') | (Escape::Within, 0x20..0x40) => Escape::Within,
            (Escape::Within, 0x40..0x7f) => Escape::No,
            (Escape::Begun | Escape::Within, _) => {
                // The Escape key alone.
                self.escape = Escape::No;
                return false;
            }
        };
        true
    }

    fn erase_character(&mut self) {
        let begins = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
        self.truncate_to(self.line.iter().rposition(begins).unwrap_or(0));
    }

    fn erase_word(&mut self) {
        let word = self.line.iter().rposition(|byte| *byte != b' ');
        let before = word.and_then(|word| self.line[..word].iter().rposition(|byte| *byte == b' '));
        self.truncate_to(before.map_or(0, |blank| blank + 1));
    }

    /// Truncates the line to its first bytes, and wipes the rest from memory.
    fn truncate_to(&mut self, bytes: usize) {
        self.line[bytes..].fill(0);
        self.line.truncate(bytes);
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

    fn typed(keys: &str) -> (KeyEffect, String) {
        let mut line = Keys::default();
        let mut last = KeyEffect::More;
        for byte in keys.bytes() {
            assert_eq!(last, KeyEffect::More, "{keys:?} goes on after its end");
            last = line.press(byte);
        }
        (last, line.line().map(|line| line.to_string()).unwrap_or_default())
    }

    #[test]
    fn line_input_supports_enter_backspace_ctrl_u_and_ctrl_w() {
        for (keys, line) in [
            ("s3cret\r", "s3cret"),
            ("s3crex\x7ft\n", "s3cret"),
            ("\x7f\x08a\r", "a"),
            ("aé\x7fb\r", "ab"),
            ("wrong\x15right\r", "right"),
            ("two words \x17more\r", "two more"),
            ("word\x17\r", ""),
            ("a\x1b[Db\x1bOAc\x1b[1;5Cd\r", "abcd"),
            ("a\x1b\r", "a"),
            ("a\x01\tb\x04", "ab"),
        ] {
            assert_eq!(typed(keys), (KeyEffect::Enter, line.to_owned()), "{keys:?}");
        }
    }

    #[test]
    fn ctrl_c_interrupts_and_ctrl_d_ends_an_empty_line() {
        assert_eq!(typed("half\x03").0, KeyEffect::Interrupt);
        assert_eq!(typed("\x04").0, KeyEffect::End);
        assert_eq!(typed("half").0, KeyEffect::More);
    }

    #[test]
    fn prompt_input_has_no_length_limit_and_must_be_utf8() {
        let long = "x".repeat(10_000);
        assert_eq!(typed(&format!("{long}\r")), (KeyEffect::Enter, long));
        let mut broken = Keys::default();
        let _ = broken.press(0xc3);
        assert!(broken.line().is_none());
    }
}
