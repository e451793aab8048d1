//! Turns runtime errors into our own messages, with positions and suggested actions.

use rhai::EvalAltResult;

use super::bind::{arguments, nearest_operation};
use super::error::{Diagnostic, Frame};
use super::function::is_closure;
use super::handles::article;
use super::interactive::{Native, natives};
use super::script_error::{self, ScriptError};
use super::{foreign, parse_error, unknown};

use super::parse::Names;
use super::sources::Sources;
use crate::syntax::is_name;
use crate::value::nearest::nearest;

/// Explains a failure of a running script.
pub(super) fn runtime(sources: &dyn Sources, error: &EvalAltResult) -> Diagnostic {
    let mut walk = walk(sources, error);
    let nothing = Names::default();
    let names = sources.names(&walk.source).unwrap_or(&nothing);
    if let EvalAltResult::ErrorDataRace(what, position) = walk.inner
        && position.is_none()
    {
        walk.frames
            .splice(0..0, only_call(sources, &walk.source, names, what));
    }
    let scene = ErrorContext {
        sources,
        names,
        in_function: walk.frames.len() > 1 || names.has_main(),
    };
    let mut diagnostic = match walk.inner {
        EvalAltResult::ErrorRuntime(thrown, position) => {
            let caught = ScriptError::from_thrown(thrown.clone());
            if position.is_none() {
                // Rhai gives no position for a failure in a function of a module.
                walk.frames.splice(0..0, origin(sources, &caught));
            }
            thrown_value(sources, &caught, &walk)
        }
        other => scene.native(other),
    };
    diagnostic.frames = walk.frames;
    diagnostic
}

/// The innermost error and the calls that lead to it.
struct CallChain<'a> {
    inner: &'a EvalAltResult,
    /// The source where it occurred.
    source: String,
    /// The frames, innermost first.
    frames: Vec<Frame>,
}

fn walk<'a>(sources: &dyn Sources, error: &'a EvalAltResult) -> CallChain<'a> {
    let mut source = sources.main().to_owned();
    let mut frames = Vec::new();
    let mut error = error;
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(name, called, inner, position) => {
                let label = if is_closure(name) {
                    "in this closure call".to_owned()
                } else {
                    format!("in this call to `{name}`")
                };
                frames.extend(sources.frame(&source, *position).map(|frame| frame.label(label)));
                // For a native function, `called` is not a source.
                if sources.has_source(called) {
                    called.clone_into(&mut source);
                }
                error = inner;
            }
            EvalAltResult::ErrorInModule(name, inner, position) => {
                let label = format!("while importing {name}");
                frames.extend(sources.frame(&source, *position).map(|frame| frame.label(label)));
                name.clone_into(&mut source);
                error = inner;
            }
            inner => {
                frames.extend(sources.frame(&source, inner.position()));
                frames.reverse();
                return CallChain {
                    inner,
                    source,
                    frames,
                };
            }
        }
    }
}

/// Finds the position of a data race. Rhai only names the called function: `argument #1 of function 'map'`. The
/// position is known if the source calls it exactly once.
fn only_call(sources: &dyn Sources, source: &str, names: &Names, what: &str) -> Option<Frame> {
    let function = what.split('\'').nth(1)?;
    let mut calls = names.calls.iter().filter(|call| call.name == function);
    let (only, None) = (calls.next()?, calls.next()) else {
        return None;
    };
    sources.at(source, only.line, only.column)
}

fn thrown_value(sources: &dyn Sources, caught: &ScriptError, walk: &CallChain) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(caught.kind(), caught.message());
    diagnostic.status = caught.status();
    diagnostic.hints.extend(caught.hint());
    diagnostic.notes.extend(caught.notes().iter().cloned());
    diagnostic.code = caught.failed_operation().map(|error| error.code);
    if let Some((source, line, column)) = caught.origin() {
        let (source, line, column) = sources.written(source, *line, *column);
        let same = walk
            .frames
            .first()
            .is_some_and(|frame| frame.source == source && frame.line == line);
        if !same {
            diagnostic
                .notes
                .push(format!("it first occurred at {source}:{line}:{column}"));
        }
    }
    diagnostic
}

fn origin(sources: &dyn Sources, caught: &ScriptError) -> Option<Frame> {
    let (source, line, column) = caught.origin()?;
    let source = if source.is_empty() {
        sources.main()
    } else {
        source.as_str()
    };
    let (source, line, column) = sources.written(source, *line, *column);
    sources.at(&source, line, column)
}

/// The context of a native Rhai error.
struct ErrorContext<'a> {
    sources: &'a dyn Sources,
    names: &'a Names,
    in_function: bool,
}

impl ErrorContext<'_> {
    fn native(&self, error: &EvalAltResult) -> Diagnostic {
        let new = |title: String| Diagnostic::new("script_error", title);
        match error {
            EvalAltResult::ErrorVariableNotFound(name, _) => self.variable(name),
            EvalAltResult::ErrorPropertyNotFound(name, _) => self.property(name),
            EvalAltResult::ErrorFunctionNotFound(signature, _) => self.function(signature),
            EvalAltResult::ErrorModuleNotFound(name, _) => self.module(name),
            EvalAltResult::ErrorDataRace(what, _) => new(format!("{what} is used while it is being changed"))
                .hint("a closure uses the value that it is called on; copy it into another variable first"),
            EvalAltResult::ErrorStackOverflow(_) => new("the functions call each other too deeply".into())
                .hint("is the recursion endless? 64 levels are allowed"),
            EvalAltResult::ErrorDotExpr(text, _) => no_accessor(text),
            EvalAltResult::ErrorMismatchDataType(expected, actual, _) if !expected.is_empty() => {
                let title = format!("expected {}, got {}", plain_type(expected), plain_type(actual));
                parse_error::condition_or_list(new(title), expected)
            }
            EvalAltResult::ErrorFor(_) => {
                parse_error::condition_or_list(new("this value cannot be iterated over".into()), "iterable")
            }
            EvalAltResult::ErrorIndexingType(types, _) => {
                let (value, index) = types.split_once(" [").unwrap_or((types, "]"));
                let index = plain_type(index.trim_end_matches(']'));
                let value = plain_type(value);
                new(format!("`{value}` cannot be indexed by `{index}`"))
            }
            EvalAltResult::ErrorUnboundThis(_) => new("`this` has no value here".into()).hint(
                "it is the value that a function is called on: `value.f()`, or a closure in a map, `map.f()`",
            ),
            other => new(script_error::plain(&other.to_string())),
        }
    }

    fn variable(&self, name: &str) -> Diagnostic {
        let error = Diagnostic::new("script_error", format!("there is no variable `{name}` here"));
        let names = self.names;
        if let Some(constant) = name.strip_prefix("global::") {
            let near = names.variables.iter().map(String::as_str);
            return error.hint(unknown::constant(constant, names, near));
        }
        let near = names.variables.union(&names.params).map(String::as_str);
        match unknown::hint(name, names, near, self.in_function, self.has_module(name)) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn property(&self, name: &str) -> Diagnostic {
        let error = Diagnostic::new("script_error", format!("the map has no property `{name}`"));
        let near = nearest(name, self.names.keys.iter().map(String::as_str));
        let error = match near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        };
        error.hint(format!(
            "read an optional property with `get_or(\"{name}\", default)`, or check for it with `\"{name}\" in map`"
        ))
    }

    fn module(&self, name: &str) -> Diagnostic {
        let error = Diagnostic::new("script_error", format!("there is no module `{name}`"));
        let imported = self.names.modules.iter().map(String::as_str);
        let known: Vec<&str> = self.sources.host().module_names().chain(imported).collect();
        match nearest(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the modules here are {}", known.join(", "))),
        }
    }

    /// Explains a call without a matching function. Rhai's signature is `module::name (type, type)`.
    fn function(&self, signature: &str) -> Diagnostic {
        let (path, types) = signature.split_once(" (").unwrap_or((signature, ")"));
        let types = types.strip_suffix(')').unwrap_or(types);
        let types: Vec<&str> = types
            .split(", ")
            .filter(|ty| !ty.is_empty())
            .map(plain_type)
            .collect();
        let (module, name) = path
            .rsplit_once("::")
            .map_or((None, path), |(module, name)| (Some(module), name));
        // Rhai sometimes puts a reason in place of a name.
        if name.contains(' ') {
            return Diagnostic::new("script_error", name);
        }
        if !is_name(name) {
            return Diagnostic::new(
                "script_error",
                format!("`{name}` cannot be applied to {}", types.join(" and ")),
            );
        }
        if let Some(module) = module
            && !self.has_module(module)
        {
            return self.module(module);
        }
        let title = format!("there is no function `{path}` for ({})", types.join(", "));
        let error = Diagnostic::new("script_error", title);
        if types.first() == Some(&"()") {
            return error.hint(
                "it is `()`: nothing was found or returned; functions such as `text.trim()` change the text in place",
            );
        }
        match self.suggestion(module, name, types.len()) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn has_module(&self, module: &str) -> bool {
        let imported = self.names.modules.contains(module);
        imported || module == "global" || self.sources.host().module_names().any(|known| known == module)
    }

    fn suggestion(&self, module: Option<&str>, name: &str, given: usize) -> Option<String> {
        let names = self.names;
        if module.is_none() && names.variables.contains(name) {
            return Some(format!(
                "`{name}` is a variable; a closure in it is called as `{name}.call(..)`"
            ));
        }
        let own = names.functions.iter().filter(|(known, _)| known == name);
        let takes: Vec<usize> = own.map(|(_, takes)| *takes).collect();
        if let Some(most) = takes.last().filter(|_| !takes.contains(&given)) {
            let fewer = takes.iter().filter(|count| *count != most);
            let mut counts: Vec<String> = fewer.map(usize::to_string).collect();
            counts.push(arguments(*most));
            return Some(format!("`{name}` takes {}", counts.join(" or ")));
        }
        let operations: Vec<_> = self.sources.host().operations().to_vec();
        let in_module: Vec<_> = match module {
            Some(module) => operations
                .iter()
                .copied()
                .filter(|op| op.module == module && op.receiver.is_none())
                .collect(),
            None => operations,
        };
        let same: Vec<String> = in_module
            .iter()
            .filter(|op| op.name == name)
            .map(|op| format!("`{}`", op.signature()))
            .collect();
        if !same.is_empty() {
            return Some(format!("write it as {}", same.join(" or ")));
        }
        if module.is_none()
            && let Some(hint) = overloads(name)
                .or_else(|| foreign::member(name))
                .or_else(|| foreign::word(name))
        {
            return Some(hint);
        }
        if let Some(near) = nearest(name, names.functions.iter().map(|(name, _)| name.as_str())) {
            return Some(format!("did you mean `{near}`?"));
        }
        if let Some(near) = nearest_operation(name, &in_module) {
            return Some(format!("did you mean `{}`?", near.signature()));
        }
        let language = self.sources.host().language();
        let standard = language.keys().filter(|_| module.is_none());
        nearest(name, standard.map(String::as_str)).map(|near| format!("did you mean `{near}`?"))
    }
}

/// Lists the language's functions of this name.
pub(super) fn overloads(name: &str) -> Option<String> {
    let mut found: Vec<String> = natives()
        .iter()
        .filter(|native| native.name == name && !native.property)
        .map(|native| format!("`{}`", native.typed()))
        .collect();
    found.dedup();
    let more = found.len().saturating_sub(MAX_OVERLOADS);
    found.truncate(MAX_OVERLOADS);
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    (!found.is_empty()).then(|| format!("it exists as {}{rest}", found.join(", ")))
}

/// The most overloads that a hint lists.
const MAX_OVERLOADS: usize = 5;

/// Explains a missing property, from Rhai's `Unknown property 'email' - a getter is not registered for type 'string'`.
fn no_accessor(text: &str) -> Diagnostic {
    let quoted: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
    let new = |title: String| Diagnostic::new("script_error", title);
    match quoted.as_slice() {
        [name, "object" | "error" | "secret", ..] if text.contains("setter") => {
            new(format!("`{name}` cannot be set"))
                .hint("what operations return cannot be changed; copy what you need into your own map")
        }
        [name, "()", ..] => new(format!(
            "there is no value here that could have a property `{name}`"
        ))
        .hint("it is `()`: nothing was found or returned; compare it with `()` first"),
        [name, ty, ..] => {
            let error = new(format!("{} has no property `{name}`", article(plain_type(ty))));
            let known =
                |native: &Native| native.name == *name && !native.property && native.takes(plain_type(ty));
            match foreign::member(name) {
                Some(hint) => error.hint(hint),
                None if natives().iter().any(known) => error.hint(format!("it is a method: `.{name}()`")),
                None => error,
            }
        }
        _ => new(script_error::lower_first(text)),
    }
}

/// Returns the name that scripts use for a type.
fn plain_type(ty: &str) -> &str {
    let ty = ty.trim_start_matches("&mut ").trim();
    match ty {
        "i64" => "int",
        "f64" => "float",
        ty if ty.contains("ImmutableString") || ty == "&str" => "string",
        "Fn" => "closure",
        // Scripts know a Rust type by the last segment of its path.
        ty if ty.starts_with("provisor::") => match ty.rsplit("::").next().unwrap_or(ty) {
            "Secret" => "secret",
            last => last,
        },
        ty => ty,
    }
}
