//! The error that a script catches: one type, whatever was thrown, so that `err.kind`, `err.status`, `err.message` and
//! `err.hint` work in every `catch`.
//!
//! Rhai itself passes a `catch` block the thrown value, and a plain map for its own errors. Since an unknown property
//! of a map is an error here, `err.status` would fail on those. Therefore every `catch (err)` block that runs starts
//! with [`normalising_statement`].

use std::cell::Cell;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, Module, NativeCallContext, Position};

use super::convert::{self, MemoryCheck};
use super::execution::Execution;
use super::handles::{self, global};

use super::parse;
use crate::operation::error::OpError;
use crate::value::nearest::nearest;
use crate::value::{Record, Value};

/// The function that converts a thrown value to an error.
const NORMALISE: &str = "__caught";

/// Returns the first statement of a running `catch (name)` block.
pub(super) fn normalising_statement(name: &str) -> String {
    format!("{name}={NORMALISE}({name});")
}

/// An error as a script sees it.
#[derive(Debug, Clone)]
pub(super) struct ScriptError(Arc<ErrorDetails>);

#[derive(Debug, Clone)]
struct ErrorDetails {
    kind: String,
    message: String,
    status: Dynamic,
    hint: Dynamic,
    /// The thrown value, if the script threw it.
    thrown: Dynamic,
    /// Further properties: those of a thrown map, or Rhai's details on its own errors.
    more: Map,
    /// Facts for whoever reads the report, each a sentence without a full stop.
    notes: Vec<String>,
    /// The failed operation.
    operation: Option<OpError>,
    /// Where it first occurred: source, line and column in the running text.
    origin: Option<(String, usize, usize)>,
}

/// Converts an error that a script may catch to Rhai's type.
pub(super) fn raise(caught: ScriptError) -> EvalAltResult {
    EvalAltResult::ErrorRuntime(Dynamic::from(caught), Position::NONE)
}

impl ScriptError {
    fn new(kind: &str, message: String) -> ScriptError {
        ScriptError(Arc::new(ErrorDetails {
            kind: kind.to_owned(),
            message,
            status: Dynamic::UNIT,
            hint: Dynamic::UNIT,
            thrown: Dynamic::UNIT,
            more: Map::new(),
            notes: Vec::new(),
            operation: None,
            origin: None,
        }))
    }

    /// Creates an error for a mistake in the script.
    pub(super) fn from_message(message: impl Into<String>) -> ScriptError {
        ScriptError::new("script_error", message.into())
    }

    /// Creates an error for an operation that failed, called here.
    pub(super) fn operation(error: OpError, context: &NativeCallContext) -> ScriptError {
        let mut caught = ScriptError::of_kind(error.code.as_str(), error.message.clone(), context);
        caught.change(|fault| {
            fault.status = error
                .status
                .map_or(Dynamic::UNIT, |status| i64::from(status).into());
            fault.hint = error.hint.clone().map_or(Dynamic::UNIT, Dynamic::from);
            fault.operation = Some(error);
        });
        caught
    }

    /// Creates an error of a function that is called here.
    pub(super) fn of_kind(kind: &str, message: String, context: &NativeCallContext) -> ScriptError {
        let mut caught = ScriptError::new(kind, message);
        let (line, column) = parse::place(context.call_position());
        let source = context.call_source().unwrap_or_default().to_owned();
        caught.change(|fault| fault.origin = Some((source, line, column)));
        caught
    }

    pub(super) fn with_notes(mut self, notes: Vec<String>) -> ScriptError {
        self.change(|fault| fault.notes = notes);
        self
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> ScriptError {
        let hint = hint.into();
        self.change(|fault| fault.hint = hint.into());
        self
    }

    /// Converts the value that Rhai passes to a `catch` block.
    pub(super) fn from_thrown(thrown: Dynamic) -> ScriptError {
        let thrown = thrown.flatten();
        if thrown.is::<ScriptError>() {
            return thrown.cast::<ScriptError>();
        }
        if !thrown.is::<Map>() {
            let mut caught = ScriptError::new("thrown", shown(&thrown));
            caught.change(|fault| fault.thrown = thrown);
            return caught;
        }
        let map = thrown.cast::<Map>();
        if is_rhai_error(&map) {
            native(map)
        } else {
            thrown_map(map)
        }
    }

    pub(super) fn kind(&self) -> &str {
        &self.0.kind
    }

    pub(super) fn message(&self) -> &str {
        &self.0.message
    }

    pub(super) fn hint(&self) -> Option<String> {
        self.0
            .hint
            .clone()
            .into_immutable_string()
            .ok()
            .map(|hint| hint.to_string())
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.0
            .status
            .as_int()
            .ok()
            .and_then(|status| u16::try_from(status).ok())
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.0.notes
    }

    pub(super) fn failed_operation(&self) -> Option<&OpError> {
        self.0.operation.as_ref()
    }

    /// Where it first occurred: source, line and column in the running text.
    pub(super) fn origin(&self) -> Option<&(String, usize, usize)> {
        self.0.origin.as_ref()
    }

    /// Converts the error to data, for a script that returns it.
    pub(super) fn to_value(&self, path: &str, room: MemoryCheck<'_>) -> Result<Value, String> {
        if !room(self.message().len()) {
            return Err(format!("{path}: too large"));
        }
        let mut fields = Record::new();
        fields.insert("kind".into(), self.kind().into());
        fields.insert("message".into(), self.message().into());
        fields.insert(
            "status".into(),
            convert::to_value(self.0.status.clone(), path, room)?,
        );
        fields.insert("hint".into(), convert::to_value(self.0.hint.clone(), path, room)?);
        Ok(Value::Record(fields))
    }

    /// The address of the data, which copies share.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The values inside it.
    pub(super) fn held(&self) -> impl Iterator<Item = &Dynamic> {
        self.0
            .more
            .values()
            .chain([&self.0.thrown, &self.0.hint, &self.0.status])
    }

    /// Replaces the values inside it.
    pub(super) fn map_held(
        mut self,
        map: &mut dyn FnMut(Dynamic) -> Result<Dynamic, Box<EvalAltResult>>,
    ) -> Result<ScriptError, Box<EvalAltResult>> {
        let details = Arc::make_mut(&mut self.0);
        let own = [&mut details.thrown, &mut details.hint, &mut details.status];
        for value in details.more.values_mut().chain(own) {
            *value = map(std::mem::take(value))?;
        }
        Ok(self)
    }

    fn change(&mut self, change: impl FnOnce(&mut ErrorDetails)) {
        change(Arc::make_mut(&mut self.0));
    }

    fn property(&self, name: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        let fault = &self.0;
        match name {
            "kind" => Ok(fault.kind.clone().into()),
            "message" => Ok(fault.message.clone().into()),
            "status" => Ok(fault.status.clone()),
            "hint" => Ok(fault.hint.clone()),
            "value" => Ok(fault.thrown.clone()),
            _ => fault
                .more
                .get(name)
                .cloned()
                .ok_or_else(|| self.no_property(name).into()),
        }
    }

    fn no_property(&self, name: &str) -> EvalAltResult {
        let own = ["kind", "status", "message", "hint", "value"];
        let known: Vec<&str> = own
            .into_iter()
            .chain(self.0.more.keys().map(rhai::Identifier::as_str))
            .collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its properties are {}", known.join(", ")),
        };
        raise(ScriptError::from_message(format!("this error has no property `{name}`")).with_hint(hint))
    }
}

/// Whether the map contains Rhai's details on one of its own errors.
fn is_rhai_error(map: &Map) -> bool {
    let error = map
        .get("error")
        .cloned()
        .and_then(|error| error.into_immutable_string().ok());
    error.is_some_and(|error| error.starts_with("Error")) && map.contains_key("message")
}

fn native(mut map: Map) -> ScriptError {
    let text = |map: &Map, key: &str| {
        let value = map.get(key).cloned()?;
        value.into_immutable_string().ok().map(|text| text.to_string())
    };
    let message = text(&map, "message").unwrap_or_default();
    let number = |map: &Map, key: &str| {
        let value = map.get(key)?.as_int().ok()?;
        usize::try_from(value).ok()
    };
    let mut caught = ScriptError::from_message(plain(&message));
    let place = number(&map, "line").zip(number(&map, "position"));
    // For an error inside a called function, `source` is the function's and the line is the caller's.
    let source =
        text(&map, "source").filter(|_| text(&map, "error").as_deref() != Some("ErrorInFunctionCall"));
    map.remove("message");
    caught.change(|fault| {
        fault.origin = source
            .zip(place)
            .map(|(source, (line, column))| (source, line, column));
        fault.more = map;
    });
    caught
}

fn thrown_map(map: Map) -> ScriptError {
    let text = |key: &str| {
        map.get(key)
            .cloned()
            .and_then(|value| value.into_immutable_string().ok())
    };
    let kind = text("kind").unwrap_or_else(|| "thrown".into());
    let message = text("message").map_or_else(|| shown(&map.clone().into()), |text| handles::masked(&text));
    let mut caught = ScriptError::new(&kind, message);
    caught.change(|fault| {
        fault.status = map.get("status").cloned().unwrap_or_default();
        fault.hint = map.get("hint").cloned().unwrap_or_default();
        fault.thrown = map.clone().into();
        fault.more = map;
    });
    caught
}

/// Rhai's message in lower case, without positions, which are shown separately.
pub(super) fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.rfind(" (line ").map_or(line, |at| &line[..at]);
    let line = line.rfind(" @ '").map_or(line, |at| &line[..at]);
    lower_first(line)
}

/// Lower-cases the first letter: Rhai's messages start with a capital, ours do not.
pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// The most bytes of a thrown value that are written into a message.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Formats a thrown value as text, with secrets masked.
pub(super) fn shown(value: &Dynamic) -> String {
    if value.is_unit() {
        return "an error was thrown".to_owned();
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return handles::masked(cut(&text));
    }
    let left = Cell::new(MAX_TEXT_BYTES);
    let fits = |bytes: usize| left.get().checked_sub(bytes).map(|rest| left.set(rest)).is_some();
    match convert::to_value(value.clone(), "value", &fits) {
        Ok(Value::Text(text)) => text,
        Ok(value) => value.to_masked_json().to_string(),
        Err(_) => "a value that cannot be shown".to_owned(),
    }
}

/// Truncates a text to the length that a message allows.
fn cut(text: &str) -> &str {
    let mut end = MAX_TEXT_BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Registers the type, `attempt` and the normalising function in `module`.
pub(super) fn register(module: &mut Module) {
    module.set_custom_type::<ScriptError>("error");
    rhai::FuncRegistration::new_index_getter()
        .set_into_module(module, |caught: &mut ScriptError, name: &str| {
            caught.property(name)
        });
    global("to_string").set_into_module(module, |caught: &mut ScriptError| caught.message().to_owned());
    global("to_debug").set_into_module(module, |caught: &mut ScriptError| {
        format!("error({}: {})", caught.kind(), caught.message())
    });
    // A caught text can still be compared with the text that was thrown.
    global("==").set_into_module(module, |a: ScriptError, b: ImmutableString| {
        a.message() == b.as_str()
    });
    global("==").set_into_module(module, |a: ImmutableString, b: ScriptError| {
        a.as_str() == b.message()
    });
    global("!=").set_into_module(module, |a: ScriptError, b: ImmutableString| {
        a.message() != b.as_str()
    });
    global("!=").set_into_module(module, |a: ImmutableString, b: ScriptError| {
        a.as_str() != b.message()
    });
    global(NORMALISE).set_into_module(module, |thrown: Dynamic| {
        Dynamic::from(ScriptError::from_thrown(thrown))
    });
    global("attempt")
        .with_volatility(true)
        .with_params_info(["function: Fn", "map"])
        .with_comments(["/// Calls the closure and gives #{ok, value, error} instead of throwing."])
        .set_into_module(module, attempt);
}

/// Implements `attempt(|| ..)`: returns `#{ok, value, error}`. Uncatchable errors pass through.
#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn attempt(context: NativeCallContext, function: FnPtr) -> Result<Map, Box<EvalAltResult>> {
    let outcome = function.call_within_context::<Dynamic>(&context, ());
    if let Some(execution) = Execution::of(&context)
        && execution.must_stop()
    {
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into());
    }
    let mut result = Map::new();
    match outcome {
        Ok(value) => {
            result.insert("ok".into(), true.into());
            result.insert("value".into(), value);
            result.insert("error".into(), Dynamic::UNIT);
        }
        Err(error) if is_uncatchable(error.unwrap_inner()) => return Err(error),
        Err(error) => {
            result.insert("ok".into(), false.into());
            result.insert("value".into(), Dynamic::UNIT);
            result.insert("error".into(), Dynamic::from(from_error(&error)));
        }
    }
    Ok(result)
}

/// Whether no script may catch this error.
pub(super) fn is_uncatchable(inner: &EvalAltResult) -> bool {
    inner.is_pseudo_error() || !inner.is_catchable()
}

/// Converts an error that Rhai reports.
pub(super) fn from_error(error: &EvalAltResult) -> ScriptError {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(thrown, _) => ScriptError::from_thrown(thrown.clone()),
        other => ScriptError::from_message(plain(&other.to_string())),
    }
}
