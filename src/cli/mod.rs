//! The command line: the only module that parses flags, prints and chooses exit codes.

mod app;
mod approval;
mod apps;
mod audit;
mod bundle;
mod cancel;
mod check;
mod config;
mod doctor;
mod error;
mod execute;
mod exit;
mod explain;
mod fmt;
mod help;
mod import;
mod interrupt;
mod journal;
mod ledger;
mod line_input;
mod lsp;
mod memory;
mod network;
mod ops;
mod package;
mod params;
mod parent_session;
mod plan;
mod private_file;
mod profile;
mod profiles;
mod prompt;
mod reach;
mod repl;
mod resolve;
mod results;
mod resume;
mod rows;
mod run;
mod runs;
mod sandbox;
mod sources;
mod tenants;
mod test;
mod times;
mod torture;
mod trust;
pub mod ui;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use app::App;
use error::CommandError;
use exit::Exit;

use crate::operation::catalogue::Catalogue;
use crate::runtime::Builder;

/// Run onboarding workflows on partner platforms: nothing is created twice, no credential is lost, and a killed run
/// continues where it stopped.
#[derive(Parser)]
#[command(name = "provisor", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// When to use colour: auto, always or never.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = GLOBAL
    )]
    color: ui::Colour,
    /// Print more on standard error; repeat for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

/// The help heading of options that every command takes.
const GLOBAL: &str = "Global options";

const EXAMPLES: &str = "\
Examples:
  provisor run scripts/hello.rhai --name Ann
  provisor run scripts/onboard.rhai --sandbox --rows scripts/clients.csv
  provisor resume

Exit codes:
  0 done            3 check failed      6 network            9 aborted
  1 script error    4 sign-in refused   7 platform refused  10 left in doubt
  2 usage           5 not permitted     8 rows failed      130 interrupted

`provisor COMMAND --help` describes a command.";

/// Defines the commands by group, in the order of `--help`: each with the type that describes it, and its function.
macro_rules! commands {
    ($($group:literal: { $($name:ident($command:ty) => $run:path,)+ })+) => {
        #[derive(Subcommand)]
        enum Command { $($($name($command),)+)+ }

        /// The groups of `--help`: a title, and the number of commands.
        const GROUPS: &[(&str, usize)] = &[$(($group, [$(stringify!($name)),+].len())),+];

        impl Command {
            fn run(self, app: &App) -> Result<Exit, CommandError> {
                match self { $($(Command::$name(command) => $run(app, &command).into(),)+)+ }
            }
        }
    };
}

commands! {
    "Run workflows": {
        Run(run::RunCommand) => run::run,
        Check(check::CheckCommand) => check::check,
        Reach(reach::ReachCommand) => reach::reach,
        Test(test::TestCommand) => test::test,
        Fmt(fmt::FmtCommand) => fmt::fmt,
        Resume(resume::ResumeCommand) => resume::resume,
        Repl(repl::ReplCommand) => repl::repl,
    }
    "Share code": {
        Add(package::AddCommand) => package::add,
        Lock(package::LockCommand) => package::lock,
        Update(package::UpdateCommand) => package::update,
        Remove(package::RemoveCommand) => package::remove,
        List(package::ListCommand) => package::list,
        Vendor(package::VendorCommand) => package::vendor,
        Bundle(bundle::BundleCommand) => bundle::bundle,
    }
    "Runs and resources": {
        Runs(runs::RunsCommand) => runs::runs,
        Resolve(resolve::ResolveCommand) => resolve::resolve,
        Cancel(cancel::CancelCommand) => cancel::cancel,
        Tenants(tenants::TenantsCommand) => tenants::tenants,
        Apps(apps::AppsCommand) => apps::apps,
        Audit(audit::AuditCommand) => audit::audit,
    }
    "Accounts": {
        Profile(profile::ProfileCommand) => profile::profile,
        Login(profile::LoginCommand) => profile::login,
        Logout(profile::LogoutCommand) => profile::logout,
        Trust(trust::TrustCommand) => trust::trust,
        Config(config::ConfigCommand) => config::show,
    }
    "Learn": {
        Ops(ops::OpsCommand) => ops::ops,
        Explain(explain::ExplainCommand) => explain::explain,
        Sandbox(sandbox::SandboxCommand) => sandbox::sandbox,
        Import(import::ImportCommand) => import::import,
        Lsp(lsp::LspCommand) => lsp::lsp,
    }
    "Maintenance": {
        Doctor(doctor::DoctorCommand) => doctor::doctor,
        Journal(journal::JournalCommand) => journal::journal,
        Paths(config::PathsCommand) => config::show_paths,
        Torture(torture::TortureCommand) => torture::torture,
    }
}

/// Runs the program with this builder's platforms and operations. Everything else comes from the configuration.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the program ends here, and the builder with it"
)]
pub fn main(builder: Builder) -> ExitCode {
    memory::keep_private();
    crate::script::prepare();
    let catalogue = match builder.catalogue() {
        Ok(catalogue) => catalogue,
        Err(error) => return ui::print_clap_error(Cli::command().error(ErrorKind::Io, error)).into(),
    };
    let parsed = program(&catalogue).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
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
    let exit = app.close_journals(cli.command.run(&app).unwrap_or_else(|error| report(&app, &error)));
    if exit != Exit::Ok && app.ui.is_sandboxed() {
        app.ui.note("this was the sandbox: nothing real was changed");
    }
    exit.into()
}

/// The clap definition of the program, with the account flags of the catalogue's platforms and examples for them.
fn program(catalogue: &Catalogue) -> clap::Command {
    // Changing a command makes clap list it last.
    help::grouped(Cli::command()).mut_subcommand("profile", |profile| {
        let flags = |command| profile::with_account_flags(command, catalogue);
        let profile =
            profile.mut_subcommand("add", |add| flags(add).after_help(profile::examples(catalogue)));
        profile.mut_subcommand("edit", flags)
    })
}

/// Prints the help of a command.
fn help_of(app: &App, command: &str) -> Exit {
    let mut program = program(app.catalogue());
    program.build();
    let help = program
        .find_subcommand_mut(command)
        .map(clap::Command::print_long_help);
    // Without a reader of stdout, the error has no reader either.
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
