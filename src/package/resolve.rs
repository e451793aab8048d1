//! Resolves sources to the files that a lock names: fetches packages, with what they need themselves, into the cache.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::bundle_file::BundleFile;
use super::cache::Cache;
use super::git::{Commit, Git};
use super::loader::{self, Failure, Packages, load_in_package};
use super::lock::{Lock, LockedPackage};
use super::manifest::{Manifest, check_version};
use super::source::{GitSource, SourceKind, inner_folder, source_name, split_source_name};
use super::{LIBRARY_FILE, PackageError, PackageSource};
use crate::config::PROJECT_FILE;
use crate::script::bundle::{Bundle, Loader, Source};

/// The most packages that one package may need, directly or indirectly.
const MAX_PACKAGES: usize = 200;

/// Resolves the packages of one manifest.
pub(super) struct Resolver<'a> {
    /// Fetches commits.
    pub(super) git: &'a Git,
    /// Where the files go.
    pub(super) cache: &'a Cache,
    /// The names that no package may have.
    pub(super) taken: &'a BTreeSet<String>,
    /// Shows a warning to the user.
    pub(super) warn: &'a dyn Fn(&str),
    /// Packages whose commits are kept if their sources are the same.
    pub(super) pins: &'a Lock,
    opened: RefCell<BTreeMap<String, Rc<Package>>>,
    /// The SHA-256 of the files that were read, by key and path.
    files: RefCell<BTreeMap<String, BTreeMap<String, String>>>,
    failure: RefCell<Option<PackageError>>,
}

/// A package that was found.
struct Package {
    source: PackageSource,
    place: Place,
    main: String,
    manifest: Manifest,
    /// The folder of its manifest, from which the paths in it count.
    folder: String,
}

/// Where the files of a package are.
#[derive(Clone)]
enum Place {
    Commit(Rc<Commit>),
    /// A folder with links resolved.
    Folder(PathBuf),
    /// A bundle, and the key of the package in it; empty for the script itself.
    Bundle(Rc<BundleFile>, String),
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        git: &'a Git,
        cache: &'a Cache,
        taken: &'a BTreeSet<String>,
        warn: &'a dyn Fn(&str),
        pins: &'a Lock,
    ) -> Resolver<'a> {
        Resolver {
            git,
            cache,
            taken,
            warn,
            pins,
            opened: RefCell::default(),
            files: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// Fetches a package of this name, whose path counts from `folder`. Returns it with all that it needs itself.
    pub(super) fn resolve(
        &self,
        name: &str,
        source: &PackageSource,
        folder: &Path,
    ) -> Result<BTreeMap<String, LockedPackage>, PackageError> {
        let main = self
            .open(name, source, (&Place::Folder(folder.to_owned()), ""))?
            .main
            .clone();
        let text = self.text(name, &main)?.unwrap_or_default();
        let collected = Bundle::collect(&Source::new(source_name(name, &main), text), self);
        if let Some(failure) = self.failure.borrow_mut().take() {
            return Err(failure);
        }
        collected?;
        let (opened, mut files) = (self.opened.borrow(), self.files.borrow_mut());
        let locked = opened.iter().map(|(key, package)| {
            let commit = match &package.place {
                Place::Commit(commit) => Some(commit.hash.clone()),
                Place::Folder(_) => None,
                Place::Bundle(bundle, inner) => bundle
                    .packages()
                    .get(inner)
                    .and_then(|package| package.commit.clone()),
            };
            let locked = LockedPackage {
                source: package.source.to_string(),
                commit,
                needs: package.manifest.needs.clone(),
                main: package.main.clone(),
                files: files.remove(key).unwrap_or_default(),
            };
            (key.clone(), locked)
        });
        Ok(locked.collect())
    }

    /// Finds a package whose path counts from this folder of this place.
    fn open(
        &self,
        key: &str,
        source: &PackageSource,
        from: (&Place, &str),
    ) -> Result<Rc<Package>, PackageError> {
        let (place, main) = match (&source.kind, from) {
            (SourceKind::Git(git), (above, _)) => {
                let is_local = git.url.starts_with("file:");
                if is_local && !matches!(above, Place::Folder(_)) {
                    return Err(refuse(
                        source,
                        "a package from elsewhere cannot name a repository on this machine",
                    ));
                }
                self.commit(key, source, git)?
            }
            (SourceKind::Path(path), (Place::Folder(root), folder)) => {
                in_folder(source, &root.join(folder).join(path))?
            }
            (SourceKind::Path(path), (Place::Commit(commit), folder)) => {
                let inside = inner_folder(folder, path);
                let inside =
                    inside.ok_or_else(|| refuse(source, "it is outside the repository that names it"))?;
                let main = main_file(source, &inside, &commit.files().collect::<Vec<_>>())?;
                (Place::Commit(Rc::clone(commit)), main)
            }
            (SourceKind::Bundle(path), (Place::Folder(root), folder)) => {
                let bundle = BundleFile::read(&root.join(folder).join(path))?;
                let main = bundle.bundle()?.main().name.clone();
                (Place::Bundle(Rc::new(bundle), String::new()), main)
            }
            (SourceKind::Bundle(_), _) => {
                return Err(refuse(source, "a package from elsewhere cannot name a bundle"));
            }
            (SourceKind::Path(_), (Place::Bundle(..), _)) => {
                return Err(refuse(source, "a bundle has no folders beside it"));
            }
        };
        self.enter(key, source, place, main)
    }

    fn commit(
        &self,
        key: &str,
        source: &PackageSource,
        git: &GitSource,
    ) -> Result<(Place, String), PackageError> {
        let pinned = self.pins.packages.get(key);
        let pinned = pinned.filter(|pinned| pinned.source == source.to_string());
        let commit = self
            .git
            .fetch(git, pinned.and_then(|pinned| pinned.commit.as_deref()))?;
        let main = main_file(source, &git.path, &commit.files().collect::<Vec<_>>())?;
        Ok((Place::Commit(commit), main))
    }

    /// Adds a package that was found.
    fn enter(
        &self,
        key: &str,
        source: &PackageSource,
        place: Place,
        main: String,
    ) -> Result<Rc<Package>, PackageError> {
        let mut above = key;
        while let Some((parent, _)) = above.rsplit_once('/') {
            above = parent;
            let opened = self.opened.borrow();
            let is_same = opened
                .get(parent)
                .is_some_and(|known| known.main == main && known.place.is(&place));
            if is_same {
                let chain = key.replace('/', " -> ");
                return Err(refuse(source, &format!("the package needs itself: {chain}")));
            }
        }
        if self.opened.borrow().len() >= MAX_PACKAGES {
            let problem = format!("more than {MAX_PACKAGES} packages are needed");
            return Err(refuse(source, &problem));
        }
        let (manifest, folder) = manifest_of(key, &place, &main)?;
        if let Some(needs) = &manifest.needs {
            check_version(&format!("the package `{key}`"), needs)?;
        }
        manifest.check_names(&format!("the package `{key}`"), self.taken)?;
        let package = Rc::new(Package {
            source: source.clone(),
            place,
            main,
            manifest,
            folder,
        });
        self.opened
            .borrow_mut()
            .insert(key.to_owned(), Rc::clone(&package));
        Ok(package)
    }

    fn opened(&self, key: &str) -> Option<Rc<Package>> {
        self.opened.borrow().get(key).map(Rc::clone)
    }
}

impl Packages for Resolver<'_> {
    fn main(&self, key: &str) -> Result<Option<String>, PackageError> {
        if let Some(package) = self.opened(key) {
            return Ok(Some(package.main.clone()));
        }
        let Some((parent, name)) = key.rsplit_once('/') else {
            return Ok(None);
        };
        let Some(parent) = self.opened(parent) else {
            return Ok(None);
        };
        if let Place::Bundle(bundle, above) = &parent.place {
            let inner = if above.is_empty() {
                name.to_owned()
            } else {
                format!("{above}/{name}")
            };
            let Some(found) = bundle.packages().get(&inner) else {
                return Ok(None);
            };
            let source = PackageSource::parse(&found.source)?;
            let place = Place::Bundle(Rc::clone(bundle), inner);
            return Ok(Some(
                self.enter(key, &source, place, found.main.clone())?.main.clone(),
            ));
        }
        let Some(source) = parent.manifest.uses.get(name) else {
            return Ok(None);
        };
        let package = self.open(key, source, (&parent.place, &parent.folder))?;
        Ok(Some(package.main.clone()))
    }

    fn text(&self, key: &str, path: &str) -> Result<Option<String>, PackageError> {
        let Some(package) = self.opened(key) else {
            return Ok(None);
        };
        let Some(text) = package.place.text(key, path)? else {
            return Ok(None);
        };
        let digest = self.cache.put(text.as_bytes())?;
        let mut files = self.files.borrow_mut();
        files
            .entry(key.to_owned())
            .or_default()
            .insert(path.to_owned(), digest);
        Ok(Some(text))
    }
}

impl Loader for Resolver<'_> {
    fn load(&self, from: &str, import: &str) -> Result<Source, String> {
        let Some((key, file)) = split_source_name(from) else {
            return Err("it is not a package".to_owned());
        };
        load_in_package(self, (&key, file), import, self.warn).map_err(|failure| match failure {
            Failure::Import(reason) => reason,
            Failure::Package(error) => {
                let reason = error.to_string();
                *self.failure.borrow_mut() = Some(error);
                reason
            }
        })
    }
}

impl Place {
    /// Whether the files are in the same place.
    fn is(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Commit(one), Place::Commit(other)) => one.hash == other.hash,
            (Place::Folder(one), Place::Folder(other)) => one == other,
            (Place::Bundle(one, key), Place::Bundle(other, other_key)) => {
                Rc::ptr_eq(one, other) && key == other_key
            }
            _ => false,
        }
    }

    /// The text of a file; `None` if there is none of this path.
    fn text(&self, key: &str, path: &str) -> Result<Option<String>, PackageError> {
        let unreadable = |reason: String| PackageError::Unreadable {
            path: source_name(key, path).into(),
            reason,
        };
        match self {
            Place::Commit(commit) => {
                let text = commit.read(path)?.map(String::from_utf8).transpose();
                text.map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
            }
            Place::Folder(root) => {
                let file = root.join(path);
                let Ok(real) = std::fs::canonicalize(&file) else {
                    return Ok(None);
                };
                if !real.starts_with(root) {
                    return Err(unreadable(
                        "it is a link that leads out of the package".to_owned(),
                    ));
                }
                if !real.is_file() {
                    return Ok(None);
                }
                loader::read(&real).map(Some).map_err(unreadable)
            }
            Place::Bundle(bundle, key) => {
                let name = if key.is_empty() {
                    path.to_owned()
                } else {
                    source_name(key, path)
                };
                Ok(bundle.text(&name).map(str::to_owned))
            }
        }
    }
}

/// Reads the manifest of a package: the block of its main file, or the nearest project's file in its place. Returns it with
/// the folder of the manifest in that place.
fn manifest_of(key: &str, place: &Place, main: &str) -> Result<(Manifest, String), PackageError> {
    let folder_of = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let folder = folder_of(main);
    if let Place::Bundle(bundle, inner) = place {
        let needs = if inner.is_empty() {
            bundle.needs()
        } else {
            bundle
                .packages()
                .get(inner)
                .and_then(|package| package.needs.as_deref())
        };
        let manifest = Manifest {
            needs: needs.map(str::to_owned),
            ..Manifest::default()
        };
        return Ok((manifest, folder));
    }
    let text = place.text(key, main)?.unwrap_or_default();
    if let Some(manifest) = Manifest::of_script(&source_name(key, main), &text)? {
        return Ok((manifest, folder));
    }
    let mut at = folder.as_str();
    loop {
        let path = if at.is_empty() {
            PROJECT_FILE.to_owned()
        } else {
            format!("{at}/{PROJECT_FILE}")
        };
        if let Some(text) = place.text(key, &path)? {
            return Ok((
                Manifest::of_project(&source_name(key, &path), &text)?,
                at.to_owned(),
            ));
        }
        if at.is_empty() {
            return Ok((Manifest::default(), folder));
        }
        at = at.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// Finds the folder and the main file of a package on this machine.
fn in_folder(source: &PackageSource, path: &Path) -> Result<(Place, String), PackageError> {
    let real = std::fs::canonicalize(path)
        .map_err(|error| refuse(source, &format!("`{}`: {error}", path.display())))?;
    if real.is_dir() {
        let entries = std::fs::read_dir(&real).map_err(|error| refuse(source, &error.to_string()))?;
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
        let names: Vec<String> = names.collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let main = main_file(source, "", &names)?;
        return Ok((Place::Folder(real), main));
    }
    let main = real.file_name().map(|name| name.to_string_lossy().into_owned());
    match (main, real.parent()) {
        (Some(main), Some(folder)) if is_script(&main) => Ok((Place::Folder(folder.to_owned()), main)),
        _ => Err(refuse(source, "it is neither a folder nor a script (.rhai)")),
    }
}

/// Finds the file that the importers of a package get: the one that its source names, or `lib.rhai` or `NAME.rhai` in the
/// folder that it names.
fn main_file(source: &PackageSource, path: &str, files: &[&str]) -> Result<String, PackageError> {
    if is_script(path) && files.contains(&path) {
        return Ok(path.to_owned());
    }
    let prefix = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    let own = source.usual_name().map(|name| format!("{name}.rhai"));
    let names = [Some(LIBRARY_FILE.to_owned()), own].into_iter().flatten();
    let mut candidates = names.map(|name| format!("{prefix}{name}"));
    if let Some(main) = candidates.find(|candidate| files.contains(&candidate.as_str())) {
        return Ok(main);
    }
    let scripts = files.iter().filter_map(|file| file.strip_prefix(&prefix));
    let scripts: Vec<&str> = scripts
        .filter(|file| is_script(file) && !file.contains('/'))
        .collect();
    Err(PackageError::Source {
        source_text: source.to_string(),
        problem: format!("it has no file {LIBRARY_FILE}, so it must name the script that is meant"),
        hint: Some(match (scripts.as_slice(), &source.kind) {
            ([], _) => "there is no script (.rhai) in that folder".to_owned(),
            ([first, ..], SourceKind::Git(_)) => format!("for example: …#{prefix}{first}"),
            ([first, ..], _) => format!(
                "for example: {}/{first}",
                source.to_string().trim_end_matches('/')
            ),
        }),
    })
}

fn is_script(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "rhai")
}

fn refuse(source: &PackageSource, problem: &str) -> PackageError {
    PackageError::Source {
        source_text: source.to_string(),
        problem: problem.to_owned(),
        hint: None,
    }
}
