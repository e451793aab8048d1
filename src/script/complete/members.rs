//! Completes members after a value and a dot, and the keys of options maps.

use super::names::{call, operation};
use super::{Candidate, matches_prefix};
use crate::operation::catalogue::Catalogue;
use crate::operation::spec::{Param, Type};
use crate::script::infer::{ERROR, Environment, InferredType};
use crate::script::interactive::natives;
use crate::syntax::is_name;

/// Completes the member at `start`, after a value and its dot, and returns where the replacement begins: a key that is
/// not a name is written in brackets, which replace the dot.
pub(super) fn complete_member(
    space: &dyn Environment,
    of: &InferredType,
    typed: &str,
    start: usize,
) -> (usize, Vec<Candidate>) {
    let word = &typed[start..];
    let mut found = members(space, of, word);
    let quoted: Vec<Candidate> = match of {
        InferredType::Map(keys) => keys
            .iter()
            .filter(|(key, _)| !is_name(key) && matches_prefix(key, word))
            .map(|(key, ty)| {
                let text = format!("[{key:?}]");
                Candidate::new(&text, &text, ty)
            })
            .collect(),
        _ => Vec::new(),
    };
    if quoted.is_empty() || !typed[..start].ends_with('.') || typed[..start].ends_with("?.") {
        return (start, found);
    }
    for one in &mut found {
        one.replacement.insert(0, '.');
    }
    found.extend(quoted);
    (start - 1, found)
}

/// Completes the keys of a map after the opening quote.
pub(super) fn index(of: &InferredType, word: &str) -> Vec<Candidate> {
    let InferredType::Map(keys) = of else {
        return Vec::new();
    };
    let matching = keys
        .iter()
        .map(|(key, ty)| (format!("{key:?}"), ty))
        .filter_map(|(key, ty)| Some((key.strip_prefix('"')?.to_owned(), ty)));
    matching
        .filter(|(key, _)| key.starts_with(word))
        .map(|(key, ty)| Candidate::new(format!("{key}]"), key.trim_end_matches('"'), ty))
        .collect()
}

/// The properties, keys and methods of a value that begin with the word.
pub(super) fn members(space: &dyn Environment, of: &InferredType, word: &str) -> Vec<Candidate> {
    let mut found = match of {
        InferredType::Object(kind) => object(space.catalogue(), kind.name),
        InferredType::Map(keys) => keys
            .iter()
            .filter(|(key, _)| is_name(key))
            .map(|(key, ty)| Candidate::new(key, key, ty))
            .collect(),
        InferredType::Plain(name) if name == "error" => ERROR
            .iter()
            .map(|(name, ty, about)| Candidate::new(*name, *name, format!("{ty}: {about}")))
            .collect(),
        _ => Vec::new(),
    };
    found.retain(|one| matches_prefix(&one.replacement, word));
    // Objects have only the members of their kind; the language's methods are for other values.
    if !matches!(of, InferredType::Object(_) | InferredType::Nothing) {
        found.extend(methods(of.type_name(), word));
    }
    found
}

fn object(catalogue: &Catalogue, kind: &'static str) -> Vec<Candidate> {
    let known = catalogue.kind(kind);
    let properties = known.into_iter().flat_map(|kind| kind.properties);
    let properties =
        properties.map(|(name, ty, about)| Candidate::new(*name, *name, format!("{ty}: {about}")));
    properties
        .chain(catalogue.methods(kind).map(|op| operation(&op)))
        .collect()
}

/// The methods of a kind that sub-accounts may not call.
pub(super) fn refused_to_sub_accounts(catalogue: &Catalogue, kind: &'static str) -> Vec<Candidate> {
    let refused = catalogue.methods(kind);
    let refused = refused.filter(|op| op.is_refused_to_sub_accounts());
    refused.map(|op| operation(&op)).collect()
}

fn methods(type_name: &str, word: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for native in natives() {
        let fits = matches_prefix(&native.name, word)
            && native.params.first().is_some_and(|(_, ty)| ty == type_name)
            && is_name(&native.name);
        let title = native.method();
        if !fits || found.iter().any(|one| one.title == title) {
            continue;
        }
        let replacement = if native.property {
            native.name.clone()
        } else {
            call(&native.name, native.params.len() > 1)
        };
        found.push(Candidate::new(replacement, title, &native.doc));
    }
    found
}

/// The keys of an options map that begin with the word.
pub(super) fn keys(known: &[Param], word: &str) -> Vec<Candidate> {
    let matching = known.iter().filter(|key| matches_prefix(key.name, word));
    matching
        .map(|key| {
            let value = match key.ty {
                Type::Options(_) | Type::Map => "#{",
                _ => "",
            };
            Candidate::new(
                format!("{}: {value}", key.name),
                format!("{}: {}", key.name, key.ty.name()),
                key.doc,
            )
        })
        .collect()
}
