//! Inputs from a pipe or a file: as many lines as a statement needs.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::helper::is_finished;
use super::{Left, Next, Repl, help, paste};
use crate::script::interactive::{Reading, Sort, Workspace, pieces, read};

/// How long to wait for a line that may go on with a statement. Whoever types into a pipe pauses longer; a file does not.
const MOMENT: Duration = Duration::from_millis(100);

/// Lines as they come in.
pub struct Lines {
    /// What messages call them.
    name: String,
    coming: Receiver<Result<String, String>>,
    /// Lines that were looked at and not taken.
    ahead: VecDeque<String>,
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
    pub fn read(name: &str, mut from: impl BufRead + Send + 'static) -> Lines {
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
    pub fn of(name: &str, text: String) -> Lines {
        let mut lines = Lines::read(name, std::io::Cursor::new(text.clone()));
        lines.whole = Some(text);
        lines
    }

    /// The next line; when `patience` is set, only if it comes within that time.
    fn next(&mut self, patience: Option<Duration>) -> Line {
        if let Some(line) = self.ahead.pop_front() {
            return Line::Text(line);
        }
        let line = match patience {
            None => self.coming.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => self.coming.recv_timeout(patience),
        };
        match line {
            Ok(Ok(line)) => Line::Text(line),
            Ok(Err(why)) => Line::Lost(why),
            Err(RecvTimeoutError::Timeout) => Line::NotYet,
            Err(RecvTimeoutError::Disconnected) => Line::End,
        }
    }

    /// The lines up to the one that ends a paste, and the number of the first.
    fn paste(&mut self) -> Result<(usize, String), String> {
        let first = self.taken + 1;
        let mut text = String::new();
        loop {
            match self.next(None) {
                Line::Lost(why) => return Err(why),
                Line::End | Line::NotYet => return Ok((first, text)),
                Line::Text(line) => {
                    self.taken += 1;
                    if line.trim() == paste::END {
                        return Ok((first, text));
                    }
                    text.push_str(&line);
                }
            }
        }
    }

    /// The next statement, and the number of its first line; `None` at the end.
    fn statement(&mut self) -> Result<Option<(usize, String)>, String> {
        let mut text = String::new();
        let mut first = self.taken + 1;
        loop {
            let complete = !text.trim().is_empty() && is_finished(text.trim_end_matches('\n'));
            match self.next(complete.then_some(MOMENT)) {
                Line::Lost(why) => return Err(why),
                Line::End if text.trim().is_empty() => return Ok(None),
                Line::NotYet | Line::End => return Ok(Some((first, text))),
                Line::Text(line) => {
                    if complete && !goes_on(&text, &line) {
                        self.ahead.push_front(line);
                        return Ok(Some((first, text)));
                    }
                    if text.trim().is_empty() {
                        text.clear();
                        first = self.taken + 1;
                    }
                    self.taken += 1;
                    text.push_str(&line);
                }
            }
        }
    }
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
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with("//"))
}

impl Repl {
    /// Evaluates everything that comes in, statement by statement, until one fails. What is there from the start is read as
    /// a whole first: when a statement of it cannot be read, none runs.
    pub(super) fn read_all(&mut self, mut lines: Lines) -> Result<(), Left> {
        if let Some(text) = lines.whole.take() {
            self.read_whole(&lines.name, text)?;
        }
        loop {
            let statement = lines.statement().map_err(|why| self.unreadable(&why))?;
            let Some((first, text)) = statement else {
                return Ok(());
            };
            let name = lines.name.clone();
            let mut next = self.enter_from(&name, first, &text);
            if next == Next::Paste {
                let (first, text) = lines.paste().map_err(|why| self.unreadable(&why))?;
                next = self.enter_from(&name, first, &text);
            }
            self.follow(&next)?;
        }
    }

    fn unreadable(&self, why: &str) -> Left {
        self.outside
            .screen
            .error(&format!("the input cannot be read: {why}"), &[]);
        Left::Usage
    }

    /// Reads every statement of a text before the first runs, and defines its functions.
    fn read_whole(&mut self, name: &str, text: String) -> Result<(), Left> {
        let mut lines = Lines::read(name, std::io::Cursor::new(text));
        let mut functions = String::new();
        while let Ok(Some((first, text))) = lines.statement() {
            let text = text.replace("\r\n", "\n");
            let typed = text.trim();
            if typed == ":paste" {
                let (first, text) = lines.paste().map_err(|why| self.unreadable(&why))?;
                self.readable(name, first, &text)?;
                continue;
            }
            if typed.starts_with(':') || help::asked(typed).is_some() || is_given_up(typed) {
                continue;
            }
            self.readable(name, first, &text)?;
            if is_function(&text) {
                let above = functions.matches('\n').count() + 1;
                functions.push_str(&"\n".repeat(first.saturating_sub(above)));
                functions.push_str(&text);
            }
        }
        let loader = self.outside.around.loader();
        self.space().define(name, &functions, &*loader);
        Ok(())
    }

    fn readable(&self, name: &str, first: usize, text: &str) -> Result<(), Left> {
        let checked = Workspace::check(name, first, text);
        checked.map_err(|diagnostic| {
            self.outside.screen.diagnostic(&diagnostic);
            self.outside.screen.note("nothing ran: all of it is read first");
            Left::Failed(None)
        })
    }
}

/// Does a statement only define a function?
fn is_function(text: &str) -> bool {
    let found = pieces(text);
    let mut words = found.iter().filter(|piece| piece.sort != Sort::Comment);
    words
        .next()
        .is_some_and(|word| ["fn", "private"].contains(&word.text(text)))
}

#[cfg(test)]
mod tests;
