//! The durable event log: one JSON entry per line, each written with one `write` before its effect is reported.
//!
//! It survives the death of the process but not of the machine: nothing is synced to disk.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SandboxError;

/// An open event log, positioned at its end.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    path: PathBuf,
    length: u64,
}

/// The extent of the whole entries of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The number of bytes in whole lines.
    pub(super) length: u64,
    /// The number of whole lines.
    pub(super) lines: usize,
}

impl Log {
    /// Opens the log, creating it if missing, and passes every entry to `each` in order. A last line without its line
    /// feed is cut off: its process died while writing it and had not reported it.
    pub(super) fn open<T: DeserializeOwned>(
        path: &Path,
        each: impl FnMut(T) -> Result<(), SandboxError>,
    ) -> Result<(Log, usize), SandboxError> {
        let extent = read(path, each)?.unwrap_or(Extent { length: 0, lines: 0 });
        let file = private().append(true).create(true).open(path);
        let file = file.map_err(SandboxError::file("open", path))?;
        file.set_len(extent.length)
            .map_err(SandboxError::file("remove the incomplete last line of", path))?;
        let log = Log {
            file,
            path: path.to_path_buf(),
            length: extent.length,
        };
        Ok((log, extent.lines))
    }

    /// Appends an entry. On an error nothing was added.
    pub(super) fn append<T: Serialize>(&mut self, entry: &T) -> Result<(), SandboxError> {
        let mut line = serde_json::to_vec(entry).map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // Part of the line may have been written (disk full): remove it, or the next entry would be appended to it.
            let _ = self.file.set_len(self.length);
            return Err(self.failed(error));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    fn failed(&self, source: std::io::Error) -> SandboxError {
        SandboxError::File {
            action: "write",
            path: self.path.clone(),
            source,
        }
    }
}

/// Passes every whole entry of the log to `each` without changing the file; `None` if there is no log.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    mut each: impl FnMut(T) -> Result<(), SandboxError>,
) -> Result<Option<Extent>, SandboxError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SandboxError::file("read", path)(error)),
    };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut extent = Extent { length: 0, lines: 0 };
    let mut line = Vec::new();
    loop {
        line.clear();
        let size = reader
            .read_until(b'\n', &mut line)
            .map_err(SandboxError::file("read", path))?;
        if line.last() != Some(&b'\n') {
            return Ok(Some(extent));
        }
        extent.lines += 1;
        let entry = serde_json::from_slice(&line).map_err(|error| SandboxError::Corrupt {
            path: path.to_path_buf(),
            line: extent.lines,
            reason: error.to_string(),
        })?;
        each(entry)?;
        extent.length += size as u64;
    }
}

/// Returns options for opening a file that, if it is created, only its owner can read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests;
