//! `provisor trust`: project files that may act for the user.
//!
//! A project's files come with the project, often from someone else. Their settings apply, but those that could run a
//! program, hand over a credential or loosen a profile apply only if the user has reviewed exactly this text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};

use super::app::App;
use super::config::{self, Config};
use super::error::CommandError;
use super::exit::Exit;
use super::paths::Paths;
use super::private_file;
use crate::sabotage::Sabotage;
use crate::value::digest::sha256;

/// Trust a project's file in its current form.
///
/// A trusted file may name programs and places that hold your secrets. Any change to it ends the trust.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "\
JSON (--list --json), one document: {\"version\": 1, \"trusted\": [{file, sha256, current}]}
  current is true if the file is unchanged since you trusted it")]
pub(super) struct TrustCommand {
    /// The file; by default the project's `provisor.toml`.
    file: Option<PathBuf>,
    /// List the trusted files.
    #[arg(long, conflicts_with_all = ["file", "remove", "yes"])]
    list: bool,
    /// Withdraw the trust.
    #[arg(long, conflicts_with = "yes")]
    remove: bool,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
    /// Print the list as JSON.
    #[arg(long, requires = "list")]
    json: bool,
}

/// The trusted files by path, each with the digest of the reviewed text.
#[derive(Debug, Default)]
pub(super) struct Trust {
    digests: BTreeMap<String, String>,
}

impl Trust {
    /// The files this home trusts. An unreadable record trusts none.
    pub(super) fn of(paths: &Paths) -> Trust {
        let text = std::fs::read_to_string(paths.trusted()).unwrap_or_default();
        let document: Json = serde_json::from_str(&text).unwrap_or_default();
        let files = document["files"].as_object();
        let digests = files.into_iter().flatten().filter_map(|(file, digest)| {
            let digest = digest.as_str()?.to_owned();
            Some((file.clone(), digest))
        });
        Trust {
            digests: digests.collect(),
        }
    }

    /// Whether the user has reviewed this file with exactly this text.
    pub(super) fn covers(&self, file: &Path, text: &str) -> bool {
        let digest = self.digests.get(&name(file));
        let is_as_trusted = digest.is_some_and(|digest| *digest == sha256(text.as_bytes()));
        is_as_trusted || Sabotage::EveryFileTrusted.is_on()
    }

    fn save(&self, paths: &Paths) -> Result<(), CommandError> {
        App::make_private(paths.state())?;
        let text = json!({"version": 1, "files": self.digests}).to_string();
        private_file::write(&paths.trusted(), |sink| Ok(writeln_to(sink, &text)?))
    }
}

pub(super) fn trust(app: &App, command: &TrustCommand) -> Result<Exit, CommandError> {
    let paths = app.paths()?;
    let mut trust = Trust::of(paths);
    if command.list {
        return list(app, &trust, command.json);
    }
    let file = match &command.file {
        Some(file) => app.env.folder().join(file),
        None => config::project_file(&app.env).ok_or_else(|| {
            CommandError::usage("there is no provisor.toml here or above").hint("pass the file to trust")
        })?,
    };
    if command.remove {
        if trust.digests.remove(&name(&file)).is_none() {
            return Err(CommandError::usage(format!("{} is not trusted", file.display())));
        }
        app.journal()?
            .audit("distrust", &app.actor(), &name(&file).as_str().into())?;
        trust.save(paths)?;
        app.ui.note(&format!("{} is no longer trusted", file.display()));
        return Ok(Exit::Ok);
    }
    let text = std::fs::read_to_string(&file)
        .map_err(|error| CommandError::usage(format!("`{}` cannot be read: {error}", file.display())))?;
    if trust.covers(&file, &text) {
        app.ui.note(&format!("{} is already trusted", file.display()));
        return Ok(Exit::Ok);
    }
    show_trust_effects(app, &file)?;
    app.consent(command.yes, &format!("Trust {} as it is now?", file.display()))?;
    if std::fs::read_to_string(&file).ok().as_ref() != Some(&text) {
        return Err(CommandError::usage(format!(
            "{} has changed in the meantime; nothing was trusted",
            file.display()
        )));
    }
    let digest = sha256(text.as_bytes());
    let what = format!("{} (sha256 {digest})", name(&file));
    app.journal()?
        .audit("trust", &app.actor(), &what.as_str().into())?;
    trust.digests.insert(name(&file), digest);
    trust.save(paths)?;
    app.ui.note(&format!(
        "{} is trusted until it changes; this is recorded: see provisor audit",
        file.display()
    ));
    Ok(Exit::Ok)
}

/// Shows what trust would allow the file to do, if it is a project configuration.
fn show_trust_effects(app: &App, file: &Path) -> Result<(), CommandError> {
    if file.file_name() != Some(config::PROJECT_FILE.as_ref()) {
        return Ok(());
    }
    for line in Config::trust_reasons(app.catalogue(), file)? {
        app.ui.note(&line);
    }
    Ok(())
}

fn list(app: &App, trust: &Trust, json: bool) -> Result<Exit, CommandError> {
    let is_current = |file: &str| {
        let text = std::fs::read_to_string(file);
        text.is_ok_and(|text| trust.covers(Path::new(file), &text))
    };
    if json {
        let files: Vec<Json> = trust
            .digests
            .iter()
            .map(|(file, digest)| json!({"file": file, "sha256": digest, "current": is_current(file)}))
            .collect();
        app.print(&json!({"version": 1, "trusted": files}).to_string())?;
        return Ok(Exit::Ok);
    }
    let mut text = String::new();
    for file in trust.digests.keys() {
        let state = if is_current(file) {
            ""
        } else {
            "   (changed since: no longer trusted)"
        };
        let _ = writeln!(text, "{file}{state}");
    }
    if text.is_empty() {
        app.ui.note("no project file is trusted");
    } else {
        app.print(&text)?;
    }
    Ok(Exit::Ok)
}

fn writeln_to(sink: &mut dyn std::io::Write, text: &str) -> std::io::Result<()> {
    writeln!(sink, "{text}")
}

/// The canonical path of a file, so that it has one name in the record.
fn name(file: &Path) -> String {
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    file.display().to_string()
}
