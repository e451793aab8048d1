//! Evaluates Rhai one input at a time: variables, functions and imports persist from one input to the next.
//!
//! All inputs of a session are lines of one virtual document, each starting below the previous one. A position in the
//! running text therefore identifies its input, even inside a function that an earlier input defined.

mod completeness;
mod credential;
mod dependencies;
mod frame;
mod inspect;
mod library;
mod parameters;
mod results;
mod saving;
mod shown;
mod sources;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use rhai::{AST, Dynamic, EvalAltResult, Scope, Stmt};

pub(crate) use self::completeness::{Completeness, Open, find_unclosed, read};
pub(crate) use self::credential::holds_credential;
use self::frame::EvalFrame;
pub(crate) use self::inspect::{Inspected, Step, declared};
pub(crate) use self::library::{Native, natives};
pub(crate) use self::saving::{InputOutcome, SavedScript, TypedInput};
use self::sources::{MAIN, SessionSources};
use super::bundle::{Loader, Source};
use super::error::Diagnostic;
use super::execution::Execution;
use super::explain;
use super::function::is_closure;
use super::host::Host;
use super::host_calls::Operations;
use super::memory::Memory;
use super::modules::LoadedModules;
use super::program::{ScriptEnd, engine, panic_text};
use super::realm;
use super::script_error;
use super::sources::Sources;
use crate::operation::catalogue::Catalogue;
use crate::value::{Object, Value};

/// The state that the inputs of a session share.
pub(crate) struct Workspace {
    session_sources: Arc<SessionSources>,
    scope: Scope<'static>,
    /// Every function that was defined, the newest of each signature.
    functions: AST,
    /// The `import` statements that succeeded: Rhai drops imports after each evaluation.
    imports: Vec<Stmt>,
    loaded: LoadedModules,
    /// Whether the last input ended the script that it is part of.
    has_ended: bool,
}

/// An input that is ready to run.
pub(crate) struct CompiledInput {
    ast: AST,
    /// The functions that it defines, as signatures: `greet(name)`.
    pub defines: Vec<String>,
}

/// The result of an input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// `()`: there is nothing to show.
    Nothing,
    /// A value.
    Value(Value),
    /// Data that includes values which are not data, replaced by [their type](crate::value::Object::stand_in). It can
    /// be shown but not used.
    Mixed(Value),
    /// A value that is not data: a closure, a range. Holds a short description.
    Other(String),
}

/// A variable of the session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variable {
    /// The variable's name.
    pub name: String,
    /// The type, as scripts know it.
    pub type_name: String,
    /// Whether it is a constant.
    pub constant: bool,
}

/// A function that an input defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// The function's name.
    pub name: String,
    /// The parameter names.
    pub params: Vec<String>,
    /// The doc comment without its markers; may be empty.
    pub doc: String,
}

impl Function {
    /// The call with parameter names: `greet(name)`.
    pub(crate) fn signature(&self) -> String {
        format!("{}({})", self.name, self.params.join(", "))
    }

    /// The first line of the doc comment; empty without one.
    pub(crate) fn summary(&self) -> &str {
        self.doc.lines().next().unwrap_or_default()
    }
}

/// Imported files, as they were read.
pub(crate) struct Modules {
    read: sources::Modules,
    loaded: LoadedModules,
}

impl Modules {
    /// The number of files.
    pub(crate) fn count(&self) -> usize {
        self.read.count()
    }
}

impl Workspace {
    /// Creates an empty workspace.
    pub(crate) fn new(host: &Host) -> Workspace {
        Workspace {
            session_sources: Arc::new(SessionSources::new(host.clone())),
            scope: Scope::new(),
            functions: AST::empty(),
            imports: Vec::new(),
            loaded: LoadedModules::default(),
            has_ended: false,
        }
    }

    /// The platforms whose operations inputs may call.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        self.session_sources.host().catalogue()
    }

    /// Parses an input that starts at this line, counted from 1, of the source that messages call `name`. Imports are
    /// read through `loader`, each file once.
    pub(crate) fn prepare(
        &mut self,
        name: &str,
        line: usize,
        text: &str,
        loader: &dyn Loader,
    ) -> Result<CompiledInput, Box<Diagnostic>> {
        let source = Source::new(name, text);
        let mut ast =
            Arc::make_mut(&mut self.session_sources).enter(source, line.saturating_sub(1), loader)?;
        ast.set_source(MAIN);
        let defines = signatures(&ast);
        Ok(CompiledInput { ast, defines })
    }

    /// Defines the functions of a whole file before its statements are evaluated one by one. Does nothing if the file
    /// does not parse as a whole.
    pub(crate) fn define(&mut self, name: &str, text: &str, loader: &dyn Loader) {
        if let Ok(ready) = self.prepare(name, 1, text, loader) {
            self.functions = self.functions.merge(&ready.ast.clone_functions_only());
        }
    }

    /// Checks whether an input that starts at this line parses. Nothing is stored, and imports are not followed.
    pub(crate) fn check(name: &str, line: usize, text: &str) -> Result<(), Box<Diagnostic>> {
        let source = Source::new(name, text);
        SessionSources::check(&source, line.saturating_sub(1))
    }

    /// Runs the input that was [prepared](Workspace::prepare) last, under this number, on a thread with a large stack.
    /// Blocks. Definitions made before a failure remain.
    pub(crate) fn evaluate(
        &mut self,
        ready: &CompiledInput,
        number: usize,
        host_operations: Arc<dyn Operations>,
    ) -> Result<Answer, ScriptEnd> {
        thread::scope(|scope| {
            let thread = thread::Builder::new().stack_size(super::STACK_SIZE);
            match thread.spawn_scoped(scope, || self.evaluate_here(ready, number, host_operations)) {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|_| Err(ScriptEnd::Bug("the script host panicked".into()))),
                Err(error) => Err(ScriptEnd::Bug(format!("cannot start a thread: {error}"))),
            }
        })
    }

    fn evaluate_here(
        &mut self,
        ready: &CompiledInput,
        number: usize,
        host_operations: Arc<dyn Operations>,
    ) -> Result<Answer, ScriptEnd> {
        let execution = Execution::new(host_operations, self.host().memory());
        let sources: Arc<dyn Sources> = Arc::clone(&self.session_sources) as Arc<dyn Sources>;
        let course = EvalFrame::of(&self.scope);
        let mut whole = AST::new(self.imports.iter().cloned(), rhai::Module::new())
            .merge(&self.functions)
            .merge(&EvalFrame::around(&ready.ast));
        whole.set_source(MAIN);
        let mut engine = engine(&sources, &execution, &self.loaded);
        course.prepare(&mut engine, &execution);
        let scope = &mut self.scope;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            engine.eval_ast_with_scope::<Dynamic>(scope, &whole)
        }));
        execution.end();
        self.keep_definitions(&ready.ast);
        self.has_ended = matches!(outcome, Ok(Ok(_))) && !course.ended();
        if let Some(stop) = execution.stopped() {
            return Err(ScriptEnd::Stopped(stop));
        }
        if let Some(overrun) = execution.overrun() {
            let ended = match outcome {
                Ok(result) => result.map_err(|error| failed(&*sources, &error)),
                Err(panic) => Err(ScriptEnd::Bug(panic_text(panic.as_ref()))),
            };
            return Err(overrun.end(ended, None));
        }
        match outcome {
            Ok(Ok(value)) => Ok(self.result(realm::exit_value(&value), number)),
            Ok(Err(error)) => {
                if let EvalAltResult::Exit(value, _) = error.unwrap_inner() {
                    return Ok(self.result(realm::exit_value(value), number));
                }
                self.scope
                    .set_or_push("_err", Dynamic::from(script_error::from_error(&error)));
                Err(failed(&*sources, &error))
            }
            Err(panic) => Err(ScriptEnd::Bug(panic_text(panic.as_ref()))),
        }
    }

    /// Whether the last input would end a script, by `exit` or by a `return` outside of any function.
    pub(crate) fn would_exit(&self) -> bool {
        self.has_ended
    }

    /// The variables, newest first.
    pub(crate) fn variables(&self) -> Vec<Variable> {
        let mut found: Vec<Variable> = Vec::new();
        for (name, constant, value) in self.scope.iter_raw() {
            if !results::is_result(name) && !found.iter().any(|known| known.name == name) {
                found.push(Variable {
                    name: name.to_owned(),
                    type_name: type_name(value),
                    constant,
                });
            }
        }
        found
    }

    /// The value of a variable, or the result of an input by its name (`_`, `_3`).
    pub(crate) fn variable(&self, name: &str) -> Option<Answer> {
        let value = self.scope.get(name)?;
        Some(answer(value.clone(), self.host().memory()))
    }

    /// The object in a variable.
    pub(crate) fn object_in(&self, name: &str) -> Option<Object> {
        let value = self.scope.get(name)?;
        let handle = value.read_lock::<super::handles::Handle>()?;
        Some(handle.object().clone())
    }

    /// Sets a variable, creating it if there is none of this name.
    #[cfg(test)]
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.scope
            .set_or_push(name, crate::script::convert::to_dynamic(value));
    }

    /// The functions that inputs defined, by name.
    pub(crate) fn functions(&self) -> Vec<Function> {
        functions_of(&self.functions)
    }

    /// The functions of an import, by its name in the session.
    pub(crate) fn module_functions(&self, module: &str) -> Vec<Function> {
        let import = self
            .imports
            .iter()
            .find(|stmt| alias(stmt).as_deref() == Some(module));
        let ast = import.and_then(path).and_then(|path| {
            let source = self.session_sources.import(MAIN, &path)?;
            self.session_sources.ast(source)
        });
        ast.map(functions_of).unwrap_or_default()
    }

    /// The definitions of a function as typed, newest first.
    pub(crate) fn source_of(&self, name: &str) -> Vec<String> {
        let mut found: Vec<String> = self
            .session_sources
            .texts()
            .filter_map(|text| inspect::definition(text, name))
            .collect();
        found.reverse();
        found
    }

    /// The names of the imports.
    pub(crate) fn modules(&self) -> Vec<String> {
        self.imports.iter().filter_map(alias).collect()
    }

    /// The `import` statements in effect, as text.
    pub(crate) fn import_statements(&self) -> Vec<String> {
        let text = |stmt: &Stmt| Some(format!("import {:?} as {};", path(stmt)?, alias(stmt)?));
        self.imports.iter().filter_map(text).collect()
    }

    /// Makes imported files be read again at their next import. Returns the previous ones.
    pub(crate) fn forget_modules(&mut self) -> Modules {
        Modules {
            read: Arc::make_mut(&mut self.session_sources).forget_modules(),
            loaded: std::mem::take(&mut self.loaded),
        }
    }

    /// Restores these modules and drops any imported since, for when they could not be read again.
    pub(crate) fn restore_modules(&mut self, modules: Modules) {
        Arc::make_mut(&mut self.session_sources).restore_modules(modules.read);
        self.loaded = modules.loaded;
    }

    /// Removes every variable: they may hold another account's data.
    pub(crate) fn forget_values(&mut self) {
        self.scope.clear();
    }

    fn host(&self) -> &Host {
        self.session_sources.host()
    }

    fn result(&mut self, value: Dynamic, number: usize) -> Answer {
        if !value.is_unit() {
            self.scope.set_or_push(results::LAST, value.clone());
            self.scope.set_or_push(results::numbered(number), value.clone());
        }
        answer(value, self.host().memory())
    }

    /// Keeps the definitions of an input for later ones.
    fn keep_definitions(&mut self, ast: &AST) {
        self.functions = self.functions.merge(&ast.clone_functions_only());
        for stmt in ast.statements() {
            let path = path(stmt);
            let source = path.and_then(|path| self.session_sources.import(MAIN, &path));
            if source.is_some_and(|source| self.loaded.has(source)) {
                let name = alias(stmt);
                self.imports.retain(|kept| alias(kept) != name);
                self.imports.push(stmt.clone());
            }
        }
    }
}

/// Whether this is a function built into the parser, which no function list includes.
pub(crate) fn is_parser_builtin(name: &str) -> bool {
    super::check::KEYWORDS.contains(&name)
}

fn functions_of(ast: &AST) -> Vec<Function> {
    let named = ast.iter_functions().filter(|f| !is_closure(f.name));
    let mut found: Vec<Function> = named
        .map(|function| Function {
            name: function.name.to_owned(),
            params: function.params.iter().map(|param| (*param).to_owned()).collect(),
            doc: documentation(&function.comments),
        })
        .collect();
    found.sort_by(|a, b| (&a.name, a.params.len()).cmp(&(&b.name, b.params.len())));
    found
}

/// The name of an `import` statement.
fn alias(stmt: &Stmt) -> Option<String> {
    match stmt {
        Stmt::Import(import, _) => Some(import.1.name.to_string()),
        _ => None,
    }
}

/// The path of an `import` statement, if it is a literal.
fn path(stmt: &Stmt) -> Option<String> {
    match stmt {
        Stmt::Import(import, _) => import.0.get_literal_value(None)?.into_string().ok(),
        _ => None,
    }
}

fn signatures(ast: &AST) -> Vec<String> {
    let named = ast.iter_functions().filter(|f| !is_closure(f.name));
    named
        .map(|f| format!("{}({})", f.name, f.params.join(", ")))
        .collect()
}

fn documentation(comments: &[&str]) -> String {
    let lines = comments.iter().flat_map(|comment| comment.lines());
    lines.map(super::doc::doc_text).collect::<Vec<_>>().join("\n")
}

fn answer(value: Dynamic, memory: Memory) -> Answer {
    let value = value.flatten();
    if value.is_unit() {
        return Answer::Nothing;
    }
    let what = type_name(&value);
    match shown::shown(value, &memory.room()) {
        (value, true) => Answer::Value(value),
        (Value::Object(object), false) if object.is_placeholder() => Answer::Other(what),
        (value, false) => Answer::Mixed(value),
    }
}

/// Returns a value's type as scripts know it: for an object, its kind.
fn type_name(value: &Dynamic) -> String {
    if let Some(handle) = value.read_lock::<super::handles::Handle>() {
        return handle.object().kind.clone();
    }
    match value.type_name() {
        "i64" => "int".to_owned(),
        "f64" => "float".to_owned(),
        "Fn" => "closure".to_owned(),
        name if name.contains("Range") => "range".to_owned(),
        name if name.contains("Caught") => "error".to_owned(),
        name if name.contains("Secret") => "secret".to_owned(),
        name => name.to_owned(),
    }
}

/// Explains the failure of an input.
fn failed(sources: &dyn Sources, error: &EvalAltResult) -> ScriptEnd {
    ScriptEnd::Failed(Box::new(explain::runtime(sources, error)))
}

#[cfg(test)]
mod tests;
