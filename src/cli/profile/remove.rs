//! `provisor profile remove`.

use clap::Args;

use super::list;
use super::save;
use super::secret_location;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;

/// Remove a profile and delete its secrets and tokens.
///
/// Everything that runs recorded about the account stays: the ledger and its credentials.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"did\": \"removed\", \"profile\": {name}}")]
pub(super) struct RemoveCommand {
    /// The profile.
    name: String,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
    /// Print what was removed as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn remove(app: &App, command: &RemoveCommand) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let name = &command.name;
    let mut draft = save::draft(app)?;
    let profile = save::editable_profile(&config, &draft, name, "profile remove")?.clone();
    app.consent(
        command.yes,
        &format!("Remove profile `{name}` and delete its secrets?"),
    )?;
    // Do this first, while the profile still identifies its tokens.
    super::account::forget_tokens(app, &profile);
    let was_default = draft.default_profile() == Some(name);
    draft.remove_profile(name);
    if was_default {
        draft.set_default(None);
    }
    let file = draft.file().to_owned();
    draft.save()?;
    // Delete the secrets even if the removal cannot be recorded: no profile uses them any more.
    let recorded = save::record(app, "profile-remove", name);
    for (key, source) in &profile.secrets {
        if secret_location::forget(app, &profile.secret_id(key), &source.value)? {
            app.ui.note(&format!("its {} was deleted", key.replace('_', " ")));
        } else {
            app.ui.note(&format!(
                "its {} stays where it was: {}",
                key.replace('_', " "),
                source.value
            ));
        }
    }
    recorded?;
    app.ui
        .note(&format!("profile `{name}` was removed from {}", file.display()));
    if command.json {
        list::did(app, "removed", name)?;
    }
    if was_default {
        app.ui
            .hint("there is no default profile now; set one: provisor profile use NAME");
    }
    Ok(Exit::Ok)
}
