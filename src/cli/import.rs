//! `provisor import`: converts files of other tools to a profile and a script.

mod address;
mod body;
mod code;
mod collection;
mod environment;
mod known;
mod profile;
mod read;
mod request;
mod script;
mod secrets;
mod sessions;
mod site;
#[cfg(test)]
mod tests;
mod typed;
mod values;
mod web;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::private_file;
use super::run;
use crate::script::bundle::{Bundle, Loader, Source};
use crate::script::host::Host;
use crate::script::program;
use collection::Collection;
use environment::{Account, Environment};
use read::Found;
use script::{ConversionInput, Script};
use sessions::ImportedProfile;

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
    let (environment, collection) = files(&command.files)?;
    let account = match &environment {
        Some(environment) => account(app, command, environment, collection.as_ref())?,
        None => None,
    };
    let name = match (&account, &environment) {
        (Some(_), Some(environment)) => Some(profile::name(command.profile.as_deref(), environment)?),
        _ => None,
    };
    let script = match &collection {
        Some(collection) => Some(converted(
            &run::host(app),
            collection,
            environment.as_ref(),
            profiled(name.as_deref(), account.as_ref()),
        )?),
        None => None,
    };
    // Check all input before anything is written.
    if let Some(out) = &command.out {
        check_out(out, script.is_some(), command.force)?;
    }
    if let (Some(account), Some(name)) = (account, &name) {
        profile::write(app, name, account, command.force)?;
    }
    if let Some(script) = script {
        deliver(app, command.out.as_deref(), &script)?;
    }
    Ok(Exit::Ok)
}

/// Reads the files, in any order, and sorts them by their content.
fn files(paths: &[PathBuf]) -> Result<(Option<Environment>, Option<Collection>), CommandError> {
    let (mut environment, mut collection) = (None, None);
    for path in paths {
        let again = |what: &str| {
            CommandError::usage(format!("`{}` is a second {what}", path.display()))
                .hint("pass at most one environment and one collection")
        };
        match read::read(path)? {
            Found::Environment(_) if environment.is_some() => return Err(again("environment")),
            Found::Collection(_) if collection.is_some() => return Err(again("collection")),
            Found::Environment(json) => environment = Some(environment::read(&json)),
            Found::Collection(json) => {
                let read = collection::read(&json);
                collection = Some(read.map_err(|reason| {
                    CommandError::usage(format!("the collection in `{}` {reason}", path.display()))
                })?);
            }
        }
    }
    Ok((environment, collection))
}

fn account(
    app: &App,
    command: &PostmanCommand,
    environment: &Environment,
    collection: Option<&Collection>,
) -> Result<Option<Account>, CommandError> {
    let catalogue = app.catalogue().clone();
    let requested = command.platform.as_deref();
    let requested = requested.map(|name| app.platform(name)).transpose()?;
    let mut chosen = Vec::new();
    for take in &command.take {
        let pair = take
            .split_once('=')
            .filter(|(field, variable)| !field.is_empty() && !variable.is_empty());
        let (field, variable) =
            pair.ok_or_else(|| CommandError::usage(format!("--take {take}: write FIELD=VARIABLE")))?;
        chosen.push((field.trim().to_owned(), variable.trim().to_owned()));
    }
    let requests = collection
        .map(|collection| collection.requests.as_slice())
        .unwrap_or_default();
    let addresses: Vec<String> = requests
        .iter()
        .map(|request| address::read(&request.url).base)
        .collect();
    let collection_site = collection
        .and_then(|collection| site::find_in_environment(&catalogue, collection, &environment.variables));
    let account = environment::account(
        &catalogue,
        environment,
        requested,
        &chosen,
        &addresses.join("\n"),
        collection_site.as_ref(),
    )?;
    if account.is_none() {
        if collection.is_none() {
            return Err(CommandError::usage(
                "provisor does not recognize the environment as an account of a platform",
            )
            .hint(format!(
                "name the platform: --platform {}",
                app.platform_names("or")
            ))
            .hint("if you also pass a collection, the values of such an environment become parameters"));
        }
        app.ui.note("the environment is not a complete account of a known platform: no profile is created, and its values become parameters of the script (--platform web creates one; --platform and --take FIELD=VARIABLE supply missing values)");
    }
    Ok(account)
}

/// Converts the collection to a script. A script that does not compile is an error, so it is never written.
fn converted(
    host: &Host,
    collection: &Collection,
    environment: Option<&Environment>,
    profile: Option<ImportedProfile>,
) -> Result<Script, CommandError> {
    let given = ConversionInput {
        variables: environment
            .map(|environment| environment.variables.clone())
            .unwrap_or_default(),
        profile,
        taken: run::own_names(),
        catalogue: host.catalogue().clone(),
    };
    if collection.requests.is_empty() {
        return Err(CommandError::usage("the collection has no requests"));
    }
    let script = script::write(collection, &given)
        .map_err(|reason| CommandError::usage(format!("the collection {reason}")))?;
    let source = Source::new("import.rhai", script.text.as_str());
    let read = Bundle::collect(&source, &NoImports).and_then(|bundle| program::Script::compile(host, bundle));
    // Check its calls against the operation table, down to the keys of options.
    let wrong = match read {
        Ok(read) => read.check().into_iter().next(),
        Err(diagnostic) => Some(*diagnostic),
    };
    match wrong {
        None => Ok(script),
        Some(wrong) => Err(CommandError::new(
            Exit::Script,
            format!(
                "the script generated from the collection has mistakes: {}",
                wrong.title
            ),
        )
        .hint("nothing was written; this is a bug in provisor: please report it with the collection")),
    }
}

/// The profile made from the environment, as the script refers to it.
fn profiled(name: Option<&str>, account: Option<&Account>) -> Option<ImportedProfile> {
    let (name, account) = (name?, account?);
    let text = |key: &str| {
        let found = account.texts.iter().find(|(known, _)| *known == key);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    Some(ImportedProfile {
        name: name.to_owned(),
        platform: account.platform,
        url: text("url"),
        part: account
            .platform
            .import
            .scope
            .map(|scope| text(scope.key))
            .unwrap_or_default(),
        taken: account.taken.clone(),
        signs: !account.secrets.is_empty(),
    })
}

/// A loader that refuses every import: an imported script has none.
struct NoImports;

impl Loader for NoImports {
    fn load(&self, _: &str, _: &str) -> Result<Source, String> {
        Err("an imported script has no imports".into())
    }
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
fn deliver(app: &App, out: Option<&Path>, script: &Script) -> Result<(), CommandError> {
    match out {
        None => app.print(script.text.trim_end())?,
        Some(out) => private_file::write(out, |sink| Ok(sink.write_all(script.text.as_bytes())?))?,
    }
    app.ui.note(&format!(
        "{}: {} with platform operations, {} with http::, {} left out; {}",
        script::format_count(script.requests, "request"),
        script.typed,
        script.web,
        script.omitted,
        script.scripts_note()
    ));
    for note in script.notes.iter().take(MAX_NOTES) {
        app.ui.note(&format!("- {note}"));
    }
    if script.notes.len() > MAX_NOTES {
        app.ui.note(&format!(
            "- and {}, in the comments of the script",
            script::format_count(script.notes.len() - MAX_NOTES, "more note")
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

/// The maximum number of notes printed; the script contains all of them.
const MAX_NOTES: usize = 20;
