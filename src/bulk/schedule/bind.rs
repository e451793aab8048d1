//! Converts a row's cells to the arguments of `main`, and its return value to columns.

use std::collections::BTreeMap;

use crate::bulk::input::{Cells, StoredRow};
use crate::bulk::rows::UNREAD;
use crate::journal::RowRecord;
use crate::script::program::Script;
use crate::value::secret::{MASK, Secret};
use crate::value::{Record, Value};

/// Returns a row's cells and the arguments of `main`; the error names the row and the column.
pub(in crate::bulk) fn arguments(
    script: &Script,
    constants: &Record,
    row: &RowRecord,
) -> Result<(Cells, Vec<Value>), (Cells, String)> {
    let stored = match StoredRow::read(&row.input) {
        StoredRow::Cells(cells) => cells,
        StoredRow::Unreadable { reason, cells } => {
            // If the row could not be read from the journal, its error says why.
            let damaged = row.error.as_ref().filter(|_| row.input == Value::Null);
            let reason = damaged.and_then(Value::as_text).map_or(reason, str::to_owned);
            return Err((cells, reason));
        }
    };
    let number = row.position + 1;
    if stored.iter().any(|(name, cell)| name == UNREAD && is_given(cell)) {
        let reason = format!(
            "row {number}: it could not be read in an earlier run, and its cells may be in the wrong columns; fix them and clear the column `{UNREAD}`"
        );
        return Err((stored, reason));
    }
    let mut given: BTreeMap<String, Value> = constants.clone();
    let declared = script.declaration().params();
    // A null cell counts as absent: the default applies.
    for (name, cell) in stored.iter().filter(|(_, cell)| *cell != Value::Null) {
        let Some(param) = declared.iter().find(|param| param.name == *name) else {
            continue;
        };
        if *cell == Value::Secret(Secret::new(MASK)) {
            let reason = format!("row {number}, column `{name}`: the value is `{MASK}`, a masked secret");
            return Err((stored, reason));
        }
        match param.accept(cell.clone()) {
            Ok(value) => drop(given.insert(name.clone(), value)),
            Err(reason) => {
                let reason = format!("row {number}, column `{name}`: {reason}");
                return Err((stored, reason));
            }
        }
    }
    match script.bind(&given) {
        Ok(args) => Ok((stored, args)),
        Err(errors) => {
            let texts = errors
                .iter()
                .map(|error| format!("row {number}, column `{}`: {}", error.param, error.kind));
            let reason = texts.collect::<Vec<_>>().join("; ");
            Err((stored, reason))
        }
    }
}

fn is_given(cell: &Value) -> bool {
    match cell {
        Value::Null => false,
        Value::Text(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// Converts a return value to columns: a map to one per entry, any other value to the column `result`.
pub(crate) fn columns(value: Value) -> Record {
    match value {
        Value::Record(columns) => columns,
        Value::Null => Record::new(),
        Value::Object(object) => object
            .fields
            .into_iter()
            .filter(|(name, _)| !name.starts_with('$'))
            .collect(),
        other => Record::from([("result".to_owned(), other)]),
    }
}
