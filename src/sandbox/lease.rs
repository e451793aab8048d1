//! Faults that end with whoever asked for them: a locked file in the sandbox's folder stands for each.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::error::SandboxError;

/// What the files' names begin with.
const PREFIX: &str = "faults-";

/// Held by the process that asked for faults. The system lets it go when the process ends, however that happens.
#[derive(Debug)]
pub(super) struct Lease {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Lease {
    /// A new one.
    pub(super) fn take(dir: &Path) -> Result<Lease, SandboxError> {
        let name = format!("{PREFIX}{:016x}", fastrand::u64(..));
        let path = dir.join(&name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&path).map_err(SandboxError::file("write", &path))?;
        lock.lock().map_err(SandboxError::file("lock", &path))?;
        Ok(Lease {
            name,
            path,
            _lock: lock,
        })
    }

    /// By what the serving process knows it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What is left of it is removed by whoever looks for it.
        let _ = fs::remove_file(&self.path);
    }
}

/// The file of a lease; `None` when it cannot be the name of one.
pub(super) fn file_of(dir: &Path, name: &str) -> Option<PathBuf> {
    let number = name.strip_prefix(PREFIX)?;
    let is_number = number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| dir.join(name))
}

/// Does anybody hold it still?
pub(super) fn is_held(path: &Path) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(path) else {
        return false;
    };
    if matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
        return true;
    }
    // Its holder died without removing it.
    let _ = fs::remove_file(path);
    false
}
