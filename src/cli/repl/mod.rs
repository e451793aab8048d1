//! `provisor repl`: an interactive session.

mod account;
mod editor;
mod host;
mod terminal;
mod trace;

use std::io::{BufReader, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;

use clap::Args;

use self::host::CliHost;
use self::terminal::{Keyboard, terminal};
use super::app::{Accounts, App};
use super::error::CommandError;
use super::exit::Exit;
use super::{memory, sources};
use crate::repl::host::Ports;
use crate::repl::{Lines, Options, SessionExit};

/// Start an interactive session.
///
/// It evaluates each input as you enter it. Changes are recorded like the steps of a run: `provisor runs show` lists
/// them, and `provisor resume` settles steps that are in doubt, without running any input again. Without a terminal,
/// standard input is evaluated statement by statement; the first failure ends the session.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor repl --sandbox
  provisor repl --profile acme
  provisor repl --sandbox --eval 'let start = now()'
  provisor repl --sandbox < steps.rhai

In the session, :help lists the commands, Tab completes, Ctrl-C stops an input, and Ctrl-D leaves.")]
pub(super) struct ReplCommand {
    /// Use the built-in sandbox: simulated platforms, no account needed.
    #[arg(long)]
    sandbox: bool,
    /// Inject a sandbox fault, for example `partners:drop-after:0.2`. Repeatable; `provisor sandbox faults` lists them.
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,
    /// The seed of random faults.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The profile to use.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Evaluate this first; without a terminal, read nothing after it. Repeatable.
    #[arg(long, value_name = "INPUT")]
    eval: Vec<String>,
    /// Evaluate a file first; its variables and functions stay. Repeatable.
    #[arg(long, value_name = "FILE")]
    load: Vec<String>,
    /// Do not load `repl.rhai`.
    #[arg(long)]
    no_rc: bool,
    /// Memory limit of one input: 512M, 4G or none [default: 1G].
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    max_memory: Option<usize>,
    /// Do not ask for confirmation in mode `prod`, for the profile that the session starts with.
    #[arg(long)]
    yes: bool,
}

pub(super) fn repl(app: &App, command: &ReplCommand) -> Result<Exit, CommandError> {
    memory::allow(command.max_memory);
    let accounts = Accounts {
        sandbox: command.sandbox,
        profile: command.profile.clone(),
        faults: command.fault.clone(),
        seed: command.seed,
        project: Some(sources::project(app, Path::new("-"))),
        ..Accounts::default()
    };
    let typed = std::io::stdin().is_terminal();
    let terminal = terminal(&app.ui, &app.env, typed);
    let keyboard = terminal.redraws.then(Keyboard::take).flatten();
    let _given_back = keyboard.clone().map(TerminalRestore);
    let host = CliHost::new(app, accounts, typed, keyboard)?;
    if command.yes {
        host.approve_current_account()?;
    }
    let (rc, notes) = if command.no_rc {
        (Vec::new(), Vec::new())
    } else {
        host.rc()
    };
    let options = Options {
        load: command.load.clone(),
        eval: command.eval.clone(),
        rc,
        notes,
        history: terminal.interactive.then(|| host.history()).flatten(),
    };
    let ports = Ports {
        host: Arc::new(host),
        screen: Arc::new(app.ui.clone()),
        terminal,
    };
    let input = if typed { None } else { Some(input()?) };
    let left = crate::repl::run(ports, &super::run::host(app), &options, input);
    Ok(match left {
        SessionExit::Code(code) => Exit::with_code(code),
        SessionExit::Ended => Exit::Ok,
        SessionExit::Failed(code) => code.map_or(Exit::Script, Exit::of),
        SessionExit::InDoubt => Exit::InDoubt,
        SessionExit::Interrupted => Exit::Interrupted,
        SessionExit::Broken => Exit::Aborted,
        SessionExit::Usage => Exit::Usage,
    })
}

/// Restores the terminal, however the session ends.
struct TerminalRestore(Keyboard);

impl Drop for TerminalRestore {
    fn drop(&mut self) {
        self.0.restore_original();
    }
}

/// Stdin: as a whole if it is a file, otherwise line by line.
fn input() -> Result<Lines, CommandError> {
    let stdin = std::io::stdin();
    let file = stdin.as_fd().try_clone_to_owned().map(std::fs::File::from);
    let is_file = file
        .and_then(|file| file.metadata())
        .is_ok_and(|data| data.is_file());
    if !is_file {
        return Ok(Lines::read(STDIN, BufReader::new(stdin)));
    }
    let text = std::io::read_to_string(stdin)
        .map_err(|error| CommandError::usage(format!("standard input cannot be read: {error}")))?;
    Ok(Lines::of(STDIN, text))
}

/// The name of stdin in messages.
const STDIN: &str = "stdin";
