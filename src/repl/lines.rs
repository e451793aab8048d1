//! Inputs from a pipe or a file: as many lines as a statement needs.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::helper::is_finished;
use super::paste;
use crate::script::interactive::{Reading, read};

/// How long to wait for a line that may go on with a statement. Whoever types into a pipe pauses longer; a file does not.
const MOMENT: Duration = Duration::from_millis(100);

/// What comes at once is read as a whole when it ends within this time, and is not longer than this many bytes.
const AT_ONCE: (Duration, usize) = (Duration::from_secs(1), 4 << 20);

/// Lines as they come in.
pub(crate) struct Lines {
    /// What messages call them.
    name: String,
    coming: Receiver<Result<String, String>>,
    /// Lines that were looked at and not taken, and why there are no more.
    ahead: VecDeque<Result<String, String>>,
    /// How many lines were taken.
    taken: usize,
    /// Everything, when it is there from the start.
    whole: Option<String>,
}

/// What comes next.
enum Line {
    Text(String),
    NotYet,
    End,
    Lost(String),
}

impl Lines {
    /// The lines of a reader, which is read on a thread of its own. `name` is what messages call them.
    pub(crate) fn read(name: &str, mut from: impl BufRead + Send + 'static) -> Lines {
        let (lines, coming) = sync_channel(1024);
        std::thread::spawn(move || {
            loop {
                let mut line = String::new();
                let line = match from.read_line(&mut line) {
                    Ok(0) => return,
                    Ok(_) => Ok(line),
                    Err(error) => Err(error.to_string()),
                };
                let last = line.is_err();
                if lines.send(line).is_err() || last {
                    return;
                }
            }
        });
        Lines {
            name: name.to_owned(),
            coming,
            ahead: VecDeque::new(),
            taken: 0,
            whole: None,
        }
    }

    /// The lines of a text that is there from the start: its functions are known before its first line.
    pub(crate) fn of(name: &str, text: String) -> Lines {
        let mut lines = Lines::read(name, std::io::Cursor::new(text.clone()));
        lines.whole = Some(text);
        lines
    }

    /// The next line; when `patience` is set, only if it comes within that time.
    fn next(&mut self, patience: Option<Duration>) -> Line {
        let line = match (self.ahead.pop_front(), patience) {
            (Some(line), _) => Ok(line),
            (None, None) => self.coming.recv().map_err(|_| RecvTimeoutError::Disconnected),
            (None, Some(patience)) => self.coming.recv_timeout(patience),
        };
        match line {
            Ok(Ok(line)) => Line::Text(line),
            Ok(Err(why)) => Line::Lost(why),
            Err(RecvTimeoutError::Timeout) => Line::NotYet,
            Err(RecvTimeoutError::Disconnected) => Line::End,
        }
    }

    /// What messages call them.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Everything, when it is there from the start or comes at once.
    pub(super) fn whole(&mut self) -> Option<String> {
        self.whole.take().or_else(|| self.at_once())
    }

    /// All of it, when it comes at once, as it does from `cat`. Whoever types into a pipe pauses.
    fn at_once(&mut self) -> Option<String> {
        let mut begun = Instant::now();
        let mut found = Vec::new();
        let mut whole = String::new();
        // How long the first line takes tells nothing.
        let mut patience = None;
        let ended = loop {
            match self.next(patience) {
                Line::Text(line) => {
                    whole.push_str(&line);
                    found.push(Ok(line));
                }
                Line::End => break true,
                Line::NotYet => break false,
                Line::Lost(why) => {
                    found.push(Err(why));
                    break false;
                }
            }
            if patience.replace(MOMENT).is_none() {
                begun = Instant::now();
            }
            if begun.elapsed() > AT_ONCE.0 || whole.len() > AT_ONCE.1 {
                break false;
            }
        };
        self.ahead.extend(found);
        ended.then_some(whole)
    }

    /// Puts lines back that were looked at.
    fn put_back(&mut self, lines: Vec<String>) {
        for line in lines.into_iter().rev() {
            self.ahead.push_front(Ok(line));
        }
    }

    /// The lines up to the one that ends a paste, and the number of the first.
    pub(super) fn paste(&mut self) -> Result<(usize, String), String> {
        let first = self.taken + 1;
        let mut text = String::new();
        loop {
            match self.next(None) {
                Line::Lost(why) => return Err(why),
                Line::End | Line::NotYet => return Ok((first, text.trim_end().to_owned())),
                Line::Text(line) => {
                    self.taken += 1;
                    if line.trim() == paste::END {
                        // As it would have been typed: without the end of its last line.
                        return Ok((first, text.trim_end().to_owned()));
                    }
                    text.push_str(&line);
                }
            }
        }
    }

    /// The next statement, and the number of its first line; `None` at the end.
    pub(super) fn statement(&mut self) -> Result<Option<(usize, String)>, String> {
        let mut text = String::new();
        let mut first = self.taken + 1;
        loop {
            let complete = !text.trim().is_empty() && is_finished(text.trim_end_matches('\n'));
            // Empty lines and notes may stand before what goes on.
            let mut looked_at = Vec::new();
            let next = loop {
                match self.next(complete.then_some(MOMENT)) {
                    Line::Text(line) if complete && is_blank(&line) => looked_at.push(line),
                    next => break next,
                }
            };
            match next {
                Line::Lost(why) => return Err(why),
                Line::End if text.trim().is_empty() => return Ok(None),
                Line::NotYet | Line::End => {
                    self.put_back(looked_at);
                    return Ok(Some((first, text)));
                }
                Line::Text(line) => {
                    let goes_on = goes_on(&text, &line);
                    looked_at.push(line);
                    if complete && !goes_on {
                        self.put_back(looked_at);
                        return Ok(Some((first, text)));
                    }
                    if text.trim().is_empty() {
                        text.clear();
                        first = self.taken + 1;
                    }
                    self.taken += looked_at.len();
                    text.extend(looked_at);
                }
            }
        }
    }
}

/// Is there nothing on the line but a note?
fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("//")
}

/// Does the last line of an input that goes on say that it is given up?
pub(super) fn is_given_up(text: &str) -> bool {
    let mut lines = text.trim_end().lines();
    lines.next_back().is_some_and(|last| last.trim() == ":break") && lines.next().is_some()
}

/// Does the line go on with a statement that could end before it?
fn goes_on(text: &str, line: &str) -> bool {
    let next = line.trim_start();
    if next.is_empty() || text.trim_end().ends_with(';') || text.trim_start().starts_with(':') {
        return false;
    }
    // A doc comment belongs to the function behind it, and a comment to whatever comes.
    if only_comments(text) {
        return !next.starts_with(':');
    }
    let operators = [
        ".", "?.", "??", "+", "-", "*", "/", "%", "=", "<", ">", "&", "|", "^", "in ", "else", "catch",
        "while ", "until ", ")", "]", "}",
    ];
    let is_comment = next.starts_with("//") || next.starts_with("/*");
    !is_comment
        && operators.iter().any(|operator| next.starts_with(operator))
        && !matches!(read(&format!("{text}{line}")), Reading::Broken(_))
}

fn only_comments(text: &str) -> bool {
    text.lines().all(is_blank)
}

#[cfg(test)]
mod tests;
