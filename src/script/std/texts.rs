//! Formats lists and maps as text. Rhai's own version cannot be interrupted, however long the list is.

use std::fmt::{self, Write as _};

use rhai::{Array, Dynamic, ImmutableString, Map, Module, NativeCallContext};

use crate::script::execution::Execution;
use crate::script::handles::{self, global};

/// The names of Rhai's formatting functions.
const NAMES: [&str; 4] = ["to_string", "to_debug", "print", "debug"];

/// How many elements are written between two checks whether to stop.
const STOP_CHECK_INTERVAL: usize = 1024;

/// The deepest nesting that is written; `…` replaces the rest. Values that deep are never stored either.
const MAX_DEPTH: usize = 200;

/// Registers the functions in `module`.
pub(super) fn register(module: &mut Module) {
    for name in NAMES {
        global(name).set_into_module(module, |context: NativeCallContext, array: &mut Array| {
            Text::of(&context, |text| text.array(array, MAX_DEPTH))
        });
        global(name).set_into_module(module, |context: NativeCallContext, map: &mut Map| {
            Text::of(&context, |text| text.map(map, MAX_DEPTH))
        });
    }
}

/// A text under construction.
struct Text<'a> {
    context: &'a NativeCallContext<'a>,
    execution: Option<Execution>,
    output: String,
    elements: usize,
}

impl<'a> Text<'a> {
    /// Returns what `write` writes. If the script must stop, that is the text so far and not an error: after an error
    /// Rhai would format everything itself.
    fn of(context: &'a NativeCallContext<'a>, write: impl FnOnce(&mut Text<'a>) -> fmt::Result) -> String {
        let mut text = Text {
            context,
            execution: Execution::of(context),
            output: String::new(),
            elements: 0,
        };
        let _ = write(&mut text);
        text.output
    }

    fn array(&mut self, array: &[Dynamic], depth: usize) -> fmt::Result {
        self.write_str("[")?;
        for (at, item) in array.iter().enumerate() {
            self.write_str(if at == 0 { "" } else { ", " })?;
            self.element(item, depth)?;
        }
        self.write_str("]")
    }

    fn map(&mut self, map: &Map, depth: usize) -> fmt::Result {
        self.write_str("#{")?;
        for (at, (key, value)) in map.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            let key = handles::unescape_marks(format!("{key:?}"));
            write!(self, "{separator}{key}: ")?;
            self.element(value, depth)?;
        }
        self.write_str("}")
    }

    fn element(&mut self, item: &Dynamic, depth: usize) -> fmt::Result {
        self.elements += 1;
        if self.elements.is_multiple_of(STOP_CHECK_INTERVAL)
            && self.execution.as_ref().is_some_and(Execution::must_stop)
        {
            return Err(fmt::Error);
        }
        let Some(depth) = depth.checked_sub(1) else {
            return self.write_str("…");
        };
        if let Some(array) = item.read_lock::<Array>() {
            return self.array(&array, depth);
        }
        if let Some(map) = item.read_lock::<Map>() {
            return self.map(&map, depth);
        }
        if let Some(text) = item.read_lock::<ImmutableString>() {
            // An escaped mark would no longer be a mark.
            return self.write_str(&handles::unescape_marks(format!("{:?}", text.as_str())));
        }
        // A function call for each would take a hundred times as long.
        if item.is_int() || item.is_bool() || item.is_char() || item.is_unit() {
            return write!(self, "{item:?}");
        }
        let name = item.type_name();
        let text = self
            .context
            .call_native_fn_raw("to_debug", true, &mut [&mut item.clone()]);
        let text = text.ok().and_then(|text| text.into_string().ok());
        self.write_str(text.as_deref().unwrap_or(name))
    }
}

/// Appends if there is room.
impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let needed = self.output.len() + text.len();
        // A text grows by doubling.
        if needed > self.output.capacity()
            && let Some(execution) = &self.execution
            && !execution.has_room(needed.max(2 * self.output.capacity()))
        {
            return Err(fmt::Error);
        }
        self.output.push_str(text);
        Ok(())
    }
}
