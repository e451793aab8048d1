//! Files for their owner alone, put in place whole or not at all.

use std::io::{self, BufWriter};
use std::path::Path;

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
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A temporary file is made with 0600, whatever the umask.
    let draft = tempfile::NamedTempFile::new_in(folder).map_err(|error| match error.raw_os_error() {
        // The error names a file of ours that nobody knows.
        Some(code) => unwritable(io::Error::from_raw_os_error(code)),
        None => unwritable(error.kind().into()),
    })?;
    let mut sink = BufWriter::new(draft);
    fill(&mut sink)?;
    let draft = sink
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    draft.as_file().sync_all().map_err(unwritable)?;
    draft
        .persist(path)
        .map(drop)
        .map_err(|error| unwritable(error.error))
}

/// What a failed write to `sink` means.
pub(super) fn failed(error: &io::Error) -> CommandError {
    CommandError::new(Exit::Aborted, format!("the output cannot be written: {error}"))
}
