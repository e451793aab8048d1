//! `provisor apps`: the apps in the ledger.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ledger::held;
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
        let apps: Vec<Json> = apps.collect();
        return app.print_json(&json!({"version": 1, "apps": apps}));
    }
    app.warn_of_doubts(&journal, "app")?;
    let header = ["id", "name", "site", "account", "created (UTC)", "run"];
    app.print_table(&apps, "the ledger holds no apps", &header, |held| {
        vec![
            held.text("id"),
            held.text("name"),
            held.text("site"),
            held.account().to_owned(),
            times::shown(held.item.created_ms),
            held.run(),
        ]
    })
}
