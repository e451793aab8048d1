//! A session's inputs as a script: functions at the top, the rest as `main`, its parameters what was typed as literals.
//!
//! [`needs`] tells which inputs a range cannot do without; [`pieces`] cuts them into imports, functions and statements;
//! [`lift`] makes parameters of literals; [`format`] writes the rest evenly.

mod ending;
mod format;
mod lift;
mod naming;
mod needs;
mod pieces;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use self::format::{formatted, indented, terminated};
use self::lift::Lift;
pub use self::lift::Lifted;
use self::naming::result_name;
use self::needs::Session;
use self::pieces::{Piece, Sort, pieces};
use super::Workspace;
use super::credential::{holds_credential, is_credential};
use crate::script::host::Host;

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
}

impl Workspace {
    /// Writes the inputs of a range as a script, and earlier ones that they need. `about` is its first line.
    pub fn save(&self, inputs: &[Typed], range: RangeInclusive<usize>, about: &str) -> Saved {
        let session = Session::of(inputs);
        let chosen = session.choose(&range);
        let wanted: Vec<&Typed> = inputs
            .iter()
            .filter(|input| range.contains(&input.number) || chosen.contains_key(&input.number))
            .collect();
        let mut parts = Parts::new(self.host(), &session, inputs, &wanted);
        let last = wanted
            .iter()
            .rev()
            .find(|input| matches!(input.came, Came::Done(_)) && !input.hidden)
            .map(|input| input.number);
        for input in &wanted {
            parts.add(input, Some(input.number) == last);
        }
        let mut saved = parts.write(about);
        saved.added = chosen.into_iter().collect();
        saved
    }
}

/// The script as it grows.
struct Parts<'a> {
    session: &'a Session,
    lift: Lift<'a>,
    /// Names that the script has so far.
    known: BTreeSet<String>,
    /// The names of results that others use, by the number of their input.
    results: BTreeMap<usize, String>,
    imports: Vec<String>,
    /// Functions by name and number of parameters.
    functions: Vec<((String, usize), String)>,
    body: Vec<String>,
}

impl<'a> Parts<'a> {
    fn new(host: &'a Host, session: &'a Session, inputs: &[Typed], wanted: &[&Typed]) -> Parts<'a> {
        let done: Vec<&Typed> = wanted
            .iter()
            .copied()
            .filter(|input| matches!(input.came, Came::Done(_)) && !input.hidden)
            .collect();
        let mut taken = session.words(done.iter().map(|input| input.number));
        let results = results(session, &done, &mut taken);
        let statements = done.iter().flat_map(|input| pieces(&input.text));
        let statements: Vec<String> = statements
            .filter(|piece| piece.sort == Sort::Statement)
            .map(|piece| piece.text.trim().to_owned())
            .collect();
        let inputs = inputs.iter();
        let inputs: Vec<String> = inputs
            .map(|input| pieces::name_results(&input.text, |_| "result".to_owned()))
            .collect();
        Parts {
            session,
            lift: Lift::new(host, taken, &statements, &inputs),
            known: BTreeSet::new(),
            results,
            imports: Vec::new(),
            functions: Vec::new(),
            body: Vec::new(),
        }
    }

    fn add(&mut self, input: &Typed, is_last: bool) {
        let secret = self.is_secret(&input.text);
        match &input.came {
            _ if input.hidden => self.leave_out(input, "it was to be kept out of files"),
            Came::Failed(_) if secret => self.leave_out(input, "it failed, and may hold a secret"),
            Came::Failed(why) => self.comment(&self.failure(why), &input.text),
            Came::Done(_) => match self.session.missing(input.number, &self.known) {
                Some(name) if secret => {
                    self.leave_out(
                        input,
                        &format!("it uses `{name}`, which is not among the saved inputs"),
                    );
                }
                Some(name) => {
                    let why = format!("it uses `{name}`, which is not among the saved inputs");
                    self.comment(&why, &input.text);
                }
                None if !is_last && stops(&input.text) => {
                    let why = "it ends a script, and more follows";
                    if secret {
                        self.leave_out(input, why);
                    } else {
                        self.comment(why, &input.text);
                    }
                }
                None => self.add_done(input, is_last),
            },
        }
    }

    /// Is there something in this that is written into no file?
    fn is_secret(&self, typed: &str) -> bool {
        holds_credential(typed) || self.lift.holds_secret(typed)
    }

    /// Why an input failed; only where, when the reason could tell a secret.
    fn failure(&self, why: &str) -> String {
        let tells = self.lift.tells_secret(why) || is_credential(why, None) || holds_credential(why);
        if !tells {
            return format!("failed: {why}");
        }
        let place = why.rfind(" ([").and_then(|at| why.get(at..));
        let is_place = |place: &&str| place.chars().all(|c| c.is_ascii_digit() || " ([]:)".contains(c));
        let place = place
            .filter(is_place)
            .filter(|place| !self.lift.tells_secret(place));
        format!("failed{}", place.unwrap_or_default())
    }

    fn leave_out(&mut self, input: &Typed, why: &str) {
        self.comment(&format!("input {} is left out: {why}", input.number), "");
    }

    fn comment(&mut self, why: &str, text: &str) {
        self.body.push(format!("// {}", why.replace('\n', " ")));
        let lines = text.trim_end().lines();
        self.body
            .extend(lines.map(|line| format!("//     {line}").trim_end().to_owned()));
    }

    fn add_done(&mut self, input: &Typed, is_last: bool) {
        self.known.extend(self.session.defines(input.number));
        let newest = self.session.newest_before(input.number);
        let text = pieces::name_results(&input.text, |number| {
            let number = number.or(newest).unwrap_or_default();
            self.results.get(&number).cloned().unwrap_or_default()
        });
        let all = pieces(&text);
        let is_statement = |piece: &Piece| piece.sort == Sort::Statement;
        let returns = all
            .iter()
            .position(|piece| is_statement(piece) && ending::returned(&piece.text).is_some());
        let ends = returns.or_else(|| all.iter().rposition(is_statement));
        for (index, piece) in all.into_iter().enumerate() {
            let is_end = Some(index) == ends;
            match piece.sort {
                Sort::Import => {
                    let import = terminated(piece.text.trim());
                    if !self.imports.contains(&import) {
                        self.imports.push(import);
                    }
                }
                Sort::Function => self.function(&piece, input),
                // What stands behind a `return` never ran.
                Sort::Statement if Some(index) > ends => {}
                Sort::Statement => self.statement(&piece, input, is_end, is_last && is_end),
            }
        }
    }

    /// Keeps a function; a newer one takes the place of an older one.
    fn function(&mut self, piece: &Piece, input: &Typed) {
        let signature = naming::signature(&piece.text);
        if self.is_secret(&piece.text) {
            self.known.remove(&signature.0);
            self.leave_out(input, &format!("`{}` may hold a secret", signature.0));
            return;
        }
        self.functions.retain(|(known, _)| *known != signature);
        self.functions.push((signature, formatted(piece.text.trim())));
    }

    fn statement(&mut self, piece: &Piece, input: &Typed, is_end: bool, is_last: bool) {
        let returned = ending::returned(&piece.text);
        let text = returned.as_deref().unwrap_or(piece.text.trim());
        if text.trim_end_matches(';').trim().is_empty() {
            return;
        }
        let Some(lifted) = self.lift.lift(text) else {
            return;
        };
        if self.is_secret(&lifted) {
            // It stands where no parameter reaches.
            for name in self.session.defines(input.number) {
                self.known.remove(&name);
            }
            self.leave_out(input, "it may hold a secret");
            return;
        }
        let lifted = formatted(&lifted);
        let gives = is_end && input.came == Came::Done(true);
        match self.results.get(&input.number) {
            Some(name) if gives => {
                self.body.push(terminated(&format!("let {name} = {lifted}")));
                if is_last {
                    self.body.push(name.clone());
                }
            }
            _ if gives && is_last => self.body.push(lifted),
            _ => self.body.push(terminated(&lifted)),
        }
    }

    fn write(self, about: &str) -> Saved {
        let mut text = format!("//! {about}\n\n");
        for import in &self.imports {
            let _ = writeln!(text, "{import}");
        }
        if !self.imports.is_empty() {
            text.push('\n');
        }
        for (_, function) in &self.functions {
            let _ = writeln!(text, "{function}\n");
        }
        let params = self.lift.into_params();
        text.push_str("/// What was entered at the prompt.\n");
        text.push_str(&lift::documented(&params));
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        let _ = writeln!(text, "fn main({}) {{", names.join(", "));
        for statement in &self.body {
            text.push_str(&indented(statement));
        }
        text.push_str("}\n");
        Saved {
            text,
            params,
            added: Vec::new(),
        }
    }
}

/// Does an input end a script, other than by a `return` of its own?
fn stops(text: &str) -> bool {
    let all = pieces(text);
    let mut statements = all.iter().filter(|piece| piece.sort == Sort::Statement);
    statements.any(|piece| {
        let returned = ending::returned(&piece.text);
        ending::stops(returned.as_deref().unwrap_or(&piece.text))
    })
}

/// The inputs whose results others name, `_3` and what `_` meant, each with a name that nothing else has.
fn results(session: &Session, done: &[&Typed], taken: &mut BTreeSet<String>) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    for number in session.results_used(done.iter().map(|input| input.number)) {
        let Some(input) = done.iter().find(|input| input.number == number) else {
            continue;
        };
        let ends = pieces(&input.text);
        let last = ends.iter().rfind(|piece| piece.sort == Sort::Statement);
        let noun = last.and_then(|piece| result_name(&piece.text));
        let name = noun
            .filter(|noun| !taken.contains(noun))
            .unwrap_or_else(|| naming::free(&format!("result_{number}"), taken));
        taken.insert(name.clone());
        found.insert(number, name);
    }
    found
}

#[cfg(test)]
mod tests;
