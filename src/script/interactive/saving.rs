//! Saves a session's inputs as a script: functions at the top, the rest as `main`, with typed literals as its
//! parameters.
//!
//! [`dependencies`] finds the inputs that a range depends on; [`split`] splits them into imports, functions and
//! statements; [`hoisted`] finds the statements that functions need at the top, [`functions`] the functions that can run;
//! [`extract`] turns literals into parameters; [`mod@format`] formats the rest; [`builder`] assembles the script.

mod builder;
mod dependencies;
mod ending;
mod extract;
mod format;
mod functions;
mod hoisted;
mod literals;
mod naming;
mod params;
mod split;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use self::builder::{Builder, is_done};
use self::dependencies::InputGraph;
pub(crate) use self::extract::Parameter;
use super::Workspace;
use super::credential::{holds_credential, is_credential};
use crate::script::check::KEYWORDS;

/// An input as it was typed, and its outcome.
#[derive(Debug, Clone)]
pub(crate) struct TypedInput {
    /// The input's number.
    pub number: usize,
    /// The input's text.
    pub text: String,
    /// The outcome.
    pub outcome: InputOutcome,
    /// Whether it must never be written to a file.
    pub hidden: bool,
    /// The account it used, if that is not the script's. Only functions and imports of such an input go into the
    /// script.
    pub elsewhere: Option<String>,
}

impl TypedInput {
    /// Splits off what cannot be in the script, as the reason and its text.
    fn separated(&self) -> (TypedInput, Option<(String, String)>) {
        let unchanged = || (self.clone(), None);
        let Some(there) = self.elsewhere.as_ref().filter(|_| is_done(self)) else {
            return unchanged();
        };
        let pieces = split::pieces(&self.text);
        let (omitted, stays): (Vec<_>, Vec<_>) = pieces
            .into_iter()
            .partition(|piece| piece.kind == split::PieceKind::Statement);
        if omitted.is_empty() {
            return unchanged();
        }
        let text =
            |pieces: &[split::Piece]| pieces.iter().map(|piece| piece.text.as_str()).collect::<String>();
        // If the input holds a credential, not even the rest is shown.
        let omitted_text = if holds_credential(&self.text) {
            self.text.clone()
        } else {
            text(&omitted).trim_start().to_owned()
        };
        let here = TypedInput {
            text: text(&stays),
            outcome: InputOutcome::Done(false),
            ..self.clone()
        };
        (here, Some((format!("it was entered on {there}"), omitted_text)))
    }
}

/// The outcome of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InputOutcome {
    /// It succeeded; whether it returned a value.
    Done(bool),
    /// It failed, for this reason.
    Failed(String),
}

/// A script made of inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SavedScript {
    /// The script's text.
    pub text: String,
    /// The parameters of `main`, with the value typed for each.
    pub params: Vec<Parameter>,
    /// Inputs outside of the range that those in it need, with the name that each is needed for.
    pub dependencies: Vec<(usize, String)>,
    /// Inputs that succeeded but are comments, at least in part, with the reason.
    pub commented_out: Vec<(usize, String)>,
    /// The new name of the session's own function `main`, since the script has one.
    pub main: Option<String>,
    /// Inputs that used a function or constant that a later one redefined: its name, and the later input.
    pub redefined: Vec<(usize, (String, usize))>,
    /// Inputs that failed or must stay out of files, with what each may have changed that the script uses.
    pub lost: Vec<(usize, Vec<String>)>,
}

impl Workspace {
    /// Whether a text in this input is passed to a parameter of an operation or session function whose name suggests a
    /// credential.
    pub(crate) fn passes_credential(&self, text: &str) -> bool {
        let functions = self.functions().into_iter();
        let functions = functions.map(|known| ((known.name, known.params.len()), known.params));
        let text = split::name_results(text, |_| "result".to_owned());
        literals::literals_of(self.host(), &functions.collect(), &text)
            .iter()
            .any(|literal| is_credential(&literal.text, literal.target_name.as_deref()))
    }

    /// Writes the inputs of a range as a script, with the earlier ones that they need. `about` is its first line,
    /// `refused` the names that no parameter may have.
    pub(crate) fn save(
        &self,
        inputs: &[TypedInput],
        range: RangeInclusive<usize>,
        about: &str,
        refused: &BTreeSet<String>,
    ) -> SavedScript {
        let host = self.host();
        let functions = host.function_names();
        let is_known = |name: &str| {
            functions.contains(name)
                || KEYWORDS.contains(&name)
                || host.operations().iter().any(|op| op.name == name)
        };
        let (here, omitted): (Vec<TypedInput>, Vec<_>) = inputs.iter().map(TypedInput::separated).unzip();
        let session = InputGraph::of(&here, &is_known);
        let chosen = session.choose(&range);
        let mut numbers: BTreeSet<usize> = range.clone().chain(chosen.keys().copied()).collect();
        numbers.extend(session.lost(&numbers).into_keys());
        let wanted: Vec<&TypedInput> = here
            .iter()
            .filter(|input| numbers.contains(&input.number))
            .collect();
        let mut parts = Builder::new((host, &session, refused), inputs, &wanted, &is_known);
        let gives = |input: &&&TypedInput| is_done(input) && input.elsewhere.is_none();
        let last = wanted.iter().rfind(gives);
        let last = last.map(|input| input.number);
        for input in &wanted {
            if let Some((reason, text)) = omitted.get(input.number.wrapping_sub(1)).and_then(Option::as_ref) {
                parts.add_omission_comment(input, reason, text);
            }
            parts.add(input, Some(input.number) == last);
        }
        let mut saved = parts.write(about);
        saved.dependencies = chosen.into_iter().collect();
        saved
    }
}

#[cfg(test)]
mod tests;
