//! `provisor fmt`: formats scripts.

use std::path::{Path, PathBuf};

use clap::Args;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::sources;
use crate::config;
use crate::script::format::format_source;

/// Format scripts.
///
/// Makes the spaces between words, the indentation and the end of each file the same everywhere. Words, comments, the space before a
/// comment behind code, and line breaks stay as they are; of several empty lines one remains. A script with a syntax error is
/// reported and left as it is.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor fmt onboard.rhai
  provisor fmt --check scripts

Exit codes: 0 all scripts are formatted, 3 with --check: some are not, or a script has a syntax error")]
pub(super) struct FmtCommand {
    /// Report the scripts that are not formatted, and change nothing.
    #[arg(long)]
    check: bool,
    /// Scripts, and folders with .rhai files in them; `-` formats standard input to standard output.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn fmt(app: &App, command: &FmtCommand) -> Result<Exit, CommandError> {
    let mut exit = Exit::Ok;
    for path in &sources::scripts(&command.paths)? {
        let source = sources::read_main(path)?;
        let formatted = match format_source(&source) {
            Ok(formatted) => formatted,
            Err(error) => {
                app.ui.diagnostic(&error);
                exit = Exit::Check;
                continue;
            }
        };
        let is_stdin = path == Path::new("-");
        let is_changed = formatted != source.text;
        if command.check && is_changed {
            app.ui.note(&format!("{} is not formatted", path.display()));
            exit = Exit::Check;
        } else if !command.check && (is_changed || is_stdin) {
            write(app, path, &formatted)?;
        }
    }
    Ok(exit)
}

/// Writes a formatted script to its file, or to standard output.
fn write(app: &App, path: &Path, text: &str) -> Result<(), CommandError> {
    if path == Path::new("-") {
        return app.print(text.trim_end_matches('\n'));
    }
    config::rewrite(path, text, path).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", path.display());
        CommandError::new(Exit::Aborted, message)
    })?;
    app.ui.note(&format!("formatted {}", path.display()));
    Ok(())
}
