//! Resolves names to table entries, and searches the entries for words.

use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Operation;
use crate::operation::spec::{Kind, OpSpec};
use crate::value::nearest::nearest;

/// An entry that a name refers to.
#[derive(Debug, Clone)]
pub enum Topic {
    /// One operation.
    Op(Operation),
    /// A kind of object.
    Kind(&'static Kind),
    /// A module, by name.
    Module(&'static str),
}

/// The error for an unknown name, with the most similar known ones, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The stable names of operations, kinds and modules.
    pub nearest: Vec<String>,
}

/// Returns the entries that a name refers to, in any usual notation: `ensure_contact`, `crm::ensure_contact`,
/// `session.contacts()`, `Contact.archive`, `crm::Contact`, `crm`. A short name may refer to several entries.
pub fn find(catalogue: &Catalogue, name: &str) -> Result<Vec<Topic>, Unknown> {
    let wanted = plain(name);
    let topics = find_exact(catalogue, &wanted);
    if topics.is_empty() {
        return Err(Unknown {
            nearest: find_similar(catalogue, &wanted),
        });
    }
    Ok(topics)
}

/// Returns the operations whose entries contain every word, best match first: in the name, then the summary, then the
/// rest.
pub fn search(catalogue: &Catalogue, terms: &str) -> Vec<Operation> {
    let terms: Vec<String> = terms.split_whitespace().map(str::to_lowercase).collect();
    if terms.is_empty() {
        return Vec::new();
    }
    let mut hits: Vec<(usize, Operation)> = catalogue
        .operations()
        .iter()
        .copied()
        .filter_map(|op| {
            let ranks = terms.iter().map(|word| rank(&op, word));
            Some((ranks.sum::<Option<usize>>()?, op))
        })
        .collect();
    // The sort is stable: equal matches keep the order of the table.
    hits.sort_by_key(|(rank, _)| *rank);
    hits.into_iter().map(|(_, op)| op).collect()
}

/// Returns the last part of a kind's name: `Contact` of `crm::Contact`.
pub fn short(kind: &str) -> &str {
    kind.rsplit("::").next().unwrap_or(kind)
}

fn find_exact(catalogue: &Catalogue, wanted: &str) -> Vec<Topic> {
    let ops = catalogue.operations().iter().copied();
    let called = ops.filter(|op| is_called(catalogue, *op, wanted));
    let mut topics: Vec<Topic> = called.map(Topic::Op).collect();
    let named = catalogue
        .kinds()
        .filter(|kind| same(kind.name, wanted) || same(short(kind.name), wanted));
    topics.extend(named.map(Topic::Kind));
    let module = catalogue
        .modules()
        .find(|module| same(module, wanted.trim_end_matches(':')));
    topics.extend(module.map(Topic::Module));
    topics
}

/// Strips what people write around a name: `ensure_tenant?`, `apps()`.
fn plain(name: &str) -> String {
    let name = name.trim().trim_end_matches(['?', ';']);
    let name = name.split_once('(').map_or(name, |(name, _)| name);
    name.trim().to_owned()
}

fn is_called(catalogue: &Catalogue, op: Operation, wanted: &str) -> bool {
    let spellings = [op.id(), op.name.to_owned(), format!("{}::{}", op.module, op.name)];
    let of_kind = op.method_kind().into_iter().flat_map(|kind| {
        [kind, short(kind)]
            .into_iter()
            .map(|kind| format!("{kind}.{}", op.name))
    });
    // `crm::connect` is the function, not a method of the same name.
    let module_path = wanted.contains("::") && !wanted.contains('.');
    if module_path && same(&op.id(), wanted) {
        return true;
    }
    if module_path
        && catalogue
            .operations()
            .iter()
            .any(|other| same(&other.id(), wanted))
    {
        return false;
    }
    spellings
        .into_iter()
        .chain(of_kind)
        .any(|spelling| same(&spelling, wanted))
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn find_similar(catalogue: &Catalogue, wanted: &str) -> Vec<String> {
    let last = wanted.rsplit(['.', ':']).next().unwrap_or(wanted);
    let mut near: Vec<String> = Vec::new();
    let all = || catalogue.operations().iter();
    let kinds = catalogue.kinds().map(|kind| kind.name);
    let other = kinds.clone().chain(catalogue.modules()).map(str::to_owned);
    let whole: Vec<String> = all().map(|op| op.id()).chain(other).collect();
    near.extend(nearest(wanted, whole.iter().map(String::as_str)).map(str::to_owned));
    if let Some(name) = nearest(last, all().map(|op| op.name)).or_else(|| known(catalogue, last)) {
        near.extend(all().filter(|op| op.name == name).map(|op| op.id()));
    }
    if let Some(name) = nearest(last, kinds.clone().map(short)) {
        near.extend(kinds.filter(|kind| short(kind) == name).map(str::to_owned));
    }
    let mut seen = Vec::new();
    near.retain(|name| {
        let fresh = !seen.contains(name);
        seen.push(name.clone());
        fresh
    });
    near
}

/// Returns the operation with exactly this name, given with another module or object.
fn known(catalogue: &Catalogue, name: &str) -> Option<&'static str> {
    let mut names = catalogue.operations().iter().map(|op| op.spec().name);
    names.find(|known| same(known, name))
}

/// Returns how well the entry matches the word, 0 being best; `None` if it does not contain it.
fn rank(op: &OpSpec, word: &str) -> Option<usize> {
    let has = |text: &str| text.to_lowercase().contains(word);
    let params = || {
        op.params.iter().any(|param| {
            let keys = match param.ty {
                crate::operation::spec::Type::Options(keys) => keys,
                _ => &[],
            };
            has(param.name) || has(param.doc) || keys.iter().any(|key| has(key.name) || has(key.doc))
        })
    };
    let errors = || {
        op.errors
            .iter()
            .any(|(code, when)| has(code.as_str()) || has(when))
    };
    match () {
        () if op.name == word => Some(0),
        () if has(op.name) => Some(1),
        () if has(&op.id()) || op.receiver.is_some_and(has) => Some(2),
        () if has(op.summary) => Some(3),
        () if params() || has(op.result) => Some(4),
        () if has(op.doc) || errors() => Some(5),
        () => None,
    }
}

/// Returns the operations of a topic: the operation itself, a kind's methods, or a module's operations.
pub fn operations(catalogue: &Catalogue, topic: &Topic) -> Vec<Operation> {
    match topic {
        Topic::Op(op) => vec![*op],
        Topic::Kind(kind) => catalogue.methods(kind.name).collect(),
        Topic::Module(module) => catalogue
            .operations()
            .iter()
            .copied()
            .filter(|op| op.module == *module)
            .collect(),
    }
}

/// Returns the kinds of objects of a module.
pub fn kinds_of<'a>(catalogue: &'a Catalogue, module: &'a str) -> impl Iterator<Item = &'static Kind> + 'a {
    let platform = catalogue.module(module).map(|platform| platform.name);
    catalogue
        .kinds()
        .filter(move |kind| kind.name.split("::").next() == platform)
}
