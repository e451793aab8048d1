//! One value as one field of text.

use serde_json::Value as Json;

use super::reveal::Reveal;
use crate::value::Value;

/// The field of a separated file: text as it is, nothing as an empty field, numbers and bools plain, lists and maps as
/// compact JSON. A text that a spreadsheet would take for a formula is written as it is: the file is data.
pub(super) fn field(column: &str, value: &Value, reveal: &Reveal) -> String {
    match reveal.json(column, value) {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}
