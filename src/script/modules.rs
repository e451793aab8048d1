//! Imports from the pinned sources, and from nowhere else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{AST, Engine, EvalAltResult, FnNamespace, Module, ModuleResolver, Position, Scope};

use super::live::Loading;
use super::program::Program;

/// Resolves the imports of one call of a script. Modules are made anew for each call: Rhai panics when scripts on
/// several threads use the constants of one module.
pub(super) struct Imports {
    program: Arc<Program>,
    loaded: Mutex<BTreeMap<String, Arc<Module>>>,
}

impl Imports {
    pub(super) fn new(program: Arc<Program>) -> Imports {
        Imports {
            program,
            loaded: Mutex::default(),
        }
    }

    fn loaded(&self, name: &str) -> Option<Arc<Module>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.get(name).cloned()
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
            .program
            .import(from.unwrap_or_default(), path)
            .ok_or_else(not_found)?;
        if let Some(module) = self.loaded(name) {
            return Ok(module);
        }
        let ast = self.program.ast(name).ok_or_else(not_found)?;
        let loading = Loading::begin();
        // A scope of its own: a module does not see the variables of who imports it.
        let made = Module::eval_ast_as_new(Scope::new(), ast, engine);
        drop(loading);
        let mut module =
            made.map_err(|error| EvalAltResult::ErrorInModule(name.to_owned(), error, position))?;
        module.set_id(name);
        export_closures(&mut module, ast);
        let module: Arc<Module> = module.into();
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(name.to_owned(), Arc::clone(&module));
        Ok(module)
    }
}

/// Lets closures that a module gives out be called outside of it: since Rhai 1.26 a function pointer is only a name,
/// looked up where it is called.
#[expect(
    deprecated,
    reason = "the only way to publish a function that a script defined"
)]
fn export_closures(module: &mut Module, ast: &AST) {
    let mut scratch = Module::new();
    for function in ast.iter_functions().filter(|f| f.name.starts_with("anon$")) {
        if let Some(definition) = module
            .get_script_fn(function.name, function.params.len())
            .cloned()
        {
            let hash = scratch.set_script_fn(definition);
            module.update_fn_namespace(hash, FnNamespace::Global);
        }
    }
    module.build_index();
}
