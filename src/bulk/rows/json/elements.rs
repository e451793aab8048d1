//! Splits a stream of JSON into its elements without parsing them.

use std::io::{BufRead, BufReader, ErrorKind};

use super::super::RowsError;
use super::super::source::{MAX_ROW_BYTES, Stream};
use super::nesting::Nesting;

/// The bytes of one element.
pub(super) struct RawElement {
    pub(super) text: Vec<u8>,
    /// The line it starts on, from 1.
    pub(super) line: u64,
}

/// Yields one element at a time: of an array once [`Cutter::enter_array`] was called, otherwise of lines.
pub(super) struct ElementReader {
    source: BufReader<Stream>,
    line: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Lines,
    /// After `[`.
    First,
    /// After a comma.
    More,
    /// After `]`.
    End,
}

impl ElementReader {
    pub(super) fn new(source: BufReader<Stream>) -> ElementReader {
        ElementReader {
            source,
            line: 1,
            state: State::Lines,
        }
    }

    /// Skips the opening bracket.
    pub(super) fn enter_array(&mut self) -> Result<(), RowsError> {
        match self.skip_blanks()? {
            Some(b'[') => {
                self.source.consume(1);
                self.state = State::First;
                Ok(())
            }
            Some(b'{') => {
                Err(self.broken("the file is an object, not an array of them; one object a line is .jsonl"))
            }
            Some(_) => Err(self.broken("the file is not a JSON array of objects")),
            None => Err(RowsError::Empty),
        }
    }

    pub(super) fn in_array(&self) -> bool {
        self.state != State::Lines
    }

    /// Returns the next element, or `None` after the last.
    pub(super) fn next(&mut self) -> Option<Result<RawElement, RowsError>> {
        match self.state {
            State::Lines => self.next_line().transpose(),
            State::End => None,
            State::First | State::More => self.next_element().transpose(),
        }
    }

    fn next_line(&mut self) -> Result<Option<RawElement>, RowsError> {
        if self.skip_blanks()?.is_none() {
            return Ok(None);
        }
        let line = self.line;
        let mut text = Vec::new();
        self.collect(&mut text, line, |byte| byte == b'\n')?;
        Ok(Some(RawElement { text, line }))
    }

    fn next_element(&mut self) -> Result<Option<RawElement>, RowsError> {
        let first = self.skip_blanks()?;
        if first == Some(b']') && self.state == State::First {
            self.take(b']');
            return self.finish().map(|()| None);
        }
        let line = self.line;
        let mut nesting = Nesting::default();
        let mut text = Vec::new();
        let end = self.collect(&mut text, line, |byte| {
            let ends = nesting.is_outside() && matches!(byte, b',' | b']');
            nesting.step(byte);
            ends
        })?;
        match end {
            Some(_) if text.is_empty() => return Err(self.broken("a comma has no object after it")),
            Some(b']') => self.finish()?,
            Some(_) => self.state = State::More,
            None => {
                return Err(RowsError::Broken {
                    line,
                    problem: "the file ends inside the array: a bracket or quote opened here is never closed"
                        .into(),
                });
            }
        }
        Ok(Some(RawElement { text, line }))
    }

    /// Appends the bytes before the one that `ends` to `text`, and skips that one. Returns it, or `None` at the end of
    /// the file.
    fn collect(
        &mut self,
        text: &mut Vec<u8>,
        line: u64,
        mut ends: impl FnMut(u8) -> bool,
    ) -> Result<Option<u8>, RowsError> {
        while self.peek()?.is_some() {
            let buffer = self.source.buffer();
            let end = buffer.iter().position(|byte| ends(*byte));
            let taken = end.unwrap_or(buffer.len());
            let last = end.map(|at| buffer[at]);
            text.extend_from_slice(&buffer[..taken]);
            let passed = &buffer[..(taken + 1).min(buffer.len())];
            self.line += line_ends(passed);
            let count = passed.len();
            self.source.consume(count);
            if text.len() as u64 > MAX_ROW_BYTES {
                return Err(RowsError::Broken {
                    line,
                    problem: "the row is longer than 16 MiB; a bracket or quote seems to be unclosed".into(),
                });
            }
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Checks that only blanks follow the array.
    fn finish(&mut self) -> Result<(), RowsError> {
        self.state = State::End;
        match self.skip_blanks()? {
            None => Ok(()),
            Some(_) => Err(self.broken("there is more text after the end of the array")),
        }
    }

    fn skip_blanks(&mut self) -> Result<Option<u8>, RowsError> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => self.take(byte),
                other => return Ok(other),
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, RowsError> {
        loop {
            match self.source.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(RowsError::Unreadable(error.to_string())),
            }
        }
    }

    fn take(&mut self, byte: u8) {
        self.source.consume(1);
        self.line += u64::from(byte == b'\n');
    }

    fn broken(&self, problem: &str) -> RowsError {
        RowsError::Broken {
            line: self.line,
            problem: problem.into(),
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}
