//! A script: compiled sources and declaration, ready to be called.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};

use super::bundle::{Bundle, Source};
use super::error::{Diagnostic, Frame};
use super::execution::{Authority, Execution};
use super::host::Host;
use super::host_calls::{Operations, Stop};
use super::memory::{CopyReservation, SOMEWHERE_BELOW};
use super::modules::{Imports, LoadedModules};
use super::params::{Declaration, MainFn, ParamError, ParamErrorKind};
use super::parse::{self, Import, Names, Parsed, Patches};
use super::sources::Sources;
use super::types::ParamType;
use super::{convert, declare, explain, realm};
use crate::operation::platform::Operation;
use crate::syntax::SourceText;
use crate::value::Value;

/// A compiled script. Cheap to clone; calls on several threads are independent.
#[derive(Clone)]
pub struct Script(Arc<Program>);

/// Why a call of a script returned no value.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptEnd {
    /// The script failed: an operation, a `throw`, or an error in the script.
    Failed(Box<Diagnostic>),
    /// The row must stop. Any result of the script is ignored.
    Stopped(Stop),
    /// A bug in provisor or Rhai.
    Bug(String),
}

impl Script {
    /// Compiles the sources of a bundle and parses the declaration of the main one.
    pub fn compile(host: &Host, bundle: Bundle) -> Result<Script, Box<Diagnostic>> {
        for source in bundle.sources() {
            refuse_shadowing(host, source, &parse::parse(source)?)?;
        }
        Script::compile_recorded(host, bundle)
    }

    /// The same for the sources of a recorded run. Its imports may have the names of provisor's modules, which earlier
    /// versions allowed.
    pub(crate) fn compile_recorded(host: &Host, bundle: Bundle) -> Result<Script, Box<Diagnostic>> {
        let mut units = BTreeMap::new();
        let main = parse::parse(bundle.main())?;
        let declaration = declare::declare(bundle.main(), &main)?;
        let counted = |source: &Source, mut parsed: Parsed| {
            if let Some(coverage) = host.coverage() {
                parsed.patches.count_lines(coverage, source, &parsed.ast);
            }
            Unit::new(source, parsed)
        };
        units.insert(bundle.main().name.clone(), counted(bundle.main(), main)?);
        for source in bundle.sources().iter().skip(1) {
            units.insert(source.name.clone(), counted(source, parse::parse(source)?)?);
        }
        Ok(Script(Arc::new(Program {
            host: host.clone(),
            bundle,
            units,
            declaration,
        })))
    }

    /// The script's declaration.
    pub fn declaration(&self) -> &Declaration {
        &self.0.declaration
    }

    /// The host that it runs on.
    pub(super) fn host(&self) -> &Host {
        &self.0.host
    }

    /// The sources that it was compiled from.
    pub fn bundle(&self) -> &Bundle {
        &self.0.bundle
    }

    /// The operations that the script and its imports call, as far as the text shows: a method counts for every kind
    /// of object that has one of that name.
    pub fn operations(&self) -> Vec<Operation> {
        let calls = self.0.units.values().flat_map(|unit| &unit.names.calls);
        let called: BTreeSet<&str> = calls.map(|call| call.name.as_str()).collect();
        let all = self.0.host.operations().iter().copied();
        all.filter(|spec| called.contains(spec.name)).collect()
    }

    /// Converts named values to the arguments for one call of `main`; see `MainFn::bind`. A path must be that of a file
    /// that the script can read, as far as the host checks that. Without `main` there are
    /// none, and every given value is unknown.
    pub fn bind(&self, given: &BTreeMap<String, Value>) -> Result<Vec<Value>, Vec<ParamError>> {
        let nothing = MainFn {
            doc: String::new(),
            params: Vec::new(),
            line: 0,
        };
        let main = self.0.declaration.main.as_ref().unwrap_or(&nothing);
        let args = main.bind(given)?;
        let paths = main.params.iter().zip(&args);
        let paths = paths.filter(|(param, _)| param.ty == ParamType::Path);
        let errors = paths.filter_map(|(param, path)| {
            let reason = self.0.host.check_path(path.as_text()?).err()?;
            Some(ParamError {
                param: param.name.clone(),
                line: param.line,
                kind: ParamErrorKind::Bad(reason),
            })
        });
        let errors: Vec<ParamError> = errors.collect();
        if errors.is_empty() {
            return Ok(args);
        }
        Err(errors)
    }

    /// Calls `main` with these arguments, or runs the top-level statements if there is no `main`. Blocks; needs a
    /// thread with `STACK_SIZE` bytes of stack.
    pub fn call(&self, args: Vec<Value>, host_operations: Arc<dyn Operations>) -> Result<Value, ScriptEnd> {
        let execution = self.begin(host_operations);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.0.run(args, &execution)));
        let main = || {
            let main = self.0.declaration.main.as_ref()?;
            Some(Frame::new(self.0.bundle.main(), main.line, 1))
        };
        self.0.conclude(&execution, outcome, main).0
    }

    /// Returns the tests of the main source in text order: its functions without parameters whose names start with
    /// `test_`. Errors: such a function has parameters.
    pub(crate) fn tests(&self) -> Result<Vec<ScriptTest>, Box<Diagnostic>> {
        let source = self.0.bundle.main();
        let text = SourceText::read(&source.text);
        let code = text.code();
        let mut found: Vec<ScriptTest> = Vec::new();
        for at in 1..code.len() {
            let name = code.word(at);
            if !code.is_keyword(at - 1, "fn") || !name.starts_with("test_") || code.word(at + 1) != "(" {
                continue;
            }
            let (line, column) = text.line_and_column(code.start(at));
            let frame = Frame::new(source, line, column);
            if code.word(at + 2) != ")" {
                let title = format!("the test `{name}` takes no parameters");
                let error = Diagnostic::at(source, line, column, title);
                return Err(error.hint("a function that tests call needs another name").into());
            }
            found.push(ScriptTest {
                name: name.to_owned(),
                frame,
            });
        }
        Ok(found)
    }

    /// Calls a test. Blocks; needs a thread with `STACK_SIZE` bytes of stack. If it was stopped, also returns where.
    pub(crate) fn call_test(
        &self,
        test: &ScriptTest,
        host_operations: Arc<dyn Operations>,
    ) -> (Result<(), ScriptEnd>, Vec<Frame>) {
        let execution = self.begin(host_operations);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.0.run_test(&test.name, &execution)));
        let (ended, mut frames) = self.0.conclude(&execution, outcome, || Some(test.frame.clone()));
        if frames.is_empty() {
            frames.push(test.frame.clone().label(SOMEWHERE_BELOW));
        }
        (ended, frames)
    }

    fn begin(&self, host_operations: Arc<dyn Operations>) -> Execution {
        let execution = Execution::new(host_operations, self.0.host.memory());
        if self.0.bundle.main().is_library() {
            return execution.with_authority(Authority::Library);
        }
        execution
    }
}

/// A function that tests something.
#[derive(Debug, Clone)]
pub(crate) struct ScriptTest {
    /// Its name.
    pub name: String,
    /// Where it is defined.
    pub frame: Frame,
}

/// Returns the declaration of a source, without reading what it imports.
pub(crate) fn declaration_of(source: &Source) -> Result<Declaration, Box<Diagnostic>> {
    declare::declare(source, &parse::parse(source)?)
}

/// The parts of a script that its calls share.
struct Program {
    host: Host,
    bundle: Bundle,
    units: BTreeMap<String, Unit>,
    declaration: Declaration,
}

/// A compiled source.
#[derive(Clone)]
pub(super) struct Unit {
    pub(super) ast: AST,
    pub(super) patches: Patches,
    pub(super) names: Names,
}

impl Unit {
    pub(super) fn new(source: &Source, parsed: Parsed) -> Result<Unit, Box<Diagnostic>> {
        Ok(Unit {
            ast: parse::runnable(source, &parsed, 0, |token| token)?,
            patches: parsed.patches,
            names: parsed.names,
        })
    }
}

/// Returns an error if an import hides one of provisor's own modules.
pub(super) fn refuse_shadowing(host: &Host, source: &Source, parsed: &Parsed) -> Result<(), Box<Diagnostic>> {
    let hides = |import: &&Import| host.module_names().any(|module| module == import.alias);
    let Some(import) = parsed.imports.iter().find(hides) else {
        return Ok(());
    };
    let title = format!(
        "`{}` is a module of provisor, which an import cannot replace",
        import.alias
    );
    let error = Diagnostic::at(source, import.line, import.column, title);
    Err(error.hint("give the import another name after `as`").into())
}

impl Sources for Program {
    fn host(&self) -> &Host {
        &self.host
    }

    fn main(&self) -> &str {
        &self.bundle.main().name
    }

    fn has_source(&self, source: &str) -> bool {
        self.bundle.source(source).is_some()
    }

    fn ast(&self, source: &str) -> Option<&AST> {
        self.units.get(source).map(|unit| &unit.ast)
    }

    fn is_library(&self, source: &str) -> bool {
        self.bundle.source(source).is_some_and(Source::is_library)
    }

    fn exact_import(&self, from: &str, path: &str) -> Option<&str> {
        self.bundle.import(from, path)
    }

    fn any_import(&self, path: &str) -> Option<&str> {
        self.units.keys().find_map(|from| self.bundle.import(from, path))
    }

    fn names(&self, source: &str) -> Option<&Names> {
        self.units.get(source).map(|unit| &unit.names)
    }

    fn written(&self, source: &str, line: usize, column: usize) -> (String, usize, usize) {
        let unit = self.units.get(source);
        let column = unit.map_or(column, |unit| unit.patches.written_column(line, column));
        (source.to_owned(), line, column)
    }

    fn at(&self, source: &str, line: usize, column: usize) -> Option<Frame> {
        Some(Frame::new(self.bundle.source(source)?, line, column))
    }
}

impl Program {
    /// Ends a call: a stop decides, then an exceeded limit, then the outcome itself. `within` is where the limit was exceeded
    /// if nothing else is known. Also returns the call in which the script was stopped.
    fn conclude<T>(
        &self,
        execution: &Execution,
        outcome: thread::Result<Result<T, ScriptEnd>>,
        within: impl FnOnce() -> Option<Frame>,
    ) -> (Result<T, ScriptEnd>, Vec<Frame>) {
        execution.end();
        if let Some(stop) = execution.stopped() {
            let at = execution.stopped_at();
            let frame = at.and_then(|(source, position)| self.frame(source, *position));
            return (Err(ScriptEnd::Stopped(stop)), frame.into_iter().collect());
        }
        let ended = match outcome {
            Ok(result) => result,
            Err(panic) => Err(ScriptEnd::Bug(panic_text(panic.as_ref()))),
        };
        let ended = match execution.overrun() {
            Some(overrun) => Err(overrun.end(ended, within())),
            None => ended,
        };
        (ended, Vec::new())
    }

    fn run(self: &Arc<Program>, args: Vec<Value>, execution: &Execution) -> Result<Value, ScriptEnd> {
        let sources: Arc<dyn Sources> = Arc::clone(self) as Arc<dyn Sources>;
        let engine = engine(&sources, execution, &LoadedModules::default());
        let Some(ast) = self.ast(&self.bundle.main().name) else {
            return Err(ScriptEnd::Bug("the main source was not compiled".into()));
        };
        let result = match &self.declaration.main {
            Some(main) if main.params.len() != args.len() => {
                let message = format!(
                    "main takes {} arguments but got {}",
                    main.params.len(),
                    args.len()
                );
                return Err(ScriptEnd::Bug(message));
            }
            Some(_) => {
                let args: Vec<Dynamic> = args.into_iter().map(convert::to_dynamic).collect();
                engine.call_fn_with_options(CallFnOptions::new(), &mut Scope::new(), ast, "main", args)
            }
            None => engine.eval_ast_with_scope::<Dynamic>(&mut Scope::new(), ast),
        };
        self.settle(result, execution)
    }

    fn run_test(self: &Arc<Program>, name: &str, execution: &Execution) -> Result<(), ScriptEnd> {
        let sources: Arc<dyn Sources> = Arc::clone(self) as Arc<dyn Sources>;
        let engine = engine(&sources, execution, &LoadedModules::default());
        let Some(ast) = self.ast(&self.bundle.main().name) else {
            return Err(ScriptEnd::Bug("the main source was not compiled".into()));
        };
        let options = CallFnOptions::new();
        let result = engine.call_fn_with_options::<Dynamic>(options, &mut Scope::new(), ast, name, ());
        match result {
            Ok(_) => Ok(()),
            Err(error) => match error.unwrap_inner() {
                EvalAltResult::Exit(..) => Ok(()),
                _ => Err(ScriptEnd::Failed(Box::new(explain::runtime(
                    self.as_ref(),
                    &error,
                )))),
            },
        }
    }

    fn settle(
        &self,
        result: Result<Dynamic, Box<EvalAltResult>>,
        execution: &Execution,
    ) -> Result<Value, ScriptEnd> {
        let returned = match result {
            // At the top level, Rhai itself ends the script.
            Ok(value) => realm::exit_value(&value),
            Err(error) => match error.unwrap_inner() {
                EvalAltResult::Exit(value, _) => realm::exit_value(value),
                _ => return Err(ScriptEnd::Failed(Box::new(explain::runtime(self, &error)))),
            },
        };
        let copies = CopyReservation::of(execution);
        convert::to_value(returned, "result", &|bytes| copies.ensure_room(bytes)).map_err(|reason| {
            let at = self.declaration.main.as_ref().map_or(1, |main| main.line);
            let mut error = Diagnostic::at(
                self.bundle.main(),
                at,
                1,
                format!("the script's result cannot be stored: {reason}"),
            );
            error.kind = "script_error".into();
            ScriptEnd::Failed(Box::new(error.hint("return text, numbers, lists and maps")))
        })
    }
}

/// Creates an engine for one call: imports come from `sources`, and `debug` prints its position.
pub(super) fn engine(sources: &Arc<dyn Sources>, execution: &Execution, loaded: &LoadedModules) -> Engine {
    let again = (Arc::clone(sources), loaded.clone());
    execution.runs_on(Arc::new(move |execution| {
        let (sources, loaded) = &again;
        self::engine(sources, execution, loaded)
    }));
    let mut engine = sources.host().engine(execution);
    engine.set_module_resolver(Imports::new(Arc::clone(sources), loaded.clone()));
    let (printer, sources) = (execution.clone(), Arc::clone(sources));
    engine.on_debug(move |text, source, position| {
        let (row, column) = parse::place(position);
        let (source, row, column) = sources.written(source.unwrap_or(sources.main()), row, column);
        let text = super::handles::masked(text);
        printer
            .host_operations()
            .print(&format!("{source}:{row}:{column}: {text}"));
    });
    engine
}

/// Returns the message of a panic.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}
