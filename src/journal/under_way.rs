//! Which rows of a run are under way: noted in a file beside the run's lock, where the next owner finds them when this
//! process dies without a word. Never synced: what is left behind by a machine that loses power was no row's fault.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files;
use crate::sabotage::Sabotage;

/// A row that was under way when its process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) position: u64,
    /// Was its script at work, and no call of it?
    pub(super) computing: bool,
}

/// How often the process of a run has died while a row was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deaths {
    /// In all.
    pub all: u64,
    /// While the row's script was at work, and no call of it.
    pub computing: u64,
}

/// Each row has a line of this length: its position, what it does, and a line end.
const LINE: usize = 24;

/// The notes of one run.
pub(super) struct Notes(Option<Arc<Open>>);

struct Open {
    path: PathBuf,
    file: File,
    /// Lines that are in use.
    used: Mutex<BTreeSet<u64>>,
}

impl Notes {
    /// A run that leaves nothing behind.
    pub(super) fn none() -> Notes {
        Notes(None)
    }

    /// The notes at this path, and the rows that an earlier process left in them. Without a file nothing is noted, which
    /// is no reason not to run.
    pub(super) fn open(path: &Path) -> (Notes, Vec<Left>) {
        let mut left = fs::read(path).map(|bytes| read(&bytes)).unwrap_or_default();
        left.retain(|_| !Sabotage::DeathsNotCounted.is_on());
        let open = files::create_private(path).ok().map(|file| {
            Arc::new(Open {
                path: path.to_owned(),
                file,
                used: Mutex::default(),
            })
        });
        (Notes(open), left)
    }

    /// Forgets what an earlier process left.
    pub(super) fn clear(&self) {
        if let Some(open) = &self.0 {
            let _ = open.file.set_len(0);
        }
    }

    /// Notes a row that begins.
    pub(super) fn begin(&self, position: u64) -> UnderWay {
        let note = self.0.as_ref().map(|open| {
            let mut used = open.used.lock().unwrap_or_else(PoisonError::into_inner);
            let line = (0..=used.len() as u64)
                .find(|line| !used.contains(line))
                .unwrap_or_default();
            used.insert(line);
            (Arc::clone(open), line)
        });
        let under_way = UnderWay { note, position };
        under_way.write('s');
        under_way
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        // Whoever still works on a row keeps the file.
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

/// A row that is under way, until this is dropped.
pub struct UnderWay {
    note: Option<(Arc<Open>, u64)>,
    position: u64,
}

impl UnderWay {
    /// Does this while a call of the row is under way.
    pub fn calling<T>(&self, call: impl FnOnce() -> T) -> T {
        self.write('c');
        let done = call();
        self.write('s');
        done
    }

    fn write(&self, what: char) {
        let Some((open, line)) = &self.note else { return };
        let text = format!("{:>21} {what}\n", self.position);
        let at = line.saturating_mul(LINE as u64);
        // A note that cannot be made is missed only when the process dies.
        let _ = open.file.write_all_at(text.as_bytes(), at);
    }
}

impl Drop for UnderWay {
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

fn read(bytes: &[u8]) -> Vec<Left> {
    let lines = bytes.chunks_exact(LINE).filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?.trim();
        let (position, what) = line.rsplit_once(' ')?;
        let position = position.trim().parse().ok()?;
        match what {
            "s" | "c" => Some(Left {
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
    fn rows_that_had_not_ended_are_found_by_the_next_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r1.rows");
        let (notes, left) = Notes::open(&path);
        assert_eq!(left, []);
        let (ended, computes, calls) = (notes.begin(1), notes.begin(u64::MAX), notes.begin(3));
        ended.calling(|| ());
        drop(ended);
        let again = notes.begin(7);
        let found = calls.calling(|| read(&fs::read(&path).unwrap()));
        let expected = |position, computing| Left { position, computing };
        assert_eq!(
            found,
            [expected(7, true), expected(u64::MAX, true), expected(3, false)]
        );
        // As a killed process leaves it.
        fs::copy(&path, folder.path().join("copy")).unwrap();
        let (next, left) = Notes::open(&folder.path().join("copy"));
        assert_eq!(left.len(), 3);
        next.clear();
        assert_eq!(read(&fs::read(folder.path().join("copy")).unwrap()), []);
        drop((computes, calls, again, notes));
        assert!(!path.exists(), "nothing is left of a run that ended");
    }
}
