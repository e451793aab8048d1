//! Pure helper functions for scripts, in addition to Rhai's standard library.

mod callbacks;
mod equality;
mod pieces;
mod texts;

use rhai::{
    Array, Blob, Dynamic, EvalAltResult, INT, ImmutableString, Map, Module, NativeCallContext, Position,
};

pub(super) use self::equality::equal;
use super::execution::Execution;
use super::handles::global;
use super::nesting;
use super::script_error::{self, ScriptError};

/// The most elements, bytes or characters that one call may create.
const MAX_LEN: INT = 16 * 1024 * 1024;

type Checked<T> = Result<T, Box<EvalAltResult>>;

/// Registers the helpers in `module`.
pub(super) fn register(module: &mut Module) {
    global("get_or")
        .with_params_info(["map: Map", "key: &str", "default: ?", "?"])
        .with_comments(["/// The value under the key, or the default if the map has no such key."])
        .set_into_module(module, |map: &mut Map, key: &str, default: Dynamic| {
            map.get(key).cloned().unwrap_or(default)
        });
    register_limited(module);
    callbacks::register(module);
    equality::register(module);
    pieces::register(module);
    texts::register(module);
    // Rhai's own version reads a clock that cannot be replayed.
    global("timestamp").set_into_module(module, || -> Checked<Dynamic> {
        let error = ScriptError::from_message(
            "`timestamp` is not available, because a resumed run could not repeat it",
        );
        Err(script_error::raise(error.with_hint("use `now()`, which is recorded")).into())
    });
}

/// Registers limited versions of Rhai's functions that create as much as requested.
fn register_limited(module: &mut Module) {
    global("blob").set_into_module(module, |context: NativeCallContext, len: INT| {
        blob(&context, len, 0)
    });
    global("blob").set_into_module(module, |context: NativeCallContext, len: INT, with: INT| {
        blob(&context, len, with)
    });
    global("pad").set_into_module(
        module,
        |context: NativeCallContext, text: &mut ImmutableString, len: INT, with: char| {
            pad_text(&context, text, len, &with.to_string())
        },
    );
    global("pad").set_into_module(
        module,
        |context: NativeCallContext, text: &mut ImmutableString, len: INT, with: &str| {
            pad_text(&context, text, len, with)
        },
    );
    global("pad").set_into_module(
        module,
        |context: NativeCallContext, array: &mut Array, len: INT, with: Dynamic| -> Checked<()> {
            let len = within(len)?;
            let missing = len.saturating_sub(array.len());
            if missing > 0 {
                let each = size_of::<Dynamic>() + nesting::extent(&with).bytes;
                check_room(&context, missing.saturating_mul(each))?;
                array.resize(len, with);
            }
            Ok(())
        },
    );
    global("pad").set_into_module(
        module,
        |context: NativeCallContext, blob: &mut Blob, len: INT, with: INT| -> Checked<()> {
            let len = within(len)?;
            if len > blob.len() {
                check_room(&context, len)?;
                blob.resize(len, byte(with));
            }
            Ok(())
        },
    );
}

fn blob(context: &NativeCallContext, len: INT, with: INT) -> Checked<Blob> {
    let len = within(len)?;
    check_room(context, len)?;
    Ok(vec![byte(with); len])
}

/// Returns the low byte, as Rhai does.
fn byte(value: INT) -> u8 {
    value.to_le_bytes()[0]
}

fn pad_text(context: &NativeCallContext, text: &mut ImmutableString, len: INT, filler: &str) -> Checked<()> {
    let len = within(len)?;
    let missing = len.saturating_sub(text.chars().count());
    if missing == 0 || filler.is_empty() {
        return Ok(());
    }
    let times = missing.div_ceil(filler.chars().count());
    check_room(
        context,
        times.saturating_mul(filler.len()).saturating_add(text.len()),
    )?;
    let mut padded = String::with_capacity(text.len() + times * filler.len());
    padded.push_str(text);
    (0..times).for_each(|_| padded.push_str(filler));
    *text = padded.into();
    Ok(())
}

fn within(len: INT) -> Checked<usize> {
    if len > MAX_LEN {
        let message = format!("{len} is more than one call may create ({MAX_LEN})");
        return Err(script_error::raise(ScriptError::from_message(message)).into());
    }
    Ok(usize::try_from(len).unwrap_or(0))
}

/// Stops the script if there is no room for so many more bytes.
fn check_room(context: &NativeCallContext, bytes: usize) -> Checked<()> {
    match Execution::of(context) {
        Some(execution) if !execution.has_room(bytes) => {
            Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into())
        }
        _ => Ok(()),
    }
}
