//! Splits inputs into imports, functions and statements, and finds those that a script needs, by the names that each
//! uses, declares and changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::results;
use super::saving::{InputOutcome, TypedInput};
use crate::script::parse;
use crate::syntax::{Binding, Declared, Scopes, SourceText, Statement, StatementKind, Use, Used};

/// The inputs of a session, split into items, in the order in which they were entered.
pub(super) struct InputGraph<'a>(pub(super) Vec<Item<'a>>);

/// A part of an input.
pub(super) struct Item<'a> {
    pub(super) input: &'a TypedInput,
    pub(super) kind: ItemKind,
    /// Its text with the comments before it, in which each result has its number: `_3` for `_`.
    pub(super) text: String,
    /// Names of other items that it uses; for a constant used as `global::NAME`, all of that.
    pub(super) uses: BTreeSet<String>,
    /// Names that it gives to other items: variables, functions, a module, and its result, such as `_3`.
    pub(super) declares: BTreeSet<String>,
    /// Variables of earlier items that it may change.
    pub(super) changes: BTreeSet<String>,
    /// The name under which functions see what it defines, and the number of parameters of a function; `None` if it
    /// defines nothing that can be at the top of a script.
    pub(super) definition: Option<(String, Option<usize>)>,
    /// A variable that a function uses, although no function sees those of the session.
    unseen: Option<String>,
    /// Whether it may end a script, by `exit` or by a `return` in a block.
    pub(super) ends: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemKind {
    Import,
    Function,
    Statement,
    /// An input that cannot be repeated, or the statements of one that belongs to another account.
    Skipped,
}

/// The items of a script, by their indices.
#[derive(Default)]
pub(super) struct Selection {
    /// Imports, functions and constants for its top, the newest of each.
    pub(super) definitions: BTreeSet<usize>,
    /// Statements, and skipped items that a reader must know of.
    pub(super) statements: BTreeSet<usize>,
    /// Inputs outside of the range, with the name that each is needed for.
    pub(super) dependencies: BTreeMap<usize, String>,
    /// What is different in the script, in sentences.
    pub(super) warnings: Vec<String>,
}

/// The variable that holds the error of the last failed input.
const ERROR: &str = "_err";

/// The module of the constants that functions see.
pub(super) const GLOBAL: &str = "global::";

impl<'a> InputGraph<'a> {
    /// Reads the inputs of a session. `is_known` tells which methods are those of the language or of operations, which
    /// change a variable only if the language says so.
    pub(super) fn of(inputs: &'a [TypedInput], is_known: &dyn Fn(&str) -> bool) -> InputGraph<'a> {
        let functions = inputs.iter().flat_map(|input| Scopes::of(&input.text).functions);
        let own: BTreeSet<String> = functions.map(|function| function.name).collect();
        let mut items = Vec::new();
        // What a closure may change is changed by any later use of the variable that holds it.
        let mut closures: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut newest = None;
        for input in inputs {
            let text = rename_results(&input.text, |number| number.or(newest).map(results::numbered));
            let parts = parts(input, &text);
            let has_result = input.outcome == InputOutcome::Done(true) && input.elsewhere.is_none();
            let last = parts.iter().rposition(|(kind, _)| *kind == ItemKind::Statement);
            for (index, (kind, text)) in parts.into_iter().enumerate() {
                let (mut item, in_closures) = Item::read(input, kind, text, is_known, &own);
                if has_result && Some(index) == last {
                    item.declares.insert(results::numbered(input.number));
                }
                let held = item.uses.iter().filter_map(|name| closures.get(name));
                let held: BTreeSet<String> = held.flatten().cloned().collect();
                for name in item.declares.iter().chain(item.changes.difference(&in_closures)) {
                    let changed = closures.entry(name.clone()).or_default();
                    changed.extend(in_closures.iter().cloned());
                }
                item.changes.extend(held.iter().cloned());
                item.uses.extend(held);
                items.push(item);
            }
            newest = has_result.then_some(input.number).or(newest);
        }
        InputGraph(items)
    }

    /// Selects the items of a script: those of the inputs in the range, and those that they need. It goes from the last
    /// item to the first, with the names that the items below need.
    pub(super) fn select(&self, range: &RangeInclusive<usize>) -> Selection {
        let mut selection = Selection::default();
        let is_within = |item: &Item<'_>| range.contains(&item.input.number);
        let is_definition = |item: &Item<'_>| matches!(item.kind, ItemKind::Import | ItemKind::Function);
        let entered = self
            .0
            .iter()
            .filter(|item| is_within(item) && is_definition(item));
        let mut needed: BTreeSet<String> = entered.flat_map(|item| self.with_needs(item)).collect();
        let mut live = needed.clone();
        let items = self.0.iter().enumerate().rev();
        for (index, item) in items.filter(|(_, item)| item.input.number <= *range.end()) {
            let number = item.input.number;
            let is_live = |name: &&String| live.contains(*name);
            let reason = item.declares.iter().chain(&item.changes).find(is_live);
            if item.kind == ItemKind::Skipped {
                let is_older = |name: &&String| self.declares_before(index, name);
                let redeclared = item.declares.iter().filter(is_older);
                let lost: BTreeSet<&String> = item.changes.iter().chain(redeclared).filter(is_live).collect();
                if is_within(item) || !lost.is_empty() {
                    selection.statements.insert(index);
                }
                if !lost.is_empty() {
                    let lost: Vec<String> = lost.iter().map(|name| format!("`{name}`")).collect();
                    let lost = lost.join(", ");
                    let warning = format!("input {number} is not repeated, and may have changed {lost}");
                    selection.warnings.insert(0, warning);
                }
            } else if item.kind == ItemKind::Statement && (is_within(item) || reason.is_some()) {
                if let Some(name) = reason.filter(|_| !is_within(item)) {
                    selection.dependencies.insert(number, name.clone());
                }
                selection.statements.insert(index);
                live.retain(|name| !item.declares.contains(name));
                let uses = self.with_needs(item);
                live.extend(uses.iter().cloned());
                needed.extend(uses);
            }
        }
        // Of those with one signature the newest in the range counts, or else the first after it.
        let mut newest = BTreeMap::new();
        for (index, item) in self.0.iter().enumerate() {
            if let Some(definition) = &item.definition
                && (needed.contains(&definition.0) || (is_within(item) && is_definition(item)))
                && (item.input.number <= *range.end() || !newest.contains_key(definition))
            {
                newest.insert(definition, index);
            }
        }
        selection.definitions = newest.into_values().collect();
        for item in selection.definitions.iter().map(|index| &self.0[*index]) {
            if !is_within(item) {
                let known = selection.dependencies.entry(item.input.number);
                known.or_insert_with(|| item.name().to_owned());
            }
        }
        self.warn_of_redefinitions(&mut selection);
        selection
    }

    /// A script has the newest function or constant of a name from the start, a session does not.
    fn warn_of_redefinitions(&self, selection: &mut Selection) {
        for index in &selection.definitions {
            let new = &self.0[*index];
            let is_other =
                |item: &Item<'_>| item.definition == new.definition && item.text.trim() != new.text.trim();
            let Some(old) = self.0[..*index].iter().rposition(is_other) else {
                continue;
            };
            let is_user = |at: &usize| {
                let uses = self.with_needs(&self.0[*at]);
                new.definition
                    .as_ref()
                    .is_some_and(|(name, _)| uses.contains(name))
            };
            if selection.statements.range(old..*index).any(is_user) {
                let (name, later) = (new.name(), new.input.number);
                selection.warnings.push(format!(
                    "inputs before input {later} may give other results now: they used another `{name}`"
                ));
            }
        }
    }

    /// Finds the definitions that cannot be at the top of a script, with the reasons. `is_secret` detects texts that must
    /// not be written.
    pub(super) fn left_out(
        &self,
        definitions: &BTreeSet<usize>,
        is_secret: &dyn Fn(&str) -> bool,
    ) -> BTreeMap<usize, String> {
        let mut left_out: BTreeMap<usize, String> = BTreeMap::new();
        // If a function is left out, so are its callers.
        loop {
            let kept = || definitions.iter().filter(|index| !left_out.contains_key(*index));
            let known = kept().filter_map(|index| self.0[*index].definition.clone());
            let known: BTreeSet<String> = known.map(|(name, _)| name).collect();
            let reason = |index: usize| {
                let item = &self.0[index];
                let name = item.name();
                if is_secret(&item.text) {
                    return Some(format!("`{name}` may hold a secret"));
                }
                let unseen = item.unseen.as_ref();
                let unseen = unseen.map(|variable| format!("it does not see `{variable}`"));
                let reason = unseen.or_else(|| self.why_not(index, &known))?;
                Some(format!("`{name}` is left out: {reason}"))
            };
            let found = kept().find_map(|index| Some((*index, reason(*index)?)));
            match found {
                Some((index, reason)) => left_out.insert(index, reason),
                None => return left_out,
            };
        }
    }

    /// Says which name of the session an item uses that is not among the `known` ones; `None` if it can run.
    pub(super) fn why_not(&self, index: usize, known: &BTreeSet<String>) -> Option<String> {
        let item = &self.0[index];
        // Functions may use what is defined after them.
        let before = if item.kind == ItemKind::Function {
            self.0.len()
        } else {
            index
        };
        let is_missing = |name: &&String| {
            let is_own = results::is_result(name) || *name == ERROR || name.starts_with(GLOBAL);
            !known.contains(*name) && (is_own || self.declares_before(before, name))
        };
        let missing = item.uses.iter().find(is_missing)?;
        Some(match missing.strip_prefix(GLOBAL) {
            Some(constant) => format!(
                "no function can see the constant `{constant}`: only a literal that is no secret can be at the top"
            ),
            None => format!("it uses `{missing}`, which is not among the saved inputs"),
        })
    }

    /// The names that an item uses, and those that the functions among them need.
    fn with_needs(&self, item: &Item<'_>) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut open: Vec<&String> = item.uses.iter().collect();
        while let Some(name) = open.pop() {
            if all.insert(name.clone()) {
                let functions = self.0.iter().filter(|item| item.kind == ItemKind::Function);
                let meant = functions.filter(|item| item.declares.contains(name));
                open.extend(meant.flat_map(|item| &item.uses));
            }
        }
        all
    }

    fn declares_before(&self, index: usize, name: &str) -> bool {
        let mut before = self.0[..index].iter();
        before.any(|item| item.declares.contains(name))
    }
}

impl<'a> Item<'a> {
    /// Reads the names in a text. Returns the variables that its closures may change, too.
    fn read(
        input: &'a TypedInput,
        kind: ItemKind,
        text: String,
        is_known: &dyn Fn(&str) -> bool,
        own: &BTreeSet<String>,
    ) -> (Item<'a>, BTreeSet<String>) {
        let is_of_other_account = kind == ItemKind::Skipped && input.elsewhere.is_some();
        let scopes = Scopes::of(if is_of_other_account { "" } else { &text });
        let is_function = kind == ItemKind::Function;
        let function = scopes.functions.first().filter(|_| is_function);
        // A method is the language's or an operation's unless the session has a function of that name.
        let counts = |used: &&Used| used.kind != Use::Method || own.contains(&used.name);
        let free: Vec<&Used> = match function {
            Some(function) => scopes.free_in(function).filter(counts).collect(),
            None => scopes.free().filter(counts).collect(),
        };
        let is_unseen = |used: &Used| is_function && used.kind == Use::Variable;
        let unseen = free
            .iter()
            .find(|used| is_unseen(used) && !scopes.tested.contains(&used.name));
        // An input that failed because of a misspelt method changed nothing through it.
        let has_failed = input.outcome == InputOutcome::Failed;
        let changed = free
            .iter()
            .filter(|used| used.may_change(|method| has_failed || is_known(method)));
        let (in_closures, changed): (Vec<&Used>, Vec<&Used>) =
            changed.copied().partition(|used| used.closure.is_some());
        let names = |used: &[&Used]| used.iter().map(|used| used.name.clone()).collect::<BTreeSet<_>>();
        let in_closures = names(&in_closures);
        let outer = scopes.declared.iter().filter(|known| known.outer);
        let declared: Vec<&Declared> = outer.filter(|known| known.function.is_none()).collect();
        let definition = match (kind, declared.as_slice()) {
            (ItemKind::Import, [module, ..]) => Some((module.name.clone(), None)),
            (ItemKind::Import, []) => Some((text.clone(), None)),
            (ItemKind::Function, _) => {
                function.map(|function| (function.name.clone(), Some(function.params.len())))
            }
            (ItemKind::Statement, [only]) if only.kind == Binding::Constant => {
                let value = only.value.clone().and_then(|value| text.get(value));
                let is_literal = value.and_then(parse::literal).is_some();
                is_literal.then(|| (format!("{GLOBAL}{}", only.name), None))
            }
            _ => None,
        };
        let item = Item {
            input,
            kind,
            uses: free
                .iter()
                .filter(|used| !is_unseen(used))
                .map(|used| match used.kind {
                    Use::Global => format!("{GLOBAL}{}", used.name),
                    _ => used.name.clone(),
                })
                .collect(),
            declares: declared
                .iter()
                .map(|known| known.name.clone())
                .chain(scopes.functions.iter().map(|function| function.name.clone()))
                .collect(),
            changes: names(&changed).union(&in_closures).cloned().collect(),
            definition,
            unseen: unseen.map(|used| used.name.clone()),
            ends: !scopes.exits.is_empty(),
            text,
        };
        (item, in_closures)
    }

    /// The name of what it defines; for an import without a name, its text.
    fn name(&self) -> &str {
        self.declares.first().map_or(self.text.trim(), String::as_str)
    }
}

/// Replaces the names of results. `name` gets the number of the input, `None` for `_`; without an answer the name stays.
pub(super) fn rename_results(text: &str, name: impl Fn(Option<usize>) -> Option<String>) -> String {
    let mut out = text.to_owned();
    let scopes = Scopes::of(text);
    let is_result = |used: &&Used| used.kind == Use::Variable && results::is_result(&used.name);
    for used in scopes.used.iter().rev().filter(is_result) {
        let number = used.name.strip_prefix('_').and_then(|number| number.parse().ok());
        if let Some(name) = name(number) {
            out.replace_range(used.at.clone(), &name);
        }
    }
    out
}

/// Splits an input. Of one that succeeded, statements after a `return` never ran and are dropped; from one on that may end
/// the script they stay together, and so do all that belong to another account.
fn parts(input: &TypedInput, text: &str) -> Vec<(ItemKind, String)> {
    if input.hidden || input.outcome == InputOutcome::Failed {
        return vec![(ItemKind::Skipped, text.to_owned())];
    }
    let mut parts: Vec<(ItemKind, String)> = Vec::new();
    let mut has_returned = false;
    for (kind, text) in split(text) {
        let is_open = |(kind, text): &&mut (ItemKind, String)| match kind {
            ItemKind::Skipped => true,
            ItemKind::Statement => !Scopes::of(text).exits.is_empty(),
            ItemKind::Import | ItemKind::Function => false,
        };
        if kind != ItemKind::Statement {
            parts.push((kind, text));
        } else if let Some((_, open)) = parts.iter_mut().find(is_open) {
            open.push_str(&text);
        } else if input.elsewhere.is_some() {
            parts.push((ItemKind::Skipped, text));
        } else if !has_returned {
            let value = returned(&text);
            has_returned = value.is_some();
            parts.push((kind, value.unwrap_or(text)));
        }
    }
    parts
}

/// Returns the expression after the `return` that a statement starts with.
fn returned(statement: &str) -> Option<String> {
    let source = SourceText::read(statement);
    let code = source.code();
    let mut rest = statement.to_owned();
    (code.word(0) == "return").then(|| rest.replace_range(code.start(0)..code.end(0), ""))?;
    Some(rest)
}

/// Returns the imports, functions and statements of a text. Comments belong to what follows them.
fn split(text: &str) -> Vec<(ItemKind, String)> {
    let mut statements = SourceText::read(text).statements();
    if let Some(last) = statements.last_mut() {
        last.at.end = text.len();
    }
    let item = |statement: Statement| {
        let kind = match statement.kind {
            StatementKind::Import => ItemKind::Import,
            StatementKind::Function => ItemKind::Function,
            StatementKind::Other => ItemKind::Statement,
        };
        (kind, text.get(statement.at).unwrap_or_default().to_owned())
    };
    statements.into_iter().map(item).collect()
}
