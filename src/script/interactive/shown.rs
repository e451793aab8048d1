//! Converts values for display: anything that is not data is replaced by its type, the rest is unchanged.

use rhai::{Array, Dynamic, ImmutableString, Map};

use super::type_name;
use crate::script::convert::{self, MemoryCheck};
use crate::script::handles;
use crate::value::{Object, Value};

/// The deepest nesting that is shown: a script could build a value that exhausts the stack.
const MAX_DEPTH: usize = 150;

/// Returns the value, and whether all of it is data that there is room for.
pub(super) fn shown(value: Dynamic, room: MemoryCheck<'_>) -> (Value, bool) {
    let mut is_complete = true;
    let value = within(value, MAX_DEPTH, &mut is_complete, room);
    (value, is_complete)
}

fn within(value: Dynamic, depth: usize, is_complete: &mut bool, room: MemoryCheck<'_>) -> Value {
    let value = value.flatten();
    let Some(depth) = depth.checked_sub(1) else {
        *is_complete = false;
        return Value::Object(Object::placeholder("more inside"));
    };
    if value.is::<Array>() {
        let items = value.cast::<Array>().into_iter();
        return Value::List(items.map(|item| within(item, depth, is_complete, room)).collect());
    }
    if value.is::<Map>() {
        let fields = value.cast::<Map>().into_iter();
        return Value::Record(
            fields
                .map(|(name, value)| (name.to_string(), within(value, depth, is_complete, room)))
                .collect(),
        );
    }
    if let Some(text) = value.read_lock::<ImmutableString>()
        && handles::is_marked(&text)
    {
        return Value::Text(handles::masked(&text));
    }
    let what = type_name(&value);
    convert::to_value(value, "value", room).unwrap_or_else(|_| {
        *is_complete = false;
        Value::Object(Object::placeholder(&what))
    })
}
