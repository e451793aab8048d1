//! Explanations of all stable codes: `err.kind` in scripts, shown in brackets in reports.

mod operations;
mod scripts;

use super::catalogue::Catalogue;

pub use crate::client::error::Explanation;

/// Returns the explanations of all codes: first those of operations, then those of each platform, then those of
/// scripts.
pub fn all(catalogue: &Catalogue) -> impl Iterator<Item = &'static Explanation> + Clone {
    let own = catalogue.codes().map(|own| &own.explanation);
    operations::CODES.iter().chain(own).chain(scripts::KINDS)
}

/// Returns the explanation of a code, ignoring case and accepting `-` for `_`.
pub fn find(catalogue: &Catalogue, code: &str) -> Option<&'static Explanation> {
    let normalized = code.trim().replace('-', "_");
    all(catalogue).find(|entry| entry.code.eq_ignore_ascii_case(&normalized))
}

/// Returns the first remedy for a code, in a sentence without a full stop; empty for an unknown code.
pub fn remedy(catalogue: &Catalogue, code: &str) -> &'static str {
    let entry = find(catalogue, code);
    entry
        .and_then(|entry| entry.remedies.first())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
