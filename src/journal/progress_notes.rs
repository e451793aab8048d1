//! Notes the rows of a run that are in progress in a file next to the run's lock, where the next owner finds them if
//! this process dies. Never synced: a power failure is not the fault of a row.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files;
use crate::sabotage::Sabotage;

/// A row that was in progress when its process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InterruptedRow {
    pub(super) position: u64,
    /// Whether its script was executing, with no call in progress.
    pub(super) computing: bool,
}

/// How often the process of a run has died while a row was in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrashCounts {
    /// The total.
    pub all: u64,
    /// While the row's script was executing, with no call in progress.
    pub computing: u64,
}

/// The length of each row's line: its position, its activity, and a line end.
const LINE: usize = 24;

/// The notes of one run.
pub(super) struct ProgressNotes(Option<Arc<Open>>);

struct Open {
    path: PathBuf,
    file: File,
    /// The lines in use.
    used: Mutex<BTreeSet<u64>>,
}

impl ProgressNotes {
    /// Creates notes that are not written anywhere.
    pub(super) fn none() -> ProgressNotes {
        ProgressNotes(None)
    }

    /// Opens the notes at this path and returns the rows that an earlier process left in them. If the file cannot be
    /// opened, nothing is noted, which does not prevent the run.
    pub(super) fn open(path: &Path) -> (ProgressNotes, Vec<InterruptedRow>) {
        let mut left = fs::read(path).map(|bytes| read(&bytes)).unwrap_or_default();
        left.retain(|_| !Sabotage::DeathsNotCounted.is_on());
        let open = files::create_private(path).ok().map(|file| {
            Arc::new(Open {
                path: path.to_owned(),
                file,
                used: Mutex::default(),
            })
        });
        (ProgressNotes(open), left)
    }

    /// Clears what an earlier process left.
    pub(super) fn clear(&self) {
        if let Some(open) = &self.0 {
            let _ = open.file.set_len(0);
        }
    }

    /// Notes that a row begins.
    pub(super) fn begin(&self, position: u64) -> RowInProgress {
        let note = self.0.as_ref().map(|open| {
            let mut used = open.used.lock().unwrap_or_else(PoisonError::into_inner);
            let line = (0..=used.len() as u64)
                .find(|line| !used.contains(line))
                .unwrap_or_default();
            used.insert(line);
            (Arc::clone(open), line)
        });
        let under_way = RowInProgress { note, position };
        under_way.write('s');
        under_way
    }
}

impl Drop for ProgressNotes {
    fn drop(&mut self) {
        // A row still in progress keeps the file.
        if let Some(open) = self.0.take()
            && open
                .used
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_empty()
        {
            let _ = fs::remove_file(&open.path);
        }
    }
}

/// A row in progress, until this is dropped.
pub struct RowInProgress {
    note: Option<(Arc<Open>, u64)>,
    position: u64,
}

impl RowInProgress {
    /// Runs `call` while marking a call of the row as in progress.
    pub fn track_call<T>(&self, call: impl FnOnce() -> T) -> T {
        self.write('c');
        let done = call();
        self.write('s');
        done
    }

    fn write(&self, what: char) {
        let Some((open, line)) = &self.note else { return };
        let text = format!("{:>21} {what}\n", self.position);
        let at = line.saturating_mul(LINE as u64);
        // A note that cannot be written is missed only if the process dies.
        let _ = open.file.write_all_at(text.as_bytes(), at);
    }
}

impl Drop for RowInProgress {
    fn drop(&mut self) {
        self.write('-');
        if let Some((open, line)) = &self.note {
            open.used
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(line);
        }
    }
}

fn read(bytes: &[u8]) -> Vec<InterruptedRow> {
    let lines = bytes.chunks_exact(LINE).filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?.trim();
        let (position, what) = line.rsplit_once(' ')?;
        let position = position.trim().parse().ok()?;
        match what {
            "s" | "c" => Some(InterruptedRow {
                position,
                computing: what == "s",
            }),
            _ => None,
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn unfinished_rows_are_found_by_the_next_owner_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r1.rows");
        let (notes, left) = ProgressNotes::open(&path);
        assert_eq!(left, []);
        let (ended, computes, calls) = (notes.begin(1), notes.begin(u64::MAX), notes.begin(3));
        ended.track_call(|| ());
        drop(ended);
        let again = notes.begin(7);
        let found = calls.track_call(|| read(&fs::read(&path).unwrap()));
        let expected = |position, computing| InterruptedRow { position, computing };
        assert_eq!(
            found,
            [expected(7, true), expected(u64::MAX, true), expected(3, false)]
        );
        // Copied as a killed process leaves it.
        fs::copy(&path, folder.path().join("copy")).unwrap();
        let (next, left) = ProgressNotes::open(&folder.path().join("copy"));
        assert_eq!(left.len(), 3);
        next.clear();
        assert_eq!(read(&fs::read(folder.path().join("copy")).unwrap()), []);
        drop((computes, calls, again, notes));
        assert!(!path.exists(), "nothing is left of a run that ended");
    }
}
