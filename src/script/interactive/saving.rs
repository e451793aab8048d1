//! A session's inputs as a script: functions at the top, the rest as `main`, its parameters what was typed as literals.

mod lift;
mod pieces;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use self::lift::Lift;
pub use self::lift::Lifted;
use self::pieces::{Piece, Sort, pieces};
use super::Workspace;
use super::results;
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
}

/// What came of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It ended well; did it give a value?
    Done(bool),
    /// It failed, for this reason.
    Failed(String),
    /// It may hold a secret, and is left out.
    Secret,
}

/// A script made of inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its text.
    pub text: String,
    /// The parameters of `main`, and what was typed for each.
    pub params: Vec<Lifted>,
}

/// How far the body of `main` is indented.
const INDENT: &str = "    ";

impl Workspace {
    /// Writes inputs as a script. `about` is its first line.
    pub fn save(&self, inputs: &[Typed], about: &str) -> Saved {
        let mut parts = Parts::new(self.host(), used_results(inputs));
        let last = inputs
            .iter()
            .rev()
            .find(|input| matches!(input.came, Came::Done(_)))
            .map(|input| input.number);
        let mut newest = None;
        for input in inputs {
            parts.add(input, newest, Some(input.number) == last);
            if input.came == Came::Done(true) {
                newest = Some(input.number);
            }
        }
        parts.write(about)
    }
}

/// The inputs whose results others name: `_3`, and what `_` meant.
fn used_results(inputs: &[Typed]) -> BTreeSet<usize> {
    let mut used = BTreeSet::new();
    let mut newest = None;
    for input in inputs.iter().filter(|input| matches!(input.came, Came::Done(_))) {
        for name in pieces::results_named(&input.text) {
            used.extend(name.or(newest));
        }
        if input.came == Came::Done(true) {
            newest = Some(input.number);
        }
    }
    used
}

/// The script as it grows.
struct Parts<'a> {
    lift: Lift<'a>,
    used: BTreeSet<usize>,
    /// The inputs whose results have a name in the script.
    named: BTreeSet<usize>,
    imports: Vec<String>,
    functions: Vec<String>,
    body: Vec<String>,
}

impl<'a> Parts<'a> {
    fn new(host: &'a Host, used: BTreeSet<usize>) -> Parts<'a> {
        Parts {
            lift: Lift::new(host),
            used,
            named: BTreeSet::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            body: Vec::new(),
        }
    }

    fn add(&mut self, input: &Typed, newest: Option<usize>, is_last: bool) {
        match &input.came {
            Came::Failed(why) => self.comment(&format!("failed: {why}"), &input.text),
            Came::Secret => self.comment(
                &format!("input {} is left out: it may hold a secret", input.number),
                "",
            ),
            Came::Done(_) => self.add_done(input, newest, is_last),
        }
    }

    fn comment(&mut self, why: &str, text: &str) {
        self.body.push(format!("// {}", why.replace('\n', " ")));
        let lines = text.trim_end().lines();
        self.body
            .extend(lines.map(|line| format!("//     {line}").trim_end().to_owned()));
    }

    fn add_done(&mut self, input: &Typed, newest: Option<usize>, is_last: bool) {
        let unknown = pieces::results_named(&input.text)
            .into_iter()
            .any(|name| name.or(newest).is_none_or(|number| !self.named.contains(&number)));
        if unknown {
            self.comment("it uses a result that is not among the saved inputs", &input.text);
            return;
        }
        let text = pieces::name_results(&input.text, |number| {
            format!("result_{}", number.or(newest).unwrap_or_default())
        });
        let all = pieces(&text);
        let ends = all.iter().rposition(|piece| piece.sort == Sort::Statement);
        for (index, piece) in all.into_iter().enumerate() {
            match piece.sort {
                Sort::Import => {
                    let import = terminated(piece.text.trim());
                    if !self.imports.contains(&import) {
                        self.imports.push(import);
                    }
                }
                Sort::Function => self.functions.push(piece.text.trim().to_owned()),
                Sort::Statement => {
                    let is_end = Some(index) == ends;
                    self.statement(&piece, input, is_end, is_last && is_end);
                }
            }
        }
    }

    fn statement(&mut self, piece: &Piece, input: &Typed, is_end: bool, is_last: bool) {
        let Some(lifted) = self.lift.lift(piece.text.trim()) else {
            return;
        };
        let gives = is_end && input.came == Came::Done(true);
        if gives && self.used.contains(&input.number) {
            self.named.insert(input.number);
            let name = format!("result_{}", input.number);
            self.body.push(terminated(&format!("let {name} = {lifted}")));
            if is_last {
                self.body.push(name);
            }
        } else if gives && is_last {
            self.body.push(lifted);
        } else {
            self.body.push(terminated(&lifted));
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
        for function in &self.functions {
            let _ = writeln!(text, "{function}\n");
        }
        let params = self.lift.into_params();
        text.push_str("/// What was entered at the prompt.\n");
        if !params.is_empty() {
            text.push_str("///\n");
        }
        let widest = params
            .iter()
            .map(|param| param.name.len())
            .max()
            .unwrap_or_default();
        for param in &params {
            let _ = writeln!(
                text,
                "/// @param {:widest$}  {:6}  for example {}",
                param.name, param.type_name, param.typed
            );
        }
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        let _ = writeln!(text, "fn main({}) {{", names.join(", "));
        for statement in &self.body {
            text.push_str(&indented(statement));
        }
        text.push_str("}\n");
        Saved { text, params }
    }
}

/// The statement with its `;`.
fn terminated(statement: &str) -> String {
    let statement = statement.trim_end();
    if statement.ends_with(';') {
        return statement.to_owned();
    }
    let last = statement.lines().last().unwrap_or_default();
    let gap = if last.contains("//") { "\n" } else { "" };
    format!("{statement}{gap};")
}

/// The statement inside of `main`. The lines of a text that goes over several stay where they are.
fn indented(statement: &str) -> String {
    let mut out = String::new();
    let keeps = pieces::has_long_text(statement);
    for (index, line) in statement.lines().enumerate() {
        let indent = if line.trim().is_empty() || (keeps && index > 0) {
            ""
        } else {
            INDENT
        };
        let _ = writeln!(out, "{indent}{line}");
    }
    out
}

/// A result that is named: which input's; nothing for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named(Option<usize>);

/// The result that this name means.
fn result_name(name: &str) -> Option<Named> {
    match name {
        "_" => Some(Named(None)),
        name if results::running_name(name) != name => {
            let number = name.strip_prefix('_')?.parse().ok()?;
            Some(Named(Some(number)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
