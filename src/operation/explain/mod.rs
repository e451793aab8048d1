//! What every stable code means: the words that a script sees as `err.kind` and that reports show in brackets.

mod operations;
mod scripts;

use super::catalogue::Catalogue;
use crate::value::nearest::nearest;

pub use crate::client::error::Explanation;

/// Every code with its explanation: those of operations first, platform by platform, then those of scripts.
pub fn all(catalogue: &Catalogue) -> impl Iterator<Item = &'static Explanation> + Clone {
    let own = catalogue.codes().map(|own| &own.explanation);
    operations::CODES.iter().chain(own).chain(scripts::KINDS)
}

/// The explanation of a code, in any case and with `-` for `_`.
pub fn find(catalogue: &Catalogue, code: &str) -> Option<&'static Explanation> {
    let wanted = code.trim().replace('-', "_");
    all(catalogue).find(|entry| entry.code.eq_ignore_ascii_case(&wanted))
}

/// The code that a mistyped one probably means.
pub fn near(catalogue: &Catalogue, code: &str) -> Option<&'static str> {
    nearest(code, all(catalogue).map(|entry| entry.code))
}

/// What to do first about a code, in a sentence without a full stop; empty for a code without an entry.
pub fn remedy(catalogue: &Catalogue, code: &str) -> &'static str {
    let entry = find(catalogue, code);
    entry
        .and_then(|entry| entry.remedies.first())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
