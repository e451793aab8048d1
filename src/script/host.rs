//! The state shared by all running scripts, and the lightweight engine that each gets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rhai::module_resolvers::DummyModuleResolver;
use rhai::packages::{Package, StandardPackage};
use rhai::{Engine, Module, OptimizationLevel};

use super::coverage::Coverage;
use super::execution::Execution;
use super::memory::Memory;
use super::{assertions, bind, handles, nesting, script_error, std as pure};
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Operation;
use crate::syntax::is_name;

/// The deepest function call nesting. Rhai's own default differs between debug and release.
const CALL_LEVELS: usize = 64;

/// The deepest expression nesting.
const EXPRESSION_DEPTH: usize = 64;

/// The shared parts of every script's engine: built once per process, cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Shared>);

struct Shared {
    standard: Arc<Module>,
    own: Arc<Module>,
    modules: Vec<(&'static str, Arc<Module>)>,
    catalogue: Catalogue,
    memory: Memory,
    coverage: Option<Arc<Coverage>>,
    path_check: Option<Box<PathCheck>>,
    /// The functions that are no operations, as they are registered; and their names, once they were asked for.
    language: (Arc<Module>, OnceLock<Functions>),
}

/// Functions by name, each with its possible numbers of arguments.
pub(super) type Functions = BTreeMap<String, BTreeSet<usize>>;

/// Says why the file at a path cannot be read by a script.
type PathCheck = dyn Fn(&str) -> Result<(), String> + Send + Sync;

impl Host {
    /// Creates a host for the operations of these platforms.
    pub fn new(catalogue: &Catalogue) -> Host {
        Host::with(catalogue, |_| {}, None)
    }

    /// Creates a host for tests of scripts, which have assertions besides. With `coverage`, the lines that run are counted.
    pub fn for_tests(catalogue: &Catalogue, coverage: Option<&Arc<Coverage>>) -> Host {
        let more = |own: &mut Module| {
            assertions::register(own);
            if let Some(coverage) = coverage {
                Coverage::register(coverage, own);
            }
        };
        Host::with(catalogue, more, coverage.cloned())
    }

    pub(super) fn with(
        catalogue: &Catalogue,
        more: impl Fn(&mut Module),
        coverage: Option<Arc<Coverage>>,
    ) -> Host {
        super::prepare();
        let bound = bind::bind(catalogue.operations().iter().copied());
        let mut own = bound.global;
        register_language(&mut own, catalogue);
        more(&mut own);
        let mut language = Module::new();
        register_language(&mut language, catalogue);
        more(&mut language);
        let modules = bound.modules.into_iter();
        Host(Arc::new(Shared {
            standard: StandardPackage::new().as_shared_module(),
            own: shared("provisor", own),
            modules: modules
                .map(|(name, module)| (name, shared(name, module)))
                .collect(),
            catalogue: catalogue.clone(),
            memory: Memory::UNLIMITED,
            coverage,
            path_check: None,
            language: (language.into(), OnceLock::new()),
        }))
    }

    /// Limits the memory of this host's scripts.
    #[must_use]
    pub fn within(mut self, memory: Memory) -> Host {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.memory = memory;
        }
        self
    }

    /// Counts the lines that run, if anything does.
    pub(super) fn coverage(&self) -> Option<&Coverage> {
        self.0.coverage.as_deref()
    }

    /// Sets the check of parameters of type `path`. Its error says why a script cannot read the file.
    #[must_use]
    pub fn checking_paths(
        mut self,
        check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static,
    ) -> Host {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.path_check = Some(Box::new(check));
        }
        self
    }

    /// Checks a value of the parameter type `path`.
    pub(super) fn check_path(&self, path: &str) -> Result<(), String> {
        let check = self.0.path_check.as_ref();
        check.map_or(Ok(()), |check| check(path))
    }

    /// The memory limit of a script.
    pub(super) fn memory(&self) -> Memory {
        self.0.memory
    }

    /// The platforms whose operations a script may call.
    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    /// All operations that a script may call.
    pub fn operations(&self) -> &[Operation] {
        self.0.catalogue.operations()
    }

    /// The names of the modules that hold operations.
    pub(crate) fn module_names(&self) -> impl Iterator<Item = &str> {
        self.0.modules.iter().map(|(name, _)| *name)
    }

    /// The names of all functions that scripts call without a module name.
    pub(crate) fn function_names(&self) -> impl Iterator<Item = String> {
        let own = self
            .operations()
            .iter()
            .filter(|op| op.module.is_empty() && op.receiver.is_none());
        let own = own.map(|op| op.name.to_owned());
        self.language().keys().cloned().chain(own)
    }

    /// The functions that are called without a module name and are no operations, each with its possible numbers of
    /// arguments; a receiver counts.
    pub(super) fn language(&self) -> &Functions {
        let (module, functions) = &self.0.language;
        functions.get_or_init(|| {
            let mut engine = Engine::new_raw();
            engine.register_global_module(Arc::clone(&self.0.standard));
            engine.register_global_module(Arc::clone(module));
            let called = |info: rhai::FuncInfo| {
                let name = info.metadata.name.to_string();
                let is_called = is_name(&name) && !name.starts_with('_');
                is_called.then_some((name, info.metadata.num_params))
            };
            let mut found = Functions::new();
            for (name, params) in engine.collect_fn_metadata(None, called, true) {
                found.entry(name).or_default().insert(params);
            }
            found
        })
    }

    /// Creates an engine for one call of a script, in about a microsecond. Scripts do not share one because Rhai's
    /// locks would make them wait for each other.
    pub(super) fn engine(&self, execution: &Execution) -> Engine {
        let mut engine = Engine::new_raw();
        engine.register_global_module(Arc::clone(&self.0.standard));
        engine.register_global_module(Arc::clone(&self.0.own));
        for (name, module) in &self.0.modules {
            engine.register_static_module(*name, Arc::clone(module));
        }
        limit(&mut engine);
        engine.set_default_tag(execution.tag());
        let watched = execution.clone();
        engine.on_progress(move |_| {
            let stops = watched.must_stop() || watched.takes_too_much();
            stops.then_some(rhai::Dynamic::UNIT)
        });
        let watched = execution.clone();
        #[expect(
            deprecated,
            reason = "Rhai marks its volatile interfaces so; the version is pinned exactly"
        )]
        engine.on_var(move |name, _, context| nesting::watch(&watched, name, &context));
        let printer = execution.clone();
        engine.on_print(move |line| printer.host_operations().print(&handles::masked(line)));
        engine
    }
}

/// Creates an engine that only parses source texts.
pub(super) fn compiler() -> Engine {
    // Rhai keeps hashes for the life of the process, so the seed must be set before the first one is made.
    super::prepare();
    let mut engine = Engine::new_raw();
    limit(&mut engine);
    engine
}

/// Registers the functions that are no operations, in addition to Rhai's own.
fn register_language(module: &mut Module, catalogue: &Catalogue) {
    handles::register(module, catalogue);
    script_error::register(module);
    pure::register(module);
}

/// Gives a module an ID and an index; without an ID it would be cloned for each engine.
fn shared(name: &str, mut module: Module) -> Arc<Module> {
    module.set_id(name);
    module.build_index();
    module.into()
}

/// Applies the parser and runtime settings, the same in every build. Rhai's own limits on value sizes are off:
/// checking them walks the whole value at each change, 38 times slower for a growing list. Instead the total is
/// checked at every step ([`Memory`]), and functions that allocate much at once are limited in [`super::std`].
fn limit(engine: &mut Engine) {
    // Rhai's optimiser panics on an assignment to a field of a constant map.
    engine.set_optimization_level(OptimizationLevel::None);
    // The interner's lock makes parallel scripts wait; a single script is faster without it too.
    engine.set_max_strings_interned(0);
    engine.set_max_call_levels(CALL_LEVELS);
    engine.set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    engine.set_max_operations(0);
    engine.set_fail_on_invalid_map_property(true);
    engine.set_module_resolver(DummyModuleResolver::new());
    engine.disable_symbol("eval");
}
