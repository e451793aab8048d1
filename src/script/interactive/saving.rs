//! A session's inputs as a script: functions at the top, the rest as `main`, its parameters what was typed as literals.
//!
//! [`needs`] tells which inputs a range cannot do without; [`pieces`] cuts them into imports, functions and statements;
//! [`constants`] tells which statements functions need at the top, [`functions`] which functions can run; [`lift`] makes
//! parameters of literals; [`format`] writes the rest evenly; [`parts`] puts it together.

mod constants;
mod ending;
mod format;
mod functions;
mod lift;
mod literals;
mod naming;
mod needs;
mod params;
mod parts;
mod pieces;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

pub use self::lift::Lifted;
use self::needs::Session;
use self::parts::{Parts, is_done};
use super::Workspace;
use super::credential::is_credential;
use crate::script::check::KEYWORDS;

/// An input as it was typed, and what came of it.
#[derive(Debug, Clone)]
pub struct Typed {
    /// Its number.
    pub number: usize,
    /// Its text.
    pub text: String,
    /// What came of it.
    pub came: Came,
    /// Is it never to be written into a file?
    pub hidden: bool,
}

/// What came of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It ended well; did it give a value?
    Done(bool),
    /// It failed, for this reason.
    Failed(String),
}

/// A script made of inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its text.
    pub text: String,
    /// The parameters of `main`, and what was typed for each.
    pub params: Vec<Lifted>,
    /// Inputs from outside of the range that those in it need, and the name that each is needed for.
    pub added: Vec<(usize, String)>,
    /// Inputs that ended well and are comments, at least in part, and why.
    pub aside: Vec<(usize, String)>,
    /// Inputs that used a function or a constant that a later one defined anew: its name, and the later one.
    pub anew: Vec<(usize, (String, usize))>,
    /// Inputs that failed or were to be kept out of files, and what each may have changed that the script uses.
    pub lost: Vec<(usize, Vec<String>)>,
}

impl Workspace {
    /// Is a text in this input given to a parameter that is a credential's by its name, of an operation or of a function
    /// of the session?
    pub fn gives_credential(&self, text: &str) -> bool {
        let functions = self.functions().into_iter();
        let functions = functions.map(|known| ((known.name, known.params.len()), known.params));
        let text = pieces::name_results(text, |_| "result".to_owned());
        literals::literals_of(self.host(), &functions.collect(), &text)
            .iter()
            .any(|literal| is_credential(&literal.text, literal.given_to.as_deref()))
    }

    /// Writes the inputs of a range as a script, and earlier ones that they need. `about` is its first line, `refused`
    /// are names that no parameter may have.
    pub fn save(
        &self,
        inputs: &[Typed],
        range: RangeInclusive<usize>,
        about: &str,
        refused: &BTreeSet<String>,
    ) -> Saved {
        let host = self.host();
        let functions = host.function_names();
        let is_known = |name: &str| {
            functions.contains(name)
                || KEYWORDS.contains(&name)
                || host.operations().iter().any(|op| op.name == name)
        };
        let session = Session::of(inputs, &is_known);
        let chosen = session.choose(&range);
        let mut numbers: BTreeSet<usize> = range.clone().chain(chosen.keys().copied()).collect();
        numbers.extend(session.lost(&numbers).into_keys());
        let wanted: Vec<&Typed> = inputs
            .iter()
            .filter(|input| numbers.contains(&input.number))
            .collect();
        let mut parts = Parts::new((host, &session, refused), inputs, &wanted, &is_known);
        let last = wanted.iter().rfind(|input| is_done(input));
        let last = last.map(|input| input.number);
        for input in &wanted {
            parts.add(input, Some(input.number) == last);
        }
        let mut saved = parts.write(about);
        saved.added = chosen.into_iter().collect();
        saved
    }
}

#[cfg(test)]
mod tests;
