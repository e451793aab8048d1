//! Runs each library in a realm of its own, with no authority but the handles it is given.
//!
//! A function pointer in Rhai is a name, which is looked up where it is called. So a library could call a function of its
//! importer by name, or return the name of an operation for its importer to call. Here a library sees nothing of its
//! importer, and every pointer that crosses the border of a realm (as an argument, a result, a thrown value, `this` or
//! a constant, however deep inside) is bound: it becomes a native pointer that enters the realm of its maker. Thus
//! a closure of a workflow keeps the workflow's authority inside a library, and a library's closure has none anywhere.

use std::any::TypeId;
use std::sync::{Arc, LazyLock};

use rhai::{
    AST, Array, Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, GlobalRuntimeState, INT, Map,
    Module, NativeCallContext, Position, RhaiFunc, Scope, Shared,
};

use super::execution::{Authority, Execution};
use super::function::is_closure;
use super::nesting;
use super::script_error::{self, ScriptError};

/// The name of a bound closure in errors. A closure's own name is not one that Rhai accepts from outside.
pub(super) const CLOSURE: &str = "closure";

/// The deepest nesting of a value that crosses the border.
const MAX_DEPTH: usize = 64;

type Returned = Result<Dynamic, Box<EvalAltResult>>;

/// The most parameters of a library's function: Rhai finds no native function with more that takes any values.
const MAX_PARAMETERS: usize = 16;

/// Asks a bound pointer how deeply the values are nested that it has captured.
#[derive(Clone)]
struct LevelsProbe;

/// The value with which a workflow ends itself while a library runs.
#[derive(Clone)]
struct WorkflowExit(Dynamic);

/// What a piece of code can see: its functions, constants and imports, and its authority.
#[derive(Clone)]
struct Realm(Arc<GlobalRuntimeState>);

/// Runs the body of a library, and returns the module through which its importer uses it.
pub(super) fn library(engine: &Engine, ast: &AST, name: &str) -> Result<Module, Box<EvalAltResult>> {
    let mut global = engine.new_global_runtime_state();
    global.tag = with_authority(engine.default_tag(), Authority::Library);
    let made = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), &mut global, ast);
    // Rhai looks for a function from the last of these to the first, but for a closure in the first alone. The AST has the
    // private ones, too, but without the constants of the library.
    let all = Shared::clone(ast.shared_lib());
    global.lib.push(all);
    if let Ok(module) = &made {
        let public: Shared<Module> = module.clone().into();
        global.lib.insert(0, Shared::clone(&public));
        global.lib.push(public);
        for (name, imported) in module.iter_sub_modules() {
            global.push_import(name, Shared::clone(imported));
        }
    }
    global.source = Some(name.into());
    let realm = Realm(Arc::new(global));
    let made = made.map_err(|error| realm.cross_error(*error))?;
    let mut module = Module::new();
    for (name, imported) in made.iter_sub_modules() {
        module.set_sub_module(name, Shared::clone(imported));
    }
    for (name, value) in made.iter_var() {
        module.set_var(name, realm.cross(value.clone(), 0)?);
    }
    for (_, _, name, count, function) in made.iter_script_fn_info() {
        if function.this_type.is_none() && !is_closure(name) {
            if count > MAX_PARAMETERS {
                let reason = format!(
                    "the function `{name}` of a library takes {count} parameters, and at most {MAX_PARAMETERS} are \
                     possible"
                );
                return Err(fault(&reason).into());
            }
            let comments: Vec<String> = function.comments.iter().map(ToString::to_string).collect();
            realm.export(&mut module, name, count, &comments);
        }
    }
    module.set_doc(made.doc());
    module.build_index();
    Ok(module)
}

/// Returns how deeply the values are nested that a pointer hides, because it is bound; 0 for any other.
pub(super) fn hidden_levels(pointer: &FnPtr) -> usize {
    // Without functions nothing but a bound pointer can be called.
    static NOTHING: LazyLock<(Engine, AST)> = LazyLock::new(|| (Engine::new_raw(), AST::empty()));
    if is_closure(pointer.fn_name()) {
        return 0;
    }
    let (engine, ast) = &*NOTHING;
    let levels = pointer.call::<INT>(engine, ast, (LevelsProbe,));
    levels
        .ok()
        .and_then(|levels| usize::try_from(levels).ok())
        .unwrap_or_default()
}

/// The value with which a script has ended itself.
pub(super) fn exit_value(value: &Dynamic) -> Dynamic {
    let of_workflow = value.read_lock::<WorkflowExit>();
    of_workflow.map_or_else(|| value.clone(), |exit| exit.0.clone())
}

fn with_authority(tag: &Dynamic, authority: Authority) -> Dynamic {
    let execution = tag.read_lock::<Execution>();
    // Code without an execution may not call anything.
    execution.map_or(Dynamic::UNIT, |execution| {
        execution.with_authority(authority).tag()
    })
}

impl Realm {
    /// The realm of the code that calls a native function.
    fn of(context: &NativeCallContext) -> Realm {
        Realm(Arc::new(context.global_runtime_state().clone()))
    }

    fn authority(&self) -> Authority {
        let execution = self.0.tag.read_lock::<Execution>();
        execution.map_or(Authority::Library, |execution| execution.authority())
    }

    /// Runs code in this realm. It stops when the caller does, and looks up what the caller may look up.
    fn enter<T>(&self, caller: &NativeCallContext, run: impl FnOnce(&NativeCallContext) -> T) -> T {
        let mut global = (*self.0).clone();
        // The call that entered this function has counted already.
        global.level = caller.call_level().saturating_sub(1);
        global.tag = with_authority(&caller.global_runtime_state().tag, self.authority());
        let context = NativeCallContext::new_with_all_fields(
            caller.engine(),
            caller.fn_name(),
            self.0.source(),
            &global,
            caller.call_position(),
        );
        run(&context)
    }

    /// Registers a function of a library for its importer.
    fn export(&self, module: &mut Module, name: &str, count: usize, comments: &[String]) {
        let (realm, called) = (self.clone(), name.to_owned());
        let call = move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
            let context =
                context.ok_or_else(|| fault("a library's function can only be called by a script"))?;
            for arg in args.iter_mut() {
                **arg = cross(std::mem::take(*arg), &|| Realm::of(&context), 0)?;
            }
            let result = realm.enter(&context, |inside| inside.call_fn_raw(&called, false, false, args));
            realm.settle(result)
        };
        let func = RhaiFunc::Pure {
            func: Shared::new(call),
            has_context: true,
            is_pure: true,
            is_volatile: true,
        };
        FuncRegistration::new(name)
            .with_comments(comments)
            .set_into_module_raw(module, vec![TypeId::of::<Dynamic>(); count], func);
    }

    /// Makes a pointer that was made in this realm callable in others.
    #[expect(
        deprecated,
        reason = "Rhai marks what may change in another version so; the version is pinned"
    )]
    fn bind(&self, mut pointer: FnPtr) -> Returned {
        let curried: Vec<Dynamic> = pointer.iter_curry_mut().map(std::mem::take).collect();
        pointer.set_curry([]);
        // It is bound already: only what was curried since is of this realm.
        if format!("{pointer:?}").starts_with("Fn#") {
            for value in curried {
                pointer.add_curry(self.cross(value, 0)?);
            }
            return Ok(pointer.into());
        }
        let captured = curried.iter().map(|value| nesting::extent(value).levels);
        let levels = captured.max().unwrap_or_default() + 1;
        if levels > nesting::MAX_DEPTH {
            return Err(fault("functions that pass through libraries hold each other too deeply").into());
        }
        pointer.set_curry(curried);
        let realm = self.clone();
        let name = match pointer.fn_name() {
            name if is_closure(name) => CLOSURE,
            name => name,
        };
        let bound = FnPtr::from_fn(name.to_owned(), move |context, args| {
            if args.last().is_some_and(|last| last.is::<LevelsProbe>()) {
                return Ok(INT::try_from(levels).unwrap_or(INT::MAX).into());
            }
            realm.call(&pointer, &context, args)
        })?;
        Ok(bound.into())
    }

    /// Calls a pointer of this realm for code of another one.
    fn call(&self, pointer: &FnPtr, caller: &NativeCallContext, args: &mut [&mut Dynamic]) -> Returned {
        let name = pointer.fn_name();
        let shown = if is_closure(name) { CLOSURE } else { name };
        let not_found = || {
            let signature = format!("{shown} ({} arguments)", args.len());
            EvalAltResult::ErrorFunctionNotFound(signature, caller.call_position()).into()
        };
        // Rhai passes `this` like an argument. In `array.map` and the like, it calls again without `this` if the function
        // is not found.
        let this = if self.has(pointer, args.len()) {
            if args.len() > 1 && caller.fn_name() != "call" && !are_adjacent(args) {
                return Err(not_found());
            }
            None
        } else if args
            .len()
            .checked_sub(1)
            .is_some_and(|count| self.has(pointer, count))
        {
            Some(place_of_this(args))
        } else if is_closure(name) {
            return Err(not_found());
        } else {
            None
        };
        let theirs = || Realm::of(caller);
        let mut object = None;
        let mut values = Vec::with_capacity(args.len());
        for (at, arg) in args.iter().enumerate() {
            // A clone: the argument may be an element of the caller's array.
            let value = cross((**arg).clone(), &theirs, 0)?;
            if this == Some(at) {
                object = Some(value);
            } else {
                values.push(value);
            }
        }
        let result = self.enter(caller, |inside| pointer.call_raw(inside, object.as_mut(), values));
        if let (Some(at), Some(value)) = (this, object) {
            put(args[at], self.cross(value, 0)?);
        }
        self.settle(result)
    }

    /// Whether a script defines the pointer's function for so many arguments.
    fn has(&self, pointer: &FnPtr, count: usize) -> bool {
        let count = count + pointer.curry().len();
        let mut functions = self.0.lib.iter();
        functions.any(|module| module.get_script_fn(pointer.fn_name(), count).is_some())
    }

    /// Passes a result, or an error with what was thrown, out of this realm.
    fn settle(&self, result: Returned) -> Returned {
        match result {
            Ok(value) => self.cross(value, 0),
            Err(error) => Err(self.cross_error(*error).into()),
        }
    }

    fn cross_error(&self, error: EvalAltResult) -> EvalAltResult {
        use EvalAltResult as E;
        match error {
            E::ErrorInFunctionCall(name, source, inner, position) => {
                let inner = Box::new(self.cross_error(*inner));
                E::ErrorInFunctionCall(name, source, inner, position)
            }
            E::ErrorInModule(name, inner, position) => {
                E::ErrorInModule(name, Box::new(self.cross_error(*inner)), position)
            }
            E::ErrorRuntime(thrown, position) => match self.cross(thrown, 0) {
                Ok(thrown) => E::ErrorRuntime(thrown, position),
                Err(error) => *error,
            },
            E::Exit(value, position) if value.is::<WorkflowExit>() => E::Exit(value, position),
            E::Exit(value, position) if self.authority() == Authority::Workflow => {
                match self.cross(value, 0) {
                    Ok(value) => E::Exit(Dynamic::from(WorkflowExit(value)), position),
                    Err(error) => *error,
                }
            }
            E::Exit(_, position) => {
                let error = ScriptError::from_message("a library cannot end the script with `exit`");
                let error = error.with_hint("throw an error, which its importer can catch");
                E::ErrorRuntime(Dynamic::from(error), position)
            }
            other => other,
        }
    }

    /// Passes a value of this realm out of it.
    fn cross(&self, value: Dynamic, depth: usize) -> Returned {
        cross(value, &|| self.clone(), depth)
    }
}

/// Binds the function pointers in a value, which its maker passes to another realm. What it shares is copied.
fn cross(value: Dynamic, maker: &dyn Fn() -> Realm, depth: usize) -> Returned {
    if depth > MAX_DEPTH {
        let reason = "a value that is passed to or from a library is nested too deeply";
        return Err(fault(reason).into());
    }
    let mut value = value.flatten();
    if value.is_shared() {
        // It is being changed.
        return Err(EvalAltResult::ErrorDataRace(String::new(), Position::NONE).into());
    }
    if value.is::<FnPtr>() {
        return maker().bind(value.cast::<FnPtr>());
    }
    if value.is::<ScriptError>() {
        let error = value.cast::<ScriptError>();
        let crossed = error.map_held(&mut |held| cross(held, maker, depth + 1))?;
        return Ok(Dynamic::from(crossed));
    }
    if let Some(mut items) = value.write_lock::<Array>() {
        for item in items.iter_mut() {
            *item = cross(std::mem::take(item), maker, depth + 1)?;
        }
    }
    if let Some(mut fields) = value.write_lock::<Map>() {
        for field in fields.values_mut() {
            *field = cross(std::mem::take(field), maker, depth + 1)?;
        }
    }
    Ok(value)
}

/// Replaces a value, inside the cell if it is shared.
fn put(place: &mut Dynamic, value: Dynamic) {
    if place.is_shared() {
        if let Some(mut inner) = place.write_lock::<Dynamic>() {
            *inner = value;
        }
    } else {
        *place = value;
    }
}

/// Whether the arguments lie side by side in memory, as those do that Rhai collects. `this` lies elsewhere.
fn are_adjacent(args: &[&mut Dynamic]) -> bool {
    args.windows(2).all(|pair| follows(&*pair[0], &*pair[1]))
}

fn follows(first: &Dynamic, second: &Dynamic) -> bool {
    let address = |value: &Dynamic| std::ptr::from_ref(value).addr();
    address(first) + size_of::<Dynamic>() == address(second)
}

/// Returns the index of `this`: first, or after the curried arguments.
fn place_of_this(args: &[&mut Dynamic]) -> usize {
    let is_apart = |at: usize| {
        let before = at
            .checked_sub(1)
            .map(|before| follows(&*args[before], &*args[at]));
        let behind = args.get(at + 1).map(|behind| follows(&*args[at], behind));
        before != Some(true) && behind != Some(true)
    };
    (0..args.len()).find(|at| is_apart(*at)).unwrap_or(0)
}

fn fault(message: &str) -> EvalAltResult {
    script_error::raise(ScriptError::from_message(message))
}
