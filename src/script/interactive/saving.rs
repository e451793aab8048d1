//! Saves a session's inputs as a script: imports, constants and functions at the top, the rest as `main` with its
//! parameters.
//!
//! [`dependencies`](super::dependencies) finds what the script needs, [`parameters`](super::parameters) what its user may
//! change and what must not be written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::dependencies::{GLOBAL, InputGraph, Item, ItemKind, Selection, rename_results};
use super::parameters::{self, Parameter, Parameters, Signatures};
use super::{Workspace, results};
use crate::script::check::KEYWORDS;
use crate::script::format::format;
use crate::syntax::{SourceText, Token, TokenKind, tokens};

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

/// The outcome of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputOutcome {
    /// It succeeded; whether it returned a value.
    Done(bool),
    /// It failed.
    Failed,
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
    /// The new name of the session's own function `main`, since the script has one.
    pub main: Option<String>,
    /// How the script differs from the session, in sentences.
    pub warnings: Vec<String>,
}

impl Workspace {
    /// Whether a text in this input is passed to a parameter of an operation or session function whose name suggests a
    /// credential.
    pub(crate) fn passes_credential(&self, text: &str) -> bool {
        let functions = self.functions().into_iter();
        let functions: Signatures = functions
            .map(|known| ((known.name, known.params.len()), known.params))
            .collect();
        parameters::passes_credential(self.host(), &functions, text)
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
        let functions = host.language();
        let is_known = |name: &str| {
            functions.contains_key(name)
                || KEYWORDS.contains(&name)
                || host.operations().iter().any(|op| op.name == name)
        };
        let graph = InputGraph::of(inputs, &is_known);
        let selection = graph.select(&range);
        let parameters = Parameters::new(host, inputs, refused);
        Writer::new(&graph, selection, parameters).write(about)
    }
}

/// The script under construction.
struct Writer<'a> {
    graph: &'a InputGraph<'a>,
    selection: Selection,
    parameters: Parameters<'a>,
    /// Definitions that cannot be at the top of the script, with the reasons. The selection has the others.
    left_out: BTreeMap<usize, String>,
    /// The names of the results that inputs of the script use, by input number.
    results: BTreeMap<usize, String>,
    /// The new name of the session's own function `main`.
    main: Option<String>,
    /// The names that the script has so far.
    known: BTreeSet<String>,
    body: Vec<String>,
    /// Inputs that are comments, in sentences.
    warnings: Vec<String>,
}

impl<'a> Writer<'a> {
    fn new(
        graph: &'a InputGraph<'a>,
        mut selection: Selection,
        mut parameters: Parameters<'a>,
    ) -> Writer<'a> {
        let left_out = graph.left_out(&selection.definitions, &|text| parameters.is_secret(text));
        selection
            .definitions
            .retain(|index| !left_out.contains_key(index));
        let indices = selection.statements.union(&selection.definitions);
        let items: Vec<&Item<'_>> = indices.map(|index| &graph.0[*index]).collect();
        parameters.prepare(&items);
        let uses = items.iter().flat_map(|item| &item.uses);
        let numbers = uses.filter_map(|name| name.strip_prefix('_')?.parse().ok());
        let numbers: BTreeSet<usize> = numbers.collect();
        let result = |number: usize| (number, parameters.free_name(&format!("result_{number}")));
        let results = numbers.into_iter().map(result).collect();
        let top = selection.definitions.iter();
        let known = top.filter_map(|index| graph.0[*index].definition.clone());
        let known: BTreeSet<String> = known.map(|(name, _)| name).collect();
        Writer {
            graph,
            selection,
            left_out,
            results,
            main: known.contains("main").then(|| parameters.free_name("main")),
            known,
            parameters,
            body: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn write(mut self, about: &str) -> SavedScript {
        for (index, item) in self.graph.0.iter().enumerate() {
            let is_selected = self.selection.statements.contains(&index);
            match (item.kind, self.left_out.get(&index).cloned()) {
                (ItemKind::Import | ItemKind::Function, Some(reason)) => {
                    self.leave_out(item, &reason, &item.text);
                }
                (ItemKind::Statement, _) if is_selected => self.add(index, item),
                (ItemKind::Skipped, _) if is_selected && item.input.outcome != InputOutcome::Failed => {
                    match &item.input.elsewhere {
                        Some(there) if !item.input.hidden => {
                            self.leave_out(item, &format!("it was entered on {there}"), &item.text);
                        }
                        _ => self.leave_out(item, "it must not be written to files", ""),
                    }
                }
                _ => {}
            }
        }
        let of_kind = |kind| {
            let items = self
                .selection
                .definitions
                .iter()
                .map(|index| &self.graph.0[*index]);
            let items = items.filter(move |item| item.kind == kind);
            items.map(|item| self.renamed(item.text.trim()))
        };
        let lines = |kind| of_kind(kind).map(|text| terminated(&text)).collect::<Vec<_>>();
        let mut sections = vec![
            format!("//! {about}"),
            lines(ItemKind::Import).join("\n"),
            lines(ItemKind::Statement).join("\n"),
        ];
        sections.extend(of_kind(ItemKind::Function));
        let params = self.parameters.into_found();
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        let mut main = parameters::documented("What was entered at the prompt.", &params);
        main.push(format!("fn main({}) {{", names.join(", ")));
        main.extend(self.body);
        main.push("}".to_owned());
        sections.push(main.join("\n"));
        sections.retain(|section| !section.is_empty());
        self.warnings.extend(self.selection.warnings);
        SavedScript {
            text: format(&sections.join("\n\n")),
            params,
            dependencies: self.selection.dependencies.into_iter().collect(),
            main: self.main,
            warnings: self.warnings,
        }
    }

    /// Adds a statement, or a comment if it cannot run in the script.
    fn add(&mut self, index: usize, item: &Item<'_>) {
        let statements = || {
            self.selection
                .statements
                .iter()
                .map(|index| &self.graph.0[*index])
        };
        let last = statements().rfind(|item| item.kind == ItemKind::Statement);
        let last = last.map(|last| last.input.number);
        if let Some(reason) = self.graph.why_not(index, &self.known) {
            return self.leave_out(item, &reason, &item.text);
        }
        if item.ends && last != Some(item.input.number) {
            return self.leave_out(item, "it ends the script, and more inputs follow", &item.text);
        }
        let statement = match &item.definition {
            Some((constant, _)) if self.selection.definitions.contains(&index) => {
                let name = constant.trim_start_matches(GLOBAL);
                let is_used = statements().any(|item| item.uses.contains(name));
                let copy = is_used.then(|| format!("const {name} = {constant}"));
                copy.unwrap_or_default()
            }
            _ if self.parameters.replaces(item) => String::new(),
            _ => {
                let name = |number: Option<usize>| self.results.get(&number?).cloned();
                let text = self.renamed(&rename_results(&item.text, name));
                self.parameters.lift(text.trim())
            }
        };
        if self.parameters.is_secret(&statement) {
            // It is in a place that no parameter can reach.
            return self.leave_out(item, "it may hold a secret", "");
        }
        self.known.extend(item.declares.iter().cloned());
        let Some(first) = code(&statement).first().map(|piece| piece.at.start) else {
            return;
        };
        let has_result = item.declares.contains(&results::numbered(item.input.number));
        self.body.push(match self.results.get(&item.input.number) {
            Some(name) if has_result => {
                let (comments, value) = statement.split_at(first);
                terminated(&format!("{comments}let {name} = {value}"))
            }
            _ if has_result && last == Some(item.input.number) => statement,
            _ => terminated(&statement),
        });
    }

    /// Writes a comment in place of an item, with this text unless the input may hold a secret. The names that the item
    /// declares or changes are not there any more: their values differ.
    fn leave_out(&mut self, item: &Item<'_>, reason: &str, text: &str) {
        for name in item.declares.union(&item.changes) {
            self.known.remove(name);
        }
        let number = item.input.number;
        self.warnings
            .push(format!("input {number} is a comment: {reason}"));
        if text.is_empty() || self.parameters.is_secret(&item.input.text) {
            self.body.push(format!("// input {number} is left out: {reason}"));
            return;
        }
        self.body.push(format!("// {reason}"));
        let lines = text.trim().lines();
        let lines = lines.map(|line| format!("//     {line}").trim_end().to_owned());
        self.body.extend(lines);
    }

    /// Renames the session's own function `main` and its calls.
    fn renamed(&self, text: &str) -> String {
        let mut out = text.to_owned();
        let Some(name) = &self.main else { return out };
        let source = SourceText::read(text);
        let code = source.code();
        for at in (0..code.len()).rev() {
            let is_main = code.kind(at) == Some(TokenKind::Name) && code.word(at) == "main";
            let is_function = code.word(at + 1) == "(" && ![".", "?.", "::"].contains(&code.before(at, 1));
            if is_main && is_function {
                out.replace_range(code.start(at)..code.end(at), name);
            }
        }
        out
    }
}

/// Returns the words of a text without its comments and the semicolon at its end.
fn code(text: &str) -> Vec<Token> {
    let mut found = tokens(text);
    found.retain(|piece| piece.kind != TokenKind::Comment);
    found.pop_if(|last| last.text(text) == ";");
    found
}

/// Adds the `;` to a statement unless it is a block.
fn terminated(statement: &str) -> String {
    let found = code(statement);
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return statement.to_owned();
    };
    let blocks = ["if", "for", "while", "loop", "switch", "try"];
    let is_block = blocks.contains(&first.text(statement)) && last.text(statement) == "}";
    let (code, rest) = statement.split_at(last.at.end);
    if is_block || rest.trim_start().starts_with(';') {
        return statement.to_owned();
    }
    format!("{code};{rest}")
}

#[cfg(test)]
mod tests;
