//! `provisor profile`: named accounts, and where their secrets are kept.

mod add;
mod choose;
mod desk;
mod edit;
pub(in crate::cli) mod fields;
mod given;
mod list;
pub(in crate::cli) mod place;
mod remove;
mod show;
mod sign;
mod trial;
pub(in crate::cli) mod written;

use clap::{Args, Subcommand};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;

pub(super) use add::examples;
pub(super) use desk::signed_in;
pub(super) use fields::missing;
pub(super) use sign::{LoginCommand, LogoutCommand, login, logout};

/// Add, inspect, change and test accounts.
///
/// A profile is a named account: its address, who signs in, where the secret comes from and what is permitted. Secrets are
/// never written into a configuration file and never taken from the command line: you type them without echo, pass them on
/// standard input, or name the place where they are kept.
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
    Test(trial::TestCommand),
    Use(choose::UseCommand),
}

pub(super) fn profile(app: &App, command: &ProfileCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::Add(command) => add::add(app, command),
        Action::List(command) => list::list(app, command),
        Action::Show(command) => show::show(app, command),
        Action::Edit(command) => edit::edit(app, command),
        Action::Remove(command) => remove::remove(app, command),
        Action::Test(command) => trial::test(app, command),
        Action::Use(command) => choose::choose(app, command),
    }
}
