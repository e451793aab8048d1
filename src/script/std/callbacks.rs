//! Array functions that take a function: Rhai also takes the name of one as text, and calls whatever has that name.

use rhai::{Array, Dynamic, FnPtr, INT, ImmutableString, Module, NativeCallContext};

use super::Checked;
use crate::script::function::is_other_count;
use crate::script::handles::global;
use crate::script::script_error::{self, ScriptError};

/// Refuses texts as functions: a library could return the name of a function or operation of its importer.
pub(super) fn register(module: &mut Module) {
    for name in [
        "map",
        "filter",
        "some",
        "all",
        "dedup",
        "reduce",
        "reduce_rev",
        "sort",
        "drain",
        "retain",
    ] {
        global(name).set_into_module(module, move |_: &mut Array, text: &str| refuse(name, text));
    }
    for name in ["reduce", "reduce_rev"] {
        global(name).set_into_module(module, move |_: &mut Array, text: &str, _: Dynamic| {
            refuse(name, text)
        });
    }
    global("index_of").set_into_module(module, |items: &mut Array, text: &str| index_of(items, text, 0));
    global("index_of").set_into_module(module, |items: &mut Array, text: &str, from: INT| {
        index_of(items, text, from)
    });
    global("for_each").set_into_module(module, for_each);
}

fn refuse(name: &str, text: &str) -> Checked<Dynamic> {
    let error = ScriptError::from_message(format!("`{name}` takes a function, not a text"));
    let hint = format!("write `|x| {text}(x)`");
    Err(script_error::raise(error.with_hint(hint)).into())
}

/// Returns the index of a text, or -1; `from` counts from the end if it is negative.
fn index_of(items: &mut Array, text: &str, from: INT) -> INT {
    let count = INT::try_from(items.len()).unwrap_or(INT::MAX);
    let from = if from < 0 { (count + from).max(0) } else { from };
    let is_text = |item: &Dynamic| {
        item.read_lock::<ImmutableString>()
            .is_some_and(|item| item.as_str() == text)
    };
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let found = items
        .iter()
        .enumerate()
        .skip(from)
        .find(|(_, item)| is_text(item));
    found.map_or(-1, |(at, _)| INT::try_from(at).unwrap_or(-1))
}

/// Calls the function with each element as `this`, and with its index if it takes one. Rhai's own offers the element
/// without the index first, which a function from another realm would take for its parameter.
#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn for_each(context: NativeCallContext, items: &mut Array, function: FnPtr) -> Checked<()> {
    for (at, item) in items.iter_mut().enumerate() {
        let index = Dynamic::from(INT::try_from(at).unwrap_or(INT::MAX));
        let called = function.call_raw(&context, Some(item), [index]);
        match called {
            Err(error) if is_other_count(&error, &function) => {
                let _ = function.call_raw(&context, Some(item), [])?;
            }
            called => drop(called?),
        }
    }
    Ok(())
}
