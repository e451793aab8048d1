//! The input of the row readers; its beginning is inspected first.

use std::io::{self, Cursor, Read};

use super::{RowFormat, RowsError};

/// The longest row accepted, in bytes. A longer one is due to a quote or a bracket that is never closed.
pub(super) const MAX_ROW_BYTES: u64 = 16 * 1024 * 1024;

/// The maximum number of bytes inspected before reading starts.
const HEAD: usize = 64 * 1024;

/// The input of both readers.
pub(super) type Stream = Box<dyn Read + Send>;

/// A source whose beginning has been read.
pub(super) struct Opened {
    head: Vec<u8>,
    rest: Stream,
}

/// Reads the beginning: skips a UTF-8 byte order mark, and rejects UTF-16, spreadsheets and empty files.
pub(super) fn open(mut rest: Stream) -> Result<Opened, RowsError> {
    let mut head = read_head(&mut rest).map_err(|error| RowsError::Unreadable(error.to_string()))?;
    match head.as_slice() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => return Err(RowsError::Utf16),
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => return Err(RowsError::Spreadsheet),
        [0xef, 0xbb, 0xbf, ..] => drop(head.drain(..3)),
        _ => {}
    }
    if head.len() < HEAD && head.iter().all(u8::is_ascii_whitespace) {
        return Err(RowsError::Empty);
    }
    Ok(Opened { head, rest })
}

/// Reads to the end of the first line that is not blank, at most `HEAD` bytes: a slow pipe is not waited for longer.
fn read_head(rest: &mut Stream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while head.len() < HEAD {
        match rest.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => head.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if head.len() > 3 && head.trim_ascii_start().contains(&b'\n') {
            break;
        }
    }
    Ok(head)
}

impl Opened {
    /// Guesses the format from the beginning.
    pub(super) fn guess(&self) -> RowFormat {
        let text = self.head.trim_ascii_start();
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        match text.first() {
            Some(b'[') => RowFormat::Json,
            Some(b'{') => RowFormat::JsonLines,
            _ if line.contains(&b'\t') && !line.contains(&b',') => RowFormat::Tsv,
            _ => RowFormat::Csv,
        }
    }

    /// Returns the whole source, without a byte order mark.
    pub(super) fn into_stream(self) -> Stream {
        Box::new(Cursor::new(self.head).chain(self.rest))
    }
}
