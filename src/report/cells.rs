//! Formats a value as one text field.

use serde_json::Value as Json;

use super::reveal::Reveal;
use crate::value::Value;

/// Formats a CSV field: text as is, null as an empty field, numbers and booleans plain, lists and maps as compact
/// JSON.
pub(super) fn field(column: &str, value: &Value, reveal: &Reveal) -> String {
    match reveal.json(column, value) {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// Prefixes a field with an apostrophe if a spreadsheet would evaluate it as a formula; spreadsheets read the
/// apostrophe as a text marker. Numbers are left unchanged.
pub(super) fn spreadsheet_safe(field: String) -> String {
    let begins = field
        .trim_start_matches([' ', '\u{a0}', '\u{feff}'])
        .chars()
        .next();
    let is_formula = begins.is_some_and(|c| "=+-@\t\r\n|%＝＋－＠".contains(c));
    if is_formula && field.parse::<f64>().is_err() {
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
            assert_eq!(spreadsheet_safe(field.to_owned()), format!("'{field}"));
        }
        for field in ["", "-12.5", "+49151123", "1e3", "ann@example.com", "a = b"] {
            assert_eq!(spreadsheet_safe(field.to_owned()), field);
        }
    }
}
