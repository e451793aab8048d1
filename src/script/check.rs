//! Static checks of a script: calls of functions that do not exist, calls with wrong arguments, and undefined
//! variables.

mod names;

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::bind::{self, arguments};
use super::bundle::Source;
use super::error::Diagnostic;
use super::host::Host;
use super::parse::{self, Parsed};
use super::program::Script;
use crate::operation::platform::Operation;
use crate::operation::spec::{Param, Type};
use crate::syntax::is_name;
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

impl Script {
    /// Returns all errors in the calls and variables of the script and its imports, in the order of the sources.
    pub fn check(&self) -> Vec<Diagnostic> {
        let (host, bundle) = (self.host(), self.bundle());
        let standard = host.function_names();
        let mut found = Vec::new();
        for source in bundle.sources() {
            // It has compiled before, so this does not fail.
            let Ok(parsed) = parse::parse(source) else {
                continue;
            };
            let imported = |module: &str| self.imported_functions(&source.name, &parsed, module);
            let scene = CheckContext {
                host,
                source,
                parsed: &parsed,
                standard: &standard,
                imported: &imported,
            };
            found.extend(scene.check());
        }
        found
    }

    /// Returns the functions of the source that is imported under this name.
    fn imported_functions(&self, source: &str, parsed: &Parsed, module: &str) -> Option<Functions> {
        let import = parsed.imports.iter().find(|import| import.alias == module)?;
        let name = self.bundle().import(source, import.path.as_ref()?)?;
        let source = self.bundle().source(name)?;
        Some(parse::parse(source).ok()?.names.functions)
    }
}

/// Functions as (name, number of parameters).
type Functions = BTreeSet<(String, usize)>;

/// A source to check, with the functions it can call.
struct CheckContext<'a> {
    host: &'a Host,
    source: &'a Source,
    parsed: &'a Parsed,
    standard: &'a BTreeSet<String>,
    imported: &'a dyn Fn(&str) -> Option<Functions>,
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
        found.sort_by_key(|error: &Diagnostic| error.place().map(|frame| (frame.line, frame.column)));
        found.dedup();
        found
    }

    fn wrong(&self, at: Position, title: String) -> Diagnostic {
        self.wrong_at(parse::place(at), title)
    }

    fn wrong_at(&self, (line, column): (usize, usize), title: String) -> Diagnostic {
        let mut error = Diagnostic::at(self.source, line, column, title);
        error.kind = "script_error".into();
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
            let error = self.wrong(at, format!("there is no function `{module}::{name}`"));
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
            self.wrong(at, title).hint(hint)
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
            let error = self.wrong(at, format!("there is no module `{module}`"));
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
            return self.script_function(own, "", name, given, at);
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
        if methods || self.standard.contains(name) || KEYWORDS.contains(&name) {
            return None;
        }
        let error = self.wrong(at, format!("there is no function `{name}`"));
        if self.parsed.names.variables.contains(name) || self.parsed.names.params.contains(name) {
            return Some(error.hint(format!(
                "`{name}` is a variable; a closure in it is called as `{name}.call(..)`"
            )));
        }
        let own = own.iter().map(|(known, _)| known.as_str());
        let operations = self.host.operations().iter().map(|op| op.name);
        let known = own
            .chain(operations)
            .chain(self.standard.iter().map(String::as_str));
        Some(match nearest(name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        })
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
                self.wrong(at, title)
                    .hint(format!("it takes {}", arguments(*takes))),
            );
        }
        let error = self.wrong(at, format!("there is no function `{prefix}{name}`"));
        Some(
            match nearest(name, functions.iter().map(|(known, _)| known.as_str())) {
                Some(near) => error.hint(format!("did you mean `{prefix}{near}`?")),
                None => error,
            },
        )
    }

    fn method(&self, call: &FnCallExpr, at: Position) -> Option<Diagnostic> {
        let name = call.name.as_str();
        if !is_name(name) {
            return None;
        }
        let own = self.parsed.names.functions.iter().any(|(known, _)| known == name);
        // A closure in a map is called like a method.
        let field = self.parsed.names.keys.contains(name);
        if own || field || self.standard_method(name) {
            return None;
        }
        let all = self.host.operations().iter().copied();
        let methods: Vec<Operation> = all.filter(|op| op.method_kind().is_some()).collect();
        let named: Vec<Operation> = methods.iter().copied().filter(|op| op.name == name).collect();
        if named.is_empty() {
            let error = self.wrong(at, format!("there is no method `{name}`"));
            let known = methods
                .iter()
                .map(|op| op.name)
                .chain(self.standard.iter().map(String::as_str));
            return Some(match nearest(name, known) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            });
        }
        self.takes(&named, Operation::method_signature, call, at)
    }

    /// Whether the language has a function of this name that does not belong to an operation.
    fn standard_method(&self, name: &str) -> bool {
        let operation = self.host.operations().iter().any(|op| op.name == name);
        KEYWORDS.contains(&name) || (self.standard.contains(name) && !operation)
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
                self.wrong(at, title)
                    .hint(format!("write it as {}", signatures.join(" or "))),
            );
        }
        call.args
            .iter()
            .enumerate()
            .find_map(|(index, arg)| self.keys(&fit, index, arg))
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
                let error = self.wrong(key.pos, format!("there is no option `{name}`"));
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
        Some(self.wrong(*at, title))
    }
}
