//! Return types as declared by operations, kinds and functions of the language.

use super::{Context, Environment, InferredType};
use crate::operation::limit::is_limit;
use crate::operation::platform::Operation;
use crate::script::interactive::natives;

/// The properties of every caught error: name, type, one-line description.
pub(crate) const ERROR: &[(&str, &str, &str)] = &[
    ("kind", "string", "the code: `provisor explain` describes it"),
    ("message", "string", "what failed and why"),
    ("status", "int or ()", "the HTTP status, if there was one"),
    ("hint", "string or ()", "what to do"),
    ("value", "any", "the thrown value, if a script threw it"),
];

/// The return type of a module's function, or of a global function if the module is empty.
pub(super) fn function(space: &dyn Environment, module: &str, name: &str) -> InferredType {
    let op = space
        .catalogue()
        .operations()
        .iter()
        .copied()
        .find(|op| op.module == module && op.receiver.is_none() && op.name == name);
    match op {
        Some(op) => result(space, op),
        None if module.is_empty() => {
            let native = natives()
                .iter()
                .find(|native| native.name == name && !native.property);
            native.map_or(InferredType::Nothing, |native| {
                InferredType::parse_type(space.catalogue(), &native.result)
            })
        }
        None => InferredType::Nothing,
    }
}

/// What an operation returns.
fn result(space: &dyn Environment, op: Operation) -> InferredType {
    let Some(fields) = space.catalogue().fields(op) else {
        return InferredType::parse_type(space.catalogue(), op.result);
    };
    let keys = fields.iter().map(|(key, ty, _)| ((*key).into(), (*ty).into()));
    InferredType::Map(keys.collect())
}

/// The operations with this name on a value of this type.
pub(crate) fn operations(space: &dyn Environment, of: &InferredType, name: &str) -> Vec<Operation> {
    match of {
        InferredType::Object(kind) => space
            .catalogue()
            .methods(kind.name)
            .filter(|op| op.name == name)
            .collect(),
        _ => Vec::new(),
    }
}

/// The return type of a method.
pub(super) fn method(context: Context<'_>, of: &InferredType, name: &str) -> InferredType {
    let catalogue = context.space.catalogue();
    if let Some(op) = operations(context.space, of, name).first() {
        return match of {
            // `limit` returns the object it is called on.
            InferredType::Object(_) if is_limit(op) => of.clone(),
            _ => result(context.space, *op),
        };
    }
    if let (InferredType::List(_), "filter" | "extract" | "drain" | "splice" | "dedup") = (of, name) {
        return of.clone();
    }
    if let (InferredType::List(item), "find" | "first" | "last" | "pop" | "shift" | "get") = (of, name) {
        return (**item).clone();
    }
    let mut natives = natives()
        .iter()
        .filter(|native| native.name == name && !native.property && native.takes(of.type_name()));
    let Some(native) = natives.next() else {
        return InferredType::Nothing;
    };
    if context.certain && natives.any(|other| other.result != native.result) {
        return InferredType::Nothing;
    }
    InferredType::parse_type(catalogue, &native.result)
}

pub(super) fn property(space: &dyn Environment, of: &InferredType, name: &str) -> InferredType {
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
            let native = natives()
                .iter()
                .find(|native| native.name == name && native.property && native.takes(other.type_name()));
            native.map_or(InferredType::Nothing, |native| {
                InferredType::parse_type(space.catalogue(), &native.result)
            })
        }
    }
}
