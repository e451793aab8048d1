//! `provisor tenants set-password`: records a tenant's password.

use std::io::{self, IsTerminal as _};

use clap::Args;

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::ledger::{LedgerResource, find_tenant};
use crate::cli::prompt::secret_from_stdin;
use crate::journal::{NaturalKey, RunRecord, RunStatus};
use crate::value::Value;
use crate::value::secret::Secret;

/// Record a tenant's password.
///
/// Use it after the client changed the password, or if it was never recorded. It reads the first line of standard
/// input, or asks at a terminal without echo. Nothing changes on the platform.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor tenants set-password ann@example.com               asks
  pass show ann | provisor tenants set-password ann@example.com")]
pub(super) struct SetPasswordCommand {
    /// The tenant's login.
    email: String,
    /// A part of the master account's address, if several accounts have a tenant with this login.
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Read standard input even if it is a terminal.
    #[arg(long)]
    stdin: bool,
}

pub(super) fn set_password(app: &App, command: &SetPasswordCommand) -> Result<Exit, CommandError> {
    let journal = app.journal()?;
    let tenant = find_tenant(&journal, &command.email, command.account.as_deref())?;
    let email = tenant.item.resource.name.clone();
    let password = read(app, &email, command.stdin)?;
    if password.is_empty() {
        return Err(CommandError::usage("no password was given; nothing was changed"));
    }
    let (key, value) = with_password(&tenant, password)?;
    let what = format!("the password of {email} ({})", key.account);
    journal.audit("set-password", &app.actor(), &what.into())?;
    journal.ledger_put(&key, &value)?;
    app.ui.note(&format!("the password of {email} is on record"));
    let failed = |run: &RunRecord| run.status == RunStatus::Failed;
    if let Some(RunRecord { id: run, .. }) = journal.runs()?.into_iter().find(failed) {
        app.ui.hint(&format!(
            "rows that failed because this password was missing: provisor resume {run} --retry-failed"
        ));
    }
    Ok(Exit::Ok)
}

fn with_password(tenant: &LedgerResource, password: Secret) -> Result<(NaturalKey, Value), CommandError> {
    let resource = &tenant.item.resource;
    let Value::Object(mut object) = tenant.item.value.clone() else {
        return Err(CommandError::usage(format!(
            "the ledger's entry for {} is not a tenant",
            resource.name
        )));
    };
    object.fields.insert("password".into(), password.into());
    let key = NaturalKey {
        account: resource.account.clone(),
        kind: "tenant",
        name: resource.name.clone(),
    };
    Ok((key, Value::Object(object)))
}

/// Reads a line of stdin, or prompts at a terminal without echo.
fn read(app: &App, email: &str, stdin: bool) -> Result<Secret, CommandError> {
    if !stdin && io::stdin().is_terminal() {
        return app.ask_secret(&format!("Password of {email}"));
    }
    secret_from_stdin()
}
