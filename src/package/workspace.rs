//! Changes the packages of a manifest: takes, updates, removes and vendors them. Only one process changes the packages of
//! a manifest at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::cache::{Cache, Cached};
use super::git::Git;
use super::loader::{Locked, Surroundings};
use super::lock::{Lock, LockedPackage};
use super::manifest::{Manifest, ManifestFile};
use super::resolve::Resolver;
use super::source::{is_name, source_name};
use super::{PackageError, PackageSource};
use crate::config::make_private_folder;
use crate::value::digest::sha256;

/// The file that marks a folder of vendored packages, which [`Workspace::vendor`] may replace.
pub(crate) const VENDORED: &str = ".provisor-vendor";

/// The packages of a manifest, which no other process changes meanwhile.
pub(crate) struct Workspace {
    file: ManifestFile,
    cache: Cache,
    git: Git,
    taken: BTreeSet<String>,
    warn: Box<dyn Fn(&str)>,
    _guard: File,
}

/// A package of a manifest.
#[derive(Debug, PartialEq)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its source, as the manifest names it.
    pub(crate) source: PackageSource,
    /// What the lock has of it, if that is from the same source.
    pub(crate) locked: Option<LockedPackage>,
    /// Why it cannot be used, if so.
    pub(crate) problem: Option<PackageError>,
}

/// A package in another version, which is not in the lock yet.
pub(crate) struct Update {
    name: String,
    source: PackageSource,
    packages: BTreeMap<String, LockedPackage>,
    /// Whether the source is another one than in the manifest.
    is_moved: bool,
    /// Whether the lock has all of this already.
    is_locked: bool,
    /// The package as it is in the lock; `None` if it is not.
    pub(crate) before: Option<LockedPackage>,
    /// The files that differ.
    pub(crate) changes: Vec<FileChange>,
}

/// A file that differs between two versions of a package.
pub(crate) struct FileChange {
    /// The name of the source.
    pub(crate) name: String,
    /// Its text before; `None` if it is new.
    pub(crate) before: Option<Text>,
    /// Its text after; `None` if it is gone.
    pub(crate) after: Option<String>,
}

/// The earlier text of a file.
pub(crate) enum Text {
    /// The text.
    Known(String),
    /// There is no copy of it any more.
    Unknown,
}

impl Workspace {
    /// The packages of a manifest. Waits while another process changes them.
    pub(crate) fn open(file: ManifestFile, around: Surroundings) -> Result<Workspace, PackageError> {
        let folder = around.cache.unwrap_or_default();
        let unusable = |path: &Path, reason: String| PackageError::Unwritable {
            path: path.to_owned(),
            reason,
        };
        let guards = folder.join("locks");
        make_private_folder(&guards).map_err(|error| unusable(&guards, error.to_string()))?;
        let real = fs::canonicalize(file.path()).map_err(|error| PackageError::Unreadable {
            path: file.path().to_owned(),
            reason: error.to_string(),
        })?;
        let guard = guards.join(sha256(real.to_string_lossy().as_bytes()));
        let opened = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&guard);
        let opened = opened.and_then(|file| file.lock().map(|()| file));
        Ok(Workspace {
            git: Git::new(&around.env),
            cache: Cache::new(folder),
            taken: (around.taken)(),
            warn: around.warn,
            _guard: opened.map_err(|error| unusable(&guard, error.to_string()))?,
            file,
        })
    }

    /// The manifest's file.
    pub(crate) fn file(&self) -> &ManifestFile {
        &self.file
    }

    /// Adds a package to the manifest and the lock. Its path counts from the folder of the manifest.
    pub(crate) fn add(&self, name: &str, source: &PackageSource) -> Result<LockedPackage, PackageError> {
        let mut manifest = self.manifest()?;
        if manifest.uses.contains_key(name) {
            return Err(PackageError::Exists {
                file: self.file.path().to_owned(),
                name: name.to_owned(),
            });
        }
        if !is_name(name) {
            return Err(PackageError::Source {
                source_text: source.to_string(),
                problem: format!("`{name}` cannot be the name of a package"),
                hint: Some(
                    "a name has lower-case letters, digits, _ and -, and begins with a letter: provisor add SOURCE as NAME"
                        .to_owned(),
                ),
            });
        }
        manifest.uses.insert(name.to_owned(), source.clone());
        manifest.check_names(&self.file.path().display().to_string(), &self.taken)?;
        let mut lock = self.read_lock()?;
        let found = self.resolve(name, source, &Lock::default())?;
        let added = found.get(name).cloned();
        self.file.set(name, Some(source))?;
        replace(&mut lock, name, found);
        self.write_lock(&lock)?;
        added.ok_or_else(|| self.unknown(name, &manifest))
    }

    /// Makes the lock match the manifest, and fetches what is not there. Keeps the commits that the lock has. Returns
    /// the names of the packages that are new or changed in the lock, and of those that are no longer in it.
    pub(crate) fn lock(&self) -> Result<(Vec<String>, Vec<String>), PackageError> {
        let manifest = self.manifest()?;
        let old = self.read_lock()?;
        let mut new = Lock::default();
        let mut changed = Vec::new();
        for (name, source) in &manifest.uses {
            let kept = self.kept(&old, name, source)?;
            if kept.is_none() {
                changed.push(name.clone());
            }
            let packages = kept.map_or_else(|| self.resolve(name, source, &Lock::default()), Ok)?;
            new.packages.extend(packages);
        }
        let is_gone = |key: &&String| !key.contains('/') && !manifest.uses.contains_key(*key);
        let gone = old.packages.keys().filter(is_gone).cloned().collect();
        if new != old {
            self.write_lock(&new)?;
        }
        Ok((changed, gone))
    }

    /// What the lock has of a package from this source, after fetching what is not there. `None` if it has none.
    fn kept(
        &self,
        old: &Lock,
        name: &str,
        source: &PackageSource,
    ) -> Result<Option<BTreeMap<String, LockedPackage>>, PackageError> {
        let known = old.packages.get(name);
        if known.is_none_or(|known| known.source != source.to_string()) {
            return Ok(None);
        }
        let kept: BTreeMap<String, LockedPackage> = old
            .below(name)
            .map(|(key, package)| (key.clone(), package.clone()))
            .collect();
        let locked = self.locked(old.clone());
        let read = files(&kept).try_for_each(|(key, path)| locked.text(key, path).map(drop));
        match read {
            Ok(()) => return Ok(Some(kept)),
            // The cache is repaired below, and `vendor` repairs its copies. Anything else is for the user to decide.
            Err(PackageError::Changed { file, .. })
                if self.cache.has(&file) || file.starts_with(self.file.vendor_folder()) => {}
            Err(error @ PackageError::Changed { .. }) => return Err(error),
            Err(_) => {}
        }
        let found = self.resolve(name, source, old)?;
        for (key, path) in files(&kept) {
            let digest =
                |packages: &BTreeMap<String, LockedPackage>| packages.get(key)?.files.get(path).cloned();
            if digest(&found) != digest(&kept) {
                return Err(PackageError::Changed {
                    package: key.to_owned(),
                    file: source_name(key, path).into(),
                    hint: format!(
                        "compare it with what you expect; to use it as it is now: run {}",
                        self.file.command(&format!("update {name}"))
                    ),
                });
            }
        }
        Ok(Some(kept))
    }

    /// Fetches what the source of a package is now, or at another tag or commit. Nothing is written yet.
    pub(crate) fn find_update(&self, name: &str, revision: Option<&str>) -> Result<Update, PackageError> {
        let manifest = self.manifest()?;
        let current = manifest
            .uses
            .get(name)
            .ok_or_else(|| self.unknown(name, &manifest))?;
        let source = revision.map_or_else(|| Ok(current.clone()), |revision| current.at(revision))?;
        let lock = self.read_lock()?;
        let old: BTreeMap<String, LockedPackage> = lock
            .below(name)
            .map(|(key, package)| (key.clone(), package.clone()))
            .collect();
        let packages = self.resolve(name, &source, &Lock::default())?;
        let mut names: Vec<(&str, &str)> = files(&old).chain(files(&packages)).collect();
        names.sort_unstable();
        names.dedup();
        let locked = self.locked(lock.clone());
        let mut changes = Vec::new();
        for (key, path) in names {
            let digest =
                |packages: &BTreeMap<String, LockedPackage>| packages.get(key)?.files.get(path).cloned();
            let (before, after) = (digest(&old), digest(&packages));
            if before != after {
                changes.push(FileChange {
                    name: source_name(key, path),
                    before: before
                        .map(|digest| self.earlier(&locked, (key, path), &digest))
                        .transpose()?,
                    after: after.map(|digest| self.fetched(&digest)).transpose()?,
                });
            }
        }
        Ok(Update {
            name: name.to_owned(),
            is_moved: source != *current,
            source,
            before: old.get(name).cloned(),
            is_locked: packages == old,
            packages,
            changes,
        })
    }

    /// Writes an update to the lock, and to the manifest if its source is another one.
    pub(crate) fn apply(&self, update: Update) -> Result<(), PackageError> {
        let mut lock = self.read_lock()?;
        if update.is_moved {
            self.file.set(&update.name, Some(&update.source))?;
        }
        replace(&mut lock, &update.name, update.packages);
        self.write_lock(&lock)
    }

    /// Removes a package from the manifest and the lock.
    pub(crate) fn remove(&self, name: &str) -> Result<(), PackageError> {
        let manifest = self.manifest()?;
        if !manifest.uses.contains_key(name) {
            return Err(self.unknown(name, &manifest));
        }
        let mut lock = self.read_lock()?;
        self.file.set(name, None)?;
        replace(&mut lock, name, BTreeMap::new());
        self.write_lock(&lock)
    }

    /// Copies the files of all packages to the vendored folder. Returns the folder and the number of files.
    pub(crate) fn vendor(&self) -> Result<(PathBuf, usize), PackageError> {
        let folder = self.file.vendor_folder();
        let unwritable = |path: &Path, error: &io::Error| PackageError::Unwritable {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let is_own = folder.join(VENDORED).exists();
        if folder.exists() && !is_own {
            return Err(PackageError::Unwritable {
                reason: "it exists, and `provisor vendor` did not make it; move it away".to_owned(),
                path: folder,
            });
        }
        let lock = self.read_lock()?;
        let locked = self.locked(lock.clone());
        // The copies may be the only ones; where one was changed or is missing, the file is taken from where it comes from.
        let elsewhere = self.locked(lock.clone()).without_vendored();
        let parent = self.file.folder();
        let staged = tempfile::Builder::new()
            .prefix(".provisor-vendor-")
            .tempdir_in(parent);
        let staged = staged.map_err(|error| unwritable(parent, &error))?;
        let write = |path: PathBuf, text: &str| -> Result<(), PackageError> {
            let made = path.parent().map_or(Ok(()), fs::create_dir_all);
            made.and_then(|()| fs::write(&path, text))
                .map_err(|error| unwritable(&path, &error))
        };
        let mut count = 0;
        for (key, path) in files(&lock.packages) {
            let text = locked.text(key, path).or_else(|_| elsewhere.text(key, path))?;
            write(Lock::vendored(staged.path(), key).join(path), &text)?;
            count += 1;
        }
        write(
            staged.path().join(VENDORED),
            "Copies of the packages, written by `provisor vendor`, which replaces the folder.\n",
        )?;
        let placed = fs::metadata(parent)
            .and_then(|about| fs::set_permissions(staged.path(), about.permissions()))
            .and_then(|()| {
                if is_own {
                    fs::remove_dir_all(&folder)?;
                }
                Ok(())
            })
            .and_then(|()| fs::rename(staged.path(), &folder));
        placed.map_err(|error| unwritable(&folder, &error))?;
        // It has its new name, so there is nothing to remove.
        let _ = staged.keep();
        Ok((folder, count))
    }

    /// The packages of the manifest.
    pub(crate) fn packages(&self) -> Result<Vec<Package>, PackageError> {
        let manifest = self.manifest()?;
        let lock = self.read_lock()?;
        let locked = self.locked(lock.clone());
        let package = |(name, source): (String, PackageSource)| {
            let found = lock.packages.get(&name);
            let found = found.filter(|found| found.source == source.to_string()).cloned();
            let below: BTreeMap<String, LockedPackage> = lock
                .below(&name)
                .map(|(key, package)| (key.clone(), package.clone()))
                .collect();
            let problem = match &found {
                Some(_) => files(&below).find_map(|(key, path)| locked.text(key, path).err()),
                None => Some(PackageError::Stale {
                    problem: "it is not in the lock".to_owned(),
                    command: self.file.command("lock"),
                }),
            };
            Package {
                name,
                source,
                locked: found,
                problem,
            }
        };
        Ok(manifest.uses.into_iter().map(package).collect())
    }

    fn manifest(&self) -> Result<Manifest, PackageError> {
        let manifest = self.file.read()?;
        let place = self.file.path().display().to_string();
        manifest.check_version(&place)?;
        manifest.check_names(&place, &self.taken)?;
        Ok(manifest)
    }

    fn read_lock(&self) -> Result<Lock, PackageError> {
        let lock = Lock::read(&self.file.lock_file(), &self.file.command("lock"))?;
        Ok(lock.unwrap_or_default())
    }

    fn write_lock(&self, lock: &Lock) -> Result<(), PackageError> {
        lock.write(&self.file.lock_file(), self.file.path())
    }

    fn locked(&self, lock: Lock) -> Locked {
        Locked::new(&self.file, lock, Some(self.cache.clone()))
    }

    fn resolve(
        &self,
        name: &str,
        source: &PackageSource,
        pins: &Lock,
    ) -> Result<BTreeMap<String, LockedPackage>, PackageError> {
        let resolver = Resolver::new(&self.git, &self.cache, &self.taken, &*self.warn, pins);
        resolver.resolve(name, source, self.file.folder())
    }

    /// The text of a file as it is locked, from its vendored copy, the folder it comes from, or the cache.
    fn earlier(
        &self,
        locked: &Locked,
        (key, path): (&str, &str),
        digest: &str,
    ) -> Result<Text, PackageError> {
        if let Ok(text) = locked.text(key, path) {
            return Ok(Text::Known(text));
        }
        Ok(match self.cache.get(digest)? {
            Cached::File(bytes) => Text::Known(String::from_utf8_lossy(&bytes).into_owned()),
            Cached::Missing | Cached::Changed(_) => Text::Unknown,
        })
    }

    /// The text of a file that was just put into the cache.
    fn fetched(&self, digest: &str) -> Result<String, PackageError> {
        match self.cache.get(digest)? {
            Cached::File(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Cached::Missing | Cached::Changed(_) => Err(PackageError::Stale {
                problem: "a file was removed from the cache, or changed in it, while it was compared"
                    .to_owned(),
                command: self.file.command("lock"),
            }),
        }
    }

    fn unknown(&self, name: &str, manifest: &Manifest) -> PackageError {
        PackageError::Unknown {
            file: self.file.path().to_owned(),
            name: name.to_owned(),
            known: manifest.uses.keys().cloned().collect(),
        }
    }
}

impl Update {
    /// The package as it is now.
    pub(crate) fn after(&self) -> Option<&LockedPackage> {
        self.packages.get(&self.name)
    }

    /// Whether nothing would be written.
    pub(crate) fn is_nothing(&self) -> bool {
        self.is_locked && !self.is_moved
    }
}

/// The files of packages: the key and the path of each.
fn files(packages: &BTreeMap<String, LockedPackage>) -> impl Iterator<Item = (&str, &str)> {
    packages
        .iter()
        .flat_map(|(key, package)| package.files.keys().map(|path| (key.as_str(), path.as_str())))
}

/// Replaces a package and all that it needed itself.
fn replace(lock: &mut Lock, name: &str, packages: BTreeMap<String, LockedPackage>) {
    let old: Vec<String> = lock.below(name).map(|(key, _)| key.clone()).collect();
    for key in old {
        lock.packages.remove(&key);
    }
    lock.packages.extend(packages);
}
