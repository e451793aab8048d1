//! Putting other files in the place of those of the state folder: all of them, or none.
//!
//! They are made in a folder of their own. When it gets its name, they count: whoever opens one of them next moves them
//! into place, should this process be killed before it has.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::files;

const DRAFT: &str = "replacement.part";
const READY: &str = "replacement";

/// What SQLite, and the journal, keep beside a database that is replaced.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", "-count"];

/// Files that do not count yet.
pub(super) struct Draft {
    state: PathBuf,
}

impl Draft {
    /// An empty draft for files of this folder. What another left is removed.
    pub(super) fn begin(state: &Path) -> io::Result<Draft> {
        files::make_private_folder(state)?;
        let draft = Draft {
            state: state.to_owned(),
        };
        match fs::remove_dir_all(draft.folder()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        files::make_private_folder(&draft.folder())?;
        Ok(draft)
    }

    /// Where the file that is to replace this one belongs.
    pub(super) fn place(&self, file: &Path) -> PathBuf {
        self.folder()
            .join(file.file_name().unwrap_or(OsStr::new("journal")))
    }

    /// Puts the files in place. Killed at any moment, either none of them is, or the next [`finish`] goes on.
    pub(super) fn commit(self) -> io::Result<()> {
        for entry in fs::read_dir(self.folder())? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(path)?;
            } else if BESIDE
                .iter()
                .any(|ending| path.to_string_lossy().ends_with(ending))
            {
                fs::remove_file(path)?;
            } else {
                File::open(path)?.sync_all()?;
            }
        }
        files::sync_folder(&self.folder())?;
        fs::rename(self.folder(), self.state.join(READY))?;
        files::sync_folder(&self.state)?;
        finish(&self.state)
    }

    fn folder(&self) -> PathBuf {
        self.state.join(DRAFT)
    }
}

/// Goes on where a process that replaced files of this folder was killed; nothing when none was.
pub fn finish(state: &Path) -> io::Result<()> {
    let ready = state.join(READY);
    if !ready.exists() {
        return Ok(());
    }
    let _alone = files::lock_beside(&ready)?;
    let entries = match fs::read_dir(&ready) {
        // Another was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let target = state.join(entry.file_name());
        // A log that is not the new file's would be taken for its own.
        for ending in BESIDE {
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
