//! The cache: the files of packages by their SHA-256. What is in it is read-only, and verified each time it is read.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::PackageError;
use crate::config::make_private_folder;
use crate::value::digest::sha256;

/// A cache in a folder, which is created when it is first written to.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// A file in the cache.
#[derive(Debug, PartialEq)]
pub(super) enum Cached {
    /// Its content.
    File(Vec<u8>),
    /// It is not there.
    Missing,
    /// The file at this path has another content.
    Changed(PathBuf),
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Cache {
        Cache { folder }
    }

    /// Reads the file with this SHA-256.
    pub(super) fn get(&self, digest: &str) -> Result<Cached, PackageError> {
        let path = self.path(digest);
        match fs::read(&path) {
            Ok(bytes) if sha256(&bytes) == digest => Ok(Cached::File(bytes)),
            Ok(_) => Ok(Cached::Changed(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Cached::Missing),
            Err(error) => Err(PackageError::Unreadable {
                path,
                reason: error.to_string(),
            }),
        }
    }

    /// Adds a file and returns its SHA-256. A damaged one is replaced.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<String, PackageError> {
        let digest = sha256(bytes);
        if !matches!(self.get(&digest), Ok(Cached::File(_))) {
            let path = self.path(&digest);
            write(&path, bytes).map_err(|error| PackageError::Unwritable {
                path,
                reason: error.to_string(),
            })?;
        }
        Ok(digest)
    }

    /// Whether a file is in the cache's folder.
    pub(super) fn has(&self, file: &Path) -> bool {
        file.starts_with(&self.folder)
    }

    fn path(&self, digest: &str) -> PathBuf {
        let (first, rest) = digest.split_at(2.min(digest.len()));
        self.folder.join(first).join(rest)
    }
}

/// Writes a file under a temporary name of its own, since other processes may write the same file, and then moves it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private_folder(folder).map_err(|error| io::Error::other(error.to_string()))?;
    let mut staged = tempfile::Builder::new()
        .prefix(".provisor-draft-")
        .tempfile_in(folder)?;
    staged.write_all(bytes)?;
    let mut permissions = staged.as_file().metadata()?.permissions();
    permissions.set_readonly(true);
    staged.as_file().set_permissions(permissions)?;
    staged.as_file().sync_all()?;
    staged.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_file_in_the_cache_is_read_only_and_a_changed_one_is_noticed_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("packages"));
        assert_eq!(cache.get(&sha256(b"one")).unwrap(), Cached::Missing);
        let digest = cache.put(b"one").unwrap();
        assert_eq!(digest, sha256(b"one"));
        assert_eq!(cache.put(b"one").unwrap(), digest);
        assert_eq!(cache.get(&digest).unwrap(), Cached::File(b"one".to_vec()));
        let path = cache.path(&digest);
        assert!(path.metadata().unwrap().permissions().readonly());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "two").unwrap();
        assert_eq!(cache.get(&digest).unwrap(), Cached::Changed(path));
        cache.put(b"one").unwrap();
        assert_eq!(cache.get(&digest).unwrap(), Cached::File(b"one".to_vec()));
    }

    #[test]
    fn writers_of_the_same_file_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("packages"));
        for round in 0..20_u8 {
            // A changed file is in the way, so that each writer has to replace it.
            let bytes = vec![round; 100_000];
            let path = cache.path(&sha256(&bytes));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "changed").unwrap();
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        start.wait();
                        let digest = cache.put(&bytes).unwrap();
                        assert!(matches!(cache.get(&digest).unwrap(), Cached::File(_)));
                    });
                }
            });
            let names = fs::read_dir(path.parent().unwrap()).unwrap();
            assert_eq!(names.count(), 1, "no draft is left");
            fs::remove_file(&path).unwrap();
        }
    }
}
