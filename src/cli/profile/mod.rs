//! `provisor profile`: named accounts, and where their secrets are kept.

mod account;
mod add;
mod args;
mod choose;
mod edit;
pub(in crate::cli) mod fields;
mod list;
mod remove;
pub(in crate::cli) mod save;
pub(in crate::cli) mod secret_location;
mod show;
mod sign;
mod test_command;

use clap::{Args, Subcommand};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;

pub(super) use account::signed_in;
pub(super) use add::examples;
pub(super) use fields::missing;
pub(super) use sign::{LoginCommand, LogoutCommand, login, logout};

/// Add, inspect, change and test accounts.
///
/// A profile is a named account: its address, who signs in, where the secret comes from and what is permitted. Secrets
/// are never written into a configuration file and never taken from the command line: you type them without echo, pass
/// them on standard input, or name the place where they are kept.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor profile add acme                                              asks for everything
  pass show acme | provisor profile add acme --url https://acme.example \\
      --login partner@acme.example --password-stdin
  provisor profile add --help                                            shows one for each platform
  provisor profile use acme
  provisor profile test")]
pub(super) struct ProfileCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(Box<add::AddCommand>),
    List(list::ListCommand),
    Show(show::ShowCommand),
    Edit(Box<edit::EditCommand>),
    Remove(remove::RemoveCommand),
    Test(test_command::TestCommand),
    Use(choose::UseCommand),
}

pub(super) fn profile(app: &App, command: &ProfileCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::Add(command) => add::add(app, command),
        Action::List(command) => list::list(app, command),
        Action::Show(command) => show::show(app, command),
        Action::Edit(command) => edit::edit(app, command),
        Action::Remove(command) => remove::remove(app, command),
        Action::Test(command) => test_command::test(app, command),
        Action::Use(command) => choose::choose(app, command),
    }
}
