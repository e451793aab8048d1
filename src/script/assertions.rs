//! What scripts that test others state about values: `assert`, `assert_eq` and `assert_fails`.

use std::collections::BTreeSet;

use rhai::{Dynamic, EvalAltResult, FnPtr, ImmutableString, Module, NativeCallContext, Position};

use super::convert;
use super::execution::Execution;
use super::handles::{global, masked};
use super::memory::CopyReservation;
use super::script_error::{self, ScriptError};
use super::std::equal;
use crate::value::Value;

/// The `kind` of an assertion that does not hold.
const FAILED: &str = "assertion_failed";

/// The most differences that are shown; the rest are counted.
const MAX_DIFFERENCES: usize = 8;

/// The longest text of a value in a difference, in characters.
const MAX_TEXT: usize = 400;

type Checked<T> = Result<T, Box<EvalAltResult>>;

/// Registers the assertions in `module`.
pub(super) fn register(module: &mut Module) {
    global("assert")
        .with_params_info(["condition: bool", "()"])
        .with_comments(["/// Fails unless the condition is true."])
        .set_into_module(module, |context: NativeCallContext, holds: bool| {
            assert(&context, holds, "the assertion does not hold")
        });
    global("assert")
        .with_params_info(["condition: bool", "message: string", "()"])
        .with_comments(["/// Fails with the message unless the condition is true."])
        .set_into_module(
            module,
            |context: NativeCallContext, holds: bool, message: ImmutableString| {
                assert(&context, holds, &masked(&message))
            },
        );
    global("assert_eq")
        .with_params_info(["actual: ?", "expected: ?", "()"])
        .with_comments(["/// Fails unless both values are equal, and shows where they differ."])
        .set_into_module(
            module,
            |context: NativeCallContext, actual: Dynamic, expected: Dynamic| {
                assert_eq(&context, &actual, &expected, "the values differ")
            },
        );
    global("assert_eq")
        .with_params_info(["actual: ?", "expected: ?", "message: string", "()"])
        .with_comments(["/// The same, with a message of its own."])
        .set_into_module(
            module,
            |context: NativeCallContext, actual: Dynamic, expected: Dynamic, message: ImmutableString| {
                assert_eq(&context, &actual, &expected, &masked(&message))
            },
        );
    global("assert_fails")
        .with_volatility(true)
        .with_params_info(["kind: string", "function: Fn", "error"])
        .with_comments([
            "/// Calls the function, fails unless it fails with this `kind`, and returns its error.",
        ])
        .set_into_module(module, assert_fails);
}

fn assert(context: &NativeCallContext, holds: bool, message: &str) -> Checked<()> {
    if holds {
        return Ok(());
    }
    Err(failure(context, message, Vec::new()).into())
}

fn assert_eq(
    context: &NativeCallContext,
    actual: &Dynamic,
    expected: &Dynamic,
    message: &str,
) -> Checked<()> {
    if equal(context, actual, expected)? {
        return Ok(());
    }
    let notes = match (value(context, actual), value(context, expected)) {
        (Some(actual), Some(expected)) => differences(&actual, &expected),
        _ => vec![
            format!("actual: {}", script_error::shown(actual)),
            format!("expected: {}", script_error::shown(expected)),
        ],
    };
    Err(failure(context, message, notes).into())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn assert_fails(context: NativeCallContext, kind: ImmutableString, function: FnPtr) -> Checked<Dynamic> {
    let outcome = function.call_within_context::<Dynamic>(&context, ());
    if Execution::of(&context).is_some_and(|execution| execution.must_stop()) {
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into());
    }
    let error = match outcome {
        Ok(_) => {
            let message = format!("it did not fail; expected a failure of the kind `{kind}`");
            return Err(failure(&context, &message, Vec::new()).into());
        }
        Err(error) if script_error::is_uncatchable(error.unwrap_inner()) => return Err(error),
        Err(error) => error,
    };
    let caught = script_error::from_error(&error);
    if caught.kind() == kind.as_str() {
        return Ok(Dynamic::from(caught));
    }
    // An assertion inside keeps its own line.
    if caught.kind() == FAILED {
        return Err(error);
    }
    let message = format!("it failed with `{}`, not `{kind}`", caught.kind());
    Err(failure(&context, &message, vec![caught.message().to_owned()]).into())
}

/// The error of an assertion that does not hold, called here.
fn failure(context: &NativeCallContext, message: &str, notes: Vec<String>) -> EvalAltResult {
    let error = ScriptError::of_kind(FAILED, message.to_owned(), context);
    script_error::raise(error.with_notes(notes))
}

/// The value as data, to be compared piece by piece; `None` if it is not data.
fn value(context: &NativeCallContext, value: &Dynamic) -> Option<Value> {
    let execution = Execution::of(context)?;
    let copies = CopyReservation::of(&execution);
    convert::to_value(value.clone(), "value", &|bytes| copies.ensure_room(bytes)).ok()
}

/// Describes where two values differ.
fn differences(actual: &Value, expected: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", actual, expected, &mut found);
    if let [
        Difference {
            path,
            actual,
            expected,
        },
    ] = found.as_slice()
        && path.is_empty()
    {
        return vec![format!("actual: {actual}"), format!("expected: {expected}")];
    }
    let more = found.len().saturating_sub(MAX_DIFFERENCES);
    found.truncate(MAX_DIFFERENCES);
    let mut lines: Vec<String> = found.iter().map(Difference::line).collect();
    if more > 0 {
        lines.push(format!("and {more} more differences"));
    }
    lines
}

/// One place where two values differ.
struct Difference {
    /// Its path in both values: `.tenants[0].email`.
    path: String,
    actual: String,
    expected: String,
}

impl Difference {
    fn line(&self) -> String {
        let place = if self.path.is_empty() {
            "the value"
        } else {
            &self.path
        };
        format!("{place} is {}; expected {}", self.actual, self.expected)
    }
}

fn compare(path: &str, actual: &Value, expected: &Value, found: &mut Vec<Difference>) {
    match (actual, expected) {
        (Value::List(actual), Value::List(expected)) => {
            let all = 0..actual.len().max(expected.len());
            for at in all {
                pair(&format!("{path}[{at}]"), actual.get(at), expected.get(at), found);
            }
        }
        (Value::Record(actual), Value::Record(expected)) => {
            let names: BTreeSet<&String> = actual.keys().chain(expected.keys()).collect();
            for name in names {
                pair(
                    &format!("{path}.{name}"),
                    actual.get(name),
                    expected.get(name),
                    found,
                );
            }
        }
        _ if equal_leaves(actual, expected) => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            actual: shown(actual),
            expected: match (actual, expected) {
                (Value::Secret(_), Value::Secret(_)) => "another secret".to_owned(),
                _ => shown(expected),
            },
        }),
    }
}

/// Compares two parts of which one may be missing.
fn pair(path: &str, actual: Option<&Value>, expected: Option<&Value>, found: &mut Vec<Difference>) {
    match (actual, expected) {
        (Some(actual), Some(expected)) => compare(path, actual, expected, found),
        (actual, expected) => {
            let text = |value: Option<&Value>| value.map_or_else(|| "missing".to_owned(), shown);
            found.push(Difference {
                path: path.to_owned(),
                actual: text(actual),
                expected: expected.map_or_else(|| "no such item".to_owned(), shown),
            });
        }
    }
}

/// As `==` in scripts: an integer may equal a float.
#[expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "scripts compare numbers in the same way"
)]
fn equal_leaves(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
            *int as f64 == *float
        }
        _ => actual == expected,
    }
}

/// The value as a script writes it, with secrets masked.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "()".to_owned(),
        Value::Secret(_) => "a secret".to_owned(),
        value => value.to_masked_json().to_string(),
    };
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(MAX_TEXT).collect();
    let left = chars.count();
    if left == 0 {
        return start;
    }
    format!("{start}… ({left} more characters)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        Value::from_json(serde_json::from_str(json).unwrap_or_default())
    }

    #[test]
    fn differences_are_named_by_their_path() {
        let actual = value(r#"{"list": [{"a": 1}, {"a": 2}], "same": 7, "extra": true}"#);
        let expected = value(r#"{"list": [{"a": 1}, {"a": 3}, 4], "same": 7.0, "missing": null}"#);
        assert_eq!(
            differences(&actual, &expected),
            [
                ".extra is true; expected no such item",
                ".list[1].a is 2; expected 3",
                ".list[2] is missing; expected 4",
                ".missing is missing; expected ()",
            ]
        );
    }

    #[test]
    fn a_difference_of_two_plain_values_shows_both() {
        assert_eq!(
            differences(&"a\nb".into(), &Value::Int(1)),
            ["actual: \"a\\nb\"", "expected: 1"]
        );
    }

    #[test]
    fn long_lists_of_differences_and_long_texts_are_cut() {
        let list = |from: i64| Value::List((from..from + 20).map(Value::Int).collect());
        let lines = differences(&list(0), &list(1));
        assert_eq!(lines.len(), MAX_DIFFERENCES + 1);
        assert_eq!(lines.last().map(String::as_str), Some("and 12 more differences"));
        let long = shown(&"x".repeat(1000).into());
        assert!(long.ends_with("… (602 more characters)"), "{long}");
    }
}
