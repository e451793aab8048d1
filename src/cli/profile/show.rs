//! `provisor profile show`.

use clap::Args;
use serde_json::json;

use super::{account, list, save};
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::times;
use crate::clock::Clock;
use crate::operation::account::SignedIn;
use crate::value::Value;

/// Show a profile, where each value is set, and whether it is signed in.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"profile\": {as in `profile list`, and signed_in: true or false,
   signed_in_until: time, or null when there is none}}")]
pub(super) struct ShowCommand {
    /// The profile; by default the active one.
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn show(app: &App, command: &ShowCommand) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let profile = match &command.name {
        Some(name) => config.named(name, "profile show")?,
        None => config.choose(None, &app.env)?,
    };
    let chosen = config
        .choose(None, &app.env)
        .ok()
        .map(|profile| profile.name.clone());
    let signed_in = account::signed_in(app, profile);
    if command.json {
        let mut document = list::document(profile, chosen.as_deref());
        document["signed_in"] = (signed_in != SignedIn::No).into();
        document["signed_in_until"] = account::end(signed_in);
        app.print(&json!({"version": 1, "profile": document}).to_string())?;
        return Ok(Exit::Ok);
    }
    let mut fields: Vec<(String, Value)> = vec![("profile".into(), profile.name.as_str().into())];
    for line in crate::cli::config::lines(profile) {
        fields.push((
            line.key,
            format!("{}   ({})", line.value, line.origin).as_str().into(),
        ));
    }
    let signed_in = match signed_in {
        SignedIn::Until(until) if until > Clock::system().now_millis() => {
            format!("until {} UTC", times::shown(until))
        }
        SignedIn::Until(_) => "the tokens have expired; the next run signs in".into(),
        SignedIn::WhileUsed => "while the session is in use".into(),
        SignedIn::EachTime | SignedIn::Reached(_) => "with each request".into(),
        SignedIn::No => "no".into(),
    };
    fields.push(("signed in".into(), signed_in.as_str().into()));
    app.print(&app.ui.fields(&fields))?;
    Ok(Exit::Ok)
}
