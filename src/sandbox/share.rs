//! Shares one sandbox folder among several processes: one serves, the others use it and wait to take over.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Options;
use super::admin::Health;
use super::error::SandboxError;
use super::log::private;
use super::peer;
use super::serve::{Server, Site};
use super::snapshot::Snapshot;
use super::world::{self, LOG_FILE, World};

const LOCK_FILE: &str = "lock";
const ADDRESS_FILE: &str = "address";

/// How long a process that holds the lock may take until it responds.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(5);

/// The address of a serving process, as stored in the file `address` of its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ServingAddress {
    pub(super) address: SocketAddr,
    pub(super) pid: u32,
    instance: String,
}

/// A served world. Dropping it stops the server and then releases the folder.
#[derive(Debug)]
pub(super) struct ServedWorld {
    /// The first field, so that it stops before the folder is released.
    _server: Server,
    pub(super) site: Arc<Site>,
    pub(super) posted: ServingAddress,
    _lock: File,
}

/// The result of looking for the process that serves a folder.
#[derive(Debug)]
pub(super) enum Found<T> {
    /// The folder was free, and this process holds it for as long as the value lives.
    Free(T),
    /// Another process serves it.
    Taken(ServingAddress),
}

/// The state of a sandbox folder, determined without serving it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The address and process that serve it, if any.
    pub served: Option<(SocketAddr, u32)>,
    /// Its records; `None` if it contains no world.
    pub snapshot: Option<Snapshot>,
}

/// Serves the folder, or finds the process that does.
pub(super) fn find(options: &Options) -> Result<Found<Box<ServedWorld>>, SandboxError> {
    if !options.listen.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(options.listen));
    }
    make_folder(&options.dir)?;
    Ok(match holder(&options.dir)? {
        Found::Free(lock) => Found::Free(Box::new(serve(options, lock)?)),
        Found::Taken(posted) => Found::Taken(posted),
    })
}

/// Acquires the folder's lock, or finds the process that serves it. The holder may be starting or ending, and a process
/// that was just started briefly holds the locks of its parent.
fn holder(dir: &Path) -> Result<Found<File>, SandboxError> {
    let deadline = Instant::now() + ADDRESS_TIMEOUT;
    loop {
        if let Some(lock) = try_lock(dir)? {
            return Ok(Found::Free(lock));
        }
        // The address can be that of an earlier process while the new one is still opening the world.
        let posted = read_address(dir);
        if let Some(posted) = &posted
            && is_serving(posted)
        {
            return Ok(Found::Taken(posted.clone()));
        }
        if Instant::now() > deadline {
            return Err(SandboxError::Silent {
                dir: dir.to_path_buf(),
                pid: posted.map(|posted| posted.pid),
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the folder's lock is free and acquires it.
pub(super) fn wait_for_lock(dir: &Path) -> Result<File, SandboxError> {
    let (file, path) = open_lock(dir)?;
    file.lock().map_err(SandboxError::file("lock", path))?;
    Ok(file)
}

/// Opens the world and serves it, holding the lock.
pub(super) fn serve(options: &Options, lock: File) -> Result<ServedWorld, SandboxError> {
    let before = read_address(&options.dir);
    let path = options.dir.join(ADDRESS_FILE);
    remove(&path)?;
    let world = World::open(&options.dir)?;
    world.describe(&options.services)?;
    let site = Arc::new(Site::new(world, options));
    // Prefer the last port if any will do, so that addresses noted by clients stay valid.
    let mut addresses = vec![options.listen];
    let again = before
        .map(|posted| posted.address)
        .filter(|address| address.ip() == options.listen.ip());
    if let Some(again) = again.filter(|_| options.listen.port() == 0) {
        addresses.insert(0, again);
    }
    let server = Server::start(&addresses, Arc::clone(&site))?;
    let posted = ServingAddress {
        address: server.address,
        pid: std::process::id(),
        instance: site.instance.clone(),
    };
    post_address(&path, &posted)?;
    Ok(ServedWorld {
        _server: server,
        site,
        posted,
        _lock: lock,
    })
}

/// Reads where the folder is served, if the address file is readable.
pub(super) fn read_address(dir: &Path) -> Option<ServingAddress> {
    serde_json::from_slice(&fs::read(dir.join(ADDRESS_FILE)).ok()?).ok()
}

/// Returns the state of the sandbox in the folder, whether or not a process serves it.
pub fn status(dir: &Path) -> Result<Status, SandboxError> {
    if !dir.join(LOG_FILE).exists() {
        return Ok(Status {
            served: None,
            snapshot: None,
        });
    }
    retry_if_server_ends(|| match holder(dir)? {
        Found::Free(_lock) => Ok(Status {
            served: None,
            snapshot: world::read_snapshot(dir)?,
        }),
        Found::Taken(posted) => Ok(Status {
            snapshot: Some(peer::ask(posted.address, "GET", "books", "")?),
            served: Some((posted.address, posted.pid)),
        }),
    })
}

/// Retries an attempt that may ask the serving process when that process ends meanwhile: by then another one serves, or
/// the folder is free.
pub(super) fn retry_if_server_ends<T>(
    mut attempt: impl FnMut() -> Result<T, SandboxError>,
) -> Result<T, SandboxError> {
    let deadline = Instant::now() + ADDRESS_TIMEOUT;
    loop {
        match attempt() {
            Err(SandboxError::Unanswered { .. }) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// Deletes the world in the folder. Fails while a process serves it.
pub fn reset(dir: &Path) -> Result<(), SandboxError> {
    if !dir.exists() {
        return Ok(());
    }
    let _lock = match holder(dir)? {
        Found::Free(lock) => lock,
        Found::Taken(posted) => {
            return Err(SandboxError::InUse {
                dir: dir.to_path_buf(),
                pid: Some(posted.pid),
            });
        }
    };
    remove(&dir.join(LOG_FILE))?;
    remove(&dir.join(ADDRESS_FILE))
}

/// Removes a file, if it exists.
fn remove(path: &Path) -> Result<(), SandboxError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(SandboxError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Whether the process that wrote the address still serves there.
pub(super) fn is_serving(posted: &ServingAddress) -> bool {
    let health = peer::ask::<Health>(posted.address, "GET", "status", "");
    health.is_ok_and(|health| health.instance == posted.instance && health.pid == posted.pid)
}

fn make_folder(dir: &Path) -> Result<(), SandboxError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(SandboxError::file("make the folder", dir))
}

/// Acquires the folder's lock, unless another process holds it.
fn try_lock(dir: &Path) -> Result<Option<File>, SandboxError> {
    let (file, path) = open_lock(dir)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(SandboxError::file("lock", path)(error)),
    }
}

fn open_lock(dir: &Path) -> Result<(File, PathBuf), SandboxError> {
    let path = dir.join(LOCK_FILE);
    let mut options = private();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    Ok((file.map_err(SandboxError::file("open", &path))?, path))
}

/// Writes the address file atomically, readable by its owner only, like the other files in the folder.
fn post_address(path: &Path, posted: &ServingAddress) -> Result<(), SandboxError> {
    let text = serde_json::to_vec(posted).unwrap_or_default();
    let draft = path.with_extension("new");
    // A leftover draft keeps its old permissions.
    drop(fs::remove_file(&draft));
    let file = private().write(true).create_new(true).open(&draft);
    file.and_then(|mut file| file.write_all(&text))
        .map_err(SandboxError::file("write", &draft))?;
    fs::rename(&draft, path).map_err(SandboxError::file("write", path))
}
