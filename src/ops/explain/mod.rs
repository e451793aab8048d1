//! What every stable code means: the words that a script sees as `err.kind` and that reports show in brackets.

mod operations;
mod scripts;

use serde::Serialize;

use super::error::Code;
use crate::value::nearest::nearest;

/// What is told of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The code.
    pub code: &'static str,
    /// What it means, in full sentences.
    pub meaning: &'static str,
    /// What usually leads to it; each without a full stop.
    pub causes: &'static [&'static str],
    /// What to do, the likeliest first; each without a full stop.
    pub remedies: &'static [&'static str],
    /// How it looks, or a script that deals with it.
    pub example: &'static str,
}

impl Explanation {
    /// The language of the example: a script, or what a terminal shows.
    pub fn language(&self) -> &'static str {
        if self.example.starts_with("provisor ") || self.example.starts_with("$ ") {
            "text"
        } else {
            "rhai"
        }
    }
}

/// Every code with its explanation: those of operations first, then those of scripts.
pub fn all() -> impl Iterator<Item = &'static Explanation> + Clone {
    operations::CODES.iter().chain(scripts::KINDS)
}

/// The explanation of a code, in any case and with `-` for `_`.
pub fn find(code: &str) -> Option<&'static Explanation> {
    let wanted = code.trim().replace('-', "_");
    all().find(|entry| entry.code.eq_ignore_ascii_case(&wanted))
}

/// The code that a mistyped one probably means.
pub fn near(code: &str) -> Option<&'static str> {
    nearest(code, all().map(|entry| entry.code))
}

/// What to do first about a code, in a sentence without a full stop; empty for a code without an entry.
pub fn remedy(code: &str) -> &'static str {
    let entry = find(code);
    entry
        .and_then(|entry| entry.remedies.first())
        .copied()
        .unwrap_or_default()
}

/// Is it the code of an operation, as against a script's own failure?
pub fn operation_code(code: &str) -> Option<Code> {
    Code::parse(code)
}

#[cfg(test)]
mod tests;
