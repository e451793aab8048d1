//! `provisor bundle`: makes one file of a script and everything that it imports.

use std::path::{Path, PathBuf};

use clap::Args;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::{run, sources};
use crate::config;
use crate::package::bundle_file::{self, BundleFile};
use crate::script::program::Script;

/// Make one file of a script and everything that it imports.
///
/// `provisor run FILE.provisor` runs it on another machine as the script runs here: it has the same digest. The file holds the
/// texts of the script, of its own files and of its packages, and no profile, credential or row.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor bundle onboard.rhai                        writes onboard.provisor
  provisor run onboard.provisor --rows clients.csv")]
pub(super) struct BundleCommand {
    /// The script.
    script: PathBuf,
    /// The file to write [default: the script's path with the ending .provisor].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn bundle(app: &App, command: &BundleCommand) -> Result<Exit, CommandError> {
    let script = &command.script;
    if script == Path::new("-") {
        return Err(CommandError::usage(
            "a bundle is made from a file, not from standard input",
        ));
    }
    if sources::is_bundle(script) {
        return Err(CommandError::usage(format!(
            "`{}` is a bundle already",
            script.display()
        )));
    }
    let (bundle, loader) = sources::read_script(app, script)?;
    let (packages, needs) = loader.used(&bundle)?;
    let script_file = Script::compile(&run::host(app), bundle)?;
    let bundle = script_file.bundle();
    let out = command
        .out
        .clone()
        .unwrap_or_else(|| script.with_extension(bundle_file::ENDING));
    if !sources::is_bundle(&out) {
        let error = format!("`{}` does not end in .{}", out.display(), bundle_file::ENDING);
        return Err(CommandError::usage(error).hint("by that ending `provisor run` recognizes a bundle"));
    }
    if out.exists() && BundleFile::read(&out).is_err() {
        return Err(CommandError::usage(format!(
            "`{}` exists and is not a bundle; nothing was written",
            out.display()
        )));
    }
    let text = BundleFile::write(bundle, &packages, needs.as_deref())?;
    config::rewrite(&out, &text, script).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", out.display());
        CommandError::new(Exit::Aborted, message)
    })?;
    let count = bundle.sources().len();
    app.ui.note(&format!(
        "{}: {count} {} ({})",
        out.display(),
        if count == 1 { "file" } else { "files" },
        bundle.digest()
    ));
    Ok(Exit::Ok)
}
