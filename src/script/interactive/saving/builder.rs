//! Builds the script, input by input.

mod written;

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::InputGraph;
use super::extract::Extractor;
use super::format::{formatted, terminated};
use super::functions::{Functions, SECRET};
use super::hoisted::{self, Hoisted};
use super::split::{self, Piece, PieceKind, pieces};
use super::{InputOutcome, TypedInput, ending, naming};
use crate::script::host::Host;
use crate::script::interactive::credential::{holds_credential, is_credential};

/// The script under construction.
pub(super) struct Builder<'a> {
    session: &'a InputGraph,
    lift: Extractor<'a>,
    hoisted: Hoisted,
    functions: Functions,
    /// Names that the script has so far.
    known: BTreeSet<String>,
    /// Inputs that succeeded but are comments, with the reason.
    commented_out: Vec<(usize, String)>,
    /// Inputs that used something redefined later: its name, and the later input.
    redefined: BTreeMap<usize, (String, usize)>,
    /// What inputs that are not in the script may have changed.
    lost: BTreeMap<usize, Vec<String>>,
    /// The names of results that other inputs use, by input number.
    results: BTreeMap<usize, String>,
    imports: Vec<String>,
    constants: Vec<String>,
    body: Vec<String>,
}

impl<'a> Builder<'a> {
    /// `refused` are names that no parameter may have, `wanted` the inputs of the script, `all` those of the session.
    pub(super) fn new(
        (host, session, refused): (&'a Host, &'a InputGraph, &'a BTreeSet<String>),
        all: &[TypedInput],
        wanted: &[&TypedInput],
        is_known: &dyn Fn(&str) -> bool,
    ) -> Builder<'a> {
        let done: Vec<&TypedInput> = wanted.iter().copied().filter(|input| is_done(input)).collect();
        let numbers = || done.iter().map(|input| input.number);
        let mut taken = session.identifiers(numbers());
        let results = written::results(session, &done, &mut taken);
        let inputs: Vec<String> = all
            .iter()
            .map(|input| split::name_results(&input.text, |_| "result".to_owned()))
            .collect();
        let mut lift = Extractor::new(host, taken, refused, &inputs);
        let texts: Vec<(usize, &str)> = done
            .iter()
            .map(|input| (input.number, input.text.as_str()))
            .collect();
        let used = session.constants_used(numbers());
        let is_secret = |text: &str| holds_credential(text) || lift.holds_secret(text);
        let hoisted = Hoisted::find(host, &used, &texts, &is_secret, is_known);
        let functions = Functions::find(session, &texts, &hoisted, &is_secret);
        let mut statements = Vec::new();
        for (number, text) in &texts {
            let pieces = pieces(text).into_iter().enumerate();
            let statements_left = pieces.filter(|(index, piece)| {
                piece.kind == PieceKind::Statement && hoisted.moved(*number, *index).is_none()
            });
            statements.extend(statements_left.map(|(_, piece)| piece.text.trim().to_owned()));
        }
        lift.find_parameters(&statements);
        Builder {
            session,
            lift,
            hoisted,
            functions,
            known: BTreeSet::new(),
            commented_out: Vec::new(),
            redefined: numbers()
                .filter_map(|number| Some((number, session.redefined(number, &numbers().collect())?)))
                .collect(),
            lost: session.lost(&numbers().collect()),
            results,
            imports: Vec::new(),
            constants: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds the next wanted input.
    pub(super) fn add(&mut self, input: &TypedInput, is_last: bool) {
        let secret = self.is_secret(&input.text);
        let lost = self.lost.get(&input.number).map(|names| listed(names));
        match &input.outcome {
            InputOutcome::Done(_) if input.hidden => {
                self.omit_input(input, "it must not be written to files");
                self.forget(input.number);
            }
            InputOutcome::Done(_) => self.add_succeeded(input, is_last, secret),
            InputOutcome::Failed(reason) => {
                let lost = lost.map_or_else(String::new, |lost| {
                    format!("; what it may have done to {lost} before is not repeated")
                });
                if input.hidden {
                    self.omit_input(input, &format!("it must not be written to files{lost}"));
                } else if secret {
                    self.omit_input(input, &format!("it failed, and may hold a secret{lost}"));
                } else {
                    let reason = self.failure(reason);
                    self.comment(&format!("{reason}{lost}"), &input.text);
                }
            }
        }
    }

    /// Whether this contains anything that must not be written to a file.
    fn is_secret(&self, typed: &str) -> bool {
        holds_credential(typed) || self.lift.holds_secret(typed)
    }

    /// Describes why an input failed; only the position if the reason could reveal a secret.
    fn failure(&self, reason: &str) -> String {
        let tells =
            self.lift.contains_secret(reason) || is_credential(reason, None) || holds_credential(reason);
        if !tells {
            return format!("failed: {reason}");
        }
        let place = reason.rfind(" ([").and_then(|at| reason.get(at..));
        let is_place = |place: &&str| place.chars().all(|c| c.is_ascii_digit() || " ([]:)".contains(c));
        let place = place
            .filter(is_place)
            .filter(|place| !self.lift.contains_secret(place));
        format!("failed{}", place.unwrap_or_default())
    }

    fn omit_input(&mut self, input: &TypedInput, reason: &str) {
        self.comment(&format!("input {} is left out: {reason}", input.number), "");
    }

    /// Adds a comment on why this is not in the script, with its text unless that may hold a secret.
    pub(super) fn add_omission_comment(&mut self, input: &TypedInput, reason: &str, text: &str) {
        self.commented_out.push((input.number, reason.to_owned()));
        if self.is_secret(text) {
            self.omit_input(input, reason);
        } else {
            self.comment(reason, text);
        }
    }

    fn comment(&mut self, reason: &str, text: &str) {
        self.body.push(format!("// {}", reason.replace('\n', " ")));
        let lines = text.trim_end().lines();
        self.body
            .extend(lines.map(|line| format!("//     {line}").trim_end().to_owned()));
    }

    /// Drops the names that this input defined or changed: their values differ.
    fn forget(&mut self, number: usize) {
        for name in self.session.defines(number).union(&self.session.changes(number)) {
            self.known.remove(name);
        }
    }

    fn add_succeeded(&mut self, input: &TypedInput, is_last: bool, secret: bool) {
        let written = self.with_results(input);
        let all = pieces(&written);
        for piece in &all {
            match piece.kind {
                PieceKind::Import => self.import(piece, input),
                PieceKind::Function => self.function(piece, input),
                PieceKind::Statement => {}
            }
        }
        let statements = || all.iter().filter(|piece| piece.kind == PieceKind::Statement);
        if statements().next().is_none() {
            return;
        }
        // As it was typed, with `_3`.
        let typed = pieces(&input.text);
        let typed = typed.iter().filter(|piece| piece.kind == PieceKind::Statement);
        let typed: String = typed.map(|piece| piece.text.as_str()).collect();
        let reason = match self.session.missing(input.number, &self.known) {
            Some(name) => Some(format!("it uses `{name}`, which is not among the saved inputs")),
            None if !is_last && stops(&all) => Some("it ends the script, and more inputs follow".to_owned()),
            None => None,
        };
        if let Some(reason) = reason {
            // If a function of the input holds a secret, not even the rest is shown.
            let typed = if secret {
                input.text.as_str()
            } else {
                typed.trim_start()
            };
            self.add_omission_comment(input, &reason, typed);
            self.forget(input.number);
            return;
        }
        if let Some((name, later)) = self.redefined.get(&input.number) {
            let note = format!("`{name}` was different here: input {later} redefined it");
            self.comment(&note, "");
        }
        self.known.extend(self.session.defines(input.number));
        let is_statement = |piece: &Piece| piece.kind == PieceKind::Statement;
        let returns = all
            .iter()
            .position(|piece| is_statement(piece) && ending::returned(&piece.text).is_some());
        let ends = returns.or_else(|| all.iter().rposition(is_statement));
        for (index, piece) in all.iter().enumerate() {
            // Statements after a `return` never ran.
            if is_statement(piece) && Some(index) <= ends {
                let is_end = Some(index) == ends;
                match self.hoisted.moved(input.number, index).map(str::to_owned) {
                    Some(name) => self.moved(piece, &name),
                    None => self.statement(piece, input, is_end, is_last && is_end),
                }
            }
        }
    }

    /// Returns the input with results replaced by their names in the script.
    fn with_results(&self, input: &TypedInput) -> String {
        let newest = self.session.newest_before(input.number);
        split::name_results(&input.text, |number| {
            let number = number.or(newest).unwrap_or_default();
            // A result without a name is missing, and its input is not part of the script.
            self.results
                .get(&number)
                .cloned()
                .unwrap_or_else(|| "_".to_owned())
        })
    }

    fn import(&mut self, piece: &Piece, input: &TypedInput) {
        let import = terminated(piece.text.trim());
        if !self.imports.contains(&import) {
            self.imports.push(import);
        }
        self.known.extend(self.session.modules(input.number).cloned());
    }

    /// Keeps a function; a newer one replaces an older one.
    fn function(&mut self, piece: &Piece, input: &TypedInput) {
        let signature = naming::signature(&piece.text);
        let left_out = self.functions.left_out(&signature);
        let name = signature.0;
        match left_out {
            Some(reason) if reason == SECRET => {
                self.omit_input(input, &format!("`{name}` may hold a secret"));
            }
            Some(reason) => self.add_omission_comment(
                input,
                &format!("`{name}` is left out: {reason}"),
                piece.text.trim(),
            ),
            None => {
                self.known.insert(name);
                self.functions.keep(&formatted(piece.text.trim()));
                return;
            }
        }
        self.known.remove(&name);
    }

    /// Adds a statement at the top; if `main` needs the value, it takes it from there.
    fn moved(&mut self, piece: &Piece, name: &str) {
        let (text, was_variable) = hoisted::as_constant(piece.text.trim());
        self.constants
            .push(terminated(&formatted(&self.functions.renamed(&text))));
        if self.hoisted.is_needed(name) {
            let word = if was_variable { "let" } else { "const" };
            self.body.push(format!("{word} {name} = global::{name};"));
        }
    }

    fn statement(&mut self, piece: &Piece, input: &TypedInput, is_end: bool, is_last: bool) {
        let returned = ending::returned(&piece.text);
        let text = returned.as_deref().unwrap_or(piece.text.trim());
        if text.trim_end_matches(';').trim().is_empty() {
            return;
        }
        let text = self.functions.renamed(text);
        let Some(lifted) = self.lift.lift(&text) else {
            return;
        };
        if self.is_secret(&lifted) {
            // It is in a place that no parameter can reach.
            self.forget(input.number);
            self.omit_input(input, "it may hold a secret");
            return;
        }
        let lifted = formatted(&lifted);
        let gives = is_end && input.outcome == InputOutcome::Done(true);
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
}

/// Whether it succeeded and may be written.
pub(super) fn is_done(input: &TypedInput) -> bool {
    matches!(input.outcome, InputOutcome::Done(_)) && !input.hidden
}

/// Whether these end a script other than by a top-level `return`.
fn stops(all: &[Piece]) -> bool {
    let mut statements = all.iter().filter(|piece| piece.kind == PieceKind::Statement);
    statements.any(|piece| {
        let returned = ending::returned(&piece.text);
        ending::stops(returned.as_deref().unwrap_or(&piece.text))
    })
}

fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
