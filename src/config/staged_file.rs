//! A file that is put in place atomically, and leaves nothing behind when the process is killed.
//!
//! Where the system allows it, the file has no name while it is written, so a kill leaves nothing. It gets a temporary
//! name beside its target only for the moment in which it replaces another file; what a kill leaves then is removed by
//! the next draft for the same target.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::ConfigError;
use crate::journal::{folder_of, sync_folder};

/// A file, accessible by its owner only, that is not in place yet.
#[derive(Debug)]
pub(crate) struct StagedFile {
    file: File,
    target: PathBuf,
    /// Whether the file has its temporary name.
    named: bool,
}

impl StagedFile {
    /// Creates an empty draft for this target.
    pub(crate) fn of(target: &Path) -> io::Result<StagedFile> {
        let name = draft_path(target);
        remove(&name)?;
        if let Ok(file) = create_unnamed(folder_of(target)) {
            return Ok(StagedFile {
                file,
                target: target.to_owned(),
                named: false,
            });
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(StagedFile {
            file: options.open(name)?,
            target: target.to_owned(),
            named: true,
        })
    }

    /// The open file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Moves the file to its target, replacing what is there, and syncs it so that it survives a power failure.
    pub(crate) fn place(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        let name = draft_path(&self.target);
        if !self.named && link(&self.file, &self.target).is_ok() {
            return sync_folder(folder_of(&self.target));
        }
        if !self.named {
            remove(&name)?;
            link(&self.file, &name)?;
            self.named = true;
        }
        fs::rename(&name, &self.target)?;
        self.named = false;
        sync_folder(folder_of(&self.target))
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if self.named {
            // If this fails, the next draft for this target removes it.
            let _ = remove(&draft_path(&self.target));
        }
    }
}

/// Replaces a file by one with this text, accessible by its owner only.
pub(super) fn replace(file: &Path, text: &str) -> Result<(), ConfigError> {
    let written = StagedFile::of(file).and_then(|mut draft| {
        draft.write_all(text.as_bytes())?;
        draft.place()
    });
    written.map_err(|error| ConfigError::Unwritable {
        file: file.to_owned(),
        reason: error.to_string(),
    })
}

/// Replaces the text of a file that others may read, too: it keeps its permissions, and a new one gets those of `like`.
/// Of a link, the file behind it is replaced.
pub(crate) fn rewrite(file: &Path, text: &str, like: &Path) -> io::Result<()> {
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let permissions = match fs::metadata(&file) {
        Ok(about) => about.permissions(),
        Err(_) => not_executable(&fs::metadata(like)?),
    };
    let mut staged = StagedFile::of(&file)?;
    staged.write_all(text.as_bytes())?;
    staged.file().set_permissions(permissions)?;
    staged.place()
}

#[cfg(unix)]
fn not_executable(like: &Metadata) -> Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    Permissions::from_mode(like.permissions().mode() & 0o666)
}

#[cfg(not(unix))]
fn not_executable(like: &Metadata) -> Permissions {
    like.permissions()
}

/// `.results.csv.provisor-draft` for `results.csv`.
fn draft_path(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".provisor-draft");
    folder_of(target).join(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn create_unnamed(folder: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Gives an unnamed file a name that is not in use.
#[cfg(target_os = "linux")]
fn link(file: &File, name: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    use std::os::fd::AsRawFd as _;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, open, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn create_unnamed(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_output_file_is_replaced_atomically_once_complete() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.csv");
        // Left behind by a kill during the rename.
        fs::write(draft_path(&target), "half").unwrap();
        for text in ["first", "second"] {
            let before = fs::read_to_string(&target).ok();
            let mut draft = StagedFile::of(&target).unwrap();
            draft.write_all(text.as_bytes()).unwrap();
            if cfg!(target_os = "linux") {
                assert_eq!(names(folder.path()).len(), usize::from(before.is_some()));
            }
            assert_eq!(fs::read_to_string(&target).ok(), before);
            draft.place().unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
            assert_eq!(names(folder.path()), ["out.csv"]);
        }
        drop(StagedFile::of(&target).unwrap());
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn an_abandoned_named_temporary_file_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.csv");
        let named = |target: &Path| StagedFile {
            file: File::create(draft_path(target)).unwrap(),
            target: target.to_owned(),
            named: true,
        };
        drop(named(&target));
        assert!(names(folder.path()).is_empty());
        named(&target).place().unwrap();
        assert_eq!(names(folder.path()), ["out.csv"]);
    }
}
