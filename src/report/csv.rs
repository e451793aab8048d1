//! Comma-separated values with a header line: lists and maps as compact JSON, null as an empty field.

use std::io::{self, Write};

use csv::WriterBuilder;
use serde_json::Value as Json;

use super::Format;

#[derive(Debug)]
struct Csv {
    /// Whether no field may be a formula to a spreadsheet: such a field gets an apostrophe.
    inert: bool,
}

pub(crate) const CSV: &dyn Format = &Csv { inert: false };

impl Csv {
    fn line(&self, fields: impl Iterator<Item = String>, sink: &mut dyn Write) -> io::Result<()> {
        let mut line = WriterBuilder::new().buffer_capacity(512).from_writer(Vec::new());
        line.write_record(fields.map(|field| guarded(field, self.inert)))?;
        let line = line
            .into_inner()
            .map_err(|error| io::Error::other(error.to_string()))?;
        sink.write_all(&line)
    }
}

impl Format for Csv {
    fn names(&self) -> &'static [&'static str] {
        &["csv"]
    }

    fn has_header(&self) -> bool {
        true
    }

    fn spreadsheet_safe(&self) -> Option<&'static dyn Format> {
        Some(&Csv { inert: true })
    }

    fn begin(&self, titles: &[&str], sink: &mut dyn Write) -> io::Result<()> {
        self.line(titles.iter().map(|title| (*title).to_owned()), sink)
    }

    fn row(&self, _: u64, cells: &[(&str, Json)], sink: &mut dyn Write) -> io::Result<()> {
        let field = |(_, value): &(&str, Json)| match value {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.line(cells.iter().map(field), sink)
    }
}

/// Returns the field; if it must be `inert` and a spreadsheet would evaluate it as a formula, with an apostrophe before
/// it, which spreadsheets read as a text marker. Numbers are left unchanged.
fn guarded(field: String, inert: bool) -> String {
    let mut begins = field.trim_start_matches([' ', '\u{a0}', '\u{feff}']).chars();
    let is_formula = begins.next().is_some_and(|c| "=+-@\t\r\n|%＝＋－＠".contains(c));
    if inert && is_formula && field.parse::<f64>().is_err() {
        format!("'{field}")
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreadsheet_formula_injection_is_escaped_in_fields() {
        let dangerous = [
            "=cmd|' /C calc'!A0",
            "+1+1",
            "-2+3",
            "@SUM(A1)",
            "|calc",
            "%0A",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{ff1d}1",
        ];
        for field in dangerous {
            assert_eq!(guarded(field.to_owned(), true), format!("'{field}"));
        }
        for field in ["", "-12.5", "+49151123", "1e3", "ann@example.com", "a = b"] {
            assert_eq!(guarded(field.to_owned(), true), field);
        }
    }
}
