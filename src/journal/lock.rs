//! One owner per run: an operating system lock, which a killed process releases immediately.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::apply::{Owner, Submission, Write};
use super::error::JournalError;
use super::files;
use super::limit::ChangeCounts;
use super::progress_notes::{InterruptedRow, ProgressNotes, RowInProgress};
use super::run::{Rules, RunId};
use super::sqlite::Store;
use super::table::Epoch;
use crate::sabotage::Sabotage;

/// The exclusive right to execute a run, held until the last clone is dropped.
#[derive(Clone)]
pub struct RunLock(Arc<RunLockState>);

struct RunLockState {
    owner: Owner,
    rules: Rules,
    /// Locked as long as it is open. A journal in memory has none.
    _file: Option<File>,
    notes: ProgressNotes,
    changes: ChangeCounts,
    locks: Arc<Locks>,
    store: Arc<Store>,
}

impl RunLock {
    /// Returns the locked run.
    pub fn id(&self) -> &RunId {
        &self.0.owner.run
    }

    /// Returns the right to write for the run.
    pub(super) fn owner(&self) -> &Owner {
        &self.0.owner
    }

    /// Returns a write for the run. It is refused if another process has taken the run over.
    pub(super) fn submission(&self, write: Write) -> Submission {
        self.0.owner.submission(write)
    }

    /// Returns the rules by which the keys of its steps are made.
    pub(super) fn rules(&self) -> Rules {
        self.0.rules
    }

    /// Fails with [`JournalError::TakenOver`] if a write showed that another process owns the run.
    pub fn check_owned(&self) -> Result<(), JournalError> {
        self.0.owner.check()
    }

    /// Notes that a row is in progress, for the process that resumes the run if this one dies.
    pub fn begin_row(&self, position: u64) -> RowInProgress {
        self.0.notes.begin(position)
    }

    /// Limits the changes of the run, with those of earlier processes, to this number; `None` for no limit.
    pub fn limit_changes(&self, most: Option<u64>) {
        self.0.changes.set_most(most);
    }

    pub(super) fn change_counts(&self) -> &ChangeCounts {
        &self.0.changes
    }
}

impl std::fmt::Debug for RunLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunLock({})", self.id())
    }
}

impl Drop for RunLockState {
    fn drop(&mut self) {
        // The next owner must find everything this one has written. A failure is reported to the writers.
        let _ = self.store.flush();
        self.locks.held().remove(&self.owner.run);
    }
}

/// The run locks of one journal.
pub(super) struct Locks {
    /// The folder next to the journal; `None` for a journal in memory.
    folder: Option<PathBuf>,
    held: Mutex<BTreeSet<RunId>>,
    /// The number of waits noted so far.
    waits: AtomicU64,
}

/// A file that records that a run waits. Dropping it removes the file and, with the last one, its folder.
pub(super) struct WaitNote(Option<PathBuf>);

impl Drop for WaitNote {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
            let _ = fs::remove_dir(files::folder_of(path));
        }
    }
}

/// A process that only checks whether a run is active holds its lock for a moment, hence several attempts.
const ATTEMPTS: usize = 10;
const RETRY_DELAY: Duration = Duration::from_millis(5);

impl Locks {
    /// Creates the locks of the journal at this path, or of one in memory.
    pub(super) fn new(journal: Option<&Path>) -> Locks {
        Locks {
            folder: journal.map(|path| files::folder_of(path).join("locks")),
            held: Mutex::default(),
            waits: AtomicU64::new(0),
        }
    }

    /// Takes the lock of a run. `own` then makes this process its owner in the store, and returns the epoch. It is given
    /// the rows that an earlier process left in progress when it died.
    pub(super) fn take(
        self: &Arc<Locks>,
        run: &RunId,
        rules: Rules,
        store: &Arc<Store>,
        own: impl FnOnce(Vec<InterruptedRow>) -> Result<Epoch, JournalError>,
    ) -> Result<RunLock, JournalError> {
        if !run.is_safe_file_name() {
            return Err(JournalError::NoSuchRun(run.clone()));
        }
        let busy = |pid| JournalError::RunBusy {
            run: run.clone(),
            pid,
        };
        if !self.held().insert(run.clone()) {
            return Err(busy(Some(std::process::id())));
        }
        let file = match self.path(run).map(|path| lock(&path)) {
            None => None,
            Some(Ok(LockAttempt::Locked(file))) => Some(file),
            Some(Ok(LockAttempt::Busy(pid))) => {
                self.held().remove(run);
                return Err(busy(pid));
            }
            Some(Err((path, error))) => {
                self.held().remove(run);
                return Err(JournalError::Unusable {
                    path,
                    reason: error.to_string(),
                });
            }
        };
        // Left behind by a killed process.
        self.forget_waits(run);
        let (notes, interrupted_rows) = match self.path(run).filter(|_| file.is_some()) {
            Some(path) => ProgressNotes::open(&row_notes_path(&path)),
            None => (ProgressNotes::none(), Vec::new()),
        };
        let epoch = own(interrupted_rows).inspect_err(|_| {
            self.held().remove(run);
        })?;
        // Recorded now.
        notes.clear();
        Ok(RunLock(Arc::new(RunLockState {
            owner: Owner::new(run, epoch),
            rules,
            _file: file,
            notes,
            changes: ChangeCounts::default(),
            locks: Arc::clone(self),
            store: Arc::clone(store),
        })))
    }

    /// Whether this journal handle holds the run.
    pub(super) fn is_held_here(&self, run: &RunId) -> bool {
        self.held().contains(run)
    }

    /// Whether any process holds the run.
    pub(super) fn is_alive(&self, run: &RunId) -> bool {
        if self.is_held_here(run) {
            return true;
        }
        let Some(path) = self.path(run).filter(|_| run.is_safe_file_name()) else {
            return false;
        };
        // A lock that cannot be checked is assumed to be held: waiting is safe, acting is not.
        match File::open(path) {
            Ok(file) => file.try_lock_shared().is_err(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Returns the id of the process that holds the run, if there is one and its id can be read.
    pub(super) fn holder(&self, run: &RunId) -> Option<u32> {
        if self.is_held_here(run) {
            return Some(std::process::id());
        }
        if !self.is_alive(run) {
            return None;
        }
        self.path(run).and_then(|path| last_holder_pid(&path))
    }

    /// Returns a run that is held by any process.
    pub(super) fn any_held_run(&self) -> Option<RunId> {
        let entries = fs::read_dir(self.folder.as_ref()?).ok()?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let runs = names.filter_map(|name| Some(RunId::new(name.strip_suffix(".lock")?)));
        runs.into_iter().find(|run| self.is_alive(run))
    }

    /// Notes which run this one waits for, visible to other processes until the result is dropped.
    pub(super) fn note_wait(&self, run: &RunId, sentence: &str) -> WaitNote {
        let number = self.waits.fetch_add(1, Ordering::Relaxed);
        let path = self.waits_of(run).map(|folder| folder.join(number.to_string()));
        let written = path.filter(|path| {
            // If it cannot be created, only observers miss it.
            let made = files::make_private_folder(files::folder_of(path));
            let made = made.and_then(|()| files::create_private(path));
            made.is_ok_and(|mut file| file.write_all(sentence.as_bytes()).is_ok())
        });
        WaitNote(written)
    }

    /// Returns what the run waits for in a running process, each a sentence without a full stop.
    pub(super) fn waits(&self, run: &RunId) -> Vec<String> {
        if !self.is_alive(run) {
            return Vec::new();
        }
        let notes = self.waits_of(run).and_then(|folder| fs::read_dir(folder).ok());
        let mut sentences: Vec<String> = notes
            .into_iter()
            .flatten()
            .filter_map(|note| fs::read_to_string(note.ok()?.path()).ok())
            .filter(|sentence| !sentence.is_empty())
            .collect();
        sentences.sort();
        sentences.dedup();
        sentences
    }

    /// Returns the folder of a run's wait notes.
    fn waits_of(&self, run: &RunId) -> Option<PathBuf> {
        self.path(run).map(|path| path.with_extension("waits"))
    }

    fn forget_waits(&self, run: &RunId) {
        if let Some(folder) = self.waits_of(run) {
            let _ = fs::remove_dir_all(folder);
        }
    }

    /// Removes the lock file of a run that will not be executed again, unless it is held.
    pub(super) fn forget(&self, run: &RunId) {
        let Some(path) = self
            .path(run)
            .filter(|_| run.is_safe_file_name() && !self.is_held_here(run))
        else {
            return;
        };
        // Locked while it is removed: a process that takes it meanwhile finds that it is gone and creates another.
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            self.forget_waits(run);
            let _ = fs::remove_file(row_notes_path(&path));
            let _ = fs::remove_file(path);
        }
    }

    fn path(&self, run: &RunId) -> Option<PathBuf> {
        self.folder
            .as_ref()
            .map(|folder| folder.join(format!("{run}.lock")))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeSet<RunId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the file next to a run's lock that notes the rows in progress.
fn row_notes_path(lock: &Path) -> PathBuf {
    lock.with_extension("rows")
}

enum LockAttempt {
    Locked(File),
    Busy(Option<u32>),
}

fn lock(path: &Path) -> Result<LockAttempt, (PathBuf, io::Error)> {
    let failed = |error: io::Error| (path.to_owned(), error);
    files::make_private_folder(files::folder_of(path)).map_err(failed)?;
    let mut file = files::create_private(path).map_err(failed)?;
    for attempt in 0..ATTEMPTS {
        let locked = match file.try_lock() {
            Err(TryLockError::WouldBlock) if Sabotage::RunNotLocked.is_on() => Ok(()),
            locked => locked,
        };
        match locked {
            // It was removed before it was locked: others would lock another file of this name.
            Ok(()) if !files::is_same_file(path, &file) => {
                file = files::create_private(path).map_err(failed)?;
            }
            Ok(()) => {
                let mut sign = || {
                    file.set_len(0)?;
                    file.rewind()?;
                    write!(file, "{}", std::process::id())
                };
                sign().map_err(failed)?;
                return Ok(LockAttempt::Locked(file));
            }
            Err(TryLockError::WouldBlock) if attempt + 1 < ATTEMPTS => std::thread::sleep(RETRY_DELAY),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Ok(LockAttempt::Busy(last_holder_pid(path)))
}

/// Returns the id of the process that last took the lock.
fn last_holder_pid(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
