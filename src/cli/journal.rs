//! `provisor journal`: back up, check and restore the journal, and change its key.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use crate::clock::Clock;
use crate::journal::{Journal, JournalError, SealedFiles, Sealer};
use crate::operation::naming;
use crate::value::secret::Secret;

/// Back up, check and restore the journal, and change its key.
#[derive(Args)]
pub(super) struct JournalCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Copy the journal into a new file, also while runs are in progress.
    ///
    /// Only you can read the copy. It opens with the same key, which it does not contain: keep a copy of the key, too
    /// (`provisor paths` shows where it is). `provisor journal restore` puts the copy back.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Check the journal for damage.
    ///
    /// Checks the database, every claim and step, the texts of scripts, and that everything encrypted can be decrypted.
    /// Exit code 3 if anything is damaged.
    #[command(after_help = "\
JSON (--json), one document: {\"version\": 1, \"problems\": [text], \"doubles\": [text]}
  doubles are ledger entries whose names are equal by now; they are not a problem")]
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Replace the journal with a backup.
    ///
    /// The backup must open with the key and be intact, and no other provisor process may be running. The current
    /// journal is kept beside it, under a name that ends in `.replaced-` and the time. If the command is killed, either
    /// the old journal is in place or the new one.
    Restore {
        /// The backup.
        file: PathBuf,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Encrypt the journal and the profiles' secrets with another key.
    ///
    /// The new key is the text in `PROVISOR_NEW_KEY`, or a random one, which is written to the key file. Older backups
    /// can only be opened with the old key: its file is kept beside the new one. Tokens are deleted, so profiles sign
    /// in again. No other provisor process may be running. If the command is killed, either the old key is in use or
    /// the new one.
    Rekey {
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) fn journal(app: &App, command: &JournalCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::Backup { file } => {
            let file = app.env.folder().join(file);
            app.journal()?.backup(&file)?;
            app.ui
                .note(&format!("the journal was copied to {}", file.display()));
            if app.env.get("PROVISOR_KEY").is_none() {
                app.ui.note(&format!(
                    "it opens only with the key {}: keep a copy of the key, too",
                    app.paths()?.key().display()
                ));
            }
            Ok(Exit::Ok)
        }
        Action::Check { json } => check(app, *json),
        Action::Restore { file, yes } => restore(app, file, *yes),
        Action::Rekey { yes } => rekey(app, *yes),
    }
}

fn restore(app: &App, file: &Path, yes: bool) -> Result<Exit, CommandError> {
    let file = app.env.folder().join(file);
    if !file.is_file() {
        return Err(CommandError::usage(format!(
            "there is no file `{}`",
            file.display()
        )));
    }
    let path = app.paths()?.journal();
    let real = |path: &Path| path.canonicalize().ok();
    if real(&file).is_some() && real(&file) == real(&path) {
        return Err(
            CommandError::usage(format!("`{}` is the journal itself", file.display()))
                .hint("name a file that `provisor journal backup` created"),
        );
    }
    App::make_private(app.paths()?.state())?;
    let sealer = app.sealer()?;
    app.consent(
        yes,
        &format!("Restore {} over {}?", file.display(), path.display()),
    )?;
    let previous = Journal::restore(&path, &file, &sealer, &Clock::system())?;
    app.journal()?
        .audit("restore", &app.actor(), &file.display().to_string().into())?;
    app.ui
        .note(&format!("the journal was restored from {}", file.display()));
    if let Some(previous) = previous {
        app.ui
            .note(&format!("the previous journal is kept as {}", previous.display()));
    }
    app.ui.warn(
        "changes recorded after the backup are missing: what runs created since then exists on the platforms, and a \
         resumed run may send it again",
    );
    Ok(Exit::Ok)
}

fn rekey(app: &App, yes: bool) -> Result<Exit, CommandError> {
    let paths = app.paths()?;
    let old = app.sealer()?;
    let given = app.env.get("PROVISOR_NEW_KEY");
    let new =
        match given {
            Some(text) => Some(Sealer::from_text(&Secret::new(text)).map_err(|error| {
                CommandError::usage(format!("PROVISOR_NEW_KEY: {error}")).hint(error.hint())
            })?),
            None => None,
        };
    app.consent(yes, "Encrypt everything again with another key?")?;
    // Opening the journal reports a problem with the current key before anything is changed.
    drop(app.journal()?);
    let files = SealedFiles {
        journal: paths.journal(),
        secrets: paths.secrets(),
        key: paths.key(),
    };
    let (previous, unreadable) = Journal::rekey(&files, &old, new.as_ref(), &Clock::system())?;
    for ending in ["", "-wal", "-shm"] {
        let mut tokens = paths.tokens().into_os_string();
        tokens.push(ending);
        // Leftover tokens can no longer be decrypted.
        let _ = std::fs::remove_file(tokens);
    }
    if given.is_some() {
        app.ui.note(
            "everything is encrypted with the new key: set PROVISOR_KEY to it, and unset PROVISOR_NEW_KEY",
        );
    } else {
        app.ui.note(&format!(
            "everything is encrypted with a new key, {}: keep a copy of it",
            paths.key().display()
        ));
        if app.env.get("PROVISOR_KEY").is_some() {
            app.ui.hint("unset PROVISOR_KEY: it has the old key");
        }
    }
    if let Some(previous) = previous {
        app.ui.note(&format!(
            "older backups can only be opened with the old key, which is kept as {}",
            previous.display()
        ));
    }
    if unreadable > 0 {
        app.ui.warn(&format!(
            "{unreadable} damaged value(s) could not be read and stay as they are"
        ));
        return Ok(Exit::Check);
    }
    Ok(Exit::Ok)
}

fn check(app: &App, json: bool) -> Result<Exit, CommandError> {
    let checked = match app.lost_journal()? {
        Some(lost) => Err(lost),
        None if !app.paths()?.journal().exists() => Ok((Vec::new(), Vec::new())),
        None => app
            .open_journal()?
            .and_then(|journal| Ok((journal.check()?, naming::doubles(app.catalogue(), &journal)?))),
    };
    let (problems, doubles) = match checked {
        Err(
            error @ (JournalError::Corrupt { .. } | JournalError::Gone { .. } | JournalError::Missing { .. }),
        ) => (vec![error.to_string()], Vec::new()),
        other => other?,
    };
    if json {
        app.print_json(&json!({"version": 1, "problems": problems, "doubles": doubles}))?;
    } else if problems.is_empty() {
        app.print("the journal is intact")?;
    } else {
        app.print(&problems.join("\n"))?;
    }
    if !json {
        for double in &doubles {
            app.ui.warn(double);
        }
    }
    if problems.is_empty() {
        return Ok(Exit::Ok);
    }
    app.ui
        .hint("keep a copy of the journal and of the files beside it, then restore a backup: provisor journal restore FILE");
    Ok(Exit::Check)
}
