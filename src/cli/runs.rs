//! `provisor runs`: lists, inspects, exports and prunes runs.

mod export;
mod list;
mod prune;
mod show;
mod steps;

use clap::{Args, Subcommand};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;

/// List, inspect, export and prune runs.
#[derive(Args)]
pub(super) struct RunsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    List(list::ListCommand),
    Show(show::ShowCommand),
    Steps(steps::StepsCommand),
    Export(export::ExportCommand),
    Prune(prune::PruneCommand),
}

pub(super) fn runs(app: &App, command: &RunsCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::List(command) => list::list(app, command),
        Action::Show(command) => show::show(app, command),
        Action::Steps(command) => steps::steps(app, command),
        Action::Export(command) => export::export(app, command),
        Action::Prune(command) => prune::prune(app, command),
    }
}
