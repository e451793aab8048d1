//! Replaces files of the state folder atomically: all of them or none.
//!
//! The new files are prepared in a folder of their own. Renaming that folder commits them: if this process is killed
//! before it has moved them into place, the next process that opens one of them does so.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::files;

const DRAFT: &str = "replacement.part";
const READY_FOLDER: &str = "replacement";

/// The suffixes of the files that SQLite and the journal keep next to a database that is replaced.
const COMPANION_SUFFIXES: [&str; 4] = ["-wal", "-shm", "-journal", "-count"];

/// Replacement files that are not committed yet.
pub(super) struct StagedReplacement {
    state: PathBuf,
}

impl StagedReplacement {
    /// Creates an empty draft for files of this folder, removing one that another process left behind.
    pub(super) fn begin(state: &Path) -> io::Result<StagedReplacement> {
        files::make_private_folder(state)?;
        let draft = StagedReplacement {
            state: state.to_owned(),
        };
        match fs::remove_dir_all(draft.folder()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        files::make_private_folder(&draft.folder())?;
        Ok(draft)
    }

    /// Returns where to write the replacement for this file.
    pub(super) fn place(&self, file: &Path) -> PathBuf {
        self.folder()
            .join(file.file_name().unwrap_or(OsStr::new("journal")))
    }

    /// Puts the files in place. If the process is killed, either none of them is, or the next [`finish`] continues.
    pub(super) fn commit(self) -> io::Result<()> {
        for entry in fs::read_dir(self.folder())? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(path)?;
            } else if COMPANION_SUFFIXES
                .iter()
                .any(|ending| path.to_string_lossy().ends_with(ending))
            {
                fs::remove_file(path)?;
            } else {
                File::open(path)?.sync_all()?;
            }
        }
        files::sync_folder(&self.folder())?;
        fs::rename(self.folder(), self.state.join(READY_FOLDER))?;
        files::sync_folder(&self.state)?;
        finish(&self.state)
    }

    fn folder(&self) -> PathBuf {
        self.state.join(DRAFT)
    }
}

/// Completes a replacement in this folder whose process was killed; does nothing if there is none.
pub fn finish(state: &Path) -> io::Result<()> {
    let ready = state.join(READY_FOLDER);
    if !ready.exists() {
        return Ok(());
    }
    let _alone = files::lock_beside(&ready)?;
    let entries = match fs::read_dir(&ready) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let target = state.join(entry.file_name());
        // A leftover log would be taken for the new file's own.
        for ending in COMPANION_SUFFIXES {
            remove_if_there(&files::beside(&target, ending))?;
        }
        files::sync_folder(state)?;
        fs::rename(entry.path(), &target)?;
    }
    files::sync_folder(state)?;
    fs::remove_dir(&ready)?;
    files::sync_folder(state)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
