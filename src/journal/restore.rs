//! Replaces the journal: by a backup, or by itself sealed with another key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Journal;
use super::error::JournalError;
use super::files;
use super::lock::Locks;
use super::replacement::StagedReplacement;
use super::seal::Sealer;
use super::sqlite::{self, DatabaseKind};
use crate::clock::{Clock, Ids};

/// The files that are sealed with one key; they are in one folder.
#[derive(Debug, Clone)]
pub struct SealedFiles {
    /// The journal.
    pub journal: PathBuf,
    /// The persistent vault.
    pub secrets: PathBuf,
    /// The key file. It need not exist.
    pub key: PathBuf,
}

impl Journal {
    /// Replaces the journal at `path`, which no process may have open, with a backup. The previous journal is kept next
    /// to it under a new name, which is returned if there was one. The backup must open with the key and be sound; it
    /// is not changed.
    pub fn restore(
        path: &Path,
        backup: &Path,
        sealer: &Sealer,
        clock: &Clock,
    ) -> Result<Option<PathBuf>, JournalError> {
        let system = |failed: io::Error| unusable(path, &failed);
        let state = files::folder_of(path);
        super::replacement::finish(state).map_err(system)?;
        let draft = StagedReplacement::begin(state).map_err(system)?;
        let copy = draft.place(path);
        let of_backup = |error| match error {
            JournalError::WrongKey { .. } => JournalError::BackupKey {
                path: backup.to_owned(),
                key: earlier_keys(state)
                    .into_iter()
                    .find(|key| opens(&copy, key, clock)),
            },
            JournalError::Corrupt { reason, .. } => JournalError::Backup {
                path: backup.to_owned(),
                reason,
            },
            other => other,
        };
        sqlite::copy_into(backup, &copy).map_err(of_backup)?;
        let opened = Journal::open(&copy, sealer.clone(), clock.clone(), Ids::random()).map_err(of_backup)?;
        let problem = opened.check()?.into_iter().next();
        drop(opened);
        if let Some(reason) = problem {
            let path = backup.to_owned();
            return Err(JournalError::Backup { path, reason });
        }
        sqlite::checkpoint_and_remove_wal(&copy)?;
        // Held until the end: a process that opens a file without a log waits for this lock.
        let _alone = files::lock_beside(path).map_err(system)?;
        match sqlite::checkpoint_and_remove_wal(path) {
            Err(JournalError::Corrupt { .. }) => check_not_in_use(path)?,
            closed => closed?,
        }
        let previous = keep_copy(path, clock).map_err(system)?;
        draft.commit().map_err(system)?;
        Ok(previous)
    }

    /// Seals everything in these files again: with the `given` key, or with a random one that replaces the key file.
    /// The previous key file is kept next to it, as backups open only with the old key; its new name is returned.
    /// Values that cannot be read stay as they are; their number is returned too. No process may have the files open.
    pub fn rekey(
        files: &SealedFiles,
        old: &Sealer,
        given: Option<&Sealer>,
        clock: &Clock,
    ) -> Result<(Option<PathBuf>, u64), JournalError> {
        let SealedFiles {
            journal,
            secrets,
            key,
        } = files;
        let system = |failed: io::Error| unusable(journal, &failed);
        let state = files::folder_of(journal);
        super::replacement::finish(state).map_err(system)?;
        let draft = StagedReplacement::begin(state).map_err(system)?;
        let new = if let Some(given) = given {
            given.clone()
        } else {
            Sealer::from_key_file(&draft.place(key))?
        };
        let mut locks = Vec::new();
        let mut unreadable = 0;
        for (file, what) in [(journal, DatabaseKind::Journal), (secrets, DatabaseKind::Vault)] {
            if !file.exists() {
                continue;
            }
            locks.push(files::lock_beside(file).map_err(system)?);
            sqlite::checkpoint_and_remove_wal(file)?;
            let copy = draft.place(file);
            sqlite::copy_into(file, &copy)?;
            unreadable += sqlite::reseal(&copy, what, old, &new)?;
        }
        let previous = keep_copy(key, clock).map_err(system)?;
        draft.commit().map_err(system)?;
        if given.is_some() && previous.is_some() {
            // The values it opened are now sealed with the given key.
            fs::remove_file(key).map_err(system)?;
        }
        Ok((previous, unreadable))
    }
}

/// Returns the files of keys that were in use before the current one.
fn earlier_keys(state: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(state).into_iter().flatten().flatten();
    let keys = files.filter(|file| file.file_name().to_string_lossy().starts_with("key.replaced-"));
    keys.map(|file| file.path()).collect()
}

fn opens(journal: &Path, key: &Path, clock: &Clock) -> bool {
    let sealer = Sealer::from_key_file(key);
    sealer.is_ok_and(|sealer| Journal::open(journal, sealer, clock.clone(), Ids::random()).is_ok())
}

/// Fails if a run is being executed. A damaged file does not reveal who has it open; the run locks do.
fn check_not_in_use(path: &Path) -> Result<(), JournalError> {
    let locks = Locks::new(Some(path));
    match locks.any_held_run() {
        Some(run) => Err(JournalError::RunBusy {
            pid: locks.holder(&run),
            run,
        }),
        None => Ok(()),
    }
}

/// Keeps a file and its log under a second name: `journal.db.replaced-20260131-093005`.
fn keep_copy(path: &Path, clock: &Clock) -> io::Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    let now = jiff::Timestamp::from_millisecond(clock.now_millis()).unwrap_or_default();
    let previous = files::beside(path, &now.strftime(".replaced-%Y%m%d-%H%M%S").to_string());
    for ending in ["", "-wal"] {
        let (from, to) = (files::beside(path, ending), files::beside(&previous, ending));
        if from.exists() && fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to)?;
        }
    }
    files::sync_folder(files::folder_of(path))?;
    Ok(Some(previous))
}

fn unusable(path: &Path, failed: &io::Error) -> JournalError {
    JournalError::Unusable {
        path: path.to_owned(),
        reason: failed.to_string(),
    }
}
