//! Reads inputs from a pipe or a file: as many lines as a statement needs.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::helper::is_finished;
use super::paste;
use crate::script::interactive::{Completeness, read};

/// How long to wait for a line that may continue a statement. A person typing pauses longer; a file does not.
const MOMENT: Duration = Duration::from_millis(100);

/// Input that arrives at once is read as a whole if it ends within this time and is at most this many bytes long.
const BURST_LIMITS: (Duration, usize) = (Duration::from_secs(1), 4 << 20);

/// A stream of input lines.
pub(crate) struct Lines {
    /// The name in messages.
    name: String,
    receiver: Receiver<Result<String, String>>,
    /// Lines that were read but not consumed, and the error after which there are no more.
    buffered: VecDeque<Result<String, String>>,
    /// The number of consumed lines.
    taken: usize,
    /// The whole text, if it was available from the start.
    whole: Option<String>,
}

/// The result of reading a line.
enum Line {
    Text(String),
    NotYet,
    End,
    ReadFailed(String),
}

impl Lines {
    /// Reads lines from `from` on a separate thread. `name` is used in messages.
    pub(crate) fn read(name: &str, mut from: impl BufRead + Send + 'static) -> Lines {
        let (lines, receiver) = sync_channel(1024);
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
            receiver,
            buffered: VecDeque::new(),
            taken: 0,
            whole: None,
        }
    }

    /// Reads the lines of a text: its functions are known before its first line runs.
    pub(crate) fn of(name: &str, text: String) -> Lines {
        let mut lines = Lines::read(name, std::io::Cursor::new(text.clone()));
        lines.whole = Some(text);
        lines
    }

    /// Returns the next line; with `timeout`, only if it arrives within that time.
    fn next(&mut self, timeout: Option<Duration>) -> Line {
        let line = match (self.buffered.pop_front(), timeout) {
            (Some(line), _) => Ok(line),
            (None, None) => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            (None, Some(timeout)) => self.receiver.recv_timeout(timeout),
        };
        match line {
            Ok(Ok(line)) => Line::Text(line),
            Ok(Err(reason)) => Line::ReadFailed(reason),
            Err(RecvTimeoutError::Timeout) => Line::NotYet,
            Err(RecvTimeoutError::Disconnected) => Line::End,
        }
    }

    /// The name in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the whole text if it was available from the start or arrives at once.
    pub(super) fn whole(&mut self) -> Option<String> {
        self.whole.take().or_else(|| self.read_available())
    }

    /// Returns the whole input if it arrives at once, as from `cat`. A person typing into a pipe pauses.
    fn read_available(&mut self) -> Option<String> {
        let mut begun = Instant::now();
        let mut found = Vec::new();
        let mut whole = String::new();
        // The time until the first line is irrelevant.
        let mut timeout = None;
        let ended = loop {
            match self.next(timeout) {
                Line::Text(line) => {
                    whole.push_str(&line);
                    found.push(Ok(line));
                }
                Line::End => break true,
                Line::NotYet => break false,
                Line::ReadFailed(reason) => {
                    found.push(Err(reason));
                    break false;
                }
            }
            if timeout.replace(MOMENT).is_none() {
                begun = Instant::now();
            }
            if begun.elapsed() > BURST_LIMITS.0 || whole.len() > BURST_LIMITS.1 {
                break false;
            }
        };
        self.buffered.extend(found);
        ended.then_some(whole)
    }

    /// Puts lines back that were read ahead.
    fn put_back(&mut self, lines: Vec<String>) {
        for line in lines.into_iter().rev() {
            self.buffered.push_front(Ok(line));
        }
    }

    /// Reads the lines up to the end marker of a paste; returns the number of the first one and the text.
    pub(super) fn paste(&mut self) -> Result<(usize, String), String> {
        let first = self.taken + 1;
        let mut text = String::new();
        loop {
            match self.next(None) {
                Line::ReadFailed(reason) => return Err(reason),
                Line::End | Line::NotYet => return Ok((first, text.trim_end().to_owned())),
                Line::Text(line) => {
                    self.taken += 1;
                    if line.trim() == paste::END {
                        // As if it had been typed: without the line end of its last line.
                        return Ok((first, text.trim_end().to_owned()));
                    }
                    text.push_str(&line);
                }
            }
        }
    }

    /// Returns the next statement with the number of its first line; `None` at the end.
    pub(super) fn statement(&mut self) -> Result<Option<(usize, String)>, String> {
        let mut text = String::new();
        let mut first = self.taken + 1;
        loop {
            let complete = !text.trim().is_empty() && is_finished(text.trim_end_matches('\n'));
            // Empty lines and comments may precede a continuation.
            let mut looked_at = Vec::new();
            let next = loop {
                match self.next(complete.then_some(MOMENT)) {
                    Line::Text(line) if complete && is_blank(&line) => looked_at.push(line),
                    next => break next,
                }
            };
            match next {
                Line::ReadFailed(reason) => return Err(reason),
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

/// Whether the line is empty or only a comment.
fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("//")
}

/// Whether the last line of an incomplete input abandons it.
pub(super) fn is_given_up(text: &str) -> bool {
    let mut lines = text.trim_end().lines();
    lines.next_back().is_some_and(|last| last.trim() == ":break") && lines.next().is_some()
}

/// Whether the line continues a statement that could be complete without it.
fn goes_on(text: &str, line: &str) -> bool {
    let next = line.trim_start();
    if next.is_empty() || text.trim_end().ends_with(';') || text.trim_start().starts_with(':') {
        return false;
    }
    // A doc comment belongs to the next function, and other comments to whatever follows.
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
        && !matches!(read(&format!("{text}{line}")), Completeness::Broken(_))
}

fn only_comments(text: &str) -> bool {
    text.lines().all(is_blank)
}

#[cfg(test)]
mod tests;
