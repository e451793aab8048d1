//! The last failed input in full, for `:why`.

use super::evaluate::{EvaluatedInput, Outcome};
use super::redaction::REDACTED_TEXT;
use super::{Next, Repl};
use crate::operation::catalogue::Catalogue;
use crate::operation::explain;
use crate::script::error::Diagnostic;
use crate::script::interactive::holds_credential;

/// A failed input.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The input's number.
    number: usize,
    what: FailureCause,
    /// The requests that the input sent.
    requests: Vec<String>,
}

/// Why an input failed.
#[derive(Debug, Clone)]
pub(super) enum FailureCause {
    /// The script or an operation failed.
    Script(Box<Diagnostic>),
    /// It was stopped, or could not continue.
    Other(String),
}

impl Repl {
    /// Keeps the failure of the input in progress.
    pub(super) fn keep_failure(&mut self, what: FailureCause) {
        self.failure = Some(Failure {
            number: self.inputs.len() + 1,
            what,
            requests: self.ports.host.requests(),
        });
    }

    /// Shows everything about the last failure.
    pub(super) fn explain_failure(&self) -> Next {
        let Some(failure) = &self.failure else {
            self.ports.screen.note("no input has failed yet");
            return Next::Go;
        };
        let mut lines = Vec::new();
        match &failure.what {
            FailureCause::Other(reason) => {
                lines.push(format!("input {} did not end: {reason}", failure.number));
            }
            FailureCause::Script(diagnostic) => {
                let diagnostic = &self.without_credentials(failure.number, diagnostic);
                self.ports.screen.diagnostic(diagnostic);
                lines.push(format!("input {} failed: {}", failure.number, diagnostic.title));
                lines.extend(failure_details(self.catalogue(), diagnostic));
            }
        }
        lines.extend(listed("request", &failure.requests));
        if let Some(session) = self.lazy_session.session() {
            let id = session.id();
            lines.push(format!("on record: :runs steps {id} (row {})", failure.number));
        }
        self.show_text(&lines.join("\n"));
        Next::Go
    }

    /// The failure without source lines that may contain a credential: it may be shown long after they were typed.
    fn without_credentials(&self, number: usize, diagnostic: &Diagnostic) -> Diagnostic {
        let mut shown = diagnostic.clone();
        let failed = self.input(number).filter(|input| input.secret);
        for frame in &mut shown.frames {
            let typed = frame
                .source
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            let typed = typed.and_then(|number| self.input(number.parse().ok()?));
            let contains_frame = |input: &EvaluatedInput| input.text.contains(frame.text.trim());
            let is_secret = typed.is_some_and(|input| input.secret)
                || failed.is_some_and(contains_frame)
                || holds_credential(&frame.text);
            if is_secret {
                REDACTED_TEXT.clone_into(&mut frame.text);
                (frame.column, frame.length) = (1, REDACTED_TEXT.len());
            }
        }
        shown
    }

    fn input(&self, number: usize) -> Option<&EvaluatedInput> {
        self.inputs.get(number.checked_sub(1)?)
    }

    /// Keeps a failure of the script and returns the input's outcome.
    pub(super) fn failed_outcome(&mut self, diagnostic: Box<Diagnostic>) -> Outcome {
        let code = diagnostic.code;
        self.keep_failure(FailureCause::Script(diagnostic));
        Outcome::Failed(code)
    }
}

/// The details of a failure, one line each, innermost frame first.
fn failure_details(catalogue: &Catalogue, diagnostic: &Diagnostic) -> Vec<String> {
    let mut lines = vec![format!("err.kind: {}", diagnostic.kind)];
    lines.extend(diagnostic.status.map(|status| format!("HTTP status: {status}")));
    for (index, frame) in diagnostic.frames.iter().enumerate() {
        let what = if frame.label.is_empty() {
            "here"
        } else {
            &frame.label
        };
        let word = if index == 0 { "at" } else { "from" };
        lines.push(format!("{word} {frame}, {what}: {}", frame.text.trim()));
    }
    lines.extend(listed("note", &diagnostic.notes));
    lines.extend(listed("help", &diagnostic.hints));
    if let Some(entry) = explain::find(catalogue, &diagnostic.kind) {
        lines.push(format!("{} means: {}", entry.code, entry.meaning));
        let remedies: Vec<String> = entry.remedies.iter().map(|remedy| (*remedy).to_owned()).collect();
        lines.extend(listed("to do", &remedies));
    }
    lines
}

fn listed(word: &str, items: &[String]) -> Vec<String> {
    items.iter().map(|item| format!("{word}: {item}")).collect()
}
