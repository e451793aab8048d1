//! Resolves imports from the pinned sources only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{AST, Engine, EvalAltResult, FnNamespace, Module, ModuleResolver, Position, Scope};

use super::execution::ModuleLoadGuard;
use super::function::is_closure;
use super::realm;
use super::sources::Sources;

/// The modules created so far. Scripts create their own for each call, since Rhai panics when scripts on several
/// threads use the constants of one module. The inputs of a session run one after another and share them.
#[derive(Clone, Default)]
pub(super) struct LoadedModules(Arc<Mutex<BTreeMap<String, Arc<Module>>>>);

impl LoadedModules {
    /// Whether this module has been created.
    pub(super) fn has(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    fn get(&self, name: &str) -> Option<Arc<Module>> {
        self.lock().get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Module>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves imports from sources that are known before the script runs.
pub(super) struct Imports {
    sources: Arc<dyn Sources>,
    loaded: LoadedModules,
}

impl Imports {
    pub(super) fn new(sources: Arc<dyn Sources>, loaded: LoadedModules) -> Imports {
        Imports { sources, loaded }
    }
}

impl ModuleResolver for Imports {
    fn resolve(
        &self,
        engine: &Engine,
        from: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Arc<Module>, Box<EvalAltResult>> {
        let not_found = || EvalAltResult::ErrorModuleNotFound(path.to_owned(), position);
        let name = self
            .sources
            .import(from.unwrap_or_default(), path)
            .ok_or_else(not_found)?;
        if let Some(module) = self.loaded.get(name) {
            return Ok(module);
        }
        let ast = self.sources.ast(name).ok_or_else(not_found)?;
        let loading = ModuleLoadGuard::begin();
        let made = if self.sources.is_library(name) {
            realm::library(engine, ast, name)
        } else {
            // A separate scope: a module does not see its importer's variables.
            let made = Module::eval_ast_as_new(Scope::new(), ast, engine);
            made.map(|module| export_closures(module, ast))
        };
        drop(loading);
        let mut module =
            made.map_err(|error| EvalAltResult::ErrorInModule(name.to_owned(), error, position))?;
        module.set_id(name);
        let module: Arc<Module> = module.into();
        self.loaded.lock().insert(name.to_owned(), Arc::clone(&module));
        Ok(module)
    }
}

/// Makes closures that a module returns callable outside of it: since Rhai 1.26 a function pointer is only a name,
/// looked up where it is called.
#[expect(
    deprecated,
    reason = "the only way to publish a function that a script defined"
)]
fn export_closures(mut module: Module, ast: &AST) -> Module {
    let mut scratch = Module::new();
    for function in ast.iter_functions().filter(|f| is_closure(f.name)) {
        if let Some(definition) = module
            .get_script_fn(function.name, function.params.len())
            .cloned()
        {
            let hash = scratch.set_script_fn(definition);
            module.update_fn_namespace(hash, FnNamespace::Global);
        }
    }
    module.build_index();
    module
}
