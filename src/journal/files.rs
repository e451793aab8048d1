//! Files and folders that only their owner may read, whatever the umask says.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Makes a folder, and those above it, for the owner only, so that a power cut does not take them. One that exists is left
/// as it is.
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
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.and_then(|()| sync_folder(parent)),
    }
}

/// Opens a file for reading and writing, and makes it when there is none. Others lose what rights they had to it.
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

/// May others than the owner read, write or list it?
pub(super) fn is_exposed(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        // Elsewhere a user's folders are private by inheritance.
        fs::metadata(path).map(|_| false)
    }
}

/// Is the open file the one of this name?
pub fn is_still(path: &Path, file: &File) -> bool {
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

/// Waits until no other process prepares the same file. Ends when the result is dropped.
pub(super) fn lock_beside(path: &Path) -> io::Result<File> {
    let lock = path_of_lock(path);
    make_private_folder(folder_of(&lock))?;
    let file = create_private(&lock)?;
    file.lock()?;
    Ok(file)
}

/// The file that is locked for that.
pub(super) fn path_of_lock(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".opening");
    folder_of(path).join("locks").join(name)
}

/// Makes a new name in a folder survive a power cut.
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

/// A file of the same name with an ending more: `-wal`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    PathBuf::from(text)
}

/// The folder that holds a file.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
