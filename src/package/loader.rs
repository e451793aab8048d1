//! Loads what a script imports: files inside its project's folder, and packages as their locks pin them.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::cache::{Cache, Cached};
use super::lock::{Lock, LockedPackage};
use super::manifest::{Manifest, ManifestFile, check_version, version};
use super::source::{SourceKind, inner_path, is_file_name, is_name, source_name, split_source_name};
use super::workspace::VENDORED;
use super::{MAX_SOURCE_BYTES, PackageError, PackageSource};
use crate::config::{self, Env};
use crate::script::bundle::{Bundle, Loader, PACKAGE, Source, path_from};

/// What packages need from their surroundings.
pub(crate) struct Surroundings {
    /// The environment.
    pub(crate) env: Env,
    /// The folder of the cache; `None` without a home folder.
    pub(crate) cache: Option<PathBuf>,
    /// The names of the modules and functions that scripts have anyway. They are collected only if needed.
    pub(crate) taken: Box<dyn Fn() -> BTreeSet<String>>,
    /// Shows a warning to the user.
    pub(crate) warn: Box<dyn Fn(&str)>,
}

/// Loads what one script imports.
pub(crate) struct ScriptLoader {
    around: Surroundings,
    /// The script's folder as spelled in its path, for messages.
    shown: PathBuf,
    /// The script's folder with links resolved.
    folder: Option<PathBuf>,
    /// The project's folder, else the script's, with links resolved; nothing outside it is read.
    root: Option<PathBuf>,
    /// The project's file.
    project: Option<PathBuf>,
    /// The script's path and text, in which its block is.
    script: Option<(PathBuf, String)>,
    declared: OnceCell<Result<Vec<Declared>, PackageError>>,
    warned: RefCell<BTreeSet<String>>,
    failure: RefCell<Option<PackageError>>,
}

/// A manifest that applies to the script.
struct Declared {
    /// `None` for a script from standard input.
    file: Option<ManifestFile>,
    manifest: Manifest,
    locked: OnceCell<Result<Locked, PackageError>>,
}

/// The packages of a manifest as its lock pins them.
pub(super) struct Locked {
    pub(super) lock: Lock,
    file: ManifestFile,
    cache: Option<Cache>,
    vendor: Option<PathBuf>,
}

/// Packages whose files import each other.
pub(super) trait Packages {
    /// The file that the importers of a package get; `None` if there is no package of this key.
    fn main(&self, key: &str) -> Result<Option<String>, PackageError>;

    /// The text of a file of a package; `None` if it has no such file.
    fn text(&self, key: &str, path: &str) -> Result<Option<String>, PackageError>;
}

/// Why an import is not found.
pub(super) enum Failure {
    /// The import itself is wrong: a clause that says why.
    Import(String),
    /// The package cannot be used.
    Package(PackageError),
}

/// What an import names.
enum Wanted<'a> {
    /// A file: `./lib`, `../lib.rhai`.
    File,
    /// A package, or a file in the manner of earlier versions: `steps`.
    Name(&'a str),
    /// A file in the manner of earlier versions: `lib/steps`, `steps.rhai`.
    Bare,
}

impl From<PackageError> for Failure {
    fn from(error: PackageError) -> Failure {
        Failure::Package(error)
    }
}

impl ScriptLoader {
    /// The loader for a script of this path (`-`: standard input) and text.
    pub(crate) fn new(path: &Path, text: &str, around: Surroundings) -> ScriptLoader {
        let mut loader = ScriptLoader::beside(path, around);
        loader.script = Some((path.to_owned(), text.to_owned()));
        loader
    }

    /// The loader for inputs that are typed in the folder of this path, which need not exist.
    pub(crate) fn beside(path: &Path, around: Surroundings) -> ScriptLoader {
        let shown = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let folder = fs::canonicalize(around.env.folder().join(&shown)).ok();
        let project = folder
            .as_ref()
            .and_then(|folder| config::project_file_above(folder, &around.env));
        let root = project
            .as_ref()
            .and_then(|file| file.parent())
            .map(Path::to_owned);
        ScriptLoader {
            around,
            root: root.or_else(|| folder.clone()),
            shown,
            folder,
            project,
            script: None,
            declared: OnceCell::new(),
            warned: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// Returns an error if the script's path cannot be that of a source, or a manifest is invalid or needs a later provisor.
    pub(crate) fn check(&self) -> Result<(), PackageError> {
        if let (Some((path, _)), Some(folder)) = (&self.script, &self.folder)
            && let Some(name) = path.file_name()
            && let Some(name) = self.unfit_name(&folder.join(name))
        {
            return Err(PackageError::Invalid {
                place: path.display().to_string(),
                problem: unfit(&name),
                hint: Some("give it another name".to_owned()),
            });
        }
        self.declared().map(|_| ())
    }

    /// The error behind the last import that was not found, if it was a package's.
    pub(crate) fn failure(&self) -> Option<PackageError> {
        self.failure.borrow_mut().take()
    }

    /// What the locks say of the packages that a script imports, and the lowest version of provisor for all of it.
    pub(crate) fn used(&self, bundle: &Bundle) -> Result<(Lock, Option<String>), PackageError> {
        let mut used = Lock::default();
        let mut needs: Vec<String> = Vec::new();
        let keys = bundle
            .sources()
            .iter()
            .filter_map(|source| split_source_name(&source.name));
        let keys: BTreeSet<String> = keys.map(|(key, _)| key).collect();
        for key in keys {
            if let Some(package) = self
                .locked(&key)?
                .and_then(|locked| locked.lock.packages.get(&key))
            {
                needs.extend(package.needs.clone());
                used.packages.insert(key, package.clone());
            }
        }
        needs.extend(
            self.declared()?
                .iter()
                .filter_map(|declared| declared.manifest.needs.clone()),
        );
        Ok((used, needs.into_iter().max_by_key(|needs| version(needs))))
    }

    fn find(&self, from: &str, import: &str) -> Result<Source, Failure> {
        if let Some((key, file)) = split_source_name(from) {
            return load_in_package(self, (&key, file), import, &|_| ());
        }
        let name = match Wanted::of(import) {
            Wanted::File => return self.file(from, import),
            Wanted::Name(name) => name,
            Wanted::Bare => import.split('/').next().unwrap_or_default(),
        };
        if name == import {
            if let Some(main) = self.main(name)? {
                return source(self, name, &main);
            }
        } else if self.declaring(name)?.is_some() {
            return Err(Failure::Import(whole_package(name)));
        }
        let found = self.file(from, import)?;
        if self.warned.borrow_mut().insert(format!("{from} {import}")) {
            (self.around.warn)(&bare_import(from, import));
        }
        Ok(found)
    }

    /// Loads a file inside the root.
    fn file(&self, from: &str, import: &str) -> Result<Source, Failure> {
        let base = match Path::new(from).parent() {
            Some(parent) if from != "-" && !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => self.shown.clone(),
        };
        let path = base.join(with_ending(import.strip_prefix("./").unwrap_or(import)));
        let real = self
            .real(&path)
            .map_err(|error| Failure::Import(format!("`{}`: {error}", path.display())))?;
        if !self.root.as_ref().is_some_and(|root| real.starts_with(root)) {
            let root = match &self.project {
                Some(_) => format!(
                    "the project's folder, {}",
                    self.root.as_deref().unwrap_or(Path::new("")).display()
                ),
                None => format!("the folder of the main script, {}", self.shown.display()),
            };
            let reason = format!("`{import}` is outside {root}; imports must be inside it");
            return Err(Failure::Import(reason));
        }
        if let Some(name) = self.unfit_name(&real) {
            return Err(Failure::Import(unfit(&name)));
        }
        let text = read(&real).map_err(Failure::Import)?;
        let name = self.name(&real);
        if !matches!(Manifest::of_script(&name, &text), Ok(None))
            && self.warned.borrow_mut().insert(name.clone())
        {
            (self.around.warn)(&format!(
                "{name}: its block `/// provisor` has no effect, because another file imports it; declare its packages in \
                 {}",
                config::PROJECT_FILE
            ));
        }
        Ok(Source::new(name, text))
    }

    /// The part of a path inside the root that no source may have in its path.
    fn unfit_name(&self, real: &Path) -> Option<String> {
        let inner = real.strip_prefix(self.root.as_ref()?).ok()?;
        let mut names = inner.iter().map(|part| part.to_string_lossy());
        names
            .find(|name| !is_file_name(name))
            .map(std::borrow::Cow::into_owned)
    }

    /// The name of a file: it has one, however it was imported, and spelled as the script's path is.
    fn name(&self, real: &Path) -> String {
        let Some(folder) = &self.folder else {
            return real.display().to_string();
        };
        let below = path_from(folder, &real.to_string_lossy());
        let joined = if self.shown.as_os_str() == "." {
            PathBuf::from(below)
        } else {
            self.shown.join(below)
        };
        let tidy = without_detours(&joined);
        let is_same = self.real(&tidy).is_ok_and(|other| other == real);
        file_name(if is_same { &tidy } else { &joined })
    }

    /// Resolves the links of a path that counts from the current folder.
    fn real(&self, path: &Path) -> std::io::Result<PathBuf> {
        fs::canonicalize(self.around.env.folder().join(path))
    }

    /// The manifests that apply: the script's own before its project's.
    fn declared(&self) -> Result<&[Declared], PackageError> {
        let declared = self.declared.get_or_init(|| self.read_manifests());
        declared.as_deref().map_err(Clone::clone)
    }

    fn read_manifests(&self) -> Result<Vec<Declared>, PackageError> {
        let mut all = Vec::new();
        if let Some((path, text)) = &self.script {
            let name = path.display().to_string();
            if let Some(manifest) = Manifest::of_script(&name, text)? {
                let is_file = name != "-";
                all.push(Declared::new(
                    is_file.then(|| ManifestFile::Script(path.clone())),
                    manifest,
                ));
            }
        }
        if let Some(path) = &self.project {
            let file = ManifestFile::project(path.clone(), &self.around.env);
            let manifest = file.read()?;
            all.push(Declared::new(Some(file), manifest));
        }
        for Declared { file, manifest, .. } in &all {
            let place = file
                .as_ref()
                .map_or(Path::new("-"), ManifestFile::path)
                .display()
                .to_string();
            manifest.check_version(&place)?;
            if !manifest.uses.is_empty() {
                manifest.check_names(&place, &(self.around.taken)())?;
            }
        }
        Ok(all)
    }

    /// The manifest that declares a package.
    fn declaring(&self, name: &str) -> Result<Option<&Declared>, PackageError> {
        let all = self.declared()?;
        Ok(all
            .iter()
            .find(|declared| declared.manifest.uses.contains_key(name)))
    }

    /// The lock with a package.
    fn locked(&self, key: &str) -> Result<Option<&Locked>, PackageError> {
        let name = key.split('/').next().unwrap_or_default();
        let Some(declared) = self.declaring(name)? else {
            return Ok(None);
        };
        let locked = declared.locked.get_or_init(|| {
            let Some(file) = &declared.file else {
                return Err(PackageError::Invalid {
                    place: "-".to_owned(),
                    problem: "a script from standard input has no lock, so it cannot use packages".to_owned(),
                    hint: Some("write it to a file, and run `provisor lock --script FILE`".to_owned()),
                });
            };
            let cache = self.around.cache.clone().map(Cache::new);
            Locked::open(file, &declared.manifest, cache)
        });
        locked.as_ref().map(Some).map_err(Clone::clone)
    }
}

impl Packages for ScriptLoader {
    fn main(&self, key: &str) -> Result<Option<String>, PackageError> {
        Ok(self.locked(key)?.and_then(|locked| locked.main(key)))
    }

    fn text(&self, key: &str, path: &str) -> Result<Option<String>, PackageError> {
        self.locked(key)?
            .map_or(Ok(None), |locked| locked.text(key, path).map(Some))
    }
}

impl Loader for ScriptLoader {
    fn load(&self, from: &str, import: &str) -> Result<Source, String> {
        self.find(from, import).map_err(|failure| match failure {
            Failure::Import(reason) => reason,
            Failure::Package(error) => {
                let reason = error.to_string();
                *self.failure.borrow_mut() = Some(error);
                reason
            }
        })
    }
}

impl Declared {
    fn new(file: Option<ManifestFile>, manifest: Manifest) -> Declared {
        Declared {
            file,
            manifest,
            locked: OnceCell::new(),
        }
    }
}

impl Locked {
    /// Reads the lock of a manifest. An error if it does not match.
    fn open(file: &ManifestFile, manifest: &Manifest, cache: Option<Cache>) -> Result<Locked, PackageError> {
        let command = file.command("lock");
        let path = file.lock_file();
        let stale = |problem: String| PackageError::Stale {
            problem,
            command: command.clone(),
        };
        let lock = Lock::read(&path, &command)?
            .ok_or_else(|| stale(format!("the lock {} does not exist", path.display())))?;
        for (name, source) in &manifest.uses {
            let locked = lock.packages.get(name);
            if locked.is_none_or(|locked| locked.source != source.to_string()) {
                let problem = format!(
                    "the lock {} does not have the package `{name}` from {source}",
                    path.display()
                );
                return Err(stale(problem));
            }
        }
        let is_declared = |key: &str| {
            manifest
                .uses
                .contains_key(key.split('/').next().unwrap_or_default())
        };
        if let Some(name) = lock.packages.keys().find(|key| !is_declared(key)) {
            let problem = format!(
                "the lock {} has the package `{name}`, which {} no longer declares",
                path.display(),
                file.path().display()
            );
            return Err(stale(problem));
        }
        for (key, LockedPackage { needs, .. }) in &lock.packages {
            needs.as_deref().map_or(Ok(()), |needs| {
                check_version(&format!("the package `{key}`"), needs)
            })?;
        }
        Ok(Locked::new(file, lock, cache))
    }

    /// A lock whose files are read from the vendored folder, the folders they come from, and the cache.
    pub(super) fn new(file: &ManifestFile, lock: Lock, cache: Option<Cache>) -> Locked {
        Locked {
            lock,
            cache,
            // A folder that happens to have this name is no copy of packages.
            vendor: Some(file.vendor_folder()).filter(|folder| folder.join(VENDORED).exists()),
            file: file.clone(),
        }
    }

    /// The same without the vendored folder.
    pub(super) fn without_vendored(self) -> Locked {
        Locked { vendor: None, ..self }
    }

    fn main(&self, key: &str) -> Option<String> {
        self.lock.packages.get(key).map(|package| package.main.clone())
    }

    /// The text of a file of a package, which is the one that the lock names.
    pub(super) fn text(&self, key: &str, path: &str) -> Result<String, PackageError> {
        let package = key.split('/').next().unwrap_or_default();
        let stale = |problem: String| PackageError::Stale {
            problem,
            command: self.file.command("lock"),
        };
        let locked = self.lock.packages.get(key);
        let Some(digest) = locked.and_then(|locked| locked.files.get(path)) else {
            return Err(stale(format!(
                "the lock names no file `{path}` of the package `{key}`"
            )));
        };
        let bytes = if let Some(vendored) = self.vendored(key, path) {
            verified(
                key,
                vendored,
                digest,
                &format!("run {} to copy it anew", self.file.command("vendor")),
            )?
        } else if let Some(file) = self.folder_of(key).map(|folder| folder.join(path)) {
            if !file.exists() {
                return Err(stale(format!(
                    "the file `{}` of the package `{key}` does not exist",
                    file.display()
                )));
            }
            let command = self.file.command(&format!("update {package}"));
            verified(
                key,
                file,
                digest,
                &format!("to use it as it is now: run {command}"),
            )?
        } else {
            match self
                .cache
                .as_ref()
                .map_or(Ok(Cached::Missing), |cache| cache.get(digest))?
            {
                Cached::File(bytes) => bytes,
                Cached::Missing => {
                    return Err(stale(format!(
                        "the file `{path}` of the package `{key}` was not fetched yet"
                    )));
                }
                Cached::Changed(file) => {
                    return Err(PackageError::Changed {
                        package: key.to_owned(),
                        file,
                        hint: format!("run {} to fetch it anew", self.file.command("lock")),
                    });
                }
            }
        };
        String::from_utf8(bytes).map_err(|_| PackageError::Unreadable {
            path: source_name(key, path).into(),
            reason: "it is not UTF-8 text".to_owned(),
        })
    }

    fn vendored(&self, key: &str, path: &str) -> Option<PathBuf> {
        let file = Lock::vendored(self.vendor.as_ref()?, key).join(path);
        file.exists().then_some(file)
    }

    /// The folder of a package that lies in one; `None` if it comes from elsewhere.
    fn folder_of(&self, key: &str) -> Option<PathBuf> {
        let above = match key.rsplit_once('/') {
            Some((parent, _)) => self.folder_of(parent)?,
            None => self.file.folder().to_owned(),
        };
        let source = PackageSource::parse(&self.lock.packages.get(key)?.source).ok()?;
        let SourceKind::Path(path) = source.kind else {
            return None;
        };
        let mut path = above.join(path);
        if path.is_symlink() {
            // The lock names the file behind a link.
            path = fs::canonicalize(&path).unwrap_or(path);
        }
        let is_script = path.extension().is_some_and(|ending| ending == "rhai");
        Some(if path.is_file() || is_script && !path.is_dir() {
            path.parent()?.to_owned()
        } else {
            path
        })
    }
}

/// Reads a file that must have this digest.
fn verified(key: &str, file: PathBuf, digest: &str, hint: &str) -> Result<Vec<u8>, PackageError> {
    let text = read(&file).map_err(|reason| PackageError::Unreadable {
        path: file.clone(),
        reason,
    })?;
    if crate::value::digest::sha256(text.as_bytes()) == digest {
        return Ok(text.into_bytes());
    }
    Err(PackageError::Changed {
        package: key.to_owned(),
        file,
        hint: hint.to_owned(),
    })
}

impl Wanted<'_> {
    fn of(import: &str) -> Wanted<'_> {
        if import.starts_with("./") || import.starts_with("../") || Path::new(import).is_absolute() {
            Wanted::File
        } else if is_name(import) {
            Wanted::Name(import)
        } else {
            Wanted::Bare
        }
    }
}

/// Loads what a file of a package imports: a file of the same package, or a package that it needs.
pub(super) fn load_in_package(
    packages: &dyn Packages,
    (key, file): (&str, &str),
    import: &str,
    warn: &dyn Fn(&str),
) -> Result<Source, Failure> {
    let wanted = Wanted::of(import);
    if let Wanted::Name(name) = wanted {
        let child = format!("{key}/{name}");
        if let Some(main) = packages.main(&child)? {
            return source(packages, &child, &main);
        }
    }
    let path = inner_path(file, &with_ending(import)).filter(|_| !Path::new(import).is_absolute());
    let path = path.ok_or_else(|| Failure::Import(format!("`{import}` is outside the package `{key}`")))?;
    let found = source(packages, key, &path)?;
    if !matches!(wanted, Wanted::File) {
        warn(&bare_import(&source_name(key, file), import));
    }
    Ok(found)
}

fn source(packages: &dyn Packages, key: &str, path: &str) -> Result<Source, Failure> {
    let text = packages.text(key, path)?;
    let text = text.ok_or_else(|| Failure::Import(format!("the package `{key}` has no file `{path}`")))?;
    Ok(Source::new(source_name(key, path), text))
}

fn unfit(name: &str) -> String {
    let reason = if name.starts_with(PACKAGE) {
        format!("only the names of packages begin with `{PACKAGE}`")
    } else {
        "it has control characters".to_owned()
    };
    format!("no file or folder of a script can have the name {name:?}: {reason}")
}

fn whole_package(name: &str) -> String {
    format!("`{name}` is a package, which is imported as a whole: import \"{name}\"")
}

fn bare_import(from: &str, import: &str) -> String {
    format!(
        "{from}: write import \"./{import}\" for the file; the next version takes a name without ./ for a package"
    )
}

/// The path with `.rhai` at its end.
pub(super) fn with_ending(import: &str) -> String {
    if Path::new(import)
        .extension()
        .is_some_and(|ending| ending == "rhai")
    {
        import.to_owned()
    } else {
        format!("{import}.rhai")
    }
}

/// The name of the source in a file, which no package's source has.
pub(crate) fn file_name(path: &Path) -> String {
    let name = path.display().to_string();
    if name.starts_with(PACKAGE) {
        return format!("./{name}");
    }
    name
}

/// Removes the folders of a path that its `..` leave again.
fn without_detours(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        let leaves = part == Component::ParentDir
            && matches!(tidy.components().next_back(), Some(Component::Normal(_)));
        if leaves {
            tidy.pop();
        } else {
            tidy.push(part);
        }
    }
    tidy
}

/// Reads a source. The error is a clause that says why it cannot be read.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_SOURCE_BYTES {
        return Err(format!(
            "it has {size} bytes; a script may have at most {MAX_SOURCE_BYTES}"
        ));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".into())
}
