//! `provisor profile use`.

use clap::Args;

use super::list;
use super::save;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;

/// Make a profile the default.
///
/// With `--sandbox`, every command that uses it works on the simulated platforms, as if you passed `--sandbox`, until
/// you run this command with `--no-sandbox`.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"did\": \"chosen\", \"profile\": {as in `profile list`}}")]
pub(super) struct UseCommand {
    /// The profile.
    name: String,
    /// Use the simulated platforms for this profile from now on.
    #[arg(long, conflicts_with = "no_sandbox")]
    sandbox: bool,
    /// Use the real account again.
    #[arg(long)]
    no_sandbox: bool,
    /// Print the profile as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn choose(app: &App, command: &UseCommand) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let name = &command.name;
    let profile = config.named(name, "profile use")?;
    let mut draft = save::draft(app)?;
    // A project's profile does not exist in other folders, but the default applies there too.
    save::editable_profile(&config, &draft, name, "profile use")?;
    if command.sandbox {
        draft.set(name, "sandbox", true);
    } else if command.no_sandbox {
        draft.unset(name, "sandbox");
    }
    draft.set_default(Some(name));
    draft.save()?;
    if command.json {
        list::did(app, "chosen", name)?;
    }
    let url = profile.url.as_ref().map(|url| format!(": {}", url.value));
    app.ui.note(&format!(
        "`{name}` is now the default profile{}",
        url.unwrap_or_default()
    ));
    let now = save::read(app)?;
    if let Ok(chosen) = now.choose(None, &app.env)
        && chosen.name != *name
    {
        let by = match app.env.get("PROVISOR_PROFILE") {
            Some(_) => "PROVISOR_PROFILE is set".to_owned(),
            None => now.default_profile().map_or_else(
                || "the project's file sets it".to_owned(),
                |chosen| format!("{} sets it", chosen.origin),
            ),
        };
        app.ui.warn(&format!("but `{}` is used here: {by}", chosen.name));
    }
    match now.named(name, "profile use")?.sandboxed() {
        Some(_) => app.ui.banner(&format!(
            "sandbox: simulated platforms replace `{name}` (to end this: provisor profile use {name} --no-sandbox)"
        )),
        None if command.no_sandbox => app.ui.note(&format!("`{name}` uses the real account again")),
        None => {}
    }
    Ok(Exit::Ok)
}
