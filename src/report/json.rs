//! One JSON array of objects, each on its own line.

use std::io::{self, Write};

use serde::ser::{Serialize, Serializer};
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
        write!(sink, "{comma}\n{}", object(cells)?)
    }

    fn end(&self, rows: u64, sink: &mut dyn Write) -> io::Result<()> {
        writeln!(sink, "{}", if rows == 0 { "]" } else { "\n]" })
    }
}

/// Returns the cells as a JSON object in one line, in their order.
pub(super) fn object(cells: &[(&str, Json)]) -> io::Result<String> {
    struct Object<'a>(&'a [(&'a str, Json)]);

    impl Serialize for Object<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }

    Ok(serde_json::to_string(&Object(cells))?)
}
