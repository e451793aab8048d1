//! `provisor tenants`: the tenants in the ledger, and their credentials.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::app::{App, stdout_error};
use super::error::CommandError;
use super::exit::Exit;
use super::ledger::{LedgerResource, find_tenant, held};
use super::prompt::secret_from_stdin;
use super::{private_file, times};
use crate::journal::{NaturalKey, RunRecord, RunStatus};
use crate::report::reveal::Reveal;
use crate::report::{CSV, JSON, record_json, write_records};
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// List and export tenants, show one, or record its password.
///
/// They are read from the ledger; nothing is sent to a platform.
#[derive(Args)]
pub(super) struct TenantsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    List(ListCommand),
    Show(ShowCommand),
    Export(ExportCommand),
    SetPassword(SetPasswordCommand),
}

/// The fields shown of a tenant, in this order.
const COLUMNS: [&str; 12] = [
    "email",
    "url",
    "login",
    "password",
    "credential",
    "repair",
    "name",
    "account",
    "run",
    "step",
    "created",
    "changed",
];

/// Which tenants, and whether to show their passwords.
#[derive(Args)]
struct TenantSelection {
    /// Only tenants of accounts whose address contains this.
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Show passwords in clear; asks for confirmation, and is recorded (`provisor audit`).
    #[arg(long)]
    reveal: bool,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

pub(super) fn tenants(app: &App, command: &TenantsCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::List(command) => list(app, command),
        Action::Show(command) => show(app, command),
        Action::Export(command) => export(app, command),
        Action::SetPassword(command) => set_password(app, command),
    }
}

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
struct ListCommand {
    #[command(flatten)]
    which: TenantSelection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn list(app: &App, command: &ListCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let which = &command.which;
    let tenants = held(&journal, "tenant", which.account.as_deref())?;
    let what = format!("the passwords of {} tenants", tenants.len());
    let reveal = app.reveal(&journal, (which.reveal, which.yes), &what)?;
    if command.json {
        let tenants = tenants
            .iter()
            .map(|tenant| record_json(&tenant.tenant_record(), &COLUMNS, &reveal));
        let tenants: Vec<Json> = tenants.collect();
        return app.print_json(&json!({"version": 1, "tenants": tenants}));
    }
    app.warn_of_doubts(&journal, "tenant")?;
    let header = ["email", "url", "password", "created (UTC)", "run", "account"];
    app.print_table(&tenants, "the ledger holds no tenants", &header, |tenant| {
        row(tenant, &reveal)
    })?;
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
        tenant.run(),
        tenant.account().to_owned(),
    ]
}

/// Show a tenant.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document: {\"version\": 1, \"tenant\": {as in `tenants list`}}")]
struct ShowCommand {
    /// The tenant's login.
    email: String,
    #[command(flatten)]
    which: TenantSelection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn show(app: &App, command: &ShowCommand) -> Result<Exit, CommandError> {
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
        return app.print_json(&json!({"version": 1, "tenant": shown}));
    }
    let shown_columns = COLUMNS.into_iter().filter(|name| *name != "repair");
    let fields = shown_columns.map(|name| (name.to_owned(), Value::from_json(shown[name].clone())));
    app.print(&app.ui.fields(&fields.collect::<Vec<_>>()))?;
    if let Some(repair) = tenant.repair() {
        app.ui.hint(&format!("its password is not on record: {repair}"));
    }
    Ok(Exit::Ok)
}

/// Write the tenants as CSV, JSON or JSON Lines.
///
/// The file's extension selects the format. Only its owner can read it (0600).
#[derive(Args)]
#[command(after_help = "\
Columns, as in `tenants list --json`:
  email, url, login, password, credential, repair, name, account, run, step, created, changed
JSON is an array of such objects. Passwords are masked without --reveal.")]
struct ExportCommand {
    /// The file to write; by default standard output, as CSV.
    file: Option<PathBuf>,
    #[command(flatten)]
    which: TenantSelection,
    /// Write JSON, whatever the extension.
    #[arg(long)]
    json: bool,
    /// Put an apostrophe before CSV fields that a spreadsheet would take for formulas.
    #[arg(long)]
    csv_safe: bool,
}

fn export(app: &App, command: &ExportCommand) -> Result<Exit, CommandError> {
    let format = match &command.file {
        _ if command.json => JSON,
        None => CSV,
        Some(file) => private_file::format_of(file)?,
    };
    let safe = command.csv_safe.then(|| format.spreadsheet_safe()).flatten();
    let format = safe.unwrap_or(format);
    let journal = app.recorded()?;
    let which = &command.which;
    let tenants = held(&journal, "tenant", which.account.as_deref())?;
    let to = command
        .file
        .as_ref()
        .map_or("standard output".to_owned(), |file| file.display().to_string());
    let what = format!("the passwords of {} tenants, written to {to},", tenants.len());
    let reveal = app.reveal(&journal, (which.reveal, which.yes), &what)?;
    let records: Vec<Record> = tenants.iter().map(LedgerResource::tenant_record).collect();
    let write = |sink: &mut dyn io::Write| write_records(sink, format, &COLUMNS, &records, &reveal);
    match &command.file {
        Some(file) => {
            private_file::write(file, |sink| Ok(write(sink)?))?;
            app.ui
                .note(&format!("{} tenants are in {}", records.len(), file.display()));
        }
        None => match write(&mut app.ui.data()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(stdout_error(error));
            }
            _ => {}
        },
    }
    Ok(Exit::Ok)
}

/// Record a tenant's password.
///
/// Use it after the client changed the password, or if it was never recorded. It reads the first line of standard
/// input, or asks at a terminal without echo. Nothing changes on the platform.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor tenants set-password ann@example.com               asks
  pass show ann | provisor tenants set-password ann@example.com")]
struct SetPasswordCommand {
    /// The tenant's login.
    email: String,
    /// A part of the master account's address, if several accounts have a tenant with this login.
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Read standard input even if it is a terminal.
    #[arg(long)]
    stdin: bool,
}

fn set_password(app: &App, command: &SetPasswordCommand) -> Result<Exit, CommandError> {
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
