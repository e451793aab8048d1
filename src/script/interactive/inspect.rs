//! Inspects the values of variables without evaluating anything, for completion and help.

use rhai::{Dynamic, Map};

use super::{Workspace, type_name};
use crate::script::bundle::Source;
use crate::script::handles::Handle;
use crate::script::params::Declaration;
use crate::script::{declare, parse};
use crate::syntax::SourceText;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A variable, a key of a map, or a property of an object.
    Name(String),
    /// An element of a list; the first represents all.
    Element,
}

/// The shape of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Inspected {
    /// Its type, as scripts know it; for an object, its kind.
    pub type_name: String,
    /// The keys of a map, with the types of their values.
    pub keys: Vec<(String, String)>,
    /// The number of elements, keys or characters.
    pub size: Option<usize>,
}

impl Workspace {
    /// Resolves a path, whose first step names a variable.
    pub(crate) fn resolve_path(&self, steps: &[Step]) -> Option<Inspected> {
        let (Step::Name(name), rest) = steps.split_first()? else {
            return None;
        };
        let value = self.scope.get(name)?;
        within(value, rest)
    }
}

fn within(value: &Dynamic, steps: &[Step]) -> Option<Inspected> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(seen(value));
    };
    if let Some(map) = value.read_lock::<Map>() {
        return match step {
            Step::Name(key) => within(map.get(key.as_str())?, rest),
            Step::Element => None,
        };
    }
    if let Some(list) = value.read_lock::<rhai::Array>() {
        return match step {
            Step::Element => within(list.first()?, rest),
            Step::Name(_) => None,
        };
    }
    let handle = value.read_lock::<Handle>()?;
    let Step::Name(field) = step else { return None };
    let field = handle
        .object()
        .fields
        .get(field)
        .filter(|_| !field.starts_with('$'))?;
    within(&crate::script::convert::to_dynamic(field.clone()), rest)
}

fn seen(value: &Dynamic) -> Inspected {
    let mut found = Inspected {
        type_name: type_name(value),
        ..Inspected::default()
    };
    if let Some(map) = value.read_lock::<Map>() {
        found.size = Some(map.len());
        found.keys = map
            .iter()
            .map(|(key, value)| (key.to_string(), type_name(value)))
            .collect();
    } else if let Some(list) = value.read_lock::<rhai::Array>() {
        found.size = Some(list.len());
    } else if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        found.size = Some(text.chars().count());
    }
    found
}

/// Returns what a script declares; `None` if it does not parse.
pub(crate) fn declared(text: &str) -> Option<Declaration> {
    let source = Source::new("", text);
    let parsed = parse::parse(&source).ok()?;
    declare::declare(&source, &parsed).ok()
}

/// Returns the definition of a function with its doc comment, as written in this text.
pub(super) fn definition(text: &str, name: &str) -> Option<String> {
    if !text.contains(name) {
        return None;
    }
    let source = SourceText::read(text);
    let functions = &source.scopes().functions;
    let function = functions.iter().rfind(|function| function.name == name)?;
    let statements = source.statements().into_iter();
    let mut statements = statements.filter(|statement| statement.at.contains(&function.at.start));
    let statement = statements.next()?;
    text.get(statement.at).map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests;
