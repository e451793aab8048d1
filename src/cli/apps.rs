//! `provisor apps`: the apps in the ledger.

use clap::{Args, Subcommand};
use serde_json::Value as Json;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ledger::{LedgerResource, held};
use super::times;
use crate::report::record_json;
use crate::report::reveal::Reveal;

/// List the apps on record.
///
/// They are read from the ledger; nothing is sent to a platform.
#[derive(Args)]
pub(super) struct AppsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the apps, oldest first.
    #[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"apps\": [{id, name, site, account, run, step, created, changed}]}
  account is the address of its account; run and step created it")]
    List {
        /// Only apps of accounts whose address contains this.
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

const COLUMNS: [&str; 8] = [
    "id", "name", "site", "account", "run", "step", "created", "changed",
];

pub(super) fn apps(app: &App, command: &AppsCommand) -> Result<Exit, CommandError> {
    let Action::List { account, json } = &command.action;
    let journal = app.recorded()?;
    let apps = held(&journal, "app", account.as_deref())?;
    if *json {
        let apps = apps
            .iter()
            .map(|held| record_json(&held.app_record(), &COLUMNS, &Reveal::nothing()));
        app.print_ledger("apps", &Json::Array(apps.collect()))?;
        return Ok(Exit::Ok);
    }
    app.warn_of_doubts(&journal, "app")?;
    if apps.is_empty() {
        app.ui.note("the ledger holds no apps");
        return Ok(Exit::Ok);
    }
    let rows: Vec<Vec<String>> = apps.iter().map(row).collect();
    let header = ["id", "name", "site", "account", "created (UTC)", "run"];
    app.print(&app.ui.table(&header, &rows))?;
    Ok(Exit::Ok)
}

fn row(app: &LedgerResource) -> Vec<String> {
    vec![
        app.text("id"),
        app.text("name"),
        app.text("site"),
        app.account().to_owned(),
        times::shown(app.item.created_ms),
        app.item.run.as_ref().map_or(String::new(), ToString::to_string),
    ]
}
