//! Functions that produce large results from a short text: Rhai's own cannot be interrupted and have no limit.

use rhai::{Array, Blob, Dynamic, ImmutableString, Module, NativeCallContext};

use super::{Checked, INT, check_room};
use crate::script::convert;
use crate::script::handles::global;
use crate::value::{Value, read_json};

/// The bytes that a piece of a text takes in addition to its characters.
const PIECE: usize = size_of::<Dynamic>() + 48;

/// Registers the functions in `module`.
pub(super) fn register(module: &mut Module) {
    register_replace(module);
    register_split(module);
    global("to_chars").set_into_module(
        module,
        |context: NativeCallContext, text: &str| -> Checked<Array> {
            check_room(&context, text.len().saturating_mul(2 * size_of::<Dynamic>()))?;
            Ok(text.chars().map(Dynamic::from).collect())
        },
    );
    global("to_array").set_into_module(
        module,
        |context: NativeCallContext, blob: &mut Blob| -> Checked<Array> {
            check_room(&context, blob.len().saturating_mul(size_of::<Dynamic>()))?;
            Ok(blob.iter().map(|&byte| INT::from(byte).into()).collect())
        },
    );
    global("parse_json").set_into_module(module, parse_json);
}

fn register_replace(module: &mut Module) {
    global("replace").set_into_module(
        module,
        |context: NativeCallContext, text: &mut ImmutableString, find: &str, with: &str| {
            replace(&context, text, find, with)
        },
    );
    global("replace").set_into_module(
        module,
        |context: NativeCallContext, text: &mut ImmutableString, find: &str, with: char| {
            replace(&context, text, find, &with.to_string())
        },
    );
    global("replace").set_into_module(
        module,
        |context: NativeCallContext, text: &mut ImmutableString, find: char, with: &str| {
            replace(&context, text, &find.to_string(), with)
        },
    );
    global("replace").set_into_module(
        module,
        |context: NativeCallContext, text: &mut ImmutableString, find: char, with: char| {
            replace(&context, text, &find.to_string(), &with.to_string())
        },
    );
}

fn replace(context: &NativeCallContext, text: &mut ImmutableString, find: &str, with: &str) -> Checked<()> {
    if text.is_empty() {
        return Ok(());
    }
    let more = text.matches(find).count().saturating_mul(with.len());
    // The new text grows by doubling.
    check_room(context, text.len().saturating_add(more).saturating_mul(2))?;
    *text = text.replace(find, with).into();
    Ok(())
}

fn register_split(module: &mut Module) {
    global("split").set_into_module(
        module,
        |context: NativeCallContext, text: &mut ImmutableString| -> Checked<Array> {
            if text.is_empty() {
                return Ok(vec![text.clone().into()]);
            }
            check_room(&context, room_for(text, text.split_whitespace().count()))?;
            Ok(text.split_whitespace().map(Into::into).collect())
        },
    );
    for (name, from_the_end) in [("split", false), ("split_rev", true)] {
        global(name).set_into_module(
            module,
            move |context: NativeCallContext, text: &mut ImmutableString, at: &str| {
                split(&context, text, at, usize::MAX, from_the_end)
            },
        );
        global(name).set_into_module(
            module,
            move |context: NativeCallContext, text: &mut ImmutableString, at: char| {
                split(&context, text, &at.to_string(), usize::MAX, from_the_end)
            },
        );
        global(name).set_into_module(
            module,
            move |context: NativeCallContext, text: &mut ImmutableString, at: &str, limit: INT| {
                split(&context, text, at, count(limit), from_the_end)
            },
        );
        global(name).set_into_module(
            module,
            move |context: NativeCallContext, text: &mut ImmutableString, at: char, limit: INT| {
                split(&context, text, &at.to_string(), count(limit), from_the_end)
            },
        );
    }
}

/// Converts a piece count; zero or less means the whole text as one piece.
fn count(pieces: INT) -> usize {
    usize::try_from(pieces).unwrap_or(0).max(1)
}

fn split(
    context: &NativeCallContext,
    text: &ImmutableString,
    at: &str,
    limit: usize,
    from_the_end: bool,
) -> Checked<Array> {
    if text.is_empty() || limit == 1 || !text.contains(at) {
        return Ok(vec![text.clone().into()]);
    }
    check_room(context, room_for(text, text.matches(at).count().min(limit)))?;
    Ok(if from_the_end {
        text.rsplitn(limit, at).map(Into::into).collect()
    } else {
        text.splitn(limit, at).map(Into::into).collect()
    })
}

/// The bytes needed for a text in so many pieces.
fn room_for(text: &str, pieces: usize) -> usize {
    pieces
        .saturating_add(2)
        .saturating_mul(PIECE)
        .saturating_add(text.len())
}

/// Parses JSON like a response: integers beyond 64 bits become text.
#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn parse_json(context: NativeCallContext, text: &str) -> Checked<Dynamic> {
    let room = text.bytes().fold(text.len(), |room, byte| {
        room.saturating_add(match byte {
            b'{' => 1024,
            b'[' | b',' | b':' => 128,
            _ => 0,
        })
    });
    check_room(&context, room)?;
    let json = read_json(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(convert::to_dynamic(Value::from_json(json)))
}
