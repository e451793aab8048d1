//! `provisor add`, `lock`, `update`, `remove`, `list` and `vendor`: the packages that scripts import by name.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};
use similar::TextDiff;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::sources;
use crate::config::{self, Trust};
use crate::package::lock::LockedPackage;
use crate::package::manifest::{Manifest, ManifestFile};
use crate::package::workspace::{FileChange, Package, Text, Workspace};
use crate::package::{PackageError, PackageSource};
use crate::script::bundle::{Source, path_from};
use crate::script::params::Declaration;
use crate::script::program::declaration_of;

/// Whose packages a command is about.
#[derive(Args)]
struct Place {
    /// The packages of this script: of the block at its top, else of its project [default: the project of the current folder].
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

/// Take a package, so that scripts can import it by name.
///
/// Fetches the package and what it needs itself, and runs nothing of it. Writes its source to the table `[use]` of the project's
/// `provisor.toml`, and its commit and the SHA-256 of its files to `provisor.lock`. With --script, they are written to a block at
/// the top of the script, and to `SCRIPT.lock`.
///
/// SOURCE is a folder, a script, a bundle, or a repository with a tag or a commit: `git+URL@TAG`. A file `lib.rhai` in it is what
/// scripts import; append `#FOLDER` or `#FOLDER/FILE.rhai` to choose another.
#[derive(Args)]
#[command(
    override_usage = "provisor add [OPTIONS] <SOURCE> [as <NAME>]",
    after_help = "\
Examples:
  provisor add git+https://example.com/acme/steps@v2.1.0
  provisor add git+ssh://git@example.com/acme/tools@v1#libs/dates.rhai as dates
  provisor add ../shared/steps --script onboard.rhai

A script then begins with: import \"steps\" as steps;

Exit codes: 0 added, 2 not possible, 6 it cannot be fetched"
)]
pub(super) struct AddCommand {
    /// Where the package comes from.
    source: String,
    /// The name under which scripts import it [default: from the source].
    #[arg(value_names = ["as", "NAME"], num_args = 2)]
    name: Option<Vec<String>>,
    /// Write to this script instead of the project.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

/// Lock the declared packages, and fetch what is missing.
///
/// A package that is in the lock keeps its commit and its files, also if its tag was moved since: `provisor update` takes what is
/// there now. Use it after changing `[use]` by hand, and where a project was cloned.
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 the lock matches, 3 a locked file was changed, 6 something cannot be fetched")]
pub(super) struct LockCommand {
    #[command(flatten)]
    place: Place,
}

/// Show what has changed in a package, and take it.
///
/// Fetches the package again: its folder as it is now, what its tag names now, or another tag or commit with --to. Prints the
/// differences of the sources, and asks before the lock is written.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor update steps
  provisor update steps --to v2.2.0
  provisor update steps < /dev/null      only print the differences

Exit codes: 0 taken or unchanged, 2 not possible, or no terminal to confirm at, 6 it cannot be fetched, 9 not confirmed")]
pub(super) struct UpdateCommand {
    /// The name of the package.
    name: String,
    /// Another tag or commit of its repository.
    #[arg(long, value_name = "TAG")]
    to: Option<String>,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

/// Remove a package.
#[derive(Args)]
pub(super) struct RemoveCommand {
    /// The name of the package.
    name: String,
    #[command(flatten)]
    place: Place,
}

/// List the scripts and the packages of a project.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"scripts\": [{file, description}],
   \"packages\": [{name, source, commit, files, problem}]}
  files is the number of files; problem is null if the package can be used

Exit codes: 0 all packages can be used, 3 some cannot")]
pub(super) struct ListCommand {
    #[command(flatten)]
    place: Place,
    /// Print the list as JSON.
    #[arg(long)]
    json: bool,
}

/// Copy the packages into the project.
///
/// Writes the files of all packages to the folder `vendor` beside the lock (with a script's own packages, to `SCRIPT.vendor`).
/// Scripts then run without the cache and the network, and a review shows the code of others, too. Copies must have the digests of
/// the lock. Run it again after each change of the lock.
#[derive(Args)]
pub(super) struct VendorCommand {
    #[command(flatten)]
    place: Place,
}

pub(super) fn add(app: &App, command: &AddCommand) -> Result<Exit, CommandError> {
    let file = match &command.script {
        Some(script) => ManifestFile::Script(script.clone()),
        None => project(app)?,
    };
    let source = relative_source(app, &file, PackageSource::parse(&command.source)?)?;
    let name = match command.name.as_deref() {
        Some([word, name]) if word == "as" => name.clone(),
        Some(words) => {
            let error = format!("`{}` after the source is not understood", words.join(" "));
            return Err(CommandError::usage(error).hint("choose the name so: provisor add SOURCE as NAME"));
        }
        None => source.usual_name().ok_or_else(|| {
            CommandError::usage(format!("`{source}` does not make a name"))
                .hint(format!("choose one: provisor add {} as NAME", command.source))
        })?,
    };
    let changed = Changed::of(app, &file);
    let workspace = open(app, file)?;
    let added = workspace.add(&name, &source)?;
    app.ui.note(&format!(
        "added `{name}` ({}); scripts use it with: import \"{name}\" as {};",
        described(&added),
        name.replace('-', "_")
    ));
    changed.warn();
    Ok(Exit::Ok)
}

pub(super) fn lock(app: &App, command: &LockCommand) -> Result<Exit, CommandError> {
    let workspace = open(app, command.place.manifest(app)?)?;
    let (changed, gone) = workspace.lock()?;
    let lock = workspace.file().lock_file();
    let lock = lock.display();
    if !changed.is_empty() {
        app.ui.note(&format!("{lock}: locked {}", changed.join(", ")));
    }
    if !gone.is_empty() {
        app.ui.note(&format!("{lock}: removed {}", gone.join(", ")));
    }
    if changed.is_empty() && gone.is_empty() {
        app.ui
            .note(&format!("{lock} is up to date, and all files are here"));
    }
    Ok(Exit::Ok)
}

pub(super) fn update(app: &App, command: &UpdateCommand) -> Result<Exit, CommandError> {
    let file = command.place.manifest(app)?;
    let changed = Changed::of(app, &file);
    let workspace = open(app, file)?;
    let name = &command.name;
    let update = workspace.find_update(name, command.to.as_deref())?;
    if update.is_nothing() {
        app.ui.note(&format!("`{name}` is unchanged"));
        return Ok(Exit::Ok);
    }
    for change in &update.changes {
        app.print(difference(change).trim_end_matches('\n'))?;
    }
    let versions = |package: Option<&LockedPackage>| package.map_or("not locked".to_owned(), described);
    let (before, after) = (versions(update.before.as_ref()), versions(update.after()));
    app.ui.note(&format!("`{name}`: {before} -> {after}"));
    app.consent(command.yes, &format!("Use `{name}` as it is now?"))?;
    workspace.apply(update)?;
    app.ui.note(&format!("updated `{name}`"));
    changed.warn();
    Ok(Exit::Ok)
}

pub(super) fn remove(app: &App, command: &RemoveCommand) -> Result<Exit, CommandError> {
    let file = command.place.manifest(app)?;
    let changed = Changed::of(app, &file);
    open(app, file)?.remove(&command.name)?;
    app.ui.note(&format!("removed `{}`", command.name));
    changed.warn();
    Ok(Exit::Ok)
}

pub(super) fn list(app: &App, command: &ListCommand) -> Result<Exit, CommandError> {
    let file = command.place.manifest(app)?;
    let scripts = match &file {
        ManifestFile::Project(path) => scripts(path.parent().unwrap_or(Path::new("")))?,
        ManifestFile::Script(_) => Vec::new(),
    };
    let is_project = matches!(file, ManifestFile::Project(_));
    let packages = open(app, file)?.packages()?;
    let exit = if packages.iter().any(|package| package.problem.is_some()) {
        Exit::Check
    } else {
        Exit::Ok
    };
    if command.json {
        let scripts = scripts
            .iter()
            .map(|(file, description)| json!({"file": file, "description": description}));
        let packages = packages.iter().map(|package| {
            let locked = package.locked.as_ref();
            json!({
                "name": package.name,
                "source": package.source.to_string(),
                "commit": locked.and_then(|locked| locked.commit.as_deref()),
                "files": locked.map(|locked| locked.files.len()),
                "problem": package.problem.as_ref().map(ToString::to_string),
            })
        });
        app.print_json(&json!({
            "version": 1,
            "scripts": scripts.collect::<Vec<Json>>(),
            "packages": packages.collect::<Vec<Json>>(),
        }))?;
        return Ok(exit);
    }
    if is_project {
        app.print_table(
            &scripts,
            "the project has no scripts with `fn main`",
            &["script", "description"],
            |script| vec![script.0.clone(), script.1.clone()],
        )?;
        if !scripts.is_empty() && !packages.is_empty() {
            app.print("")?;
        }
    }
    app.print_table(
        &packages,
        "no packages are used",
        &["package", "source", "locked"],
        |package| {
            let locked = match (&package.problem, &package.locked) {
                (Some(PackageError::Changed { .. }), _) => "a file was changed".to_owned(),
                (Some(_), None) => "not locked".to_owned(),
                (Some(_), Some(_)) => "a file is missing".to_owned(),
                (None, locked) => locked.as_ref().map_or(String::new(), described),
            };
            vec![package.name.clone(), package.source.to_string(), locked]
        },
    )?;
    for Package { name, problem, .. } in &packages {
        if let Some(problem) = problem {
            let hints: Vec<String> = problem.hint().into_iter().collect();
            app.ui.error(&format!("`{name}`: {problem}"), &hints);
        }
    }
    Ok(exit)
}

pub(super) fn vendor(app: &App, command: &VendorCommand) -> Result<Exit, CommandError> {
    let (folder, count) = open(app, command.place.manifest(app)?)?.vendor()?;
    let files = if count == 1 { "file" } else { "files" };
    app.ui.note(&format!("{}: {count} {files}", folder.display()));
    Ok(Exit::Ok)
}

impl Place {
    /// The manifest that a command is about.
    fn manifest(&self, app: &App) -> Result<ManifestFile, CommandError> {
        let Some(script) = &self.script else {
            return project(app);
        };
        let source = sources::read_main(script)?;
        if Manifest::of_script(&source.name, &source.text)?.is_some() {
            return Ok(ManifestFile::Script(script.clone()));
        }
        let folder = fs::canonicalize(app.env.folder().join(script)).ok();
        let project = folder.and_then(|script| config::project_file_above(script.parent()?, &app.env));
        project
            .map(|file| ManifestFile::project(file, &app.env))
            .ok_or_else(|| {
                CommandError::usage(format!(
                    "`{}` has no block `/// provisor` at its top, and is in no project",
                    script.display()
                ))
                .hint(format!("provisor add SOURCE --script {}", script.display()))
            })
    }
}

/// The manifest of the current folder's project.
fn project(app: &App) -> Result<ManifestFile, CommandError> {
    let file = config::project_file(&app.env).ok_or_else(|| {
        CommandError::usage("there is no provisor.toml here or above").hint(
            "create an empty provisor.toml in the project's folder, or use --script FILE for a single script",
        )
    })?;
    Ok(ManifestFile::project(file, &app.env))
}

fn open(app: &App, file: ManifestFile) -> Result<Workspace, CommandError> {
    // The cache is in the home folder; without one there is an error that says so.
    app.paths()?;
    Ok(Workspace::open(file, sources::surroundings(app))?)
}

/// Converts a path that was typed in the current folder to one that counts from the folder of the manifest.
fn relative_source(
    app: &App,
    file: &ManifestFile,
    source: PackageSource,
) -> Result<PackageSource, CommandError> {
    let Some(path) = source.path().filter(|path| !Path::new(path).is_absolute()) else {
        return Ok(source);
    };
    let unreadable = |path: &Path, error: std::io::Error| {
        CommandError::usage(format!("`{}` cannot be read: {error}", path.display()))
    };
    let found = app.env.folder().join(path);
    let found = fs::canonicalize(&found).map_err(|error| unreadable(Path::new(path), error))?;
    let file = fs::canonicalize(app.env.folder().join(file.path()))
        .map_err(|error| unreadable(file.path(), error))?;
    let path = path_from(file.parent().unwrap_or(Path::new("/")), &found.to_string_lossy());
    let path = match path.as_str() {
        "" => ".".to_owned(),
        path if path.starts_with("..") => path.to_owned(),
        path => format!("./{path}"),
    };
    Ok(PackageSource::parse(&path)?)
}

/// `3 files, commit 1a2b3c4d5e6f`.
fn described(package: &LockedPackage) -> String {
    let files = match package.files.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    match &package.commit {
        Some(commit) => format!("{files}, commit {}", commit.get(..12).unwrap_or(commit)),
        None => files,
    }
}

/// The difference of a file in the unified format. If the earlier text is not known, it is the whole file as added.
fn difference(change: &FileChange) -> String {
    let name = change.name.as_str();
    let after = change.after.as_deref();
    let (note, before) = match &change.before {
        Some(Text::Known(before)) => (String::new(), Some(before.as_str())),
        None => (String::new(), None),
        Some(Text::Unknown) => {
            let unknown = "there is no copy of its earlier text";
            let note = match after {
                Some(_) => format!("{name} is different, and {unknown}; this is the whole file:\n"),
                None => format!("{name} is no longer there, and {unknown}\n"),
            };
            (note, None)
        }
    };
    let side = |text: Option<&str>| if text.is_some() { name } else { "/dev/null" };
    let difference = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default())
        .unified_diff()
        .header(side(before), side(after))
        .to_string();
    format!("{note}{difference}")
}

/// The workflows below a folder: the file of each, and the first line of its description.
fn scripts(folder: &Path) -> Result<Vec<(String, String)>, CommandError> {
    let mut files = Vec::new();
    sources::collect(
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        },
        &mut files,
    )?;
    let mut scripts = Vec::new();
    for file in files {
        let shown = file.strip_prefix(".").unwrap_or(&file).display().to_string();
        let Ok(source) = sources::read_main(&file) else {
            continue;
        };
        match declaration_of(&Source::new(shown.as_str(), source.text)) {
            Ok(Declaration { main: None, .. }) => {}
            Ok(Declaration { about, main, .. }) => {
                let doc = main.map(|main| main.doc).unwrap_or_default();
                let text = if about.is_empty() { doc } else { about };
                scripts.push((shown, text.lines().next().unwrap_or_default().to_owned()));
            }
            Err(error) => scripts.push((shown, format!("cannot be read: {}", error.title))),
        }
    }
    Ok(scripts)
}

/// A project's file that a command is about to change, which ends the user's trust in it.
struct Changed<'a> {
    app: &'a App,
    file: PathBuf,
    was_trusted: bool,
}

impl<'a> Changed<'a> {
    fn of(app: &'a App, file: &ManifestFile) -> Changed<'a> {
        let file = file.path().to_owned();
        Changed {
            was_trusted: Changed::is_trusted(app, &file),
            app,
            file,
        }
    }

    fn is_trusted(app: &App, file: &Path) -> bool {
        let text = fs::read_to_string(file);
        text.is_ok_and(|text| {
            app.paths()
                .is_ok_and(|paths| Trust::of(paths).covers(file, &text))
        })
    }

    /// Warns if the file was trusted and no longer is.
    fn warn(&self) {
        if self.was_trusted && !Changed::is_trusted(self.app, &self.file) {
            let file = self.file.display();
            self.app.ui.warn(&format!(
                "{file} was changed, so it is no longer trusted: provisor trust"
            ));
        }
    }
}
