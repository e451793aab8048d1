//! Files and folders that only their owner can read, whatever the umask.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Creates a folder and its parents, accessible to the owner only and synced so that they survive a power failure. An
/// existing folder is left unchanged.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    make_private_folder(parent)?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another process created it first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.and_then(|()| sync_folder(parent)),
    }
}

/// Opens a file for reading and writing, creating it if it does not exist. Removes any permissions of other users.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    if is_exposed(path)? {
        make_private(&file)?;
    }
    Ok(file)
}

/// Whether users other than the owner may read, write or list it.
pub(super) fn is_exposed(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        // On other systems a user's folders are private by inheritance.
        fs::metadata(path).map(|_| false)
    }
}

/// Whether the open file is still the one at this path.
pub fn is_same_file(path: &Path, file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let same =
            |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        let (named, open) = (fs::metadata(path), file.metadata());
        named.is_ok_and(|named| open.is_ok_and(|open| same(&named, &open)))
    }
    #[cfg(not(unix))]
    {
        // An open file cannot be removed.
        let _ = file;
        path.exists()
    }
}

/// Waits until no other process prepares the same file. The lock is released when the result is dropped.
pub(super) fn lock_beside(path: &Path) -> io::Result<File> {
    let lock = path_of_lock(path);
    make_private_folder(folder_of(&lock))?;
    let file = create_private(&lock)?;
    file.lock()?;
    Ok(file)
}

/// Returns the lock file for [`lock_beside`].
pub(super) fn path_of_lock(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".opening");
    folder_of(path).join("locks").join(name)
}

/// Syncs a folder, so that a new name in it survives a power failure.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_: &File) -> io::Result<()> {
    Ok(())
}

/// Returns the path with a suffix such as `-wal` appended.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    PathBuf::from(text)
}

/// Returns the folder that holds a file.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
