//! Loads scripts from the file system: the main script, and its imports from below its folder.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::app::App;
use super::error::CommandError;
use crate::config::{self, ProtectedSources};
use crate::operation::files::Project;
use crate::script::bundle::{Loader, Source};

/// The largest script that is accepted, in bytes.
const MAX_SOURCE_BYTES: u64 = 4 << 20;

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
    let text = read(path).map_err(|reason| {
        CommandError::usage(format!("script `{}` cannot be read: {reason}", path.display()))
            .hint("pass the path of a .rhai file, or `-` for standard input")
    })?;
    Ok(Source::new(path.display().to_string(), text))
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

/// Adds a script, or all scripts below a folder in the order of their names.
pub(super) fn collect(path: &Path, scripts: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    if !path.is_dir() {
        scripts.push(path.to_owned());
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

/// Loads imports from files below the main script's folder.
pub(super) struct Folder {
    /// The folder as spelled in the main script's path, for messages.
    shown: PathBuf,
    /// The folder with links resolved; nothing outside it is read.
    root: Option<PathBuf>,
}

impl Folder {
    /// The folder of `script`; the current folder for stdin.
    pub(super) fn of(script: &Path) -> Folder {
        let shown = match script.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Folder {
            root: fs::canonicalize(&shown).ok(),
            shown,
        }
    }
}

impl Loader for Folder {
    fn load(&self, from: &str, import: &str) -> Result<Source, String> {
        let base = match Path::new(from).parent() {
            Some(parent) if from != "-" && !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => self.shown.clone(),
        };
        let mut path = base.join(import);
        if path.extension().is_none_or(|ending| ending != "rhai") {
            path.as_mut_os_string().push(".rhai");
        }
        let real = fs::canonicalize(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        let inside = self.root.as_ref().is_some_and(|root| real.starts_with(root));
        if !inside {
            return Err(format!(
                "`{import}` is outside the folder of the main script, {}; imports must be inside it",
                self.shown.display()
            ));
        }
        let text = read(&real)?;
        // A file has one name, however it was imported.
        let below = self.root.as_ref().and_then(|root| real.strip_prefix(root).ok());
        let name = below.map_or(real.clone(), |below| {
            if self.shown.as_os_str() == "." {
                below.to_owned()
            } else {
                self.shown.join(below)
            }
        });
        Ok(Source::new(name.display().to_string(), text))
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_SOURCE_BYTES {
        return Err(format!(
            "it has {size} bytes; a script may have at most {MAX_SOURCE_BYTES}"
        ));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".into())
}
