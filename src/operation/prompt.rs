//! Prompts at the terminal. Answers are recorded, so that a resumed row does not ask again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::value::Value;

/// Asks questions; the command line implements it.
pub trait Prompter: Send + Sync {
    /// Asks a question and waits for the answer; a secret one is not echoed. Blocks until then or until `given_up`
    /// is set.
    fn ask(&self, question: &str, secret: bool, given_up: &AtomicBool) -> Result<Value, PromptError>;
}

/// The reason for a missing answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptError {
    /// There is no terminal.
    NoTerminal,
    /// The input ended, or the answer is no longer awaited.
    Ended,
}

/// A prompter without a terminal.
pub(super) struct NoPrompter;

impl Prompter for NoPrompter {
    fn ask(&self, _: &str, _: bool, _: &AtomicBool) -> Result<Value, PromptError> {
        Err(PromptError::NoTerminal)
    }
}

/// How long a prompter may take to notice that the answer is no longer awaited.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(500);

const QUESTION: Param = Param {
    name: "question",
    ty: Type::Text,
    required: true,
    doc: "the text to show before the input",
};

const ERRORS: &[(Code, &str)] = &[(Code::NoTerminal, "there is no terminal, or its input has ended")];

/// Operations that prompt a person.
pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "",
        name: "ask",
        receiver: None,
        summary: "Ask the person at the terminal",
        doc: "Returns the line typed, without surrounding blanks. A resumed row gets the recorded answer. For a script \
              that must run unattended, use a parameter of `main` instead.",
        params: &[QUESTION],
        result: "string",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let answer = attempt(|| ask(\"Which client? \"));\nif answer.ok { answer.value } else { answer.error.kind }",
        run: &ask,
    },
    OpSpec {
        module: "",
        name: "ask_secret",
        receiver: None,
        summary: "Ask the person at the terminal for a secret",
        doc: "The input is not shown and does not enter the history. It is a secret: it does not print, and the journal \
              stores it sealed.",
        params: &[QUESTION],
        result: "secret",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let answer = attempt(|| ask_secret(\"Password: \"));\nif answer.ok { answer.value } else { answer.error.kind }",
        run: &ask_secret,
    },
];

fn ask<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(answer(context, call, false))
}

fn ask_secret<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(answer(context, call, true))
}

/// Returns the question with a space between it and the answer.
fn with_trailing_space(question: &str) -> String {
    let blank = if question.ends_with(char::is_whitespace) || question.is_empty() {
        ""
    } else {
        " "
    };
    format!("{question}{blank}")
}

async fn answer(context: &OpContext, call: &Call, secret: bool) -> Result<Value, OpError> {
    let (prompter, question) = (
        context.prompter().clone(),
        with_trailing_space(&call.text("question")),
    );
    let given_up = Arc::new(AtomicBool::new(false));
    let (ends, ended) = channel::<()>();
    let _guard = StopPromptOnDrop(given_up.clone(), ended);
    let asking = move || {
        let _ends = ends;
        prompter.ask(&question, secret, &given_up)
    };
    let answered = tokio::task::spawn_blocking(asking).await;
    let reason = match answered {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(PromptError::NoTerminal)) => "there is no terminal to ask at",
        Ok(Err(PromptError::Ended)) => "the question was not answered",
        Err(_) => "the question could not be asked",
    };
    let mut error = OpError::new(Code::NoTerminal, reason)
        .hint("run it at a terminal, or make the answer a parameter of `main`");
    // There may be a terminal next time.
    error.transient = true;
    Err(error)
}

/// Tells the asking thread to stop, and waits briefly until it has released the terminal, so that it does not take
/// later input as its answer.
struct StopPromptOnDrop(Arc<AtomicBool>, Receiver<()>);

impl Drop for StopPromptOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        let _ = self.1.recv_timeout(RELEASE_TIMEOUT);
    }
}

#[cfg(test)]
mod tests {
    use super::with_trailing_space;

    #[test]
    fn a_space_separates_the_prompt_from_the_answer() {
        assert_eq!(with_trailing_space("Which one?"), "Which one? ");
        for kept in ["Which one? ", "Which one?\n", ""] {
            assert_eq!(with_trailing_space(kept), kept);
        }
    }
}
