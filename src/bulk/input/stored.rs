//! A row as the journal keeps it, and what becomes of its cells on the way there.

use crate::script::program::Script;
use crate::script::types::ParamType;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// A row's cells by column, in the order of the input.
pub type Cells = Vec<(String, Value)>;

/// A row as the journal keeps it.
pub(in crate::bulk) enum StoredRow {
    Cells(Cells),
    /// The row could not be read, and why.
    Unreadable(String),
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
        let StoredRow::Cells(mut cells) = self else {
            return self;
        };
        let declared = script.declaration().params();
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
            StoredRow::Cells(cells) => Value::List(
                cells
                    .into_iter()
                    .flat_map(|(name, cell)| [Value::Text(name), cell])
                    .collect(),
            ),
            StoredRow::Unreadable(why) => Value::Text(why),
        }
    }

    /// Reads what [`StoredRow::write`] wrote.
    pub(in crate::bulk) fn read(stored: &Value) -> StoredRow {
        match stored {
            Value::List(items) => StoredRow::Cells(
                items
                    .chunks_exact(2)
                    .filter_map(|pair| Some((pair[0].as_text()?.to_owned(), pair[1].clone())))
                    .collect(),
            ),
            Value::Text(why) => StoredRow::Unreadable(why.clone()),
            _ => StoredRow::Unreadable("the recorded row cannot be read".into()),
        }
    }
}

/// The cells of a row as the journal keeps it; none when it could not be read.
pub fn cells_of(stored: &Value) -> Cells {
    match StoredRow::read(stored) {
        StoredRow::Cells(cells) => cells,
        StoredRow::Unreadable(_) => Cells::new(),
    }
}
