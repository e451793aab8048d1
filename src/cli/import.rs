//! `provisor import`: converts files of other tools to a profile and a script.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value as Json;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::private_file;
use super::profile::{SecretLocation, Secrets, check_name};
use super::run;
use crate::config::{self, SecretId};
use crate::import::{self, ImportError, ImportOptions, ImportedProfile, ImportedScript};
use crate::value::visible::counted;

/// The maximum size of a file, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The maximum number of notes printed; the script contains all of them.
const MAX_NOTES: usize = 20;

const NO_ACCOUNT: &str = "the environment is not a complete account of a known platform: no profile is created, and its values become parameters of the script (--platform web creates one; --platform and --take FIELD=VARIABLE supply missing values)";

const EXPORT_HINT: &str = "in Postman, export a collection as version 2.1, or an environment";

/// Import from other tools (Postman).
#[derive(Args)]
pub(super) struct ImportCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Postman(PostmanCommand),
}

/// Turn a Postman environment into a profile, and a collection into a script.
///
/// The environment's secrets are sealed in provisor's own folder. The script uses a platform's operation for each
/// request that provisor recognizes, and `http::` for all others; the collection's variables become its parameters. A
/// credential in the collection becomes a secret parameter, never a text of the script. Scripts in the collection
/// become comments.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor import postman acme.postman_environment.json acme.postman_collection.json --out acme.rhai
  provisor import postman acme.postman_environment.json --profile acme --platform web
  provisor import postman users.postman_collection.json > users.rhai")]
struct PostmanCommand {
    /// An environment, a collection, or one of each; `-` reads standard input.
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The script to write; by default standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The profile's name; by default derived from the environment's.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The platform of the environment's account, if provisor does not recognize it.
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// The environment's variable for a field of the profile, if provisor does not recognize it. Repeatable.
    #[arg(long, value_name = "FIELD=VARIABLE")]
    take: Vec<String>,
    /// Replace an existing script and profile.
    #[arg(long)]
    force: bool,
}

pub(super) fn import(app: &App, command: &ImportCommand) -> Result<Exit, CommandError> {
    let Action::Postman(command) = &command.action;
    let mut files = Vec::new();
    for path in &command.files {
        files.push((path.display().to_string(), read(path)?));
    }
    let requested = command.platform.as_deref();
    let take = command.take.iter().map(|take| {
        let pair = take
            .split_once('=')
            .map(|(key, variable)| (key.trim(), variable.trim()));
        let pair = pair.filter(|(key, variable)| !key.is_empty() && !variable.is_empty());
        pair.ok_or_else(|| CommandError::usage(format!("--take {take}: write FIELD=VARIABLE")))
    });
    let options = ImportOptions {
        platform: requested.map(|name| app.platform(name)).transpose()?,
        take: take.collect::<Result<_, _>>()?,
        profile: command.profile.as_deref(),
        reserved: run::own_names(),
    };
    let imported = import::import(&files, app.catalogue(), &options).map_err(|error| refused(app, error))?;
    if imported.lacks_account {
        app.ui.note(NO_ACCOUNT);
    }
    // Check all input before anything is written.
    if let Some(profile) = &imported.profile {
        check_name(&profile.name)?;
    }
    if let Some(out) = &command.out {
        check_out(out, imported.script.is_some(), command.force)?;
    }
    if let Some(profile) = &imported.profile {
        write_profile(app, profile, command.force)?;
    }
    if let Some(script) = &imported.script {
        deliver(app, command.out.as_deref(), script)?;
    }
    Ok(Exit::Ok)
}

/// Reads a file, or stdin for `-`, as JSON.
fn read(path: &Path) -> Result<Json, CommandError> {
    let shown = path.display();
    let unreadable = |reason: String| CommandError::usage(format!("`{shown}` cannot be read: {reason}"));
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| unreadable(error.to_string()))?)
    };
    let mut bytes = Vec::new();
    let read = source.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(
            unreadable(format!("it is larger than {} MB", MAX_FILE_BYTES >> 20))
                .hint("export the folders that you need as separate collections"),
        );
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|error| {
        // The message gives the position, never the content there.
        CommandError::usage(format!(
            "`{shown}` is not JSON, or is nested too deeply: line {}, column {}",
            error.line(),
            error.column()
        ))
        .hint(EXPORT_HINT)
    })
}

/// Adds what to do to an error of the importer.
fn refused(app: &App, error: ImportError) -> CommandError {
    let failed = CommandError::usage(&error);
    match error {
        ImportError::Unsupported { .. } => failed.hint(EXPORT_HINT),
        ImportError::Duplicate { .. } => failed.hint("pass at most one environment and one collection"),
        ImportError::Collection(_) | ImportError::Environment(_) => failed,
        ImportError::UnknownPlatform => failed
            .hint(format!(
                "name the platform: --platform {}",
                app.platform_names("or")
            ))
            .hint("if you also pass a collection, the values of such an environment become parameters"),
        ImportError::MissingKeys { keys, variables, .. } => failed.hint(format!(
            "name the variable: --take {}=VARIABLE; the variables with a value are {variables}",
            keys.first().copied().unwrap_or_default()
        )),
        ImportError::UnknownKey { known, .. } => {
            CommandError::usage(format!("--take: {}", failed.message)).hint(format!("the fields are {known}"))
        }
        ImportError::UnknownVariable { known, .. } => {
            CommandError::usage(format!("--take: {}", failed.message))
                .hint(format!("its variables are {known}"))
        }
        ImportError::WithoutAccount(error) => {
            app.ui.note(NO_ACCOUNT);
            refused(app, *error)
        }
        ImportError::Script(_) => CommandError::new(Exit::Script, failed.message)
            .hint("nothing was written; this is a bug in provisor: please report it with the collection"),
    }
}

/// Writes the profile and seals its secrets.
fn write_profile(app: &App, imported: &ImportedProfile, force: bool) -> Result<(), CommandError> {
    let name = imported.name.as_str();
    let config = app.config()?;
    let known = config.profiles().get(name);
    if let Some(profile) = known.filter(|_| !force) {
        return Err(CommandError::usage(format!(
            "profile `{name}` already exists in {}",
            profile.file.display()
        ))
        .hint("choose another name with --profile, or pass --force to change this one"));
    }
    let url = imported.text("url");
    config::check_address(url, false)
        .map_err(|problem| CommandError::usage(format!("the environment's address `{url}` {problem}")))?;
    let mut draft = app.config_draft()?;
    let action = if known.is_some() {
        "profile-edit"
    } else {
        "profile-add"
    };
    let mut secrets = Secrets::new(app, action);
    if imported.platform != app.catalogue().usual() {
        draft.set(name, "platform", imported.platform.name);
    }
    for (key, text) in &imported.texts {
        draft.set(name, key, text.as_str());
    }
    for (key, secret) in &imported.secrets {
        let secret_id = SecretId {
            profile: name.to_owned(),
            key: key.name.to_owned(),
            url: url.to_owned(),
        };
        let place = SecretLocation::Typed(secret.clone());
        secrets.put(&mut draft, &secret_id, (&place, key.title))?;
    }
    let is_local = config::is_local_or_sandbox(url);
    draft.set(name, "mode", if is_local { "dev" } else { "prod" });
    secrets.save(draft, name)?;
    let taken: Vec<&str> = imported.taken.iter().map(|(_, name)| name.as_str()).collect();
    app.ui
        .note(&format!("it was created from the variables {}", taken.join(", ")));
    if !imported.unused.is_empty() {
        app.ui.warn(&format!(
            "these secrets of the environment have no key in a profile of this platform, and were not stored: {}",
            imported.unused.join(", ")
        ));
    }
    app.ui.hint(&format!("test it: provisor profile test {name}"));
    Ok(())
}

fn check_out(out: &Path, has_script: bool, force: bool) -> Result<(), CommandError> {
    if !has_script {
        return Err(CommandError::usage("--out needs a collection to convert")
            .hint("pass the collection's file, too"));
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(CommandError::usage(format!(
            "`{}` cannot be written: there is no folder `{}`",
            out.display(),
            folder.display()
        )));
    }
    if out.is_dir() {
        return Err(CommandError::usage(format!("`{}` is a folder", out.display()))
            .hint("pass the script's file name, for example acme.rhai"));
    }
    if out.exists() && !force {
        return Err(CommandError::usage(format!("`{}` exists", out.display()))
            .hint("choose another file name, or pass --force to replace it"));
    }
    Ok(())
}

/// Writes the script and prints a summary of the conversion.
fn deliver(app: &App, out: Option<&Path>, script: &ImportedScript) -> Result<(), CommandError> {
    match out {
        None => app.print(script.text.trim_end())?,
        Some(out) => private_file::write(out, |sink| Ok(sink.write_all(script.text.as_bytes())?))?,
    }
    app.ui.note(&format!(
        "{}; {}",
        script.summary("http::"),
        script.scripts_note()
    ));
    for note in script.notes.iter().take(MAX_NOTES) {
        app.ui.note(&format!("- {note}"));
    }
    if script.notes.len() > MAX_NOTES {
        app.ui.note(&format!(
            "- and {}, in the comments of the script",
            counted(script.notes.len() - MAX_NOTES, "more note")
        ));
    }
    if !script.secrets.is_empty() {
        app.ui.note(&format!(
            "secrets are given when the script runs: {}",
            script.secrets.join(", ")
        ));
        app.ui.hint(&format!(
            "for example --{} env:VARIABLE",
            script.secrets[0].replace('_', "-")
        ));
    }
    if let Some(out) = out {
        app.ui.note(&format!("the script is in {}", out.display()));
    }
    Ok(())
}
