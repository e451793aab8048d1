//! Writes files generated from the operation table.

use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::operation::doc::{definitions, markdown};
use crate::script;

/// The marker in the first lines of generated files, which allows them to be replaced.
const MARK: &str = "provisor ops";

/// Writes the definition files of the operations and of the language itself.
pub(super) fn definitions(app: &App, folder: &Path, force: bool) -> Result<Exit, CommandError> {
    let own = definitions::files(app.catalogue())
        .into_iter()
        .map(|file| (file.name, file.text));
    let files: Vec<(String, String)> = own.chain(script::definitions::standard()).collect();
    write(app, folder, &files, force)?;
    app.ui
        .note("point the editor at the folder: in Rhai.toml, source = { include = [\"DIR/*.rhai\"] }");
    Ok(Exit::Ok)
}

/// Writes the reference as Markdown.
pub(super) fn book(app: &App, folder: &Path, force: bool) -> Result<Exit, CommandError> {
    let pages = markdown::book(app.catalogue()).into_iter();
    let mark = format!("<!-- Written by `{MARK} book`; write it again after an update. -->\n\n");
    let files: Vec<(String, String)> = pages
        .map(|page| (page.name, format!("{mark}{}", page.text)))
        .collect();
    write(app, folder, &files, force)?;
    Ok(Exit::Ok)
}

/// Writes all files or none: an existing file without the marker aborts before the first write.
fn write(app: &App, folder: &Path, files: &[(String, String)], force: bool) -> Result<(), CommandError> {
    let folder = app.env.folder().join(folder);
    std::fs::create_dir_all(&folder).map_err(|error| {
        CommandError::usage(format!(
            "the folder `{}` cannot be created: {error}",
            folder.display()
        ))
    })?;
    for (name, _) in files.iter().filter(|_| !force) {
        let path = folder.join(name);
        if path.exists() && !is_generated(&path) {
            return Err(CommandError::usage(format!(
                "`{}` exists, and provisor did not write it",
                path.display()
            ))
            .hint("choose another folder, or pass --force to replace it"));
        }
    }
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| {
            CommandError::new(
                Exit::Aborted,
                format!("`{}` cannot be written: {error}", path.display()),
            )
        })?;
    }
    app.ui
        .note(&format!("{} files are in {}", files.len(), folder.display()));
    Ok(())
}

fn is_generated(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().take(4).any(|line| line.contains(MARK))
}
