//! Access to the texts and ASTs of running code: a script, or a session of inputs.

use rhai::{AST, Position};

use super::error::Frame;
use super::host::Host;
use super::parse::{self, Names};

/// The sources of running code.
pub(super) trait Sources: Send + Sync {
    /// The host that it runs on.
    fn host(&self) -> &Host;

    /// The name of the main source in the running text.
    fn main(&self) -> &str;

    /// Whether there is a source of this name.
    fn has_source(&self, source: &str) -> bool;

    /// The AST of an imported source.
    fn ast(&self, source: &str) -> Option<&AST>;

    /// Whether this source is a library.
    fn is_library(&self, source: &str) -> bool;

    /// The source that this import of exactly this source refers to.
    fn exact_import(&self, from: &str, path: &str) -> Option<&str>;

    /// The source that this import of any source refers to.
    fn any_import(&self, path: &str) -> Option<&str>;

    /// The source that an import refers to. Rhai names the wrong importer if a closure of one source is called by another,
    /// so any source's import of this path is accepted. It names a library correctly.
    fn import(&self, from: &str, path: &str) -> Option<&str> {
        let exact = self.exact_import(from, path);
        if self.is_library(from) {
            return exact;
        }
        exact.or_else(|| self.any_import(path))
    }

    /// Names that occur in a source.
    fn names(&self, source: &str) -> Option<&Names>;

    /// Maps a position in the running text to the written one: source, line, column.
    fn written(&self, source: &str, line: usize, column: usize) -> (String, usize, usize);

    /// The frame of a written position; `None` for an unknown source.
    fn at(&self, source: &str, line: usize, column: usize) -> Option<Frame>;

    /// The frame of a position in the running text.
    fn frame(&self, source: &str, position: Position) -> Option<Frame> {
        if position.is_none() {
            return None;
        }
        let (line, column) = parse::place(position);
        let (source, line, column) = self.written(source, line, column);
        self.at(&source, line, column)
    }
}
