//! Lists and maps as text. Rhai's own cannot be stopped, however long the list is.

use std::fmt::{self, Write as _};

use rhai::{Array, Dynamic, ImmutableString, Map, Module, NativeCallContext};

use crate::script::handles::{self, global};
use crate::script::live::Live;

/// The names by which Rhai asks for a text.
const NAMES: [&str; 4] = ["to_string", "to_debug", "print", "debug"];

/// So many elements are written between two looks at whether to stop.
const AT_ONCE: usize = 1024;

/// Deeper inside, `…` stands for what there is: values that deep are never kept either.
const DEEPEST: usize = 200;

/// Puts the functions into `module`.
pub(super) fn register(module: &mut Module) {
    for name in NAMES {
        global(name).set_into_module(module, |context: NativeCallContext, array: &mut Array| {
            Text::of(&context, |text| text.array(array, DEEPEST))
        });
        global(name).set_into_module(module, |context: NativeCallContext, map: &mut Map| {
            Text::of(&context, |text| text.map(map, DEEPEST))
        });
    }
}

/// A text that is being written.
struct Text<'a> {
    context: &'a NativeCallContext<'a>,
    live: Option<Live>,
    written: String,
    elements: usize,
}

impl<'a> Text<'a> {
    /// What `write` writes. When the script must stop, it is what was written so far, and no error: after an error Rhai
    /// would write all of it by its own means.
    fn of(context: &'a NativeCallContext<'a>, write: impl FnOnce(&mut Text<'a>) -> fmt::Result) -> String {
        let mut text = Text {
            context,
            live: Live::of(context),
            written: String::new(),
            elements: 0,
        };
        let _ = write(&mut text);
        text.written
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
            let key = handles::kept_marks(format!("{key:?}"));
            write!(self, "{separator}{key}: ")?;
            self.element(value, depth)?;
        }
        self.write_str("}")
    }

    fn element(&mut self, item: &Dynamic, depth: usize) -> fmt::Result {
        self.elements += 1;
        if self.elements.is_multiple_of(AT_ONCE) && self.live.as_ref().is_some_and(Live::must_stop) {
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
            // A mark that is escaped would be none.
            return self.write_str(&handles::kept_marks(format!("{:?}", text.as_str())));
        }
        // A call for each would take a hundred times as long.
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

/// Appends, when there is room.
impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let needed = self.written.len() + text.len();
        // A text grows by doubling.
        if needed > self.written.capacity()
            && let Some(live) = &self.live
            && !live.has_room(needed.max(2 * self.written.capacity()))
        {
            return Err(fmt::Error);
        }
        self.written.push_str(text);
        Ok(())
    }
}
