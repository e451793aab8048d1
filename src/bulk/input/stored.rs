//! The journal's representation of a row, and the processing of its cells before they are stored.

use crate::script::program::Script;
use crate::script::types::ParamType;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// The reason given for an unreadable row if no other is known.
const UNKNOWN: &str = "the recorded row cannot be read";

/// A row's cells by column, in the order of the input.
pub(crate) type Cells = Vec<(String, Value)>;

/// The journal's representation of a row.
pub(in crate::bulk) enum StoredRow {
    Cells(Cells),
    /// The row could not be read.
    Unreadable {
        reason: String,
        /// The cells as far as they could be recovered.
        cells: Cells,
    },
}

impl StoredRow {
    /// Treats blank cells of a delimited file as absent if the column is a parameter; other columns are copied to the
    /// results unchanged.
    pub(super) fn without_blanks(self, script: &Script) -> StoredRow {
        let StoredRow::Cells(mut cells) = self else {
            return self;
        };
        let declared = script.declaration().params();
        for (name, cell) in &mut cells {
            let blank = cell.as_text().is_some_and(|text| text.trim().is_empty());
            if blank && declared.iter().any(|param| param.name == *name) {
                *cell = Value::Null;
            }
        }
        StoredRow::Cells(cells)
    }

    /// Turns the cells of secret parameters into secrets, however they are written, so that no report shows them.
    pub(super) fn with_secrets_sealed(self, script: &Script) -> StoredRow {
        let declared = script.declaration().params();
        let mut cells = match self {
            StoredRow::Cells(cells) => cells,
            StoredRow::Unreadable { reason, cells } => {
                let is_secret = declared.iter().any(|param| param.ty == ParamType::Secret);
                // It is unknown which of its cells is the secret.
                let cells = if is_secret { all_sealed(cells) } else { cells };
                return StoredRow::Unreadable { reason, cells };
            }
        };
        let secrets = declared.iter().filter(|param| param.ty == ParamType::Secret);
        for param in secrets {
            for (_, cell) in cells.iter_mut().filter(|(name, _)| *name == param.name) {
                let sealed = match &*cell {
                    Value::Null | Value::Secret(_) => continue,
                    Value::Text(text) => Secret::new(text.as_str()),
                    // A number's digits; a list or map as JSON.
                    other => Secret::new(other.to_masked_json().to_string()),
                };
                *cell = Value::Secret(sealed);
            }
        }
        StoredRow::Cells(cells)
    }

    /// Returns the row's identity: the cells that are parameters, regardless of column order.
    pub(super) fn identity(&self, script: &Script) -> Value {
        let StoredRow::Cells(cells) = self else {
            return Value::Null;
        };
        let declared = script.declaration().params();
        let known = cells
            .iter()
            .filter(|(name, _)| declared.iter().any(|param| param.name == *name));
        Value::Record(known.cloned().collect::<Record>())
    }

    pub(super) fn write(self) -> Value {
        match self {
            StoredRow::Cells(cells) => write_cells(cells),
            StoredRow::Unreadable { reason, cells } => Value::Record(Record::from([
                ("why".to_owned(), Value::Text(reason)),
                ("cells".to_owned(), write_cells(cells)),
            ])),
        }
    }

    /// Reads the output of [`StoredRow::write`].
    pub(in crate::bulk) fn read(stored: &Value) -> StoredRow {
        match stored {
            Value::List(items) => StoredRow::Cells(read_cells(items)),
            Value::Record(fields) => {
                let reason = fields.get("why").and_then(Value::as_text).unwrap_or(UNKNOWN);
                let cells = match fields.get("cells") {
                    Some(Value::List(items)) => read_cells(items),
                    _ => Cells::new(),
                };
                let reason = reason.to_owned();
                StoredRow::Unreadable { reason, cells }
            }
            other => StoredRow::Unreadable {
                reason: other.as_text().unwrap_or(UNKNOWN).to_owned(),
                cells: Cells::new(),
            },
        }
    }
}

/// Returns the cells of a stored row; as far as they could be recovered if it was unreadable.
pub(crate) fn cells_of(stored: &Value) -> Cells {
    match StoredRow::read(stored) {
        StoredRow::Cells(cells) | StoredRow::Unreadable { cells, .. } => cells,
    }
}

fn all_sealed(cells: Cells) -> Cells {
    let sealed = cells.into_iter().map(|(name, cell)| {
        let text = cell.as_text().unwrap_or_default();
        (name, Value::Secret(Secret::new(text)))
    });
    sealed.collect()
}

fn write_cells(cells: Cells) -> Value {
    let pairs = cells.into_iter();
    Value::List(pairs.flat_map(|(name, cell)| [Value::Text(name), cell]).collect())
}

fn read_cells(items: &[Value]) -> Cells {
    let pairs = items.chunks_exact(2);
    pairs
        .filter_map(|pair| Some((pair[0].as_text()?.to_owned(), pair[1].clone())))
        .collect()
}
