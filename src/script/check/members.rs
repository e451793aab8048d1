//! Finds properties and methods that a value certainly does not have.

use rhai::{FnCallExpr, Position};

use super::{ARGUMENTS, CheckContext, KEYWORDS, NAME, PROPERTY};
use crate::operation::platform::Operation;
use crate::operation::spec::Kind;
use crate::script::error::Diagnostic;
use crate::script::foreign;
use crate::script::handles::article;
use crate::script::infer::{ERROR, InferredType};
use crate::script::interactive::{Native, natives};
use crate::script::parse;
use crate::syntax::{TokenKind, is_name};
use crate::value::nearest::nearest;

/// The types of values whose properties and methods are those that the language lists.
const LISTED: &[&str] = &["string", "char", "int", "float", "bool", "array", "range"];

/// The operators that assign.
const ASSIGNING: &[&str] = &["=", "+=", "-=", "*=", "/=", "%="];

impl CheckContext<'_> {
    /// Checks the call of a method.
    pub(super) fn method(&self, call: &FnCallExpr, at: Position) -> Option<Diagnostic> {
        let (name, given) = (call.name.as_str(), call.args.len());
        let own = &self.parsed.names.functions;
        // A closure in a map is called like a method.
        let field = self.keys.contains(name);
        if !is_name(name) || field || KEYWORDS.contains(&name) {
            return None;
        }
        let all = self.host.operations().iter().copied();
        let named = all.filter(|op| op.method_kind().is_some() && op.name == name);
        let named: Vec<Operation> = named.collect();
        let counts = self.language(name);
        let fits_language = counts.is_some_and(|counts| counts.contains(&(given + 1)));
        if own.iter().any(|(known, _)| known == name) {
            let is_known = own.contains(&(name.to_owned(), given)) || fits_language || !named.is_empty();
            return if is_known {
                None
            } else {
                self.script_function(own, "", name, given, at)
            };
        }
        match self.receiver(name, at) {
            InferredType::Object(kind) => self.method_of(kind, &named, call, at),
            InferredType::Nothing | InferredType::Map(_) => match counts {
                None if named.is_empty() => Some(self.no_method(name, at)),
                Some(_) if fits_language => None,
                Some(_) if named.is_empty() => Some(self.miscounted(name, given, at)),
                _ => self.takes(&named, Operation::method_signature, call, at),
            },
            known if LISTED.contains(&known.type_name()) => self.native_method(&known, name, given, at),
            _ => None,
        }
    }

    /// The type of the value whose method is called at this position.
    fn receiver(&self, name: &str, at: Position) -> InferredType {
        let (line, column) = parse::place(at);
        let (code, from) = (self.text.code(), self.text.offset(line, column));
        let near = code.index(from);
        // Rhai points at the dot or at the name.
        let dot = [near, near.saturating_sub(1)]
            .into_iter()
            .find(|at| [".", "?."].contains(&code.word(*at)) && code.word(at + 1) == name);
        dot.map_or(InferredType::Nothing, |dot| self.types.before(dot))
    }

    fn method_of(
        &self,
        kind: &'static Kind,
        named: &[Operation],
        call: &FnCallExpr,
        at: Position,
    ) -> Option<Diagnostic> {
        let name = call.name.as_str();
        let of_kind = named.iter().copied().filter(|op| op.is_method_of(kind.name));
        let of_kind: Vec<Operation> = of_kind.collect();
        if !of_kind.is_empty() {
            return self.takes(&of_kind, Operation::method_signature, call, at);
        }
        let is_any = |native: &Native| native.name == name && native.takes("object");
        if natives().iter().any(is_any) {
            return None;
        }
        let error = self.wrong(NAME, at, format!("{} has no method `{name}`", article(kind.name)));
        let methods = self.host.catalogue().methods(kind.name);
        let known: Vec<&str> = methods.map(|op| op.spec().name).collect();
        Some(if kind.properties.iter().any(|(known, ..)| *known == name) {
            error.hint(format!("it is a property: `.{name}`"))
        } else if let Some(near) = nearest(name, known.iter().copied()) {
            error.hint(format!("did you mean `{near}`?"))
        } else if let Some(other) = named.iter().find_map(|op| op.method_kind()) {
            error.hint(format!("it is a method of {}", article(other)))
        } else {
            error.hint(format!("provisor ops show {} lists its methods", kind.name))
        })
    }

    fn native_method(&self, of: &InferredType, name: &str, given: usize, at: Position) -> Option<Diagnostic> {
        let ty = of.type_name();
        let known = || {
            natives()
                .iter()
                .filter(|native| !native.property && is_name(&native.name) && native.takes(ty))
        };
        let mut named = known().filter(|native| native.name == name).peekable();
        if named.peek().is_some() {
            let is_counted = named.any(|native| native.params.len() == given + 1);
            return (!is_counted).then(|| self.miscounted(name, given, at));
        }
        let title = format!("{} has no method `{name}`", article(ty));
        let error = self.wrong(NAME, at, title);
        let near = || {
            let near = nearest(name, known().map(|native| native.name.as_str()))?;
            Some(format!("did you mean `{near}`?"))
        };
        Some(match foreign::member(name).or_else(near) {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    /// Reports a method that no value has.
    fn no_method(&self, name: &str, at: Position) -> Diagnostic {
        let error = self.wrong(NAME, at, format!("there is no method `{name}`"));
        let operations = self.host.operations().iter();
        let methods = operations
            .filter(|op| op.method_kind().is_some())
            .map(|op| op.name);
        let language = self.host.language().keys().map(String::as_str);
        let near = || {
            let near = nearest(name, methods.chain(language))?;
            Some(format!("did you mean `{near}`?"))
        };
        match foreign::member(name).or_else(near) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Reports the properties that a value certainly does not have.
    pub(super) fn properties(&self) -> Vec<Diagnostic> {
        let code = self.text.code();
        let is_property = |at: &usize| {
            [".", "?."].contains(&code.word(*at))
                && code.kind(at + 1) == Some(TokenKind::Name)
                && code.word(at + 2) != "("
        };
        let properties = (0..code.len()).filter(is_property);
        properties.filter_map(|dot| self.property(dot)).collect()
    }

    fn property(&self, dot: usize) -> Option<Diagnostic> {
        let code = self.text.code();
        let name = code.word(dot + 1);
        let of = self.types.before(dot);
        let is_assigned = ASSIGNING.contains(&code.word(dot + 2));
        let place = self.text.line_and_column(code.start(dot + 1));
        let wrong = |title: String| Some(self.wrong_at(PROPERTY, place, title));
        let known: Vec<&str> =
            match &of {
                InferredType::Object(kind) if is_assigned => {
                    let title = format!("`{name}` of {} cannot be set", article(kind.name));
                    let error = self.wrong_at(ARGUMENTS, place, title);
                    return Some(error.hint(
                        "what operations return cannot be changed; copy what you need into your own map",
                    ));
                }
                InferredType::Object(kind) => kind.properties.iter().map(|(name, ..)| *name).collect(),
                // A key that is not there yet can be assigned, and `?.` and `??` ask for one.
                InferredType::Map(keys)
                    if !is_assigned && code.word(dot) == "." && code.word(dot + 2) != "??" =>
                {
                    keys.iter().map(|(key, _)| key.as_str()).collect()
                }
                // A map that was thrown gives the error its keys.
                InferredType::Plain(ty) if ty == "error" && !self.keys.contains(name) => {
                    let known = ERROR.iter().map(|(name, ..)| *name);
                    nearest(name, known.clone())?;
                    known.collect()
                }
                other if LISTED.contains(&other.type_name()) => {
                    let takes = |native: &&Native| native.property && native.takes(other.type_name());
                    let names = natives().iter().filter(takes);
                    names.map(|native| native.name.as_str()).collect()
                }
                _ => return None,
            };
        // Nothing is known of the keys of an empty map.
        if known.contains(&name) || (known.is_empty() && matches!(of, InferredType::Map(_))) {
            return None;
        }
        let error = wrong(format!("{} has no property `{name}`", article(of.type_name())))?;
        let is_method = match &of {
            InferredType::Object(kind) => {
                let mut methods = self.host.catalogue().methods(kind.name);
                methods.any(|op| op.spec().name == name)
            }
            other => natives()
                .iter()
                .any(|native| !native.property && native.name == name && native.takes(other.type_name())),
        };
        Some(if is_method {
            error.hint(format!("it is a method: `.{name}()`"))
        } else if let Some(hint) = foreign::member(name).filter(|_| LISTED.contains(&of.type_name())) {
            error.hint(hint)
        } else if let Some(near) = nearest(name, known.iter().copied()) {
            error.hint(format!("did you mean `{near}`?"))
        } else if known.is_empty() {
            error
        } else {
            error.hint(format!("it has {}", known.join(", ")))
        })
    }
}
