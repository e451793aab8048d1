//! Script failures and their positions.

use std::fmt;

use super::bundle::Source;
use super::render;
use crate::operation::error::Code;

/// A failure with its position in the script: a syntax error, a failed operation, a thrown value. Includes the lines
/// that it shows, so that it can be stored and rendered without the sources. Contains no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// The value of `err.kind` in a script: a [`Code`], `script_error`, `thrown`, or `syntax_error`. For what a check
    /// found, its kind of finding.
    pub kind: String,
    /// The stable code, if an operation failed.
    pub code: Option<Code>,
    /// The HTTP status of the platform's response, if there was one.
    pub status: Option<u16>,
    /// The failure, as a sentence without a full stop.
    pub title: String,
    /// The call stack, innermost frame first; may be empty.
    pub frames: Vec<Frame>,
    /// Additional facts, each a sentence without a full stop.
    pub notes: Vec<String>,
    /// Suggested actions, each a sentence without a full stop.
    pub hints: Vec<String>,
}

/// One position in the call stack of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The name of the source.
    pub source: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The length of the mark in characters, at least 1.
    pub length: usize,
    /// What the code does there: `in this call to "login"`. Empty for the innermost frame.
    pub label: String,
    /// The text of the line.
    pub text: String,
}

impl Diagnostic {
    /// Creates an error of the script itself, without a position.
    pub(super) fn new(kind: &str, title: impl Into<String>) -> Diagnostic {
        Diagnostic {
            kind: kind.to_owned(),
            code: None,
            status: None,
            title: title.into(),
            frames: Vec::new(),
            notes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Creates an error in a source text, found before it runs.
    pub(super) fn at(source: &Source, line: usize, column: usize, title: impl Into<String>) -> Diagnostic {
        let mut diagnostic = Diagnostic::new("syntax_error", title);
        diagnostic.frames.push(Frame::new(source, line, column));
        diagnostic
    }

    /// Adds a suggested action.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hints.push(hint.into());
        self
    }

    /// The position where the failure occurred.
    pub fn place(&self) -> Option<&Frame> {
        self.frames.first()
    }

    /// A one-line form: `ann@example.com is taken (onboard.rhai:14:29)`.
    pub fn summary(&self) -> String {
        match self.place() {
            Some(frame) => format!("{} ({frame})", self.headline()),
            None => self.headline(),
        }
    }

    /// The one-line form, plus the command that fixes the problem if it is a credential.
    pub fn summary_with_repair(&self) -> String {
        let credential = matches!(self.code, Some(Code::CredentialMissing | Code::SignInRefused));
        match self.hints.last() {
            Some(hint) if credential => format!("{}: {hint}", self.summary()),
            _ => self.summary(),
        }
    }

    /// The full report: every frame with its line and a mark under it, the notes, and suggested actions. `width` is in
    /// columns; longer script lines are cut around the mark.
    pub fn render(&self, color: bool, width: usize) -> String {
        render::render(self, color, width)
    }

    /// The title with the code and the status, if any.
    pub(super) fn headline(&self) -> String {
        let code = self.code.map(|code| code.as_str().to_owned());
        let status = self.status.map(|status| format!("HTTP {status}"));
        let facts: Vec<String> = [code, status].into_iter().flatten().collect();
        if facts.is_empty() {
            return self.title.clone();
        }
        format!("{} [{}]", self.title, facts.join(", "))
    }
}

impl Frame {
    /// Creates a frame that marks the word at this position.
    pub(super) fn new(source: &Source, line: usize, column: usize) -> Frame {
        let text = source.line(line).to_owned();
        let in_word = |c: &char| c.is_alphanumeric() || *c == '_';
        let mut from = text.chars().skip(column.saturating_sub(1)).peekable();
        // Rhai points at the dot before a property or method.
        let dots = usize::from(from.next_if_eq(&'.').is_some() && from.peek().is_some_and(in_word));
        let column = column + dots;
        let length = text
            .chars()
            .skip(column.saturating_sub(1))
            .take_while(in_word)
            .count();
        Frame {
            source: source.name.clone(),
            line,
            column,
            length: length.max(1),
            label: String::new(),
            text,
        }
    }

    /// Sets the label.
    #[must_use]
    pub(super) fn label(mut self, label: impl Into<String>) -> Frame {
        self.label = label.into();
        self
    }
}

impl fmt::Display for Frame {
    /// Formats as `file:line:column`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source, self.line, self.column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

impl std::error::Error for Diagnostic {}
