//! Files for their owner alone, put in place whole or not at all.

use std::io::{self, BufWriter};
use std::path::Path;

use super::draft::Draft;
use super::error::CommandError;
use super::exit::Exit;

/// Writes a file that only its owner can read (0600), and replaces what stands in its place.
pub(super) fn write(
    path: &Path,
    fill: impl FnOnce(&mut dyn io::Write) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let unwritable = |error: io::Error| {
        CommandError::new(
            Exit::Aborted,
            format!("`{}` cannot be written: {error}", path.display()),
        )
    };
    let mut sink = BufWriter::new(Draft::of(path).map_err(unwritable)?);
    fill(&mut sink)?;
    let draft = sink
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    draft.place().map_err(unwritable)
}

/// What a failed write to `sink` means.
pub(super) fn failed(error: &io::Error) -> CommandError {
    CommandError::new(Exit::Aborted, format!("the output cannot be written: {error}"))
}
