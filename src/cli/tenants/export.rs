//! `provisor tenants export`: writes the tenants to a file.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{COLUMNS, TenantSelection};
use crate::cli::app::{App, stdout_error};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::ledger::{LedgerResource, held};
use crate::cli::private_file;
use crate::report::{Format, write_records};
use crate::value::Record;

/// Write the tenants as CSV, JSON or JSON Lines.
///
/// The file's extension selects the format. Only its owner can read it (0600).
#[derive(Args)]
#[command(after_help = "\
Columns, as in `tenants list --json`:
  email, url, login, password, credential, repair, name, account, run, step, created, changed
JSON is an array of such objects. Passwords are masked without --reveal.")]
pub(super) struct ExportCommand {
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

pub(super) fn export(app: &App, command: &ExportCommand) -> Result<Exit, CommandError> {
    let format = match &command.file {
        _ if command.json => Format::Json,
        None => Format::Csv,
        Some(file) => Format::of(file).ok_or_else(|| unknown_ending(file))?,
    };
    let format = if command.csv_safe {
        format.spreadsheet_safe()
    } else {
        format
    };
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

fn unknown_ending(file: &Path) -> CommandError {
    CommandError::usage(format!("unsupported file type: `{}`", file.display()))
        .hint("use .csv, .json or .jsonl")
}
