//! Words in, plans out: the only place that parses flags, prints and chooses exit codes.

mod actor;
mod app;
mod approval;
mod apps;
mod asker;
mod audit;
mod cancel;
mod check;
pub mod config;
mod consent;
mod doctor;
mod draft;
mod error;
mod execute;
mod exit;
mod explain;
mod import;
mod interrupt;
mod journal;
mod keychain;
mod ledger;
mod logging;
mod memory;
mod network;
mod ops;
mod params;
pub mod paths;
mod plan;
mod private_file;
mod profile;
mod profiles;
mod prompt;
mod recorded;
mod repl;
mod resolve;
mod results;
mod resume;
mod rows;
mod run;
mod runs;
mod sandbox;
mod sealer;
mod secret_store;
mod sources;
mod tenants;
mod times;
mod tokens;
mod torture;
mod trust;
mod typed;
pub mod ui;
mod within;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use app::App;
use error::CommandError;
use exit::Exit;

use crate::ops::catalogue::Catalogue;

/// Scripted onboarding on partner platforms, where nothing is created twice and no credential is lost.
///
/// A workflow is a Rhai script with a `main` function. Every call that changes something is recorded before it is
/// sent, so a run that is killed anywhere goes on where it stopped: `provisor resume`.
#[derive(Parser)]
#[command(name = "provisor", version, max_term_width = 100, after_long_help = EXAMPLES)]
struct Cli {
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ui::Colour,
    /// More about what happens, on standard error. Repeat it for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  provisor run scripts/onboard.rhai --sandbox --email ann@example.com --site https://ann.example
  provisor run scripts/onboard.rhai --profile acme --rows clients.csv --out results.csv
  provisor resume

Exit codes:
  0 done            3 check failed      6 network             9 aborted
  1 script error    4 sign-in refused   7 platform refused   10 left in doubt
  2 usage           5 not permitted     8 rows failed       130 interrupted, can be resumed";

#[derive(Subcommand)]
enum Command {
    /// Run a script once, or once for each row of a file.
    Run(run::RunCommand),
    /// Find what is wrong with scripts without running them.
    Check(check::CheckCommand),
    /// Type, see, keep: the interactive loop.
    Repl(repl::ReplCommand),
    /// Go on with a run where it stopped.
    Resume(resume::ResumeCommand),
    /// What was run: list runs, look into them, hand them on, forget old ones.
    Runs(runs::RunsCommand),
    /// Record the outcome of a step that is in doubt.
    Resolve(resolve::ResolveCommand),
    /// Give a run up.
    Cancel(cancel::CancelCommand),
    /// The tenants on record: list them, show one, hand them on, repair a password.
    Tenants(tenants::TenantsCommand),
    /// The apps on record.
    Apps(apps::AppsCommand),
    /// Named accounts: add one, look at them, change them, try them.
    Profile(profile::ProfileCommand),
    /// Sign in now, and stay signed in.
    Login(profile::LoginCommand),
    /// Sign out: forget the tokens.
    Logout(profile::LogoutCommand),
    /// What is configured, and where it comes from.
    Config(config::ConfigCommand),
    /// Look whether everything is in order, and say what to do about what is not.
    Doctor(doctor::DoctorCommand),
    /// Trust a project's file, as it is now.
    Trust(trust::TrustCommand),
    /// Who revealed, resolved or set what, and when.
    Audit(audit::AuditCommand),
    /// Back up, check and restore the journal, and change its key.
    Journal(journal::JournalCommand),
    /// Take over what was made with another tool: Postman.
    Import(import::ImportCommand),
    /// What a script may do: list the operations, look one up, search them, write the reference.
    Ops(ops::OpsCommand),
    /// Explain an error code, a row's status, or an exit code.
    Explain(explain::ExplainCommand),
    /// Where provisor keeps its files.
    Paths(paths::PathsCommand),
    /// The simulated platforms: serve them, look at them, start them afresh.
    Sandbox(sandbox::SandboxCommand),
    /// Kill and disturb a script's run on the sandbox, and check that nothing is made twice or lost.
    Torture(torture::TortureCommand),
}

/// Runs the program with these platforms.
pub fn main(catalogue: Catalogue) -> ExitCode {
    memory::keep_private();
    crate::script::prepare();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ui::print_clap_error(error).into(),
    };
    let (color, verbose) = match &cli.command {
        Command::Run(command) => command.said_behind(),
        _ => (None, 0),
    };
    let app = App::from_process(
        catalogue,
        color.unwrap_or(cli.color),
        cli.verbose.saturating_add(verbose),
    );
    let done = match cli.command {
        Command::Run(command) => run::run(&app, &command),
        Command::Check(command) => Ok(check::check(&app, &command)),
        Command::Repl(command) => repl::repl(&app, &command),
        Command::Resume(command) => resume::resume(&app, &command),
        Command::Runs(command) => runs::runs(&app, &command),
        Command::Resolve(command) => resolve::resolve(&app, &command),
        Command::Cancel(command) => cancel::cancel(&app, &command),
        Command::Tenants(command) => tenants::tenants(&app, &command),
        Command::Apps(command) => apps::apps(&app, &command),
        Command::Profile(command) => profile::profile(&app, &command),
        Command::Login(command) => profile::login(&app, &command),
        Command::Logout(command) => profile::logout(&app, &command),
        Command::Config(command) => config::show(&app, &command),
        Command::Doctor(command) => doctor::doctor(&app, &command),
        Command::Trust(command) => trust::trust(&app, &command),
        Command::Audit(command) => audit::audit(&app, &command),
        Command::Journal(command) => journal::journal(&app, &command),
        Command::Import(command) => import::import(&app, &command),
        Command::Ops(command) => ops::ops(&app, &command),
        Command::Explain(command) => explain::explain(&app, &command),
        Command::Paths(command) => paths::show(&app, &command),
        Command::Sandbox(command) => sandbox::sandbox(&app, &command),
        Command::Torture(command) => torture::torture(&app, &command),
    };
    let exit = app.close_journals(done.unwrap_or_else(|error| report(&app, &error)));
    if exit != Exit::Ok && app.ui.is_sandboxed() {
        app.ui.note("this was the sandbox: nothing real was changed");
    }
    exit.into()
}

/// Prints the help of a command.
fn help_of(command: &str) -> Exit {
    let mut cli = Cli::command();
    cli.build();
    let help = cli
        .find_subcommand_mut(command)
        .map(clap::Command::print_long_help);
    // Nobody is left to be told that nobody listens.
    drop(help);
    Exit::Ok
}

/// Shows a failed command on standard error.
fn report(app: &App, error: &CommandError) -> Exit {
    match &error.diagnostic {
        Some(diagnostic) => app.ui.diagnostic(diagnostic),
        None => app.ui.error(&error.message, &error.hints),
    }
    error.exit
}
