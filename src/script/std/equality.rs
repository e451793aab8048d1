//! `==` and `!=` for lists and maps: Rhai's own exhaust the stack on deeply nested values.

use rhai::{Array, Dynamic, EvalAltResult, Map, Module, NativeCallContext};

use super::Checked;
use crate::script::handles::global;
use crate::script::script_error::{self, ScriptError};

/// The deepest nesting that is compared.
const MAX_DEPTH: usize = 1_000;

/// Registers the operators in `module`.
pub(super) fn register(module: &mut Module) {
    for (name, when) in [("==", true), ("!=", false)] {
        global(name).set_into_module(
            module,
            move |context: NativeCallContext, a: &mut Array, b: Array| -> Checked<bool> {
                Ok(arrays(&context, a, &b, MAX_DEPTH)? == when)
            },
        );
        global(name).set_into_module(
            module,
            move |context: NativeCallContext, a: &mut Map, b: Map| -> Checked<bool> {
                Ok(maps(&context, a, &b, MAX_DEPTH)? == when)
            },
        );
    }
}

fn arrays(context: &NativeCallContext, a: &[Dynamic], b: &[Dynamic], depth: usize) -> Checked<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b) {
        if !equal_at(context, a, b, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn maps(context: &NativeCallContext, a: &Map, b: &Map, depth: usize) -> Checked<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (key, a) in a {
        match b.get(key) {
            Some(b) if equal_at(context, a, b, depth)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether two values are equal, as `==` finds for the elements of lists. Values of different types are not.
pub(in crate::script) fn equal(context: &NativeCallContext, a: &Dynamic, b: &Dynamic) -> Checked<bool> {
    equal_at(context, a, b, MAX_DEPTH)
}

fn equal_at(context: &NativeCallContext, a: &Dynamic, b: &Dynamic, depth: usize) -> Checked<bool> {
    let Some(depth) = depth.checked_sub(1) else {
        let error = ScriptError::from_message("values that are nested so deeply cannot be compared");
        return Err(script_error::raise(error).into());
    };
    if let (Some(a), Some(b)) = (a.read_lock::<Array>(), b.read_lock::<Array>()) {
        return arrays(context, &a, &b, depth);
    }
    if let (Some(a), Some(b)) = (a.read_lock::<Map>(), b.read_lock::<Map>()) {
        return maps(context, &a, &b, depth);
    }
    // These are not lists or maps, so copies are cheap.
    let (mut a, mut b) = (a.flatten_clone(), b.flatten_clone());
    let (of_a, of_b) = (a.type_id(), b.type_id());
    match context.call_native_fn_raw("==", true, &mut [&mut a, &mut b]) {
        Ok(answer) => Ok(answer.as_bool().unwrap_or(false)),
        // Values of different types are not equal.
        Err(error) => match *error {
            EvalAltResult::ErrorFunctionNotFound(..) if of_a != of_b => Ok(false),
            _ => Err(error),
        },
    }
}
