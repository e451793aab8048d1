//! Static checks of a script: names that do not exist, calls that always fail, and names that nothing uses. What depends
//! on values that are only known when the script runs is not reported.

mod members;
mod names;
mod unused;

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::bind::{self, arguments};
use super::bundle::Source;
use super::error::Diagnostic;
use super::host::Host;
use super::infer::{ScriptEnvironment, TextTypes};
use super::parse::{self, Parsed};
use super::program::Script;
use super::{convert, explain, foreign};
use crate::operation::call;
use crate::operation::platform::Operation;
use crate::operation::spec::{Param, Type};
use crate::syntax::{SourceText, is_name};
use crate::value::Value;
use crate::value::nearest::nearest;

/// Functions built into Rhai that it does not list.
pub(super) const KEYWORDS: &[&str] = &[
    "print",
    "debug",
    "type_of",
    "Fn",
    "call",
    "curry",
    "is_def_var",
    "is_def_fn",
    "is_shared",
    "tag",
    "set_tag",
    "exit",
    "to_string",
    "to_debug",
    "len",
];

/// The kinds of findings, each with what it means. Those of [`Diagnostic::is_warning`] do not keep a script from running.
pub(crate) const FINDINGS: &[(&str, &str)] = &[
    (
        SYNTAX,
        "the text does not follow the language's grammar, or an import or declaration is wrong",
    ),
    (
        NAME,
        "there is no function, method, module or variable of this name",
    ),
    (PROPERTY, "values of this type have no property of this name"),
    (
        ARGUMENTS,
        "the call fails, whatever the other values are: number, type or keys of its arguments are wrong",
    ),
    (AUTHORITY, "a library calls what only a workflow may call"),
    (PARAMETER, "`provisor run` has an option of the parameter's name"),
    (UNUSED, "nothing uses this name"),
];

const SYNTAX: &str = "syntax_error";
const NAME: &str = "unknown_name";
const PROPERTY: &str = "unknown_property";
const ARGUMENTS: &str = "wrong_arguments";
const AUTHORITY: &str = "no_authority";
const PARAMETER: &str = "refused_parameter";
const UNUSED: &str = "unused";

impl Diagnostic {
    /// Whether it is a finding that does not keep the script from running.
    pub fn is_warning(&self) -> bool {
        self.kind == UNUSED
    }
}

impl Script {
    /// Returns what is wrong with the script and its imports, and what they do not use, in the order of the sources. The
    /// kinds are those of `FINDINGS`.
    pub fn check(&self) -> Vec<Diagnostic> {
        let bundle = self.bundle();
        let mut found = Vec::new();
        // They have compiled before, so this does not fail.
        let sources = bundle.sources().iter();
        let sources = sources.filter_map(|source| Some((source, parse::parse(source).ok()?)));
        let sources: Vec<(&Source, Parsed)> = sources.collect();
        let keys = sources.iter().flat_map(|(_, parsed)| &parsed.names.keys);
        let keys: BTreeSet<&str> = keys.map(String::as_str).collect();
        for (source, parsed) in &sources {
            let text = SourceText::read(&source.text);
            let environment = self.environment(source, parsed, &text);
            let scene = CheckContext {
                host: self.host(),
                source,
                parsed,
                keys: &keys,
                text: &text,
                types: TextTypes::certain(&environment, &text),
                imported: &|module| self.imported_functions(&source.name, parsed, module),
                is_main: source.name == bundle.main().name,
            };
            found.extend(scene.check());
        }
        found
    }

    /// Reports the parameters that have one of these names, which `provisor run` uses itself.
    pub(crate) fn refused_parameters(&self, reserved: &BTreeSet<String>) -> Vec<Diagnostic> {
        let source = self.bundle().main();
        let refused = self.declaration().params().iter();
        let refused = refused.filter(|param| reserved.contains(&param.name));
        let refused = refused.map(|param| {
            let line = source.line(param.line);
            let column = line
                .find(&param.name)
                .map_or(1, |at| line[..at].chars().count() + 1);
            let title = format!("`provisor run` has an option {} of its own", param.flag());
            let mut error = Diagnostic::at(source, param.line, column, title);
            error.kind = PARAMETER.into();
            error.hint("give the parameter another name")
        });
        refused.collect()
    }

    /// What a source can use without declaring it.
    fn environment(&self, source: &Source, parsed: &Parsed, text: &SourceText<'_>) -> ScriptEnvironment {
        let imports = parsed.imports.iter().filter_map(|import| {
            let name = self.bundle().import(&source.name, import.path.as_ref()?)?;
            let imported = self.bundle().source(name)?;
            Some((import.alias.clone(), imported.text.as_str()))
        });
        ScriptEnvironment::read(self.host().catalogue(), text, imports)
    }

    /// Returns the functions of the sources that are imported under this name.
    fn imported_functions(&self, source: &str, parsed: &Parsed, module: &str) -> Option<Functions> {
        let imports = parsed.imports.iter().filter(|import| import.alias == module);
        let mut functions = None;
        for import in imports {
            let name = self.bundle().import(source, import.path.as_ref()?)?;
            let parsed = parse::parse(self.bundle().source(name)?).ok()?;
            functions
                .get_or_insert_with(Functions::new)
                .extend(parsed.names.functions);
        }
        functions
    }
}

/// Functions as (name, number of parameters).
type Functions = BTreeSet<(String, usize)>;

/// A source to check, with the functions it can call.
struct CheckContext<'a> {
    host: &'a Host,
    source: &'a Source,
    parsed: &'a Parsed,
    /// The keys of maps in all sources of the script.
    keys: &'a BTreeSet<&'a str>,
    text: &'a SourceText<'a>,
    types: TextTypes<'a>,
    imported: &'a dyn Fn(&str) -> Option<Functions>,
    is_main: bool,
}

impl CheckContext<'_> {
    fn check(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.parsed.ast.walk(&mut |path: &[ASTNode]| {
            let wrong = match path.last() {
                Some(ASTNode::Stmt(Stmt::FnCall(call, at)) | ASTNode::Expr(Expr::FnCall(call, at))) => {
                    self.function(call, *at)
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, at))) => self.method(call, *at),
                _ => None,
            };
            found.extend(wrong);
            true
        });
        found.extend(self.variables());
        found.extend(self.properties());
        found.extend(self.unused());
        found.sort_by_key(|error: &Diagnostic| error.place().map(|frame| (frame.line, frame.column)));
        found.dedup();
        found
    }

    fn wrong(&self, kind: &str, at: Position, title: String) -> Diagnostic {
        self.wrong_at(kind, parse::place(at), title)
    }

    fn wrong_at(&self, kind: &str, (line, column): (usize, usize), title: String) -> Diagnostic {
        let mut error = Diagnostic::at(self.source, line, column, title);
        error.kind = kind.into();
        error
    }

    fn function(&self, call: &FnCallExpr, at: Position) -> Option<Diagnostic> {
        let name = call.name.as_str();
        if !is_name(name) || name.starts_with("__") {
            return None;
        }
        let module = call.namespace.to_string();
        let module = module.trim_end_matches("::");
        match module {
            "" => self.plain(call, at),
            "global" => None,
            module if self.host.module_names().any(|known| known == module) => {
                self.operation(module, call, at)
            }
            module => self.check_import_call(module, call, at),
        }
    }

    /// Checks a call of a function in a module of operations.
    fn operation(&self, module: &str, call: &FnCallExpr, at: Position) -> Option<Diagnostic> {
        let name = call.name.as_str();
        let all = self.host.operations().iter().copied();
        let of_module: Vec<Operation> = all
            .filter(|op| op.module == module && op.receiver.is_none())
            .collect();
        let named: Vec<Operation> = of_module.iter().copied().filter(|op| op.name == name).collect();
        if let Some(error) = named.first().and_then(|op| self.authority(*op, at)) {
            return Some(error);
        }
        if named.is_empty() {
            let error = self.wrong(NAME, at, format!("there is no function `{module}::{name}`"));
            let near = nearest(name, of_module.iter().map(|op| op.name));
            return Some(match near {
                Some(near) => error.hint(format!("did you mean `{module}::{near}`?")),
                None => error.hint(format!("provisor ops list {module} lists its functions")),
            });
        }
        self.takes(&named, |op| op.signature(), call, at)
    }

    /// Checks whether a library calls this operation, which only a workflow may call.
    fn authority(&self, op: Operation, at: Position) -> Option<Diagnostic> {
        let is_library = self.source.is_library();
        is_library.then(|| {
            let (title, hint) = bind::no_authority(op);
            self.wrong(AUTHORITY, at, title).hint(hint)
        })
    }

    fn check_import_call(&self, module: &str, call: &FnCallExpr, at: Position) -> Option<Diagnostic> {
        let name = call.name.as_str();
        let Some(functions) = (self.imported)(module) else {
            let imported = || self.parsed.imports.iter().map(|import| import.alias.as_str());
            // Modules nested in an imported module are not checked.
            if module.contains("::") || imported().any(|known| known == module) {
                return None;
            }
            let known: Vec<&str> = self.host.module_names().chain(imported()).collect();
            let error = self.wrong(NAME, at, format!("there is no module `{module}`"));
            return Some(match nearest(module, known.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("the modules here are {}", known.join(", "))),
            });
        };
        self.script_function(&functions, &format!("{module}::"), name, call.args.len(), at)
    }

    /// Checks a call without a module: the script's own function, an operation, or a function of the language.
    fn plain(&self, call: &FnCallExpr, at: Position) -> Option<Diagnostic> {
        let (name, given) = (call.name.as_str(), call.args.len());
        let own = &self.parsed.names.functions;
        if own.iter().any(|(known, _)| known == name) {
            let is_language = self.language(name).is_some_and(|counts| counts.contains(&given));
            return if is_language {
                None
            } else {
                self.script_function(own, "", name, given, at)
            };
        }
        let all = self.host.operations().iter().copied();
        let named: Vec<Operation> = all.filter(|op| op.name == name).collect();
        let global: Vec<Operation> = named
            .iter()
            .copied()
            .filter(|op| op.module.is_empty() && op.receiver.is_none())
            .collect();
        if let Some(op) = global.first().filter(|_| global.len() == named.len()) {
            return self
                .authority(*op, at)
                .or_else(|| self.takes(&global, |op| op.signature(), call, at));
        }
        let methods = named.iter().any(|op| op.method_kind().is_some());
        if methods || KEYWORDS.contains(&name) {
            return None;
        }
        if let Some(counts) = self.language(name) {
            return (!counts.contains(&given)).then(|| self.miscounted(name, given, at));
        }
        let error = self.wrong(NAME, at, format!("there is no function `{name}`"));
        if self.parsed.names.variables.contains(name) || self.parsed.names.params.contains(name) {
            return Some(error.hint(format!(
                "`{name}` is a variable; a closure in it is called as `{name}.call(..)`"
            )));
        }
        let own = own.iter().map(|(known, _)| known.as_str());
        let operations = self.host.operations().iter().map(|op| op.name);
        let language = self.host.language().keys().map(String::as_str);
        let hint = foreign::word(name).or_else(|| foreign::member(name));
        let hint = hint.or_else(|| {
            let near = nearest(name, own.chain(operations).chain(language))?;
            Some(format!("did you mean `{near}`?"))
        });
        Some(match hint {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    /// The possible numbers of arguments of a function of the language; a receiver counts.
    fn language(&self, name: &str) -> Option<&BTreeSet<usize>> {
        self.host.language().get(name)
    }

    /// A call of a function of the language with so many arguments, which no function of this name takes.
    fn miscounted(&self, name: &str, given: usize, at: Position) -> Diagnostic {
        let title = format!("`{name}` does not take {}", arguments(given));
        let error = self.wrong(ARGUMENTS, at, title);
        match explain::overloads(name) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn script_function(
        &self,
        functions: &BTreeSet<(String, usize)>,
        prefix: &str,
        name: &str,
        given: usize,
        at: Position,
    ) -> Option<Diagnostic> {
        if functions.contains(&(name.to_owned(), given)) {
            return None;
        }
        let takes: Vec<usize> = functions
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, takes)| *takes)
            .collect();
        if let [takes, ..] = takes.as_slice() {
            let title = format!("`{prefix}{name}` does not take {}", arguments(given));
            return Some(
                self.wrong(ARGUMENTS, at, title)
                    .hint(format!("it takes {}", arguments(*takes))),
            );
        }
        let error = self.wrong(NAME, at, format!("there is no function `{prefix}{name}`"));
        Some(
            match nearest(name, functions.iter().map(|(known, _)| known.as_str())) {
                Some(near) => error.hint(format!("did you mean `{prefix}{near}`?")),
                None => error,
            },
        )
    }

    /// Checks whether one of these operations accepts the call's arguments.
    fn takes(
        &self,
        named: &[Operation],
        signature: fn(Operation) -> String,
        call: &FnCallExpr,
        at: Position,
    ) -> Option<Diagnostic> {
        let (name, given) = (call.name.as_str(), call.args.len());
        let fit: Vec<Operation> = named
            .iter()
            .copied()
            .filter(|op| (op.required()..=op.params.len()).contains(&given))
            .collect();
        if fit.is_empty() {
            let signatures: Vec<String> = named.iter().map(|op| format!("`{}`", signature(*op))).collect();
            let title = format!("`{name}` does not take {}", arguments(given));
            return Some(
                self.wrong(ARGUMENTS, at, title)
                    .hint(format!("write it as {}", signatures.join(" or "))),
            );
        }
        call.args.iter().enumerate().find_map(|(index, arg)| {
            let params = fit.iter().filter_map(|op| op.params.get(index));
            let params: Vec<&'static Param> = params.collect();
            self.keys(&fit, index, arg).or_else(|| self.literal(&params, arg))
        })
    }

    /// Checks a literal against the parameters or keys that it can be meant for.
    fn literal(&self, params: &[&'static Param], arg: &Expr) -> Option<Diagnostic> {
        if matches!(arg, Expr::Map(..)) && params.iter().any(|param| matches!(param.ty, Type::Options(_))) {
            return None;
        }
        let value = literal(arg)?;
        let mut reasons = Vec::new();
        for param in params {
            reasons.push((param.name, call::fits(param, &value).err()?));
        }
        let (name, reason) = reasons.into_iter().next()?;
        Some(self.wrong(ARGUMENTS, arg.position(), format!("`{name}` {reason}")))
    }

    /// Checks a map literal given as options: unknown keys, missing required keys, and the same for nested maps.
    fn keys(&self, fit: &[Operation], index: usize, arg: &Expr) -> Option<Diagnostic> {
        let mut known: Vec<&'static Param> = Vec::new();
        for op in fit {
            match op.params.get(index).map(|param| param.ty) {
                Some(Type::Options(keys)) => known.extend(keys),
                // One of the operations accepts any map here.
                _ => return None,
            }
        }
        self.options(&known, arg, fit.len())
    }

    /// Checks the keys of a map literal against those of this many candidates together.
    fn options(&self, known: &[&'static Param], arg: &Expr, candidates: usize) -> Option<Diagnostic> {
        let Expr::Map(map, at) = arg else { return None };
        for (key, value) in &map.0 {
            let name = key.name.as_str();
            let Some(param) = known.iter().find(|param| param.name == name) else {
                let error = self.wrong(ARGUMENTS, key.pos, format!("there is no option `{name}`"));
                let names: Vec<&str> = known.iter().map(|param| param.name).collect();
                return Some(match nearest(name, names.iter().copied()) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!("the options are {}", names.join(", "))),
                });
            };
            if let Type::Options(keys) = param.ty {
                let keys: Vec<&'static Param> = keys.iter().collect();
                if let Some(wrong) = self.options(&keys, value, candidates) {
                    return Some(wrong);
                }
            }
            let named = known.iter().copied().filter(|param| param.name == name);
            if let Some(wrong) = self.literal(&named.collect::<Vec<_>>(), value) {
                return Some(wrong);
            }
        }
        let given = |name: &str| map.0.iter().any(|(key, _)| key.name == name);
        // A key that one candidate requires may not be required by another.
        let is_required = |name: &str| {
            let required = known.iter().filter(|param| param.required && param.name == name);
            required.count() == candidates
        };
        let missing = known
            .iter()
            .find(|param| is_required(param.name) && !given(param.name))?;
        let title = format!("the option `{}` is missing: {}", missing.name, missing.doc);
        Some(self.wrong(ARGUMENTS, *at, title))
    }
}

/// The value of a literal, as an operation receives it.
fn literal(expr: &Expr) -> Option<Value> {
    let value = expr.get_literal_value(None)?;
    convert::to_value(value, "value", &|_| true).ok()
}

#[cfg(test)]
mod tests;
