//! A document that is open in the editor, and positions in it.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use url::Url;

use crate::script::bundle::Source;
use crate::syntax::{SourceText, TokenKind};

/// A position as editors count: line and UTF-16 code units, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The line.
    pub(super) line: usize,
    /// The position in the line.
    pub(super) character: usize,
}

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    /// Its address, as the editor gives it.
    pub(super) uri: String,
    /// The version of the text, as the editor counts.
    pub(super) version: Json,
    /// The text, and its name in messages: the path of a file.
    pub(super) source: Source,
    /// Where each line starts, in bytes.
    lines: Vec<usize>,
}

/// An `import` in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImportStatement {
    /// The path as written.
    pub(super) path: String,
    /// The name that it gets; empty without one.
    pub(super) alias: String,
    /// The range of the path with its quotes.
    pub(super) at: Range<usize>,
}

impl Document {
    /// Creates a document.
    pub(super) fn new(uri: &str, version: Json, text: &str) -> Document {
        let name = path_of(uri).map_or_else(|| uri.to_owned(), |path| path.display().to_string());
        let source = Source::new(name, text);
        Document {
            uri: uri.to_owned(),
            version,
            lines: line_starts(&source.text),
            source,
        }
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.source.text
    }

    /// The position of a byte.
    pub(super) fn position(&self, byte: usize) -> Position {
        let line = self
            .lines
            .partition_point(|start| *start <= byte)
            .saturating_sub(1);
        let start = self.lines.get(line).copied().unwrap_or(0);
        let before = self.text().get(start..byte).unwrap_or_default();
        Position {
            line,
            character: before.encode_utf16().count(),
        }
    }

    /// The byte at a position. Behind the end of a line that is its end, and inside of a character its start.
    pub(super) fn offset(&self, position: Position) -> usize {
        let Some(start) = self.lines.get(position.line).copied() else {
            return self.text().len();
        };
        let end = self.lines.get(position.line + 1).copied();
        let line = self.text().get(start..end.unwrap_or(self.text().len()));
        let line = line.unwrap_or_default().trim_end_matches(['\r', '\n']);
        let mut units = 0;
        for (at, c) in line.char_indices() {
            units += c.len_utf16();
            if units > position.character {
                return start + at;
            }
        }
        start + line.len()
    }

    /// A range of bytes, for the editor.
    pub(super) fn range(&self, bytes: &Range<usize>) -> Json {
        json!({ "start": self.position(bytes.start), "end": self.position(bytes.end) })
    }

    /// A range of bytes with the document's address.
    pub(super) fn location(&self, bytes: &Range<usize>) -> Json {
        json!({ "uri": self.uri, "range": self.range(bytes) })
    }
}

/// The path of a file's address.
pub(super) fn path_of(uri: &str) -> Option<PathBuf> {
    let url = Url::parse(uri).ok().filter(|url| url.scheme() == "file")?;
    url.to_file_path().ok()
}

/// The imports of a text that have a literal path, also while it is being typed.
pub(super) fn imports(source: &SourceText<'_>) -> Vec<ImportStatement> {
    let code = source.code();
    let is_import = |at: &usize| code.is_keyword(*at, "import") && code.kind(at + 1) == Some(TokenKind::Text);
    let imports = (0..code.len()).filter(is_import);
    imports
        .map(|at| ImportStatement {
            path: code.word(at + 1).trim_matches(['"', '`']).to_owned(),
            alias: if code.word(at + 2) == "as" {
                code.word(at + 3).to_owned()
            } else {
                String::new()
            },
            at: code.start(at + 1)..code.end(at + 1),
        })
        .collect()
}

/// Where each line starts. In the protocol a line ends with `\n`, `\r\n` or `\r`.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends_line = |at: &usize| {
        let next = bytes.get(at + 1);
        bytes[*at] == b'\n' || (bytes[*at] == b'\r' && next != Some(&b'\n'))
    };
    let ends = (0..bytes.len()).filter(ends_line);
    std::iter::once(0).chain(ends.map(|at| at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new("file:///work/a%20b.rhai", json!(1), text)
    }

    fn position(line: usize, character: usize) -> Position {
        Position { line, character }
    }

    #[test]
    fn positions_count_utf16_code_units() {
        let text = "let ä = \"😀\"; x\r\nsecond\rthird\n";
        let document = document(text);
        for (place, found) in [("ä", (0, 4)), ("=", (0, 6)), ("😀", (0, 9)), ("\"; x", (0, 11))] {
            let byte = text.find(place).unwrap_or_default();
            assert_eq!(document.position(byte), position(found.0, found.1), "{place}");
            assert_eq!(document.offset(position(found.0, found.1)), byte, "{place}");
        }
        // In the middle of a character of two units, behind a line, behind the text.
        assert_eq!(
            document.offset(position(0, 10)),
            text.find('😀').unwrap_or_default()
        );
        assert_eq!(
            document.offset(position(0, 99)),
            text.find('\r').unwrap_or_default()
        );
        assert_eq!(document.offset(position(99, 0)), text.len());
        for (line, word) in [(1, "second"), (2, "third")] {
            assert_eq!(
                document.offset(position(line, 0)),
                text.find(word).unwrap_or_default()
            );
        }
        assert_eq!(document.position(text.len()), position(3, 0));
    }

    #[test]
    fn a_document_is_named_by_the_path_of_its_file() {
        assert_eq!(document("").source.name, "/work/a b.rhai");
        let untitled = Document::new("untitled:Untitled-1", json!(1), "\u{feff}x");
        assert_eq!(untitled.source.name, "untitled:Untitled-1");
        assert_eq!(untitled.text(), "x");
    }
}
