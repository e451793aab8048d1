//! Leases of faults: each is a locked file in the sandbox's folder that ends with the process that added the faults.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::error::SandboxError;
use super::log::private;

/// The prefix of the file names.
const PREFIX: &str = "faults-";

/// Held by the process that added faults. The system releases it when the process ends, for whatever reason.
#[derive(Debug)]
pub(super) struct Lease {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Lease {
    /// Creates and locks a new lease.
    pub(super) fn take(dir: &Path) -> Result<Lease, SandboxError> {
        let name = format!("{PREFIX}{:016x}", fastrand::u64(..));
        let path = dir.join(&name);
        let lock = private().write(true).create_new(true).open(&path);
        let lock = lock.map_err(SandboxError::file("write", &path))?;
        lock.lock().map_err(SandboxError::file("lock", &path))?;
        Ok(Lease {
            name,
            path,
            _lock: lock,
        })
    }

    /// Returns its name for the serving process.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // If this fails, the next check of the lease removes the file.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns the file of a lease; `None` if the name is not that of a lease.
pub(super) fn file_of(dir: &Path, name: &str) -> Option<PathBuf> {
    let number = name.strip_prefix(PREFIX)?;
    let is_number = number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| dir.join(name))
}

/// Whether a process still holds the lease.
pub(super) fn is_held(path: &Path) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(path) else {
        return false;
    };
    if matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
        return true;
    }
    // The holder died without removing it.
    let _ = fs::remove_file(path);
    false
}
