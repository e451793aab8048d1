//! `provisor check`: finds mistakes in a script without running it.

use std::path::PathBuf;

use clap::Args;

use super::app::App;
use super::exit::Exit;
use super::run;

/// Check scripts for mistakes without running them.
///
/// Reads a script with everything it imports. Compares `main` with its doc comment, and each call with the existing
/// operations, methods, numbers of arguments and option keys, and finds undefined variables. Opens and sends nothing.
/// Names that are only known when the script runs (a map's field, a method of a platform's response) are not checked.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor check scripts/onboard.rhai
  provisor check scripts/*.rhai

The digest identifies the script with everything it imports: `provisor run --expect DIGEST` runs it only if it is unchanged.

Exit codes: 0 no mistakes, 3 mistakes found")]
pub(super) struct CheckCommand {
    /// The scripts; `-` reads standard input.
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
                    let digest = script.bundle().digest();
                    app.ui
                        .note(&format!("{}: no mistakes found ({digest})", path.display()));
                }
            }
            Err(error) => {
                wrong += 1;
                super::report(app, &error);
            }
        }
    }
    if wrong > 0 { Exit::Check } else { Exit::Ok }
}
