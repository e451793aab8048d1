//! `provisor journal`: copy the journal, and check it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use crate::journal::JournalError;

/// Look after the journal: copy it, check it.
#[derive(Args)]
pub(super) struct JournalCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Copy the journal, also while runs are under way, into a new file for its owner alone.
    ///
    /// The copy opens with the same key, which is not in it: keep a copy of the key, too (`provisor paths` says where
    /// it is). To restore it, end every run, remove the journal and the files `-wal` and `-shm` beside it, and put the
    /// copy in the journal's place.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Check the journal: the database, every claim and step, and that what is sealed opens.
    ///
    /// Exit code 3 when something is wrong.
    #[command(after_help = "JSON (--json), one document: {\"version\": 1, \"problems\": [text]}")]
    Check {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn journal(app: &App, command: &JournalCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::Backup { file } => {
            let file = app.env.folder().join(file);
            app.journal()?.backup(&file)?;
            app.ui
                .note(&format!("the journal is copied to {}", file.display()));
            if app.env.get("PROVISOR_KEY").is_none() {
                app.ui.note(&format!(
                    "it opens only with the key, {}: keep a copy of that, too",
                    app.paths()?.key().display()
                ));
            }
            Ok(Exit::Ok)
        }
        Action::Check { json } => check(app, *json),
    }
}

fn check(app: &App, json: bool) -> Result<Exit, CommandError> {
    let checked = app.open_journal()?.and_then(|journal| journal.check());
    let problems = match checked {
        Err(error @ JournalError::Corrupt { .. }) => vec![error.to_string()],
        other => other?,
    };
    if json {
        app.print(&json!({"version": 1, "problems": problems}).to_string())?;
    } else if problems.is_empty() {
        app.print("the journal is sound")?;
    } else {
        app.print(&problems.join("\n"))?;
    }
    if problems.is_empty() {
        return Ok(Exit::Ok);
    }
    app.ui
        .hint("keep a copy of the journal and of the files beside it, then restore a backup: provisor journal backup --help");
    Ok(Exit::Check)
}
