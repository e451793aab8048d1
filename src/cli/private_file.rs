//! Writes files atomically, accessible by their owner only.

use std::io::{self, BufWriter};
use std::path::Path;

use super::error::CommandError;
use super::exit::Exit;
use crate::config::StagedFile;
use crate::journal::JournalError;
use crate::report::{self, Format};

/// Writes a file that only its owner can read (0600), replacing an existing one.
pub(super) fn write(
    path: &Path,
    fill: impl FnOnce(&mut dyn io::Write) -> Result<(), WriteFailure>,
) -> Result<(), CommandError> {
    let unwritable = |error: io::Error| {
        CommandError::new(
            Exit::Aborted,
            format!("`{}` cannot be written: {error}", path.display()),
        )
    };
    let mut sink = BufWriter::new(StagedFile::of(path).map_err(unwritable)?);
    fill(&mut sink).map_err(|error| match error {
        WriteFailure::Sink(error) => unwritable(error),
        WriteFailure::Other(error) => error,
    })?;
    let draft = sink
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    draft.place().map_err(unwritable)
}

/// The format of an export, from the file's extension.
pub(super) fn format_of(file: &Path) -> Result<&'static dyn Format, CommandError> {
    report::format_of(file).ok_or_else(|| {
        CommandError::usage(format!("unsupported file type: `{}`", file.display()))
            .hint(format!("use {}", report::format_names(".")))
    })
}

/// The reason why a file was not written.
pub(super) enum WriteFailure {
    /// The file itself cannot be written.
    Sink(io::Error),
    /// Its content could not be produced.
    Other(CommandError),
}

impl From<io::Error> for WriteFailure {
    fn from(error: io::Error) -> WriteFailure {
        WriteFailure::Sink(error)
    }
}

impl From<CommandError> for WriteFailure {
    fn from(error: CommandError) -> WriteFailure {
        WriteFailure::Other(error)
    }
}

impl From<JournalError> for WriteFailure {
    fn from(error: JournalError) -> WriteFailure {
        WriteFailure::Other(error.into())
    }
}
