//! `provisor tenants`: the tenants in the ledger, and their credentials.

mod export;
mod list;
mod set_password;
mod show;

use clap::{Args, Subcommand};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;

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
    List(list::ListCommand),
    Show(show::ShowCommand),
    Export(export::ExportCommand),
    SetPassword(set_password::SetPasswordCommand),
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
        Action::List(command) => list::list(app, command),
        Action::Show(command) => show::show(app, command),
        Action::Export(command) => export::export(app, command),
        Action::SetPassword(command) => set_password::set_password(app, command),
    }
}
