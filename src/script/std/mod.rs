//! Pure helpers that scripts have beside Rhai's own standard functions.

mod texts;

use rhai::{Array, Blob, Dynamic, EvalAltResult, INT, ImmutableString, Map, Module};

use super::caught::{self, Caught};
use super::handles::global;

/// The most elements, bytes or characters that one call may make at once.
const LARGEST: INT = 16 * 1024 * 1024;

type Checked<T> = Result<T, Box<EvalAltResult>>;

/// Puts the helpers into `module`.
pub(super) fn register(module: &mut Module) {
    global("get_or")
        .with_params_info(["map: Map", "key: &str", "default: ?", "?"])
        .with_comments(["/// The value under the key, or the default when the map has no such key."])
        .set_into_module(module, |map: &mut Map, key: &str, default: Dynamic| {
            map.get(key).cloned().unwrap_or(default)
        });
    register_limited(module);
    texts::register(module);
    // Rhai's own reads a clock that cannot be replayed.
    global("timestamp").set_into_module(module, || -> Checked<Dynamic> {
        let error =
            Caught::script_error("`timestamp` is not available, because a resumed run could not repeat it");
        Err(caught::raise(error.with_hint("use `now()`, which is recorded")).into())
    });
}

/// Rhai's functions that make as much as they are told, told less.
fn register_limited(module: &mut Module) {
    global("blob").set_into_module(module, |len: INT| blob(len, 0));
    global("blob").set_into_module(module, blob);
    global("pad").set_into_module(module, |text: &mut ImmutableString, len: INT, with: char| {
        pad_text(text, len, &with.to_string())
    });
    global("pad").set_into_module(module, |text: &mut ImmutableString, len: INT, with: &str| {
        pad_text(text, len, with)
    });
    global("pad").set_into_module(
        module,
        |array: &mut Array, len: INT, with: Dynamic| -> Checked<()> {
            let len = within(len)?;
            if len > array.len() {
                array.resize(len, with);
            }
            Ok(())
        },
    );
    global("pad").set_into_module(module, |blob: &mut Blob, len: INT, with: INT| -> Checked<()> {
        let len = within(len)?;
        if len > blob.len() {
            blob.resize(len, byte(with));
        }
        Ok(())
    });
}

fn blob(len: INT, with: INT) -> Checked<Blob> {
    Ok(vec![byte(with); within(len)?])
}

/// The low byte, as Rhai takes it.
fn byte(value: INT) -> u8 {
    value.to_le_bytes()[0]
}

fn pad_text(text: &mut ImmutableString, len: INT, filler: &str) -> Checked<()> {
    let len = within(len)?;
    let mut missing = len.saturating_sub(text.chars().count());
    if missing == 0 || filler.is_empty() {
        return Ok(());
    }
    let mut padded = text.to_string();
    let width = filler.chars().count();
    while missing > 0 {
        padded.push_str(filler);
        missing = missing.saturating_sub(width);
    }
    *text = padded.into();
    Ok(())
}

fn within(len: INT) -> Checked<usize> {
    if len > LARGEST {
        let message = format!("{len} is more than one call may make ({LARGEST})");
        return Err(caught::raise(Caught::script_error(message)).into());
    }
    Ok(usize::try_from(len).unwrap_or(0))
}
