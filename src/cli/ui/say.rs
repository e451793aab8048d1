//! What commands say: results, failures with what to do, and the end of a run.

use std::io;

use clap::error::ContextValue;

use super::{Stream, Style, Ui, printable};
use crate::cli::exit::Exit;
use crate::report::summary::Summary;
use crate::script::error::Diagnostic;
use crate::value::{Record, Value};

/// How wide a script error is drawn where there is no terminal.
const WIDE: u16 = 100;

impl Ui {
    /// A failure on standard error, and what to do about it.
    pub(crate) fn error(&self, message: &str, hints: &[String]) {
        let word = self.styled(Stream::Err, Style::Error, "error");
        self.err(&format!("{word}: {}", printable(message)));
        for hint in hints {
            self.hint(hint);
        }
    }

    /// What to do next, on standard error.
    pub(crate) fn hint(&self, hint: &str) {
        let word = self.styled(Stream::Err, Style::Good, "hint");
        self.err(&format!("{word}: {}", printable(hint)));
    }

    /// Something that must not be overlooked, on standard error.
    pub(crate) fn banner(&self, text: &str) {
        self.err(&self.styled(Stream::Err, Style::Warning, &printable(text)));
    }

    /// A script error on standard error, with its place.
    pub(crate) fn diagnostic(&self, diagnostic: &Diagnostic) {
        let width = self.width().unwrap_or(WIDE);
        self.err(
            diagnostic
                .render(self.has_colour(Stream::Err), width.into())
                .trim_end(),
        );
    }

    /// A record as one line of JSON on standard output.
    pub(crate) fn json(&self, record: &Record) -> io::Result<()> {
        self.out(&Value::Record(record.clone()).to_masked_json().to_string())
    }

    /// A record for people on standard output, the names of `first` before the others.
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

    /// The end of a run over rows, on standard error.
    pub(crate) fn summary(&self, summary: &Summary, run: &str) {
        let mut lines = summary.lines().into_iter();
        if let Some(first) = lines.next() {
            self.err(&format!("run {run}: {}", printable(&first)));
        }
        lines.for_each(|line| self.note(&line));
    }
}

/// Shows what clap has to say, in clap's own words: help on standard output, a wrong command line on standard error.
pub(crate) fn print_clap_error(mut error: clap::Error) -> Exit {
    let context: Vec<_> = error.context().map(|(kind, said)| (kind, said.clone())).collect();
    for (kind, said) in context {
        error.insert(kind, visible(said));
    }
    // Nobody is left to be told that nobody listens.
    let _ = error.print();
    match error.exit_code() {
        0 => Exit::Ok,
        _ => Exit::Usage,
    }
}

/// The same words, made safe for a terminal: clap repeats what was typed.
fn visible(said: ContextValue) -> ContextValue {
    let shown = |text: String| printable(&text).into_owned();
    match said {
        ContextValue::String(text) => ContextValue::String(shown(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.into_iter().map(shown).collect()),
        other => other,
    }
}
