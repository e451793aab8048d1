//! A row as the journal keeps it, and what becomes of its cells on the way there.

use crate::script::program::Script;
use crate::script::types::ParamType;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// What is said of a row of which nothing else is known.
const UNKNOWN: &str = "the recorded row cannot be read";

/// A row's cells by column, in the order of the input.
pub(crate) type Cells = Vec<(String, Value)>;

/// A row as the journal keeps it.
pub(in crate::bulk) enum StoredRow {
    Cells(Cells),
    /// The row could not be read.
    Unreadable {
        why: String,
        /// What can be told of its cells.
        cells: Cells,
    },
}

impl StoredRow {
    /// In a separated file a blank cell is one that is not given, where the column is a parameter: other columns are
    /// carried to the results as they are.
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

    /// Cells that are secret parameters become secrets, whatever they are written as, so that no report shows them.
    pub(super) fn with_secrets_sealed(self, script: &Script) -> StoredRow {
        let declared = script.declaration().params();
        let mut cells = match self {
            StoredRow::Cells(cells) => cells,
            StoredRow::Unreadable { why, cells } => {
                let is_secret = declared.iter().any(|param| param.ty == ParamType::Secret);
                // Which of its cells is the secret cannot be told.
                let cells = if is_secret { all_sealed(cells) } else { cells };
                return StoredRow::Unreadable { why, cells };
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

    /// What tells this row from another: the cells that are parameters, in any order of columns.
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
            StoredRow::Unreadable { why, cells } => Value::Record(Record::from([
                ("why".to_owned(), Value::Text(why)),
                ("cells".to_owned(), write_cells(cells)),
            ])),
        }
    }

    /// Reads what [`StoredRow::write`] wrote.
    pub(in crate::bulk) fn read(stored: &Value) -> StoredRow {
        match stored {
            Value::List(items) => StoredRow::Cells(read_cells(items)),
            Value::Record(fields) => {
                let why = fields.get("why").and_then(Value::as_text).unwrap_or(UNKNOWN);
                let cells = match fields.get("cells") {
                    Some(Value::List(items)) => read_cells(items),
                    _ => Cells::new(),
                };
                let why = why.to_owned();
                StoredRow::Unreadable { why, cells }
            }
            other => StoredRow::Unreadable {
                why: other.as_text().unwrap_or(UNKNOWN).to_owned(),
                cells: Cells::new(),
            },
        }
    }
}

/// The cells of a row as the journal keeps it; what can be told of them when it could not be read.
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
