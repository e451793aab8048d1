//! `provisor tenants list`: all tenants in the ledger.

use clap::Args;
use serde_json::Value as Json;

use super::{COLUMNS, TenantSelection};
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::ledger::{LedgerResource, held};
use crate::cli::times;
use crate::report::record_json;
use crate::report::reveal::Reveal;

/// List the tenants, oldest first.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1,
   \"tenants\": [{email, url, login, password, credential, repair, name, account, run, step,
                created, changed}]}
  password is masked without --reveal
  credential is recorded, missing or unreadable; repair is the command for a missing one, or null
  account is the master account's address; run and step created the tenant")]
pub(super) struct ListCommand {
    #[command(flatten)]
    which: TenantSelection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(app: &App, command: &ListCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let which = &command.which;
    let tenants = held(&journal, "tenant", which.account.as_deref())?;
    let what = format!("the passwords of {} tenants", tenants.len());
    let reveal = app.reveal(&journal, (which.reveal, which.yes), &what)?;
    if command.json {
        let tenants = tenants
            .iter()
            .map(|tenant| record_json(&tenant.tenant_record(), &COLUMNS, &reveal));
        app.print_ledger("tenants", &Json::Array(tenants.collect()))?;
        return Ok(Exit::Ok);
    }
    app.warn_of_doubts(&journal, "tenant")?;
    if tenants.is_empty() {
        app.ui.note("the ledger holds no tenants");
        return Ok(Exit::Ok);
    }
    let rows: Vec<Vec<String>> = tenants.iter().map(|tenant| row(tenant, &reveal)).collect();
    let header = ["email", "url", "password", "created (UTC)", "run", "account"];
    app.print(&app.ui.table(&header, &rows))?;
    for tenant in &tenants {
        if let Some(repair) = tenant.repair() {
            app.ui.hint(&format!(
                "the password of {} is not on record: {repair}",
                tenant.item.resource.name
            ));
        }
    }
    Ok(Exit::Ok)
}

fn row(tenant: &LedgerResource, reveal: &Reveal) -> Vec<String> {
    let password = if tenant.has_password() {
        let shown = reveal.json("password", &tenant.field("password"));
        shown.as_str().unwrap_or_default().to_owned()
    } else if tenant.repair().is_some() {
        "missing".to_owned()
    } else {
        "unreadable".to_owned()
    };
    vec![
        tenant.item.resource.name.clone(),
        tenant.text("url"),
        password,
        times::shown(tenant.item.created_ms),
        tenant
            .item
            .run
            .as_ref()
            .map_or(String::new(), ToString::to_string),
        tenant.account().to_owned(),
    ]
}
