//! `provisor paths`: shows where provisor keeps its files.

use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::value::Value;

/// Show where provisor keeps its files.
///
/// To uninstall, delete the three folders. The state folder holds the journal, the ledger and the key: without them no
/// recorded credential can be read.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document of paths:
  {\"version\": 1, config, state, cache, config_file, journal, key, tokens, secrets, sandbox}")]
pub(in crate::cli) struct PathsCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn show(app: &App, command: &PathsCommand) -> Result<Exit, CommandError> {
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
        app.print(&document.to_string())?;
    } else {
        let fields =
            places.map(|(name, path)| (name.replace('_', " "), Value::from(path.display().to_string())));
        app.print(&app.ui.fields(&fields))?;
    }
    Ok(Exit::Ok)
}
