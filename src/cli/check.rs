//! `provisor check`: what is wrong with a script, found without running it.

use std::path::PathBuf;

use clap::Args;

use super::app::App;
use super::exit::Exit;
use super::run;

/// Find what is wrong with scripts without running them.
///
/// A script is read with everything it imports; `main` is compared with its doc comment, and calls with the operations,
/// methods, numbers of arguments and option keys that there are; a variable that is not there where it is used is found.
/// Nothing is opened, signed in to or sent. A name that only shows when the script runs (a map's field, a method of
/// something a platform answers) is not judged.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor check scripts/onboard.rhai
  provisor check scripts/*.rhai

Exit codes: 0 nothing is wrong, 3 something is")]
pub(super) struct CheckCommand {
    /// The scripts; `-` is standard input.
    #[arg(required = true, value_name = "SCRIPT")]
    scripts: Vec<PathBuf>,
}

pub(super) fn check(app: &App, command: &CheckCommand) -> Exit {
    let mut wrong = 0;
    for path in &command.scripts {
        match run::load(app, path) {
            Ok(script) => {
                let found = script.check();
                for error in &found {
                    app.ui.diagnostic(error);
                }
                wrong += found.len();
                if found.is_empty() {
                    app.ui.note(&format!("{}: nothing is wrong", path.display()));
                }
            }
            Err(error) => {
                wrong += 1;
                match &error.diagnostic {
                    Some(diagnostic) => app.ui.diagnostic(diagnostic),
                    None => app.ui.error(&error.message, &error.hints),
                }
            }
        }
    }
    if wrong > 0 { Exit::Check } else { Exit::Ok }
}
