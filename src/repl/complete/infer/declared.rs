//! Return types as declared by operations, kinds and functions of the language.

use super::InferredType;
use crate::operation::limit::is_limit;
use crate::operation::platform::Operation;
use crate::repl::complete::library;
use crate::script::interactive::Workspace;

/// The properties of every caught error: name, type, one-line description.
pub(in crate::repl::complete) const ERROR: &[(&str, &str, &str)] = &[
    ("kind", "string", "the code: `provisor explain` describes it"),
    ("message", "string", "what failed and why"),
    ("status", "int or ()", "the HTTP status, if there was one"),
    ("hint", "string or ()", "what to do"),
    ("value", "any", "the thrown value, if a script threw it"),
];

/// The return type of a module's function, or of a global function if the module is empty.
pub(super) fn function(space: &Workspace, module: &str, name: &str) -> InferredType {
    let op = space
        .catalogue()
        .operations()
        .iter()
        .copied()
        .find(|op| op.module == module && op.receiver.is_none() && op.name == name);
    match op {
        Some(op) => result(space, op),
        None if module.is_empty() => {
            let native = library()
                .iter()
                .find(|native| native.name == name && !native.property);
            native.map_or(InferredType::Nothing, |native| {
                InferredType::parse_type(space.catalogue(), &native.result)
            })
        }
        None => InferredType::Nothing,
    }
}

/// The type of an operation's result.
fn result(space: &Workspace, op: Operation) -> InferredType {
    match space.catalogue().fields(op) {
        None => InferredType::parse_type(space.catalogue(), op.result),
        Some(fields) => {
            let fields = fields.iter().map(|(key, ty, _)| ((*key).into(), (*ty).into()));
            InferredType::Map(fields.collect())
        }
    }
}

/// The operations with this name on a value of this type.
pub(in crate::repl::complete) fn operations(
    space: &Workspace,
    of: &InferredType,
    name: &str,
) -> Vec<Operation> {
    match of {
        InferredType::Object(kind) => space
            .catalogue()
            .methods(kind.name)
            .filter(|op| op.name == name)
            .collect(),
        _ => Vec::new(),
    }
}

pub(super) fn method(space: &Workspace, of: &InferredType, name: &str) -> InferredType {
    if let Some(op) = operations(space, of, name).first() {
        return match of {
            // `limit` returns the object it is called on.
            InferredType::Object(_) if is_limit(op) => of.clone(),
            _ => result(space, *op),
        };
    }
    if let (InferredType::List(_), "filter" | "extract" | "drain" | "splice" | "dedup") = (of, name) {
        return of.clone();
    }
    if let (InferredType::List(item), "find" | "first" | "last" | "pop" | "shift" | "get") = (of, name) {
        return (**item).clone();
    }
    let native = library()
        .iter()
        .find(|native| native.name == name && !native.property && native.takes(of.type_name()));
    native.map_or(InferredType::Nothing, |native| {
        InferredType::parse_type(space.catalogue(), &native.result)
    })
}

pub(super) fn property(space: &Workspace, of: &InferredType, name: &str) -> InferredType {
    match of {
        InferredType::Object(kind) => {
            let property = kind.properties.iter().find(|(known, ..)| *known == name);
            property.map_or(InferredType::Nothing, |(_, ty, _)| {
                InferredType::parse_type(space.catalogue(), ty)
            })
        }
        InferredType::Map(keys) => {
            let key = keys.iter().find(|(known, _)| known == name);
            key.map_or(InferredType::Nothing, |(_, ty)| {
                InferredType::parse_type(space.catalogue(), ty)
            })
        }
        InferredType::Plain(plain) if plain == "error" => {
            let property = ERROR.iter().find(|(known, ..)| *known == name);
            property.map_or(InferredType::Nothing, |(_, ty, _)| {
                InferredType::parse_type(space.catalogue(), ty)
            })
        }
        other => {
            let native = library()
                .iter()
                .find(|native| native.name == name && native.property && native.takes(other.type_name()));
            native.map_or(InferredType::Nothing, |native| {
                InferredType::parse_type(space.catalogue(), &native.result)
            })
        }
    }
}
