//! `provisor audit`: who revealed, resolved or changed what, and when.

use clap::Args;
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::times;
use crate::value::Value;

/// Show who revealed, resolved or changed what, and when.
///
/// The oldest entry comes first.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document: {\"version\": 1, \"audit\": [{at, kind, who, what}]}
  kind is reveal, resolve, set-password, with-current, trust, distrust, seal, forget, profile-add,
  profile-edit, profile-remove or restore
  who is the user's name in the environment, the user id, and the machine")]
pub(super) struct AuditCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn audit(app: &App, command: &AuditCommand) -> Result<Exit, CommandError> {
    let audits = app.recorded()?.audits()?;
    if command.json {
        let audits: Vec<Json> = audits
            .iter()
            .map(|audit| {
                json!({
                    "at": times::json(audit.at_ms),
                    "kind": audit.kind,
                    "who": audit.actor,
                    "what": audit.what.to_masked_json(),
                })
            })
            .collect();
        return app.print_json(&json!({"version": 1, "audit": audits}));
    }
    let header = ["at (UTC)", "kind", "who", "what"];
    app.print_table(&audits, "the audit log has no entries yet", &header, |audit| {
        let what = match &audit.what {
            Value::Text(text) => text.clone(),
            other => other.to_masked_json().to_string(),
        };
        vec![
            times::shown(audit.at_ms),
            audit.kind.clone(),
            audit.actor.clone(),
            what,
        ]
    })
}
