//! Reads scripts and bundles, and follows their imports.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::app::App;
use super::error::CommandError;
use super::ui::Ui;
use crate::config::{self, Env, Paths, ProtectedSources};
use crate::operation::catalogue::Catalogue;
use crate::operation::files::Project;
use crate::package::MAX_SOURCE_BYTES;
use crate::package::bundle_file::{self, BundleFile};
use crate::package::loader::{self, ScriptLoader, Surroundings};
use crate::package::workspace::VENDORED;
use crate::script::bundle::{Bundle, Source};
use crate::script::host::Host;

/// Reads the main script; `-` is stdin.
pub(super) fn read_main(path: &Path) -> Result<Source, CommandError> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_SOURCE_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| {
                CommandError::usage(format!("the script on standard input cannot be read: {error}"))
            })?;
        if text.len() as u64 > MAX_SOURCE_BYTES {
            let reason = format!("a script may have at most {MAX_SOURCE_BYTES} bytes");
            let message = format!("the script on standard input cannot be read: {reason}");
            return Err(CommandError::usage(message));
        }
        return Ok(Source::new("-", text));
    }
    let text = loader::read(path).map_err(|reason| {
        CommandError::usage(format!("script `{}` cannot be read: {reason}", path.display()))
            .hint("pass the path of a .rhai file, or `-` for standard input")
    })?;
    Ok(Source::new(loader::file_name(path), text))
}

/// Lists the scripts that a command is given: each path, and for a folder all scripts below it in the order of their
/// names. Fails on a folder without scripts.
pub(super) fn scripts(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut scripts = Vec::new();
    for path in paths {
        let before = scripts.len();
        collect(path, &mut scripts)?;
        if scripts.len() == before {
            let message = format!("there is no .rhai file in the folder `{}`", path.display());
            return Err(CommandError::usage(message));
        }
    }
    Ok(scripts)
}

/// Adds a script, or all scripts below a folder in the order of their names. Leaves out hidden files and copies of
/// packages.
pub(super) fn collect(path: &Path, scripts: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    if !path.is_dir() {
        scripts.push(path.to_owned());
        return Ok(());
    }
    if path.join(VENDORED).exists() {
        return Ok(());
    }
    let unreadable = |error: io::Error| {
        CommandError::usage(format!("the folder `{}` cannot be read: {error}", path.display()))
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // A link could lead back here.
        let kind = entry.file_type().map_err(unreadable)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_script = entry.path().extension().is_some_and(|ending| ending == "rhai");
        if !is_hidden && (kind.is_dir() || (is_script && kind.is_file())) {
            entries.push(entry.path());
        }
    }
    entries.sort();
    entries.iter().try_for_each(|entry| collect(entry, scripts))
}

/// What a script may read: the environment, without provisor's own variables, and files of its project, the nearest folder
/// with a project file, or else the script's own. The home folder is no project. For a script on stdin, the current folder
/// counts as its own. What the configuration protects is withheld.
pub(super) fn project(app: &App, script: &Path) -> Project {
    let env = &app.env;
    let folder = match script.parent() {
        Some(parent) if script != Path::new("-") => env.folder().join(parent),
        _ => env.folder().to_owned(),
    };
    let folder = fs::canonicalize(&folder).unwrap_or(folder);
    let file = config::project_file_above(&folder, env);
    let home = env.home().and_then(|home| fs::canonicalize(home).ok());
    let holds_home = |root: &&Path| home.as_ref().is_some_and(|home| home.starts_with(root));
    let root = file.as_deref().and_then(Path::parent);
    let root = root.filter(|root| !holds_home(root)).unwrap_or(&folder);
    let protected = ProtectedSources::new(app.catalogue(), app.paths().ok(), env);
    let env = env.clone();
    let project = Project::new(&folder).within(root).variables(move |name| {
        let is_given = !name.starts_with("PROVISOR_");
        env.get(name).filter(|_| is_given).map(str::to_owned)
    });
    project.withholding(protected)
}

/// Reads a script or a bundle, with everything that it imports.
pub(super) fn read(app: &App, path: &Path) -> Result<Bundle, CommandError> {
    if is_bundle(path) {
        return Ok(BundleFile::read(path)?.bundle()?);
    }
    Ok(read_script(app, path)?.0)
}

/// Reads a script with everything that it imports. Returns the loader, too, which knows its packages.
pub(super) fn read_script(app: &App, path: &Path) -> Result<(Bundle, ScriptLoader), CommandError> {
    ScriptReader::new(app).read(path)
}

/// Reads scripts with their packages.
#[derive(Clone)]
pub(super) struct ScriptReader {
    env: Env,
    /// The folder of the files of packages, if there is one.
    cache: Option<PathBuf>,
    catalogue: Catalogue,
    /// Where warnings are shown, if they are.
    ui: Option<Ui>,
}

impl ScriptReader {
    pub(super) fn new(app: &App) -> ScriptReader {
        ScriptReader {
            env: app.env.clone(),
            cache: app.paths().ok().map(Paths::packages),
            catalogue: app.catalogue().clone(),
            ui: Some(app.ui.clone()),
        }
    }

    /// The same without warnings: for a program that shows findings itself, and reads a script at each change.
    pub(super) fn silent(self) -> ScriptReader {
        ScriptReader { ui: None, ..self }
    }

    /// Reads a script with everything that it imports. Returns the loader, too, which knows its packages.
    pub(super) fn read(&self, path: &Path) -> Result<(Bundle, ScriptLoader), CommandError> {
        let main = read_main(path)?;
        let loader = self.loader(path, &main.text);
        loader.check()?;
        let bundle = Bundle::collect(&main, &loader).map_err(|mut diagnostic| {
            // The line of the import is shown, and what to do about the package.
            let Some(failure) = loader.failure() else {
                return CommandError::from(diagnostic);
            };
            diagnostic.hints.extend(failure.hint());
            CommandError {
                diagnostic: Some(diagnostic),
                ..CommandError::from(failure)
            }
        })?;
        Ok((bundle, loader))
    }

    /// The loader of what a script of this path and text imports.
    pub(super) fn loader(&self, path: &Path, text: &str) -> ScriptLoader {
        ScriptLoader::new(path, text, self.surroundings())
    }

    /// What packages need from this program.
    pub(super) fn surroundings(&self) -> Surroundings {
        let (catalogue, ui) = (self.catalogue.clone(), self.ui.clone());
        Surroundings {
            env: self.env.clone(),
            cache: self.cache.clone(),
            taken: Box::new(move || {
                let host = Host::new(&catalogue);
                let modules = host.module_names().map(str::to_owned);
                modules.chain(host.function_names()).collect::<BTreeSet<String>>()
            }),
            warn: Box::new(move |warning| {
                if let Some(ui) = &ui {
                    ui.warn(warning);
                }
            }),
        }
    }
}

/// Whether the path is that of a bundle.
pub(super) fn is_bundle(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == bundle_file::ENDING)
}

/// What packages need from this program.
pub(super) fn surroundings(app: &App) -> Surroundings {
    ScriptReader::new(app).surroundings()
}
