//! `provisor ops`: lists and documents operations, from the operation table.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ui::{Stream, Style};
use crate::operation::doc::find::{self, Topic, Unknown};
use crate::operation::doc::text::{self, DocLayout};
use crate::operation::doc::{self, OpDoc, definitions, markdown};
use crate::operation::platform::Operation;
use crate::operation::spec::Kind;
use crate::script;

/// List and document operations.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor ops list http
  provisor ops show ensure_tenant
  provisor ops search token
  provisor ops definitions .rhai/definitions     for the Rhai language server of an editor")]
pub(super) struct OpsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the operations with their summaries.
    #[command(after_help = JSON)]
    List {
        /// Only the operations of this module, or the methods of this kind of object.
        #[arg(value_name = "MODULE")]
        of: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Describe an operation, a kind of object or a module.
    #[command(after_help = JSON)]
    Show {
        /// Its name in a script: `ensure_app`, `http::get`, `Tenant.connect`, `Tenant`, `http`.
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Find operations by words of their names, summaries, parameters and errors.
    #[command(after_help = JSON)]
    Search {
        /// The words; an operation must have all of them.
        #[arg(required = true, value_name = "WORD")]
        words: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write definition files (.d.rhai) for editors.
    ///
    /// Rhai's language server reads them. Write them again after you update provisor.
    Definitions {
        /// The folder to write to; it is created if it is missing.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Replace files of these names that provisor did not write.
        #[arg(long)]
        force: bool,
    },
    /// Write the reference as Markdown: an index, a page for each module, and the error codes.
    Book {
        /// The folder to write to; it is created if it is missing.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Replace files of these names that provisor did not write.
        #[arg(long)]
        force: bool,
    },
}

const JSON: &str = "\
JSON (--json), one document:
  {\"version\": 1, \"operations\": [{name, module, receiver, signature, summary, about,
    params: [{name, type, required, about, keys: [{as params}]}], result: {type, properties},
    errors: [{code, when, hint}], common_errors: [code], effect: {name, meaning},
    permission: {name, meaning}, timeout, example}],
   \"objects\": [{name, summary, properties: [{name, type, about}], methods: [name]}]}
  objects is present if you asked for a kind of object or a module";

pub(super) fn ops(app: &App, command: &OpsCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::List { of, json } => list(app, of.as_deref(), *json),
        Action::Show { name, json } => show(app, name, *json),
        Action::Search { words, json } => search(app, &words.join(" "), *json),
        Action::Definitions { folder, force } => write_definitions(app, folder, *force),
        Action::Book { folder, force } => write_book(app, folder, *force),
    }
}

fn list(app: &App, of: Option<&str>, json: bool) -> Result<Exit, CommandError> {
    let ops: Vec<Operation> = match of {
        None => app.catalogue().operations().to_vec(),
        Some(name) => operations(app, &topics(app, name)?),
    };
    print_operations(app, &ops, &[], json)
}

fn show(app: &App, name: &str, json: bool) -> Result<Exit, CommandError> {
    let topics = topics(app, name)?;
    if json {
        let ops = operations(app, &topics);
        let kinds = topics.iter().flat_map(|topic| match topic {
            Topic::Op(_) => Vec::new(),
            Topic::Kind(kind) => vec![*kind],
            Topic::Module(module) => find::kinds_of(app.catalogue(), module).collect(),
        });
        return print_operations(app, &ops, &kinds.collect::<Vec<_>>(), true);
    }
    let heading = |text: &str| app.ui.styled(Stream::Out, Style::Strong, text);
    let look = look(app, &heading);
    let parts: Vec<String> = topics
        .iter()
        .map(|topic| match topic {
            Topic::Op(op) => text::op(&OpDoc::of(app.catalogue(), *op), &look),
            Topic::Kind(kind) => text::kind(app.catalogue(), kind, &look),
            Topic::Module(module) => text::module(app.catalogue(), module, &look),
        })
        .collect();
    app.print_styled(&parts.join("\n\n\n"))?;
    Ok(Exit::Ok)
}

fn search(app: &App, words: &str, json: bool) -> Result<Exit, CommandError> {
    let found = find::search(app.catalogue(), words);
    if found.is_empty() && !json {
        app.ui
            .note(&format!("no operation has `{words}` in its documentation"));
        if let Err(Unknown { nearest }) = find::find(app.catalogue(), words)
            && !nearest.is_empty()
        {
            app.ui.hint(&format!("did you mean {}?", nearest.join(" or ")));
        }
        return Ok(Exit::Ok);
    }
    print_operations(app, &found, &[], json)
}

/// Prints operations as a list, or fully documented as JSON.
fn print_operations(
    app: &App,
    ops: &[Operation],
    kinds: &[&'static Kind],
    json: bool,
) -> Result<Exit, CommandError> {
    if json {
        let docs: Vec<OpDoc> = ops.iter().map(|op| OpDoc::of(app.catalogue(), *op)).collect();
        let mut document = json!({"version": 1, "operations": docs});
        if !kinds.is_empty() {
            document["objects"] = kinds.iter().map(|kind| object(app, kind)).collect();
        }
        return app.print_json(&document);
    }
    let heading = |text: &str| app.ui.styled(Stream::Out, Style::Strong, text);
    app.print_styled(&text::list(ops, &look(app, &heading)))?;
    Ok(Exit::Ok)
}

fn object(app: &App, kind: &'static Kind) -> serde_json::Value {
    let methods = app.catalogue().methods(kind.name);
    let methods: Vec<String> = methods.map(|op| op.id()).collect();
    json!({
        "name": kind.name,
        "summary": kind.summary,
        "properties": doc::properties(kind),
        "methods": methods,
    })
}

fn operations(app: &App, topics: &[Topic]) -> Vec<Operation> {
    let of = |topic| find::operations(app.catalogue(), topic);
    topics.iter().flat_map(of).collect()
}

fn topics(app: &App, name: &str) -> Result<Vec<Topic>, CommandError> {
    find::find(app.catalogue(), name).map_err(|Unknown { nearest }| {
        let near = (!nearest.is_empty()).then(|| nearest.join(" or "));
        CommandError::usage(format!("there is no operation `{name}`"))
            .did_you_mean(near.as_deref())
            .hint(format!(
                "provisor ops list shows all of them; provisor ops search {name} searches their documentation"
            ))
    })
}

fn look<'a>(app: &App, heading: &'a dyn Fn(&str) -> String) -> DocLayout<'a> {
    DocLayout {
        width: app.ui.prose_width(),
        heading,
    }
}

/// The marker in the first lines of generated files, which allows them to be replaced.
const MARK: &str = "provisor ops";

/// Writes the definition files of the operations and of the language itself.
fn write_definitions(app: &App, folder: &Path, force: bool) -> Result<Exit, CommandError> {
    let own = definitions::files(app.catalogue())
        .into_iter()
        .map(|file| (file.name, file.text));
    let files: Vec<(String, String)> = own.chain(script::definitions::standard()).collect();
    write_files(app, folder, &files, force)?;
    app.ui
        .note("point the editor at the folder: in Rhai.toml, source = { include = [\"DIR/*.rhai\"] }");
    Ok(Exit::Ok)
}

/// Writes the reference as Markdown.
fn write_book(app: &App, folder: &Path, force: bool) -> Result<Exit, CommandError> {
    let pages = markdown::book(app.catalogue()).into_iter();
    let mark = format!("<!-- Written by `{MARK} book`; write it again after an update. -->\n\n");
    let files: Vec<(String, String)> = pages
        .map(|page| (page.name, format!("{mark}{}", page.text)))
        .collect();
    write_files(app, folder, &files, force)?;
    Ok(Exit::Ok)
}

/// Writes all files or none: an existing file without the marker aborts before the first write.
fn write_files(
    app: &App,
    folder: &Path,
    files: &[(String, String)],
    force: bool,
) -> Result<(), CommandError> {
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
