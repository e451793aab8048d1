//! Counts the bytes of a file on their way to the CSV reader.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::source::{MAX_ROW_BYTES, Stream};

/// A reader that tracks where lines end and how long the current row is.
///
/// The CSV reader's own line numbers are those of its last read, and are wrong after CRLF and blank lines.
pub(super) struct Meter {
    inner: Stream,
    /// The number of bytes read.
    offset: u64,
    /// The offset at which the current row starts.
    row: u64,
    /// The number of line ends before those in `line_ends`.
    lines: u64,
    /// Offsets of line ends that the reader has buffered but that belong to no finished row.
    line_ends: VecDeque<u64>,
    /// The last byte that is not part of a line end.
    last: u8,
    finished: bool,
}

impl Meter {
    pub(super) fn new(inner: Stream) -> Meter {
        Meter {
            inner,
            offset: 0,
            row: 0,
            lines: 0,
            line_ends: VecDeque::new(),
            last: 0,
            finished: false,
        }
    }

    /// Closes the row that ends at byte `end`, and returns the line of its last character, from 1.
    pub(super) fn close_row(&mut self, end: u64) -> u64 {
        self.row = end;
        let mut line = self.lines + 1;
        while let Some(at) = self.line_ends.front().copied().filter(|at| *at < end) {
            self.line_ends.pop_front();
            self.lines += 1;
            // The line end that closes the row belongs to the row's last line.
            line = if at + 1 == end { self.lines } else { self.lines + 1 };
        }
        line
    }

    /// Returns the earliest line on which the next unread row can start.
    pub(super) fn line(&self) -> u64 {
        self.lines + 1
    }

    /// Whether the source ends with the row that ends at `end`, without a closing quote.
    pub(super) fn ends_open(&self, end: u64) -> bool {
        self.finished && self.offset == end && self.last != b'"'
    }
}

impl Read for Meter {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.offset - self.row > MAX_ROW_BYTES {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let count = self.inner.read(buffer)?;
        self.finished = count == 0;
        for (byte, at) in buffer[..count].iter().zip(self.offset..) {
            match byte {
                b'\n' => self.line_ends.push_back(at),
                b'\r' => {}
                other => self.last = *other,
            }
        }
        self.offset += count as u64;
        Ok(count)
    }
}
