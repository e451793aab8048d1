//! Lists and maps as text. Rhai's own cannot be stopped, however long the list is.

use std::fmt::Write as _;

use rhai::{Array, Dynamic, EvalAltResult, Map, Module, NativeCallContext};

use crate::script::handles::global;
use crate::script::live::Live;

type Written = Result<String, Box<EvalAltResult>>;

/// The names by which Rhai asks for a text.
const NAMES: [&str; 4] = ["to_string", "to_debug", "print", "debug"];

/// So many elements are written between two looks at whether to stop.
const AT_ONCE: usize = 1024;

/// Puts the functions into `module`.
pub(super) fn register(module: &mut Module) {
    for name in NAMES {
        global(name).set_into_module(module, array);
        global(name).set_into_module(module, map);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn array(context: NativeCallContext<'_>, array: &mut Array) -> Written {
    let mut text = String::from("[");
    for (at, item) in array.iter_mut().enumerate() {
        go_on(&context, at)?;
        text.push_str(if at == 0 { "" } else { ", " });
        text.push_str(&element(&context, item)?);
    }
    text.push(']');
    Ok(text)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn map(context: NativeCallContext<'_>, map: &mut Map) -> Written {
    let mut text = String::from("#{");
    for (at, (key, value)) in map.iter_mut().enumerate() {
        go_on(&context, at)?;
        text.push_str(if at == 0 { "" } else { ", " });
        let value = element(&context, value)?;
        // Writing to a String cannot fail.
        let _ = write!(text, "{key:?}: {value}");
    }
    text.push('}');
    Ok(text)
}

fn go_on(context: &NativeCallContext<'_>, at: usize) -> Result<(), Box<EvalAltResult>> {
    if at.is_multiple_of(AT_ONCE) && Live::of(context).is_some_and(|live| live.must_stop()) {
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, context.call_position()).into());
    }
    Ok(())
}

fn element(context: &NativeCallContext<'_>, item: &mut Dynamic) -> Written {
    // A call for each would take a hundred times as long.
    if item.is_int() || item.is_bool() || item.is_string() || item.is_char() || item.is_unit() {
        return Ok(format!("{item:?}"));
    }
    let name = item.type_name();
    let text = context.call_native_fn_raw("to_debug", true, &mut [item]);
    match text {
        Ok(text) => Ok(text.into_string().unwrap_or_else(ToOwned::to_owned)),
        Err(error) => match error.unwrap_inner() {
            EvalAltResult::ErrorTerminated(..) => Err(error),
            _ => Ok(name.to_owned()),
        },
    }
}
