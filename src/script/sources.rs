//! Where the texts and trees of what runs are found: in a script, or in a session of inputs.

use rhai::{AST, Position};

use super::error::Frame;
use super::host::Host;
use super::parse::{self, Names};

/// The sources of something that runs.
pub(super) trait Sources: Send + Sync {
    /// What the host offers.
    fn host(&self) -> &Host;

    /// The name by which the running text calls its main source.
    fn main(&self) -> &str;

    /// Is there a source of this name?
    fn knows(&self, source: &str) -> bool;

    /// The tree of an imported source.
    fn ast(&self, source: &str) -> Option<&AST>;

    /// The source that an import means.
    fn import(&self, from: &str, path: &str) -> Option<&str>;

    /// Names that occur in a source.
    fn names(&self, source: &str) -> Option<&Names>;

    /// Where a place of the running text is written: source, line, column.
    fn written(&self, source: &str, line: usize, column: usize) -> (String, usize, usize);

    /// The frame of a written place; `None` for a source that is not known.
    fn at(&self, source: &str, line: usize, column: usize) -> Option<Frame>;

    /// The frame of a place in the running text.
    fn frame(&self, source: &str, position: Position) -> Option<Frame> {
        if position.is_none() {
            return None;
        }
        let (line, column) = parse::place(position);
        let (source, line, column) = self.written(source, line, column);
        self.at(&source, line, column)
    }
}
