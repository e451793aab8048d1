//! Results as JSON: one array, or one object per line.

use std::io::{self, BufWriter, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::columns::Cell;
use super::reveal::Reveal;

/// How the objects are laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// One array, with one element per line.
    Array,
    /// One object per line.
    Lines,
}

/// Writes an object for each row, its keys in column order.
#[derive(Debug)]
pub(super) struct JsonWriter<W: Write> {
    sink: BufWriter<W>,
    shape: Shape,
    rows: u64,
}

impl<W: Write> JsonWriter<W> {
    pub(super) fn begin(sink: W, shape: Shape) -> io::Result<JsonWriter<W>> {
        let mut sink = BufWriter::new(sink);
        if shape == Shape::Array {
            sink.write_all(b"[")?;
        }
        Ok(JsonWriter { sink, shape, rows: 0 })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>], reveal: &Reveal) -> io::Result<()> {
        let line = serde_json::to_string(&Object { cells, reveal })?;
        match (self.shape, self.rows) {
            (Shape::Array, 0) => write!(self.sink, "\n{line}")?,
            (Shape::Array, _) => write!(self.sink, ",\n{line}")?,
            (Shape::Lines, _) => writeln!(self.sink, "{line}")?,
        }
        self.rows += 1;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    pub(super) fn end(mut self) -> io::Result<W> {
        match (self.shape, self.rows) {
            (Shape::Array, 0) => writeln!(self.sink, "]")?,
            (Shape::Array, _) => writeln!(self.sink, "\n]")?,
            (Shape::Lines, _) => {}
        }
        self.sink.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

struct Object<'a> {
    cells: &'a [Cell<'a>],
    reveal: &'a Reveal,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for cell in self.cells {
            map.serialize_entry(cell.name, &self.reveal.json(cell.name, &cell.value))?;
        }
        map.end()
    }
}
