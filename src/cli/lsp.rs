//! `provisor lsp`: the language server, for editors.

use std::io::{self, BufReader, IsTerminal as _};

use clap::Args;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::{run, sources, test};
use crate::lsp::{Workplace, serve};

/// Serve an editor that edits scripts.
///
/// Speaks the Language Server Protocol over standard input and output: an editor starts it, see docs/editors.md. Shows
/// what `provisor check` finds while you type, completes, describes names, finds definitions, and formats. Runs no script,
/// and opens and sends nothing.
#[derive(Args)]
#[command(after_help = "\
Example:
  provisor lsp

Exit codes: 0 the editor ended it as the protocol demands, 1 the editor went away")]
pub(super) struct LspCommand {
    /// Accepted because editors pass it; there is no other way to connect.
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(super) fn lsp(app: &App, _: &LspCommand) -> Result<Exit, CommandError> {
    if io::stdin().is_terminal() {
        let message =
            "`provisor lsp` is started by an editor, and talks to it over standard input and output";
        return Err(CommandError::usage(message).hint("docs/editors.md describes how to set up your editor"));
    }
    let reader = sources::ScriptReader::new(app).silent();
    let workplace = Workplace {
        host: run::host(app),
        test_host: test::host(app, None),
        is_test: test::is_test_file,
        loader: Box::new(move |path, text| Box::new(reader.loader(path, text))),
        reserved: run::own_names(),
    };
    let ended = serve(workplace, BufReader::new(io::stdin()), &mut io::stdout().lock());
    let in_order = ended
        .map_err(|error| CommandError::new(Exit::Script, format!("cannot write to the editor: {error}")))?;
    Ok(if in_order { Exit::Ok } else { Exit::Script })
}
