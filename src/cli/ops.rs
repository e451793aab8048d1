//! `provisor ops`: lists and documents operations, from the operation table.

mod write;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ui::{Stream, Style};
use crate::operation::doc::find::{self, Topic, Unknown};
use crate::operation::doc::text::{self, DocLayout};
use crate::operation::doc::{self, OpDoc};
use crate::operation::platform::Operation;
use crate::operation::spec::Kind;

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

/// The maximum width of documentation, also used without a terminal.
const MAX_WIDTH: usize = 100;

pub(super) fn ops(app: &App, command: &OpsCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::List { of, json } => list(app, of.as_deref(), *json),
        Action::Show { name, json } => show(app, name, *json),
        Action::Search { words, json } => search(app, &words.join(" "), *json),
        Action::Definitions { folder, force } => write::definitions(app, folder, *force),
        Action::Book { folder, force } => write::book(app, folder, *force),
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
        app.print(&document.to_string())?;
        return Ok(Exit::Ok);
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
        let error = CommandError::usage(format!("there is no operation `{name}`"));
        let error = match nearest.as_slice() {
            [] => error,
            names => error.hint(format!("did you mean {}?", names.join(" or "))),
        };
        error.hint(format!(
            "provisor ops list shows all of them; provisor ops search {name} searches their documentation"
        ))
    })
}

fn look<'a>(app: &App, heading: &'a dyn Fn(&str) -> String) -> DocLayout<'a> {
    DocLayout {
        width: width(app),
        heading,
    }
}

fn width(app: &App) -> usize {
    app.ui
        .width()
        .map_or(MAX_WIDTH, |width| MAX_WIDTH.min(width.into()))
}
