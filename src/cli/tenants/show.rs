//! `provisor tenants show`: one tenant.

use clap::Args;

use super::{COLUMNS, TenantSelection};
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::ledger::find_tenant;
use crate::report::record_json;
use crate::value::Value;

/// Show a tenant.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document: {\"version\": 1, \"tenant\": {as in `tenants list`}}")]
pub(super) struct ShowCommand {
    /// The tenant's login.
    email: String,
    #[command(flatten)]
    which: TenantSelection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn show(app: &App, command: &ShowCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let which = &command.which;
    let tenant = find_tenant(&journal, &command.email, which.account.as_deref())?;
    let what = format!(
        "the password of {} ({})",
        tenant.item.resource.name,
        tenant.account()
    );
    let reveal = app.reveal(&journal, (which.reveal, which.yes), &what)?;
    let shown = record_json(&tenant.tenant_record(), &COLUMNS, &reveal);
    if command.json {
        app.print_ledger("tenant", &shown)?;
        return Ok(Exit::Ok);
    }
    let shown_columns = COLUMNS.into_iter().filter(|name| *name != "repair");
    let fields = shown_columns.map(|name| (name.to_owned(), Value::from_json(shown[name].clone())));
    app.print(&app.ui.fields(&fields.collect::<Vec<_>>()))?;
    if let Some(repair) = tenant.repair() {
        app.ui.hint(&format!("its password is not on record: {repair}"));
    }
    Ok(Exit::Ok)
}
