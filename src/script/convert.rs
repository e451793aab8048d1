//! Converts between Rhai values and [`Value`], strictly: an unsupported value is rejected with its path.

use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map};

use super::handles::{self, Handle};
use super::script_error::ScriptError;
use crate::value::Value;
use crate::value::secret::Secret;

/// The deepest accepted nesting. Values from outside stay below it; a script could build one that exhausts the stack.
const MAX_DEPTH: usize = 200;

/// Whether there is room for so many more bytes. Strings that a script shares are copied, so a small list can become
/// large.
pub(super) type MemoryCheck<'a> = &'a dyn Fn(usize) -> bool;

/// Converts a value, or says why it cannot be stored: `value.a[1]: a closure cannot be stored`. `path` names the root.
pub(super) fn to_value(dynamic: Dynamic, path: &str, room: MemoryCheck<'_>) -> Result<Value, String> {
    to_value_at(dynamic, path, MAX_DEPTH, room)
}

fn to_value_at(dynamic: Dynamic, path: &str, depth: usize, room: MemoryCheck<'_>) -> Result<Value, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("{path}: nested too deeply"));
    };
    let fits = |bytes: usize| {
        if room(bytes) {
            Ok(())
        } else {
            Err(format!("{path}: too large"))
        }
    };
    let dynamic = dynamic.flatten();
    if dynamic.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = dynamic.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(int) = dynamic.as_int() {
        return Ok(Value::Int(int));
    }
    if let Ok(float) = dynamic.as_float() {
        return Ok(Value::Float(float));
    }
    if let Ok(c) = dynamic.as_char() {
        return to_text(c.to_string(), path);
    }
    if dynamic.is::<ImmutableString>() {
        let text = dynamic.cast::<ImmutableString>();
        fits(text.len())?;
        return to_text(text.to_string(), path);
    }
    if dynamic.is::<Array>() {
        let items = dynamic.cast::<Array>();
        fits(items.len().saturating_mul(size_of::<Value>()))?;
        let items = items.into_iter().enumerate();
        return items
            .map(|(index, item)| to_value_at(item, &format!("{path}[{index}]"), depth, room))
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    if dynamic.is::<Map>() {
        let map = dynamic.cast::<Map>();
        // A node of the B-tree holds up to eleven fields.
        let field = size_of::<(String, Value)>();
        fits(map.keys().map(|key| key.len() + 2 * field).sum::<usize>() + 11 * field)?;
        return map
            .into_iter()
            .map(|(key, item)| {
                if handles::is_marked(&key) {
                    return Err(format!("{path}: a key holds a secret"));
                }
                let value = to_value_at(item, &format!("{path}.{key}"), depth, room)?;
                Ok((key.to_string(), value))
            })
            .collect::<Result<_, _>>()
            .map(Value::Record);
    }
    foreign(dynamic, path, room)
}

/// Rejects a text that contains a secret's mask, which must not be sent or stored.
fn to_text(text: String, path: &str) -> Result<Value, String> {
    if handles::is_marked(&text) {
        return Err(format!(
            "{path}: {}; {}",
            handles::INTERPOLATED_SECRET,
            handles::JOIN
        ));
    }
    Ok(Value::Text(text))
}

/// Converts types that are not built into Rhai.
fn foreign(dynamic: Dynamic, path: &str, room: MemoryCheck<'_>) -> Result<Value, String> {
    if dynamic.is::<Secret>() {
        return Ok(Value::Secret(dynamic.cast::<Secret>()));
    }
    if dynamic.is::<Handle>() {
        return Ok(Value::Object(dynamic.cast::<Handle>().object().clone()));
    }
    if dynamic.is::<ScriptError>() {
        return dynamic.cast::<ScriptError>().to_value(path, room);
    }
    let what = if dynamic.is::<FnPtr>() {
        "a closure or function"
    } else {
        match dynamic.type_name() {
            "blob" => "a blob",
            name if name.contains("Range") => "a range",
            "timestamp" => "a timestamp",
            _ => "a value of this type",
        }
    };
    Err(format!("{path}: {what} cannot be stored"))
}

/// Converts a value to its form in a script.
pub(super) fn to_dynamic(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => flag.into(),
        Value::Int(int) => int.into(),
        Value::Float(float) => float.into(),
        Value::Text(text) => text.into(),
        Value::Secret(secret) => Dynamic::from(secret),
        Value::List(items) => items.into_iter().map(to_dynamic).collect::<Array>().into(),
        Value::Record(fields) => fields
            .into_iter()
            .map(|(name, value)| (name.into(), to_dynamic(value)))
            .collect::<Map>()
            .into(),
        Value::Object(object) => Dynamic::from(Handle::new(object)),
    }
}

#[cfg(test)]
mod tests;
