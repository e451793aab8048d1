//! One JSON object per line.

use std::io::{self, Write};

use serde_json::Value as Json;

use super::json::object;
use super::reveal::Reveal;
use super::{Format, VALUE};
use crate::value::Value;

#[derive(Debug)]
struct Lines;

pub(super) const JSON_LINES: &dyn Format = &Lines;

impl Format for Lines {
    fn names(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson"]
    }

    fn is_streamed(&self) -> bool {
        true
    }

    /// A list has one line per item.
    fn lines(&self, value: &Value, reveal: &Reveal) -> Option<Vec<Json>> {
        let items = match value {
            Value::List(items) => items.as_slice(),
            value => std::slice::from_ref(value),
        };
        Some(items.iter().map(|item| reveal.json(VALUE, item)).collect())
    }

    fn row(&self, _: u64, cells: &[(&str, Json)], sink: &mut dyn Write) -> io::Result<()> {
        writeln!(sink, "{}", object(cells))
    }
}
