//! Dependencies between inputs, from the names that they declare, change and use.

mod names;
mod redefined_later;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use self::names::Names;
pub(super) use self::names::Signature;
use super::{InputOutcome, TypedInput};
use crate::script::interactive::results;
use crate::script::scopes::Scopes;

/// The names that each input of a session declares, changes and uses.
pub(super) struct InputGraph(Vec<Node>);

struct Node {
    number: usize,
    names: Names,
    /// Names that closures of earlier inputs may change when this input uses them.
    closure_uses: BTreeSet<String>,
    /// Whether other inputs in a script can use its definitions.
    usable: bool,
    has_value: bool,
}

/// A name needed by the input with this number.
type NeededName = (String, usize);

impl InputGraph {
    /// `is_known` tells which methods have a known effect.
    pub(super) fn of(inputs: &[TypedInput], is_known: &dyn Fn(&str) -> bool) -> InputGraph {
        let read: Vec<Scopes> = inputs.iter().map(|input| Scopes::of(&input.text)).collect();
        let functions: BTreeSet<&str> = read
            .iter()
            .flat_map(|scopes| &scopes.functions)
            .map(|function| function.name.as_str())
            .collect();
        let is_own = |name: &str| functions.contains(name);
        let mut known: Vec<Node> = Vec::new();
        // What closures in variables change when they are called.
        let mut closures: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (input, scopes) in inputs.iter().zip(&read) {
            // An input that failed because of a misspelt method changed nothing through it.
            let names = match input.outcome {
                InputOutcome::Done(_) => Names::of(scopes, is_known, &is_own),
                InputOutcome::Failed(_) => Names::of(scopes, &|_| true, &is_own),
            };
            let used = names.uses.iter().filter_map(|name| closures.get(name));
            let mut closure_uses: BTreeSet<String> = used.flatten().cloned().collect();
            closure_uses.retain(|name| !names.declares.contains(name));
            if !names.in_closures.is_empty() {
                let results = [results::LAST.to_owned(), results::numbered(input.number)];
                for name in names.declares.iter().chain(&names.changes).chain(&results) {
                    let changed = closures.entry(name.clone()).or_default();
                    changed.extend(names.in_closures.iter().cloned());
                }
            }
            known.push(Node {
                number: input.number,
                names,
                closure_uses,
                usable: matches!(input.outcome, InputOutcome::Done(_)) && !input.hidden,
                has_value: input.outcome == InputOutcome::Done(true),
            });
        }
        InputGraph(known)
    }

    /// Returns the inputs before the range that it depends on, with the name that each is needed for.
    pub(super) fn choose(&self, range: &RangeInclusive<usize>) -> BTreeMap<usize, String> {
        let mut chosen: BTreeMap<usize, String> = BTreeMap::new();
        let within = self
            .0
            .iter()
            .filter(|known| known.usable && range.contains(&known.number));
        let mut open: Vec<NeededName> = within.flat_map(|known| self.requirements(known)).collect();
        let mut seen: BTreeSet<NeededName> = BTreeSet::new();
        while let Some((name, before)) = open.pop() {
            if !seen.insert((name.clone(), before)) {
                continue;
            }
            for source in self.sources(&name, before) {
                // A function's dependencies are resolved at the time of the call.
                open.extend(self.called(source, &name, before));
                if !range.contains(&source.number) && !chosen.contains_key(&source.number) {
                    chosen.insert(source.number, shown(&name));
                    open.extend(self.requirements(source));
                }
            }
        }
        chosen
    }

    /// Returns the inputs that determine a name before this input: the one that declares it, and those that change it
    /// afterwards, newest first. For functions, the newest of each signature.
    fn sources(&self, name: &str, before: usize) -> Vec<&Node> {
        let mut found = Vec::new();
        let mut changing = Vec::new();
        let mut signatures: BTreeSet<&Signature> = BTreeSet::new();
        for known in self.before(before) {
            let own: BTreeSet<&Signature> = known.names.signatures(name).collect();
            if !own.is_empty() {
                let is_new = !own.is_subset(&signatures);
                signatures.extend(own);
                found.extend(Some(known).filter(|known| is_new && known.usable));
            } else if known.gives(name) {
                if known.usable {
                    found.append(&mut changing);
                    found.push(known);
                }
                return found;
            } else if known.usable && known.changes(name) {
                changing.push(known);
            }
        }
        found
    }

    /// Returns what an input needs to run, and what its functions need at that point.
    fn requirements(&self, known: &Node) -> Vec<NeededName> {
        let number = known.number;
        let uses = self.uses(number).into_iter();
        let uses = uses.chain(known.closure_uses.iter().cloned());
        let mut requirements: Vec<NeededName> = uses.map(|name| (name, number)).collect();
        for (function, _) in known.names.functions.keys() {
            requirements.extend(self.called(known, function, number));
        }
        requirements
    }

    /// Returns what a function of this input needs when the input with this number calls it. Names that are only
    /// defined later are included.
    fn called(&self, known: &Node, function: &str, by: usize) -> Vec<NeededName> {
        let functions = known.names.functions.iter();
        let of_name = functions.filter(|((name, _), _)| name == function);
        let needs = of_name.flat_map(|(_, needs)| needs);
        let when = |name: &String| {
            if self.sources(name, by).is_empty() {
                usize::MAX
            } else {
                by
            }
        };
        needs.map(|name| (name.clone(), when(name))).collect()
    }

    /// Returns a name that the input needs from an earlier one and that is not in `known`.
    pub(super) fn missing(&self, number: usize, known: &BTreeSet<String>) -> Option<String> {
        let is_missing = |name: &&String| {
            let is_given_earlier = self.before(number).any(|earlier| earlier.gives(name));
            (is_given_earlier || results::is_result(name) || *name == ERROR) && !known.contains(*name)
        };
        self.uses(number).iter().find(is_missing).map(|name| shown(name))
    }

    /// Whether any input defines this name.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.0.iter().any(|known| known.gives(name))
    }

    /// The functions that an input defines, with what each needs.
    pub(super) fn functions(&self, number: usize) -> impl Iterator<Item = (&Signature, &BTreeSet<String>)> {
        let known = self.input(number).into_iter();
        known.flat_map(|known| &known.names.functions)
    }

    /// The names of an input's imports.
    pub(super) fn modules(&self, number: usize) -> impl Iterator<Item = &String> {
        self.input(number)
            .into_iter()
            .flat_map(|known| &known.names.modules)
    }

    /// The names that the input provides to later ones: its declarations and its result.
    pub(super) fn defines(&self, number: usize) -> BTreeSet<String> {
        let Some(known) = self.input(number) else {
            return BTreeSet::new();
        };
        let mut names = known.names.declares.clone();
        if known.has_value {
            names.insert(results::numbered(number));
        }
        names
    }

    /// The names from earlier inputs that it may change.
    pub(super) fn changes(&self, number: usize) -> BTreeSet<String> {
        self.input(number).map_or_else(BTreeSet::new, |known| {
            known.names.changes.union(&known.closure_uses).cloned().collect()
        })
    }

    /// Returns what inputs that cannot be repeated, because they failed or must stay out of files, may have changed
    /// before one of `wanted` uses it: the names by input number.
    pub(super) fn lost(&self, wanted: &BTreeSet<usize>) -> BTreeMap<usize, Vec<String>> {
        let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for lost in self.0.iter().filter(|known| !known.usable) {
            let users = self
                .0
                .iter()
                .filter(|known| known.usable && known.number > lost.number && wanted.contains(&known.number));
            let used: Vec<(usize, BTreeSet<String>)> = users
                .map(|known| (known.number, self.uses(known.number)))
                .collect();
            for name in self.changes(lost.number) {
                let is_used = used.iter().any(|(number, uses)| {
                    let sources = self.sources(&name, *number);
                    uses.contains(&name) && sources.last().is_some_and(|source| source.number < lost.number)
                });
                if is_used {
                    found.entry(lost.number).or_default().push(name);
                }
            }
        }
        found
    }

    /// Returns the input whose result `_` denotes in this one.
    pub(super) fn newest_before(&self, number: usize) -> Option<usize> {
        self.before(number)
            .find(|known| known.has_value)
            .map(|known| known.number)
    }

    /// Returns the inputs whose results these use.
    pub(super) fn results_used(&self, numbers: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let used = numbers.flat_map(|number| self.uses(number));
        used.filter_map(|name| name.strip_prefix('_')?.parse().ok())
            .collect()
    }

    /// Returns every name in these inputs.
    pub(super) fn identifiers(&self, numbers: impl Iterator<Item = usize>) -> BTreeSet<String> {
        let known = numbers.filter_map(|number| self.input(number));
        known
            .flat_map(|known| known.names.identifiers.iter().cloned())
            .collect()
    }

    /// Returns the constants that these inputs and their functions use as `global::NAME`.
    pub(super) fn constants_used(&self, numbers: impl Iterator<Item = usize>) -> BTreeSet<String> {
        let known = numbers.filter_map(|number| self.input(number));
        known
            .flat_map(|known| known.names.constants.iter().cloned())
            .collect()
    }

    /// The names that the input needs from earlier ones; `_` appears as the result it denotes.
    fn uses(&self, number: usize) -> BTreeSet<String> {
        let Some(known) = self.input(number) else {
            return BTreeSet::new();
        };
        let mut uses = known.names.uses.clone();
        if uses.remove(results::LAST) {
            let newest = self.newest_before(number).unwrap_or_default();
            uses.insert(results::numbered(newest));
        }
        uses
    }

    fn input(&self, number: usize) -> Option<&Node> {
        self.0.iter().find(|known| known.number == number)
    }

    /// The inputs before this one, newest first.
    fn before(&self, number: usize) -> impl Iterator<Item = &Node> {
        self.0.iter().rev().filter(move |known| known.number < number)
    }
}

/// The variable that holds the error of the last failed input.
const ERROR: &str = "_err";

impl Node {
    fn gives(&self, name: &str) -> bool {
        self.names.declares.contains(name) || (self.has_value && results::numbered(self.number) == name)
    }

    fn changes(&self, name: &str) -> bool {
        self.names.changes.contains(name) || self.closure_uses.contains(name)
    }
}

/// Formats a name for display; `_0` is a `_` without any earlier result.
fn shown(name: &str) -> String {
    if name == "_0" {
        results::LAST.to_owned()
    } else {
        name.to_owned()
    }
}
