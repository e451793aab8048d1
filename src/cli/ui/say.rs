//! Messages of commands: results, errors with hints, and the summary of a run.

use std::io;

use clap::error::ContextValue;

use super::{Stream, Style, Ui, printable};
use crate::cli::exit::Exit;
use crate::report::summary::Summary;
use crate::script::error::Diagnostic;
use crate::value::{Record, Value};

/// The width of a script error without a terminal.
const DEFAULT_WIDTH: u16 = 100;

impl Ui {
    /// Writes an error and its hints to stderr.
    pub(crate) fn error(&self, message: &str, hints: &[String]) {
        let word = self.styled(Stream::Err, Style::Error, "error");
        self.err(&format!("{word}: {}", printable(message)));
        for hint in hints {
            self.hint(hint);
        }
    }

    /// Writes what to do next to stderr.
    pub(crate) fn hint(&self, hint: &str) {
        let word = self.styled(Stream::Err, Style::Good, "hint");
        self.err(&format!("{word}: {}", printable(hint)));
    }

    /// Writes a message that must not be overlooked to stderr.
    pub(crate) fn banner(&self, text: &str) {
        self.err(&self.styled(Stream::Err, Style::Warning, &printable(text)));
    }

    /// Writes a script error with its location to stderr.
    pub(crate) fn diagnostic(&self, diagnostic: &Diagnostic) {
        let width = self.width().unwrap_or(DEFAULT_WIDTH);
        self.err(
            diagnostic
                .render(self.has_colour(Stream::Err), width.into())
                .trim_end(),
        );
    }

    /// Writes a record to stdout as one line of JSON.
    pub(crate) fn json(&self, record: &Record) -> io::Result<()> {
        self.out(&Value::Record(record.clone()).to_masked_json().to_string())
    }

    /// Writes a record to stdout as text, the names in `first` before the others.
    pub(crate) fn record(&self, record: &Record, first: &[String]) -> io::Result<()> {
        if record.is_empty() {
            return Ok(());
        }
        let others = record.keys().filter(|name| !first.contains(name));
        let names = first
            .iter()
            .filter(|name| record.contains_key(*name))
            .chain(others);
        let rows = names.map(|name| (name.clone(), record[name].clone()));
        self.out(&self.fields(&rows.collect::<Vec<_>>()))
    }

    /// Writes the summary of a run over rows to stderr.
    pub(crate) fn summary(&self, summary: &Summary, run: &str) {
        let mut lines = summary.lines().into_iter();
        if let Some(first) = lines.next() {
            self.err(&format!("run {run}: {}", printable(&first)));
        }
        lines.for_each(|line| self.note(&line));
    }
}

/// Prints clap's own message: help on stdout, a command-line error on stderr.
pub(crate) fn print_clap_error(mut error: clap::Error) -> Exit {
    let context: Vec<_> = error
        .context()
        .map(|(kind, value)| (kind, value.clone()))
        .collect();
    for (kind, value) in context {
        error.insert(kind, visible(value));
    }
    // Without a reader of the stream, the error has no reader either.
    let _ = error.print();
    match error.exit_code() {
        0 => Exit::Ok,
        _ => Exit::Usage,
    }
}

/// The message made safe for a terminal, as clap repeats what was typed.
fn visible(value: ContextValue) -> ContextValue {
    let shown = |text: String| printable(&text).into_owned();
    match value {
        ContextValue::String(text) => ContextValue::String(shown(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.into_iter().map(shown).collect()),
        other => other,
    }
}
