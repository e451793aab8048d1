//! Tables that fit the terminal's width.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width};
use serde_json::Value as Json;
use unicode_width::UnicodeWidthStr;

use super::printable;
use crate::value::Value;

/// The width of the terminal on stdout, in characters.
pub(super) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

/// A table with a header, its columns two blanks apart. If its words do not fit side by side, each row becomes a block.
pub(super) fn with_header(header: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let widest = widest_words(header, rows);
    if let Some(width) = width
        && widest.iter().map(|word| word + PADDING).sum::<usize>() > width.into()
    {
        return format_blocks(header, rows, width);
    }
    let mut table = plain(width);
    let titles = header.iter().map(|title| Cell::new(title.to_uppercase()));
    table.set_header(titles.collect::<Vec<_>>());
    for row in rows {
        table.add_row(cells(row));
    }
    for (column, word) in table.column_iter_mut().zip(widest) {
        let least = u16::try_from(word + PADDING).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
    text_of(&table)
}

/// The number of blanks around each cell.
const PADDING: usize = 2;

/// The longest word of each column, in terminal characters.
fn widest_words(header: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |text: &str| text.split_whitespace().map(UnicodeWidthStr::width).max();
    let column = |at: usize| {
        let cells = rows.iter().filter_map(|row| widest(&printable(row.get(at)?)));
        cells.chain(widest(header[at])).max().unwrap_or_default()
    };
    (0..header.len()).map(column).collect()
}

/// Each row as a block with a line for each non-empty cell, separated by empty lines.
fn format_blocks(header: &[&str], rows: &[Vec<String>], width: u16) -> String {
    let block = |row: &Vec<String>| {
        let mut table = plain(Some(width));
        for (name, cell) in header.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            table.add_row(cells(&[(*name).to_owned(), cell.clone()]));
        }
        text_of(&table)
    };
    let blocks: Vec<String> = rows.iter().map(block).collect();
    blocks.join("\n\n")
}

/// Formats named values, one per line.
pub(super) fn format_fields(fields: &[(String, Value)], width: Option<u16>) -> String {
    let mut table = plain(width);
    for (name, value) in fields {
        table.add_row(cells(&[name.clone(), shown(&value.to_masked_json())]));
    }
    text_of(&table)
}

fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).force_no_tty();
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table
}

fn cells(row: &[String]) -> Vec<Cell> {
    row.iter().map(|text| Cell::new(printable(text))).collect()
}

/// The table's text, without a left margin or trailing blanks.
fn text_of(table: &Table) -> String {
    let lines: Vec<String> = table.lines().collect();
    let trimmed = lines
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    trimmed.collect::<Vec<_>>().join("\n")
}

fn shown(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::secret::Secret;

    #[test]
    fn named_values_are_a_line_each_with_secrets_masked() {
        let fields = [
            ("app", Value::Int(17)),
            ("none", Value::Null),
            ("password", Secret::new("hunter2").into()),
            ("tags", Value::List(vec!["a".into()])),
            ("bell\u{7}", "a\u{7}b".into()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(
            format_fields(&fields, Some(80)),
            "app        17\nnone\npassword   ***\ntags       [\"a\"]\nbell\\u{7}  a\\u{7}b"
        );
    }

    #[test]
    fn a_table_fits_the_terminal() {
        let long = "word ".repeat(40);
        let text = with_header(&["name", "text"], &[vec!["a".into(), long]], Some(40));
        assert!(text.lines().count() > 3);
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }

    #[test]
    fn no_word_of_a_table_is_broken_on_a_narrow_terminal() {
        let header = ["run", "status", "done", "started (UTC)", "script"];
        let row = |run: &str| -> Vec<String> {
            ["", "done", "12", "2026-11-29 10:20:30", "onboard.rhai"]
                .map(str::to_owned)
                .into_iter()
                .enumerate()
                .map(|(at, cell)| if at == 0 { run.to_owned() } else { cell })
                .collect()
        };
        let rows = [row("rjh7p"), row("rjh7q")];
        for width in [50, 60, 80] {
            let text = with_header(&header, &rows, Some(width));
            assert!(
                text.contains("onboard.rhai") && text.contains("2026-11-29"),
                "{text}"
            );
            assert!(text.lines().all(|line| line.width() <= width.into()), "{text}");
        }
        assert_eq!(
            with_header(&header, &rows, Some(40)),
            "run            rjh7p\nstatus         done\ndone           12\nstarted (UTC)  2026-11-29 10:20:30\n\
         script         onboard.rhai\n\nrun            rjh7q\nstatus         done\ndone           12\n\
         started (UTC)  2026-11-29 10:20:30\nscript         onboard.rhai"
        );
    }
}
