//! Rhai's values to ours and back, strictly: what cannot be kept is refused with its path.

use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map};

use super::caught::Caught;
use super::handles::Handle;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// The value, or why it cannot be kept: `value.a[1]: a closure cannot be stored`. `path` names the whole.
pub(super) fn to_value(dynamic: Dynamic, path: &str) -> Result<Value, String> {
    // Values from outside are never this deep; a script could build one and exhaust the stack.
    to_value_at(dynamic, path, 200)
}

fn to_value_at(dynamic: Dynamic, path: &str, depth: usize) -> Result<Value, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("{path}: nested too deeply"));
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
        return Ok(Value::Text(c.to_string()));
    }
    if dynamic.is::<ImmutableString>() {
        return Ok(Value::Text(dynamic.cast::<ImmutableString>().to_string()));
    }
    if dynamic.is::<Array>() {
        let items = dynamic.cast::<Array>().into_iter().enumerate();
        return items
            .map(|(index, item)| to_value_at(item, &format!("{path}[{index}]"), depth))
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    if dynamic.is::<Map>() {
        return to_record(dynamic.cast::<Map>(), path, depth).map(Value::Record);
    }
    foreign(dynamic, path)
}

fn to_record(map: Map, path: &str, depth: usize) -> Result<Record, String> {
    map.into_iter()
        .map(|(key, item)| {
            let value = to_value_at(item, &format!("{path}.{key}"), depth)?;
            Ok((key.to_string(), value))
        })
        .collect()
}

/// Types that are not Rhai's plain ones.
fn foreign(dynamic: Dynamic, path: &str) -> Result<Value, String> {
    if dynamic.is::<Secret>() {
        return Ok(Value::Secret(dynamic.cast::<Secret>()));
    }
    if dynamic.is::<Handle>() {
        return Ok(Value::Object(dynamic.cast::<Handle>().object().clone()));
    }
    if dynamic.is::<Caught>() {
        return dynamic.cast::<Caught>().to_value(path);
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

/// The value as a script sees it.
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
