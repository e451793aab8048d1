//! One JSON array of objects, each on its own line.

use std::io::{self, Write};

use serde_json::Value as Json;

use super::reveal::Reveal;
use super::{Format, VALUE};
use crate::value::Value;

#[derive(Debug)]
struct Array;

pub(crate) const JSON: &dyn Format = &Array;

impl Format for Array {
    fn names(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn lines(&self, value: &Value, reveal: &Reveal) -> Option<Vec<Json>> {
        Some(vec![reveal.json(VALUE, value)])
    }

    fn begin(&self, _: &[&str], sink: &mut dyn Write) -> io::Result<()> {
        sink.write_all(b"[")
    }

    fn row(&self, position: u64, cells: &[(&str, Json)], sink: &mut dyn Write) -> io::Result<()> {
        let comma = if position == 0 { "" } else { "," };
        write!(sink, "{comma}\n{}", object(cells))
    }

    fn end(&self, rows: u64, sink: &mut dyn Write) -> io::Result<()> {
        writeln!(sink, "{}", if rows == 0 { "]" } else { "\n]" })
    }
}

/// Returns the cells as a JSON object in one line, in their order.
pub(super) fn object(cells: &[(&str, Json)]) -> String {
    let fields = cells
        .iter()
        .map(|(name, value)| format!("{}:{value}", Json::from(*name)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}
