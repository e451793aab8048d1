//! `provisor explain`: the meaning of a stable code, and what to do about it.

mod exits;
mod statuses;

use clap::Args;
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ui::{Stream, Style};
use crate::operation::catalogue::Catalogue;
use crate::operation::doc::text::wrap;
use crate::operation::explain::{self, Explanation};
use crate::value::nearest::nearest;

/// Explain an error code, a row's status or an exit code.
///
/// Shows the meaning, usual causes and fixes. An error code is the value of `err.kind` in a script, and the word in
/// brackets after an error message.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor explain                 all codes
  provisor explain in_doubt
  provisor explain 10              an exit code
JSON (--json), one document:
  {\"version\": 1, \"codes\": [{code, sort, meaning, causes: [text], remedies: [text], exit, example}]}
  sort is error, status or exit; exit is the exit code it leads to, null for a status")]
pub(super) struct ExplainCommand {
    /// The code; without it, lists all codes.
    code: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The kind of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An error code.
    Error,
    /// The status of a row or run.
    Status,
    /// An exit code of the program.
    Exit,
}

/// A code with its explanation.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: Kind,
    explanation: &'static Explanation,
    exit: Option<Exit>,
}

/// The maximum width of explanations, also used without a terminal.
const MAX_WIDTH: usize = 100;

pub(super) fn explain(app: &App, command: &ExplainCommand) -> Result<Exit, CommandError> {
    let entries = match &command.code {
        None => all(app.catalogue()),
        Some(code) => vec![find(app.catalogue(), code)?],
    };
    if command.json {
        let codes: Vec<Json> = entries.iter().map(Entry::json).collect();
        app.print(&json!({"version": 1, "codes": codes}).to_string())?;
        return Ok(Exit::Ok);
    }
    match (&command.code, entries.first()) {
        (Some(_), Some(entry)) => app.print_styled(&entry.text(app))?,
        _ => app.print_styled(&list(app, &entries))?,
    }
    Ok(Exit::Ok)
}

/// Every stable code: errors, statuses, exit codes.
fn all(catalogue: &Catalogue) -> Vec<Entry> {
    let errors = explain::all(catalogue).map(|explanation| Entry {
        kind: Kind::Error,
        explanation,
        exit: Some(catalogue.code(explanation.code).map_or(Exit::Script, Exit::of)),
    });
    let statuses = statuses::ALL.iter().map(|explanation| Entry {
        kind: Kind::Status,
        explanation,
        exit: None,
    });
    let exits = exits::ALL.iter().map(|(exit, explanation)| Entry {
        kind: Kind::Exit,
        explanation,
        exit: Some(*exit),
    });
    errors.chain(statuses).chain(exits).collect()
}

fn find(catalogue: &Catalogue, code: &str) -> Result<Entry, CommandError> {
    let normalized = code.trim().trim_matches(['[', ']', '`']).replace('-', "_");
    let entries = all(catalogue);
    let found = entries
        .iter()
        .find(|entry| entry.explanation.code.eq_ignore_ascii_case(&normalized));
    found.copied().ok_or_else(|| {
        let error = CommandError::usage(format!("there is no code `{code}`"));
        let error = match nearest(&normalized, entries.iter().map(|entry| entry.explanation.code)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        };
        error.hint("provisor explain lists the codes")
    })
}

fn list(app: &App, entries: &[Entry]) -> String {
    let mut parts = Vec::new();
    for kind in [Kind::Error, Kind::Status, Kind::Exit] {
        let own = entries.iter().filter(|entry| entry.kind == kind);
        let rows: Vec<Vec<String>> = own
            .map(|entry| vec![entry.explanation.code.to_owned(), entry.first_sentence()])
            .collect();
        let header = match kind {
            Kind::Error => ["error code", "what it means"],
            Kind::Status => ["status", "what it means"],
            Kind::Exit => ["exit code", "what it means"],
        };
        parts.push(app.ui.table(&header, &rows));
    }
    parts.join("\n\n")
}

impl Entry {
    fn first_sentence(&self) -> String {
        let meaning = self.explanation.meaning;
        let end = meaning.find(". ").map_or(meaning.len(), |at| at + 1);
        meaning[..end].to_owned()
    }

    fn text(&self, app: &App) -> String {
        let width = app
            .ui
            .width()
            .map_or(MAX_WIDTH, |width| MAX_WIDTH.min(width.into()));
        let heading = |text: &str| app.ui.styled(Stream::Out, Style::Strong, text);
        let mut lines = vec![heading(self.explanation.code), String::new()];
        lines.extend(wrap(self.explanation.meaning, width));
        for (title, items) in [
            ("Usual causes", self.explanation.causes),
            ("What to do", self.explanation.remedies),
        ] {
            lines.extend([String::new(), heading(title)]);
            for item in items {
                let wrapped = wrap(item, width.saturating_sub(4));
                let marks = std::iter::once("  - ").chain(std::iter::repeat("    "));
                lines.extend(
                    wrapped
                        .iter()
                        .zip(marks)
                        .map(|(line, mark)| format!("{mark}{line}")),
                );
            }
        }
        if let (Some(exit), Kind::Error) = (self.exit, self.kind) {
            lines.extend([String::new(), heading("Exit code")]);
            lines.push(format!("  {}: {}", exit.code(), exits::meaning(exit)));
            if exit != Exit::InDoubt {
                lines.push("  8 for a run over rows in which some rows failed".to_owned());
            }
        }
        lines.extend([String::new(), heading("Example")]);
        lines.extend(self.explanation.example.lines().map(|line| format!("  {line}")));
        lines.join("\n")
    }

    fn json(&self) -> Json {
        let kind = match self.kind {
            Kind::Error => "error",
            Kind::Status => "status",
            Kind::Exit => "exit",
        };
        json!({
            "code": self.explanation.code,
            "sort": kind,
            "meaning": self.explanation.meaning,
            "causes": self.explanation.causes,
            "remedies": self.explanation.remedies,
            "exit": self.exit.map(Exit::code),
            "example": self.explanation.example,
        })
    }
}

#[cfg(test)]
mod tests;
