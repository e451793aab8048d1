//! Evaluates one input, from its text to its outcome; explains the last failure in full (`:why`); and knows which inputs
//! may contain a secret: these are kept out of the history and sealed in the journal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pitfalls::advice;
use super::session::{LazyOperations, lost};
use super::show::rendered;
use super::width::width;
use super::{Next, Repl, command_word};
use crate::operation::catalogue::Catalogue;
use crate::operation::error::Code;
use crate::operation::explain;
use crate::run::session::{Input, InputEnd, LookUp};
use crate::script::error::Diagnostic;
use crate::script::host_calls::Stop;
use crate::script::interactive::{Answer, CompiledInput, holds_credential};
use crate::script::program::ScriptEnd;
use crate::value::Value;
use crate::value::secret::Secret;

/// The outcome of an input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It succeeded.
    Done,
    /// It failed, with this code if an operation failed.
    Failed(Option<Code>),
    /// One of its steps is in doubt.
    InDoubt,
    /// The user stopped it.
    Stopped,
    /// The journal cannot be used, or provisor itself failed.
    Broken,
}

/// An evaluated input.
#[derive(Debug, Clone)]
pub(super) struct EvaluatedInput {
    /// Its text.
    pub(super) text: String,
    /// Whether it succeeded.
    pub(super) done: bool,
    /// Whether it returned a value.
    pub(super) has_value: bool,
    /// Whether it must never be written to a file.
    pub(super) secret: bool,
    /// The account that it worked on.
    pub(super) account: String,
}

impl Repl {
    /// Evaluates an input, shows the outcome, and keeps it. Messages locate its start at this line of `name`.
    pub(super) fn evaluate_as(&mut self, name: &str, line: usize, text: &str) -> Outcome {
        let started = Instant::now();
        let secret = is_secret(text) || self.space().passes_credential(text);
        let account = self.ports.host.place().account();
        let outcome = self.carry_out((name, line), text, secret);
        if self.settings.timing {
            self.note(&format_elapsed(started.elapsed()));
        }
        if outcome == Outcome::Done && self.ports.terminal.typed {
            for pitfall in advice(text, self.has_value) {
                self.note(&pitfall);
            }
        }
        self.inputs.push(EvaluatedInput {
            text: text.to_owned(),
            done: outcome == Outcome::Done,
            has_value: std::mem::take(&mut self.has_value),
            secret,
            account,
        });
        outcome
    }

    fn carry_out(&mut self, (name, line): (&str, usize), text: &str, secret: bool) -> Outcome {
        let number = self.inputs.len() + 1;
        let recorded = if secret {
            Value::Secret(Secret::new(text))
        } else {
            Value::from(text)
        };
        let input = Input {
            number: number as u64,
            text: recorded,
        };
        if let Err(host_error) = self.lazy_session.enter(input) {
            self.ports.screen.host_error(&host_error);
            return Outcome::Broken;
        }
        let loader = self.ports.host.loader();
        let ready = self.space().prepare(name, line, text, &*loader);
        let ready = match ready {
            Ok(ready) => ready,
            Err(diagnostic) => {
                let reason = diagnostic.summary();
                self.ports.screen.diagnostic(&diagnostic);
                let outcome = self.failed_outcome(diagnostic);
                return self.close(InputEnd::Failed(reason), outcome);
            }
        };
        // Discards earlier requests, which do not belong to this input.
        drop(self.ports.host.requests());
        let (ended, host_operations) = self.interruptible(|interrupt| {
            let operations = Arc::new(LazyOperations::new(&self.lazy_session, number as u64, interrupt));
            let ended = self.space().evaluate(&ready, number, operations.clone());
            (ended, operations)
        });
        self.conclude(ended, &ready, &host_operations, text)
    }

    fn conclude(
        &mut self,
        ended: Result<Answer, ScriptEnd>,
        ready: &CompiledInput,
        host_operations: &LazyOperations,
        text: &str,
    ) -> Outcome {
        let screen = self.ports.screen.clone();
        match ended {
            Ok(answer) => {
                if answer == Answer::Nothing && !ready.defines.is_empty() && self.ports.terminal.typed {
                    screen.note(&format!("defined {}", ready.defines.join(", ")));
                }
                self.has_value = answer != Answer::Nothing;
                self.show(&answer);
                let value = match answer {
                    Answer::Value(value) => Some(value),
                    _ => None,
                };
                self.close(InputEnd::Done(value), Outcome::Done)
            }
            Err(ScriptEnd::Failed(mut diagnostic)) => {
                diagnostic.hints.extend(self.account_hint(diagnostic.code));
                diagnostic
                    .hints
                    .extend(command_word(text.trim()).map(|(_, hint)| hint.to_owned()));
                screen.diagnostic(&diagnostic);
                let reason = diagnostic.summary_with_repair();
                let outcome = self.failed_outcome(diagnostic);
                self.close(InputEnd::Failed(reason), outcome)
            }
            Err(ScriptEnd::Stopped(stop)) => self.stopped(stop, host_operations),
            Err(ScriptEnd::Bug(what)) => {
                screen.error(&format!("a bug in provisor: {what}"), &[]);
                self.keep_failure(FailureCause::Other(format!("a bug in provisor: {what}")));
                self.close(InputEnd::Failed(what), Outcome::Broken)
            }
        }
    }

    fn stopped(&mut self, by: Stop, host_operations: &LazyOperations) -> Outcome {
        let screen = self.ports.screen.clone();
        match by {
            Stop::Cancelled => {
                screen.note("stopped; the rest of the input did not run");
                self.keep_failure(FailureCause::Other("it was stopped".into()));
                self.close(InputEnd::Failed("stopped by the user".into()), Outcome::Stopped)
            }
            Stop::InDoubt { step, reason } => {
                let place = if step.is_empty() {
                    String::new()
                } else {
                    format!(" (step {step})")
                };
                let message = format!("in doubt: {reason}{place}");
                let hint = match host_operations.look_up() {
                    LookUp::Anybody => ":resume looks it up again",
                    LookUp::Session => ":resume looks it up again, while this session is open",
                    LookUp::Nobody => {
                        "provisor cannot look it up; once you know the outcome, record it with `provisor resolve`"
                    }
                };
                screen.error(&message, &[hint.into()]);
                self.keep_failure(FailureCause::Other(message));
                self.close(InputEnd::Parked(reason), Outcome::InDoubt)
            }
            Stop::JournalLost(reason) => {
                let host_error = host_operations.host_error().unwrap_or_else(|| lost(&reason));
                screen.host_error(&host_error);
                self.keep_failure(FailureCause::Other(host_error.message));
                self.close(InputEnd::Failed(reason), Outcome::Broken)
            }
        }
    }

    /// A hint for a session that has no account.
    fn account_hint(&self, code: Option<Code>) -> Option<String> {
        let host = &self.ports.host;
        if code != Some(Code::BadProfile) || host.place().profile.is_some() {
            return None;
        }
        let known = host.profiles();
        Some(if known.is_empty() {
            ":sandbox on switches to simulated platforms".to_owned()
        } else {
            format!(":profile NAME switches to one of {}", known.join(", "))
        })
    }

    /// Shows a value.
    pub(super) fn show(&self, answer: &Answer) {
        let mut look = self.settings.look;
        if self.has_pager() {
            look.rows = usize::MAX;
        }
        if let Some(text) = rendered(&self.ports, look, answer) {
            self.show_text(&text);
        }
    }

    /// Whether long texts are shown in the pager.
    pub(super) fn has_pager(&self) -> bool {
        self.settings.pager && self.ports.terminal.interactive && self.ports.screen.height().is_some()
    }

    /// Writes data; in the pager if that is enabled and the text is longer than the screen.
    pub(super) fn show_text(&self, text: &str) {
        let screen = &self.ports.screen;
        let columns = screen.width().unwrap_or(usize::MAX).max(1);
        let lines: usize = text
            .lines()
            .map(|line| width(line).div_ceil(columns).max(1))
            .sum();
        if self.has_pager() && screen.height().is_some_and(|height| lines >= height) {
            match self.ports.host.page(text, false) {
                Ok(()) => return,
                Err(host_error) => screen.host_error(&host_error),
            }
        }
        screen.out(text);
    }

    fn close(&self, end: InputEnd, outcome: Outcome) -> Outcome {
        match self.lazy_session.end(end) {
            Ok(()) => outcome,
            Err(host_error) => {
                self.ports.screen.host_error(&host_error);
                Outcome::Broken
            }
        }
    }
}

/// Formats a duration: `took 3.2 ms`.
fn format_elapsed(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("took {:.1} ms", seconds * 1000.0)
    } else {
        format!("took {seconds:.2} s")
    }
}

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
enum FailureCause {
    /// The script or an operation failed.
    Script(Box<Diagnostic>),
    /// It was stopped, or could not continue.
    Other(String),
}

impl Repl {
    /// Keeps the failure of the input in progress.
    fn keep_failure(&mut self, what: FailureCause) {
        self.failure = Some(Failure {
            number: self.inputs.len() + 1,
            what,
            requests: self.ports.host.requests(),
        });
    }

    /// Shows everything about the last failure.
    pub(super) fn explain_failure(&self) -> Next {
        let Some(failure) = &self.failure else {
            return self.note("no input has failed yet");
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

    /// The input with this number, counted from 1.
    pub(super) fn input(&self, number: usize) -> Option<&EvaluatedInput> {
        self.inputs.get(number.checked_sub(1)?)
    }

    /// Keeps a failure of the script and returns the input's outcome.
    fn failed_outcome(&mut self, diagnostic: Box<Diagnostic>) -> Outcome {
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

/// The text shown instead of such an input.
pub(super) const REDACTED_TEXT: &str = "(not shown: it may hold a secret)";

/// Whether an input is kept out of files: it starts with white space, or a string in it looks like a credential.
pub(super) fn is_secret(text: &str) -> bool {
    is_hidden(text) || holds_credential(text)
}

/// Whether the user hides the input, by starting it with white space.
pub(super) fn is_hidden(text: &str) -> bool {
    text.starts_with([' ', '\t'])
}
