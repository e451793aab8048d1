//! `provisor config show`: the configured values and their sources; `provisor paths`: the files.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use crate::config::{Config, Line, Provenance};
use crate::value::Value;

/// Show the configuration and its sources.
#[derive(Args)]
pub(super) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show every setting in effect.
    ///
    /// A flag takes precedence over an environment variable, that over the project's `provisor.toml`, and that over
    /// your own file. For a secret, the place where it is kept is shown.
    #[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"files\": [path],
   \"values\": [{key, value, origin: {kind, file, line, variable}}]}
  kind is environment, project, user or default")]
    Show {
        /// Show where each value is set.
        #[arg(long)]
        origin: bool,
        /// Print JSON, always with the origins.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn show(app: &App, command: &ConfigCommand) -> Result<Exit, CommandError> {
    let Action::Show { origin, json } = &command.action;
    let config = app.config()?;
    let mut lines = overall(app, &config);
    for profile in config.profiles().values() {
        lines.extend(profile.lines().into_iter().map(|line| Line {
            key: format!("profiles.{}.{}", profile.name, line.key),
            ..line
        }));
    }
    if *json {
        let user = app.paths()?.config_file();
        let values: Vec<Json> = lines.iter().map(|line| document(line, &user)).collect();
        let files = config.files().iter().map(|file| file.display().to_string());
        let files: Vec<String> = files.collect();
        return app.print_json(&json!({"version": 1, "files": files, "values": values}));
    }
    let columns = if *origin { 3 } else { 2 };
    let rows = lines.into_iter().map(|line| {
        let mut row = vec![line.key, line.value, line.origin.to_string()];
        row.truncate(columns);
        row
    });
    let header = &["key", "value", "from"][..columns];
    app.print(&app.ui.table(header, &rows.collect::<Vec<_>>()))?;
    Ok(Exit::Ok)
}

/// The values that apply to every profile.
fn overall(app: &App, config: &Config) -> Vec<Line> {
    let line = |key: &str, value: &str, origin: Provenance| Line {
        key: key.to_owned(),
        value: value.to_owned(),
        origin,
    };
    let variable = |name: &str| Provenance::Variable(name.to_owned());
    let home = app.env.get("PROVISOR_HOME");
    let home = home.map(|home| line("home", home, variable("PROVISOR_HOME")));
    let key = match app.env.get("PROVISOR_KEY") {
        Some(_) => line("key", "given, not shown", variable("PROVISOR_KEY")),
        None => line("key", "in the state folder", Provenance::Default),
    };
    let profile = if let Some(name) = app.env.get("PROVISOR_PROFILE") {
        Some(line("profile", name, variable("PROVISOR_PROFILE")))
    } else if let Some(name) = config.default_profile() {
        Some(line(
            "profile",
            &name.value,
            Provenance::File(name.origin.clone()),
        ))
    } else {
        let only = config.active(&app.env);
        only.map(|only| line("profile", &format!("{only} (the only one)"), Provenance::Default))
    };
    home.into_iter().chain([key]).chain(profile).collect()
}

fn document(line: &Line, user: &std::path::Path) -> Json {
    let origin = match &line.origin {
        Provenance::File(origin) => json!({
            "kind": if origin.file == user { "user" } else { "project" },
            "file": origin.file.display().to_string(),
            "line": origin.line,
        }),
        Provenance::Variable(name) => json!({"kind": "environment", "variable": name}),
        Provenance::Default => json!({"kind": "default"}),
    };
    json!({"key": line.key, "value": line.value, "origin": origin})
}

/// Show where provisor keeps its files.
///
/// To uninstall, delete the three folders. The state folder holds the journal, the ledger and the key: without them no
/// recorded credential can be read.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document of paths:
  {\"version\": 1, config, state, cache, config_file, journal, key, tokens, secrets, sandbox}")]
pub(super) struct PathsCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn show_paths(app: &App, command: &PathsCommand) -> Result<Exit, CommandError> {
    let paths = app.paths()?;
    let places = [
        ("config", paths.config().to_owned()),
        ("state", paths.state().to_owned()),
        ("cache", paths.cache().to_owned()),
        ("config_file", paths.config_file()),
        ("journal", paths.journal()),
        ("key", paths.key()),
        ("tokens", paths.tokens()),
        ("secrets", paths.secrets()),
        ("sandbox", paths.sandbox()),
    ];
    if command.json {
        let mut document = json!({"version": 1});
        for (name, path) in places {
            document[name] = json!(path.display().to_string());
        }
        return app.print_json(&document);
    }
    let fields = places.map(|(name, path)| (name.replace('_', " "), Value::from(path.display().to_string())));
    app.print(&app.ui.fields(&fields))?;
    Ok(Exit::Ok)
}
