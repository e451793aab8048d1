//! Closures that a script passes to an operation, made callable while the script waits for its result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext};

use super::convert;
use super::execution::Execution;
use super::realm;
use super::script_error::{self, ScriptError};
use crate::operation::error::{Code, OpError};
use crate::operation::function::{Function, Functions};
use crate::operation::spec::{Param, Type};
use crate::value::Value;

/// Takes the functions out of an argument: those under keys that the parameter declares as functions. The error says
/// why a function cannot be used.
pub(super) fn taken(
    context: &NativeCallContext,
    execution: &Execution,
    param: &Param,
    arg: &mut Dynamic,
) -> Result<Functions, String> {
    let mut functions = Functions::new();
    let Type::Options(keys) = param.ty else {
        return Ok(functions);
    };
    let declared = keys.iter().filter(|key| matches!(key.ty, Type::Function));
    for key in declared {
        let pointer = {
            let Some(mut map) = arg.write_lock::<Map>() else {
                return Ok(functions);
            };
            match map.get(key.name) {
                Some(value) if value.is::<FnPtr>() => map.remove(key.name),
                _ => None,
            }
        };
        if let Some(pointer) = pointer {
            let pointer = detached_copy(pointer, &mut MAX_CAPTURED.clone(), MAX_CAPTURED_DEPTH)
                .ok_or_else(|| format!("{}: the function captures too much, or itself", key.name))?;
            functions.insert(
                key.name,
                function(context, execution, key.name, pointer.cast::<FnPtr>()),
            );
        }
    }
    Ok(functions)
}

/// Returns a function that runs the closure on its own thread, since the script's thread is blocked. It sees copies of
/// its captured values, calls through a door that allows only reads, and may be called any number of times.
#[expect(
    deprecated,
    reason = "Rhai marks what may change in another version so; the version is pinned"
)]
fn function(
    context: &NativeCallContext,
    execution: &Execution,
    key: &'static str,
    pointer: FnPtr,
) -> Function {
    let store = context.store_data();
    let execution = execution.clone();
    Function::new(move |args| {
        let (mut store, pointer) = (store.clone(), pointer.clone());
        // Dropped with the future when the result is no longer needed.
        let (waiting, caller_alive) = tokio::sync::watch::channel(());
        let execution = execution.read_only(caller_alive);
        // Not in the thread, which would keep the calling script until it runs, and with it the lock on the run.
        store.global.tag = execution.tag();
        Box::pin(async move {
            let _waiting = waiting;
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let work = move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| match execution.engine() {
                    Some(engine) => {
                        let context = store.create_context(&engine);
                        called(&execution, &context, key, &pointer, args)
                    }
                    None => Err(failed("a function can only be called by a running script")),
                }));
                // The receiver is gone if the run was interrupted.
                let _ = sender.send(outcome.unwrap_or_else(|_| Err(broken("the script host panicked"))));
            };
            let thread = std::thread::Builder::new()
                .name("look-up".to_owned())
                .stack_size(super::STACK_SIZE);
            if let Err(error) = thread.spawn(work) {
                return Err(broken(&format!("cannot start a thread: {error}")));
            }
            receiver
                .await
                .unwrap_or_else(|_| Err(broken("a look-up ended without a result")))
        })
    })
}

/// Calls the closure with as many of the arguments as it takes.
fn called(
    execution: &Execution,
    context: &NativeCallContext,
    key: &str,
    pointer: &FnPtr,
    args: Vec<Value>,
) -> Result<Value, OpError> {
    let most = args.len();
    let mut args: Vec<Dynamic> = args.into_iter().map(convert::to_dynamic).collect();
    loop {
        match pointer.call_raw(context, None, args.clone()) {
            Ok(value) => {
                let value =
                    convert::to_value(value, "the function's result", &|bytes| execution.has_room(bytes));
                return value.map_err(|reason| failed(&reason));
            }
            Err(error) if is_other_count(&error, pointer) => {
                if args.pop().is_none() {
                    return Err(takes_others(key, most, pointer));
                }
            }
            Err(error) => return Err(operation_error(&error)),
        }
    }
}

/// Whether this is a name that Rhai gives to a closure.
pub(super) fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// Whether the function itself was not found for that number of arguments.
pub(super) fn is_other_count(error: &EvalAltResult, pointer: &FnPtr) -> bool {
    matches!(error, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(pointer.fn_name()))
}

/// The error for a function that takes more parameters than there are values.
fn takes_others(key: &str, most: usize, pointer: &FnPtr) -> OpError {
    let given = match most {
        1 => "1 value".to_owned(),
        most => format!("{most} values"),
    };
    let reason = match pointer.fn_name() {
        name if is_closure(name) || name == realm::CLOSURE => "the function takes more parameters".to_owned(),
        name => format!("no function `{name}` takes that many parameters, or fewer"),
    };
    failed(&format!("`{key}` is called with {given}, and {reason}")).hint(format!(
        "write it with at most {most}: {key}: |key| … or {key}: || …"
    ))
}

/// Returns the error of the failed operation in the closure, or of the closure itself.
fn operation_error(error: &EvalAltResult) -> OpError {
    let caught: ScriptError = script_error::from_error(error);
    if let Some(operation) = caught.failed_operation() {
        return operation.clone();
    }
    let failure = failed(&format!("the function failed: {}", caught.message()));
    match caught.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn failed(message: &str) -> OpError {
    OpError::new(Code::BadArgument, message)
}

fn broken(message: &str) -> OpError {
    OpError::new(Code::Internal, message)
}

/// The most values that a function may capture, repeated copies included, and the deepest nesting of them.
const MAX_CAPTURED: usize = 1_000_000;
const MAX_CAPTURED_DEPTH: usize = 200;

/// Copies a value without the cells that the script shares, which may be locked while it waits. `None` if it has more
/// than `most` values or is nested deeper than `depth` levels.
fn detached_copy(value: Dynamic, most: &mut usize, depth: usize) -> Option<Dynamic> {
    *most = most.checked_sub(1)?;
    let depth = depth.checked_sub(1)?;
    let value = value.flatten();
    if value.is::<Array>() {
        let items = value.cast::<Array>().into_iter();
        let items: Option<Array> = items.map(|item| detached_copy(item, most, depth)).collect();
        return items.map(Dynamic::from);
    }
    if value.is::<Map>() {
        let fields = value.cast::<Map>().into_iter();
        let fields: Option<Map> = fields
            .map(|(name, value)| Some((name, detached_copy(value, most, depth)?)))
            .collect();
        return fields.map(Dynamic::from);
    }
    if value.is::<FnPtr>() {
        let mut pointer = value.cast::<FnPtr>();
        for captured in pointer.iter_curry_mut() {
            *captured = detached_copy(std::mem::take(captured), most, depth)?;
        }
        return Some(pointer.into());
    }
    Some(value)
}

/// Creates an engine that runs a script's closure.
pub(super) type Engines = Arc<dyn Fn(&Execution) -> Engine + Send + Sync>;
