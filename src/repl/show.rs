//! Values as people see them.

use super::around::Screen;
use crate::script::interactive::Answer;
use crate::value::Value;

/// Shows what an input gave.
pub(super) fn show(screen: &dyn Screen, answer: &Answer) {
    match answer {
        Answer::Nothing => {}
        Answer::Value(value) => screen.out(&text(value)),
        Answer::Other(what) => screen.out(&format!("<{what}>")),
    }
}

/// A value as text, secrets masked.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => value.to_masked_json().to_string(),
    }
}
