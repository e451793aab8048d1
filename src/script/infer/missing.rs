//! Explains why an expression has no type: it contains an unknown name.

use super::{Context, Environment, InferredType, Locals, Reader, unterminated};
use crate::script::complete::keyword;
use crate::script::interactive::{is_parser_builtin, natives};
use crate::syntax::{Scopes, SourceText, Use};
use crate::value::nearest::nearest;

/// Returns a message about the missing name, and the nearest existing one.
pub(crate) fn missing(space: &dyn Environment, text: &str) -> Option<(String, Option<String>)> {
    let source = SourceText::read(text);
    missing_name(space, source.scopes()).or_else(|| missing_member(space, &source))
}

fn missing_name(space: &dyn Environment, scopes: &Scopes) -> Option<(String, Option<String>)> {
    let unknown = scopes.used.iter().filter(|used| used.means.is_none());
    for used in unknown {
        let name = used.name.as_str();
        match used.kind {
            Use::Variable if !space.has_variable(name) && keyword(name).is_none() => {
                let known: Vec<String> = space.variables().into_iter().map(|one| one.name).collect();
                let near = nearest(name, known.iter().map(String::as_str));
                return Some((format!("there is no variable `{name}`"), near.map(str::to_owned)));
            }
            Use::Call if !is_function(space, scopes, name) => {
                let known: Vec<String> = space.functions().iter().map(|one| one.name.clone()).collect();
                let known = known.iter().map(String::as_str);
                let known = known.chain(natives().iter().map(|one| one.name.as_str()));
                let near = nearest(name, known).map(str::to_owned);
                return Some((format!("there is no function `{name}`"), near));
            }
            _ => {}
        }
    }
    None
}

fn is_function(space: &dyn Environment, scopes: &Scopes, name: &str) -> bool {
    space.functions().iter().any(|known| known.name == name)
        || scopes.functions.iter().any(|known| known.name == name)
        || is_parser_builtin(name)
        // A module's functions are checked against its own table; the functions of imports are not read.
        || space.catalogue().operations().iter().any(|op| op.name == name)
        || !space.modules().is_empty()
        || natives().iter().any(|native| native.name == name)
        || space.has_variable(name)
}

/// Finds a property, key or method that the value before it does not have.
fn missing_member(space: &dyn Environment, source: &SourceText<'_>) -> Option<(String, Option<String>)> {
    let (code, locals) = (unterminated(source.code()), Locals::default());
    let reader = Reader::new(Context::of(space), code, &locals);
    let (mut value, mut at) = reader.first()?;
    while at < code.len() {
        let name = code.word(at + 1);
        let (is_dot, is_call) = (code.word(at) == ".", code.word(at + 2) == "(");
        let names: Vec<&str> = match &value.known {
            InferredType::Object(kind) if is_dot => {
                let methods = space.catalogue().methods(kind.name).map(|op| op.spec().name);
                kind.properties
                    .iter()
                    .map(|(name, ..)| *name)
                    .chain(methods)
                    .collect()
            }
            // The keys of a map are known only for live values.
            InferredType::Map(keys) if is_dot && !is_call && value.steps.is_some() => {
                keys.iter().map(|(key, _)| key.as_str()).collect()
            }
            _ => Vec::new(),
        };
        let is_own = space.functions().iter().any(|known| known.name == name);
        if !names.is_empty() && !names.contains(&name) && !(is_call && (is_own || is_parser_builtin(name))) {
            let what = value.known.words();
            let near = nearest(name, names.iter().copied()).map(str::to_owned);
            return Some((format!("this {what} has no `{name}`"), near));
        }
        (value, at) = reader.next(&value, at)?;
    }
    None
}
