//! `provisor trust`: project files that may act for the user.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use crate::config::{self, Config, Trust};
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
        if !trust.remove(&file) {
            return Err(CommandError::usage(format!("{} is not trusted", file.display())));
        }
        app.audit("distrust", &Trust::name(&file))?;
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
    if file.file_name() == Some(config::PROJECT_FILE.as_ref()) {
        for line in Config::trust_reasons(app.catalogue(), &file)? {
            app.ui.note(&line);
        }
    }
    app.consent(command.yes, &format!("Trust {} as it is now?", file.display()))?;
    if std::fs::read_to_string(&file).ok().as_ref() != Some(&text) {
        return Err(CommandError::usage(format!(
            "{} has changed in the meantime; nothing was trusted",
            file.display()
        )));
    }
    let digest = sha256(text.as_bytes());
    app.audit("trust", &format!("{} (sha256 {digest})", Trust::name(&file)))?;
    trust.add(&file, digest);
    trust.save(paths)?;
    app.ui.note(&format!(
        "{} is trusted until it changes; this is recorded: see provisor audit",
        file.display()
    ));
    Ok(Exit::Ok)
}

fn list(app: &App, trust: &Trust, json: bool) -> Result<Exit, CommandError> {
    let is_current = |file: &str| {
        let text = std::fs::read_to_string(file);
        text.is_ok_and(|text| trust.covers(Path::new(file), &text))
    };
    if json {
        let files: Vec<Json> = trust
            .files()
            .iter()
            .map(|(file, digest)| json!({"file": file, "sha256": digest, "current": is_current(file)}))
            .collect();
        return app.print_json(&json!({"version": 1, "trusted": files}));
    }
    let mut text = String::new();
    for file in trust.files().keys() {
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
