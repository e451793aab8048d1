//! The columns of a report, and the cells of a row.

use std::borrow::Cow;
use std::collections::HashMap;

use super::ResultRow;
use crate::value::Value;

/// The columns that end every report. Input and output columns with these names are dropped, so that a results file
/// can be the next run's input.
pub(crate) const OWN_COLUMNS: [&str; 3] = ["_status", "_error", "_run"];

/// The columns of a report: the input's in their order, then the output's, then `_status`, `_error` and `_run`.
///
/// An output column with the same name as an input column replaces it; a row without such an output keeps the input's
/// cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    list: Vec<Column>,
    /// Maps each name to its index in `list`.
    places: HashMap<String, usize>,
    /// Columns that only the output fills.
    fresh: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    title: String,
}

/// One cell of a row: the column's heading and the value.
pub(super) struct Cell<'a> {
    pub(super) name: &'a str,
    pub(super) value: Cow<'a, Value>,
}

impl Columns {
    /// Creates the list from the input's columns and the output columns that are known in advance, in report order.
    pub(crate) fn new(input: &[String], output: &[String]) -> Columns {
        let mut columns = Columns {
            list: Vec::new(),
            places: HashMap::new(),
            fresh: Vec::new(),
        };
        for name in input.iter().chain(output) {
            columns.add(name);
        }
        columns
    }

    /// Sets the headings of the input columns `names` to those of the file, including surrounding whitespace.
    #[must_use]
    pub(crate) fn with_titles(mut self, names: &[String], titles: &[String]) -> Columns {
        for (name, title) in names.iter().zip(titles) {
            if let Some(place) = self.places.get(name) {
                self.list[*place].title.clone_from(title);
            }
        }
        self
    }

    /// Never fills these columns from the input: values that an earlier run wrote there do not describe this one, and
    /// may be credentials in clear text.
    #[must_use]
    pub(crate) fn fresh(mut self, names: impl IntoIterator<Item = String>) -> Columns {
        self.fresh.extend(names);
        self
    }

    /// Appends the columns that only this row has, and returns their names.
    pub(crate) fn note(&mut self, row: &ResultRow) -> Vec<String> {
        let names = row.input.iter().map(|(name, _)| name).chain(row.output.keys());
        let new: Vec<String> = names.filter(|name| !self.has(name)).cloned().collect();
        for name in &new {
            self.add(name);
        }
        new
    }

    /// The headings in order, including the last three.
    pub(crate) fn titles(&self) -> impl Iterator<Item = &str> {
        let own = OWN_COLUMNS.into_iter();
        self.list.iter().map(|column| column.title.as_str()).chain(own)
    }

    /// Removes the last columns, back to and including `name`.
    pub(super) fn forget(&mut self, name: &str) {
        if let Some(at) = self.places.get(name).copied() {
            self.list.truncate(at);
            self.places.retain(|_, place| *place < at);
        }
    }

    /// The cells of a row, one for each column; null where the row has no value.
    pub(super) fn cells<'a>(&'a self, row: &'a ResultRow) -> Vec<Cell<'a>> {
        let status = Value::from(row.status.as_str());
        let error = row.error.as_deref().map_or(Value::Null, Value::from);
        let own = OWN_COLUMNS
            .into_iter()
            .zip([status, error, Value::from(row.run.as_str())]);
        // If a name occurs twice, the first cell wins.
        let input: HashMap<&str, &Value> = row
            .input
            .iter()
            .rev()
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        let given = self.list.iter().map(|column| Cell {
            name: &column.title,
            value: self
                .value_of(row, &input, &column.name)
                .map_or(Cow::Owned(Value::Null), Cow::Borrowed),
        });
        let own = own.map(|(name, value)| Cell {
            name,
            value: Cow::Owned(value),
        });
        given.chain(own).collect()
    }

    fn add(&mut self, name: &str) {
        if !self.has(name) {
            self.places.insert(name.to_owned(), self.list.len());
            self.list.push(Column {
                name: name.to_owned(),
                title: name.to_owned(),
            });
        }
    }

    fn value_of<'a>(
        &self,
        row: &'a ResultRow,
        input: &HashMap<&str, &'a Value>,
        name: &str,
    ) -> Option<&'a Value> {
        let carried = || input.get(name).copied();
        let output = row.output.get(name);
        if self.fresh.iter().any(|fresh| fresh == name) {
            return output;
        }
        output.or_else(carried)
    }

    fn has(&self, name: &str) -> bool {
        OWN_COLUMNS.contains(&name) || self.places.contains_key(name)
    }
}
