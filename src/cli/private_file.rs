//! Writes files atomically, accessible by their owner only.

use std::io::{self, BufWriter};
use std::path::Path;

use super::draft::Draft;
use super::error::CommandError;
use super::exit::Exit;
use crate::journal::JournalError;

/// Writes a file that only its owner can read (0600), replacing an existing one.
pub(super) fn write(
    path: &Path,
    fill: impl FnOnce(&mut dyn io::Write) -> Result<(), Unwritten>,
) -> Result<(), CommandError> {
    let unwritable = |error: io::Error| {
        CommandError::new(
            Exit::Aborted,
            format!("`{}` cannot be written: {error}", path.display()),
        )
    };
    let mut sink = BufWriter::new(Draft::of(path).map_err(unwritable)?);
    fill(&mut sink).map_err(|error| match error {
        Unwritten::Sink(error) => unwritable(error),
        Unwritten::Other(error) => error,
    })?;
    let draft = sink
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    draft.place().map_err(unwritable)
}

/// The reason why a file was not written.
pub(super) enum Unwritten {
    /// The file itself cannot be written.
    Sink(io::Error),
    /// Its content could not be produced.
    Other(CommandError),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Unwritten {
        Unwritten::Sink(error)
    }
}

impl From<CommandError> for Unwritten {
    fn from(error: CommandError) -> Unwritten {
        Unwritten::Other(error)
    }
}

impl From<JournalError> for Unwritten {
    fn from(error: JournalError) -> Unwritten {
        Unwritten::Other(error.into())
    }
}
