//! The destination of results: its format, and whether it can be written.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::unwritable;
use crate::cli::error::CommandError;
use crate::cli::plan::RunPlan;
use crate::cli::ui::{Ui, UnbufferedStream, Visible};
use crate::journal::is_same_file;
use crate::report::reveal::Reveal;
use crate::report::{self, CSV, Columns, Format, JSON, OWN_COLUMNS, Writer};

pub(super) enum Target {
    /// A file, with the finished rows in a partial file beside it.
    File {
        path: PathBuf,
        partial: PathBuf,
        writer: Box<Writer<BufWriter<File>>>,
        /// Keeps other runs from writing there; held until the results are in place.
        lock: File,
    },
    /// Stdout, row by row.
    Live(Box<Writer<Pipe<Visible<UnbufferedStream>>>>),
    /// Stdout, at the end.
    AtEnd(Visible<UnbufferedStream>),
}

impl Target {
    pub(super) fn open(
        ui: &Ui,
        plan: &RunPlan,
        format: &'static dyn Format,
        resumed: bool,
        columns: &Columns,
        reveal: &Reveal,
    ) -> Result<Target, CommandError> {
        if let Some(path) = file_of(plan) {
            check_distinct_paths(plan.rows.as_deref(), Some(path))?;
            return open_file(path, format, columns, (reveal, is_private(plan)));
        }
        if !format.is_streamed() || resumed {
            return Ok(Target::AtEnd(ui.data()));
        }
        let stdout = Pipe::new(ui.data());
        let writer = Writer::begin(stdout, format, columns.clone(), reveal.clone());
        Ok(Target::Live(Box::new(
            writer.map_err(|error| unwritable(None, error))?,
        )))
    }

    /// The results file, if any.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Target::File { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// The format given by `--format`, else by the file extension; on stdout JSON with `--json`, else CSV.
pub(super) fn format_of(plan: &RunPlan) -> Result<&'static dyn Format, CommandError> {
    let format = requested_format(plan)?;
    let safe = plan.csv_safe.then(|| format.spreadsheet_safe()).flatten();
    Ok(safe.unwrap_or(format))
}

fn requested_format(plan: &RunPlan) -> Result<&'static dyn Format, CommandError> {
    if let Some(name) = &plan.format {
        return report::format_named(name)
            .ok_or_else(|| CommandError::usage(format!("results cannot be written as `{name}`")));
    }
    let Some(path) = file_of(plan) else {
        return Ok(if plan.json { JSON } else { CSV });
    };
    report::format_of(Path::new(path)).ok_or_else(|| {
        CommandError::usage(format!("unsupported file type for results: `{path}`"))
            .hint(format!("use {}, or pass --format", report::format_names(".")))
    })
}

/// Results must not replace their own input: if reading it stops early, the rest would be lost, and masked secrets
/// would replace real ones. Detects links to the same file, too.
pub(in crate::cli) fn check_distinct_paths(
    rows: Option<&str>,
    out: Option<&str>,
) -> Result<(), CommandError> {
    let (Some(rows), Some(out)) = (rows, out.filter(|out| *out != "-")) else {
        return Ok(());
    };
    let Some(input) = input_metadata(rows) else {
        return Ok(());
    };
    let partial = partial_path(Path::new(out));
    for place in [Path::new(out), partial.as_path()] {
        let same = |there: &Metadata| (there.dev(), there.ino()) == (input.dev(), input.ino());
        if std::fs::metadata(place).is_ok_and(|there| same(&there)) {
            return Err(CommandError::usage(format!(
                "--out {out}: the rows come from `{}`, which the results would replace",
                place.display()
            ))
            .hint("write the results to a different file"));
        }
    }
    Ok(())
}

/// Whether only the owner may access the results: with secrets in clear, or if the rows are private as well.
pub(super) fn is_private(plan: &RunPlan) -> bool {
    let rows = plan.rows.as_deref().and_then(input_metadata);
    let rows = rows.filter(Metadata::is_file);
    !plan.reveal.is_empty() || rows.is_some_and(|rows| rows.mode() & 0o777 == rows.mode() & 0o700)
}

fn input_metadata(rows: &str) -> Option<Metadata> {
    if rows != "-" {
        return std::fs::metadata(rows).ok();
    }
    let stdin = io::stdin().as_fd().try_clone_to_owned().ok()?;
    File::from(stdin).metadata().ok()
}

fn file_of(plan: &RunPlan) -> Option<&str> {
    plan.out.as_deref().filter(|out| *out != "-")
}

fn partial_path(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    PathBuf::from(partial)
}

fn open_file(
    path: &str,
    format: &'static dyn Format,
    columns: &Columns,
    (reveal, private): (&Reveal, bool),
) -> Result<Target, CommandError> {
    // A link stays; its target is replaced.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    let refused = |reason: String| {
        CommandError::usage(format!(
            "results cannot be written to `{}`: {reason}",
            path.display()
        ))
    };
    match std::fs::metadata(&path) {
        Ok(there) if there.is_dir() => return Err(refused("it is a folder".into()).hint("name a file in it")),
        // It would be replaced, not written to.
        Ok(there) if !there.is_file() => {
            return Err(refused("it is not a regular file".into()).hint("--out - is standard output"));
        }
        _ => {}
    }
    let partial = partial_path(&path);
    let mode = if private { 0o600 } else { 0o644 };
    let file = match take_partial(&partial, mode).map_err(|error| refused(error.to_string()))? {
        PartialFile::Ours(file) => file,
        PartialFile::Locked => {
            return Err(refused("another run is writing its results there".into())
                .hint("wait until it ends, or write the results to a different file"));
        }
        PartialFile::Foreign => {
            return Err(refused(format!(
                "finished rows would replace `{}`, which was not written by a run",
                partial.display()
            ))
            .hint("move that file away, or choose another name for the results"));
        }
    };
    let lock = file.try_clone().map_err(|error| refused(error.to_string()))?;
    let writer = Writer::begin(BufWriter::new(file), format, columns.clone(), reveal.clone());
    Ok(Target::File {
        partial,
        writer: Box::new(writer.map_err(|error| unwritable(Some(&path), error))?),
        path,
        lock,
    })
}

/// What is at the partial file's path.
enum PartialFile {
    /// A new file, locked.
    Ours(File),
    /// A file of a run in progress.
    Locked,
    /// A file that no run has written.
    Foreign,
}

/// Creates the partial file for finished rows. Removes one left by an ended run, whose rows are in the journal.
fn take_partial(partial: &Path, mode: u32) -> io::Result<PartialFile> {
    loop {
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(mode).open(partial) {
            Ok(file) => match file.try_lock() {
                Ok(()) if is_same_file(partial, &file) => return Ok(PartialFile::Ours(file)),
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => return Ok(PartialFile::Locked),
                Err(TryLockError::Error(error)) => return Err(error),
            },
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        if !std::fs::symlink_metadata(partial).is_ok_and(|there| there.is_file()) {
            return Ok(PartialFile::Foreign);
        }
        let left = match File::open(partial) {
            // It was put in place meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            left => left?,
        };
        match left.try_lock() {
            Ok(()) if !is_same_file(partial, &left) => {}
            Ok(()) if looks_like_results(&left)? => std::fs::remove_file(partial)?,
            Ok(()) => return Ok(PartialFile::Foreign),
            Err(TryLockError::WouldBlock) => return Ok(PartialFile::Locked),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether a file begins like results. An empty one, or one with only the start of a list, was just created.
fn looks_like_results(file: &File) -> io::Result<bool> {
    let mut text = Vec::new();
    file.take(64 * 1024).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    Ok(matches!(text.trim(), "" | "[") || OWN_COLUMNS.iter().all(|column| text.contains(column)))
}

/// Forwards everything until the reader is gone, then discards it without an error: the run's results are in the
/// journal.
#[derive(Debug)]
pub(super) struct Pipe<W> {
    sink: W,
    closed: bool,
}

impl<W: Write> Pipe<W> {
    pub(super) fn new(sink: W) -> Pipe<W> {
        Pipe { sink, closed: false }
    }

    /// Returns `instead` if the reader is gone.
    fn unless_closed<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let done = self.sink.write(bytes);
        self.unless_closed(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let done = self.sink.flush();
        self.unless_closed(done, ())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    /// Fails every write with this error, and counts the writes.
    struct Failing(io::ErrorKind, u32);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_broken_pipe_is_ignored_and_further_writes_are_skipped() {
        let mut pipe = Pipe::new(Failing(io::ErrorKind::BrokenPipe, 0));
        pipe.write_all(b"one\n").unwrap();
        pipe.write_all(b"two\n").unwrap();
        pipe.flush().unwrap();
        assert_eq!(pipe.sink.1, 1);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut pipe = Pipe::new(Failing(io::ErrorKind::StorageFull, 0));
        assert!(pipe.write_all(b"one\n").is_err());
    }
}
