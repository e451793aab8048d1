//! Formats values for display.
//!
//! At a terminal, lists of maps are shown as tables, truncated and counted; elsewhere a value is one complete line of
//! JSON. `:set format` selects another format. Secrets are masked in every format.

use serde_json::Value as Json;

use super::host::Ports;
use super::width::{cut, escaped, padded, width};
use crate::script::interactive::Answer;
use crate::value::Value;
use crate::value::visible::counted;

/// A display format of values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    pub(super) name: &'static str,
    show: fn(&Value, DisplayArea) -> String,
}

/// All formats; the first is the default.
pub(super) static FORMATS: &[Format] = &[
    Format {
        name: "auto",
        show: |value, area| {
            if area.is_terminal {
                table(value, area)
            } else {
                text(value)
            }
        },
    },
    Format {
        name: "table",
        show: table,
    },
    Format {
        name: "json",
        show: |value, area| truncated_lines(&pretty(&value.to_masked_json()), area),
    },
    Format {
        name: "tree",
        show: |value, area| truncated_lines(&tree(value), area),
    },
    Format {
        name: "csv",
        show: csv,
    },
];

/// How values are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct DisplayOptions {
    /// The format.
    pub(super) format: Format,
    /// The maximum number of rows or lines of a value, at a terminal.
    pub(super) rows: usize,
}

impl Default for DisplayOptions {
    fn default() -> DisplayOptions {
        DisplayOptions {
            format: FORMATS[0],
            rows: 20,
        }
    }
}

/// The number of columns if the terminal's width is unknown.
const DEFAULT_WIDTH: usize = 80;

/// The result of an input as text; `None` for no result.
pub(super) fn rendered(ports: &Ports, look: DisplayOptions, answer: &Answer) -> Option<String> {
    match answer {
        Answer::Nothing => None,
        Answer::Value(value) | Answer::Mixed(value) => Some(shown(ports, look, value)),
        Answer::Other(what) => Some(format!("<{what}>")),
    }
}

fn shown(ports: &Ports, look: DisplayOptions, value: &Value) -> String {
    let typed = ports.terminal.interactive;
    let limit = if typed { look.rows } else { usize::MAX };
    let columns = match ports.screen.width() {
        Some(columns) => columns,
        None if typed => DEFAULT_WIDTH,
        None => usize::MAX,
    };
    let frame = DisplayArea {
        columns,
        limit,
        is_terminal: typed,
    };
    (look.format.show)(value, frame)
}

/// The space that a value must fit into.
#[derive(Debug, Clone, Copy)]
struct DisplayArea {
    columns: usize,
    /// The maximum number of rows.
    limit: usize,
    is_terminal: bool,
}

/// A value as one line for display, except for line ends in a string; secrets masked.
pub(super) fn line(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => inline(value),
    }
}

/// A value as one line of JSON, or a string unchanged; secrets masked.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => value.to_masked_json().to_string(),
    }
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_else(|_| json.to_string())
}

/// The first lines of the text, as many as may be shown, and the number of the others.
fn truncated_lines(text: &str, frame: DisplayArea) -> String {
    let count = text.lines().count();
    if count <= frame.limit {
        return text.to_owned();
    }
    let mut lines: Vec<String> = text.lines().take(frame.limit).map(str::to_owned).collect();
    lines.push(more(count - frame.limit, "line"));
    lines.join("\n")
}

/// A line such as ``… 37 more rows; `:set rows N` shows N of them``.
fn more(count: usize, what: &str) -> String {
    let more = counted(count, &format!("more {what}"));
    format!("… {more}; `:set rows N` shows N of them")
}

/// A value on one line, without control characters.
fn inline(value: &Value) -> String {
    match value {
        Value::Float(float) if !float.is_finite() => float.to_string(),
        Value::Secret(secret) => secret.to_string(),
        Value::Object(object) if object.is_placeholder() => object.kind.clone(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(","))
        }
        Value::Record(_) | Value::Object(_) => {
            let fields = fields(value).unwrap_or_default();
            let fields = fields.into_iter();
            let fields: Vec<String> = fields
                .map(|(name, value)| format!("{}:{}", quoted(name), inline(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Text(text) => quoted(text),
        other => other.to_masked_json().to_string(),
    }
}

/// A string in JSON notation, so that its end is visible.
fn quoted(text: &str) -> String {
    escaped(&Json::from(text).to_string())
}

/// A value on one line for a cell whose column identifies it: strings without quotes, nothing for null.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => escaped(&text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ")),
        other => inline(other),
    }
}

/// The visible fields of a map or an object; `None` for other values.
fn fields(value: &Value) -> Option<Fields<'_>> {
    let named = |(name, value)| (String::as_str(name), value);
    match value {
        Value::Record(fields) => Some(fields.iter().map(named).collect()),
        Value::Object(object) if !object.is_placeholder() => Some(object.shown_fields().map(named).collect()),
        _ => None,
    }
}

/// A value as CSV lines, without a final line end.
fn csv(value: &Value, frame: DisplayArea) -> String {
    let (items, count): (Vec<&Value>, usize) = match value {
        Value::List(items) => (items.iter().take(frame.limit).collect(), items.len()),
        other => (vec![other], 1),
    };
    let maps: Vec<Option<Fields<'_>>> = items.iter().map(|item| fields(item)).collect();
    let names = names(maps.iter().flatten());
    let mut lines = Vec::new();
    if !names.is_empty() {
        lines.push(csv_line(names.iter().map(|name| csv_quoted(name))));
    }
    for (item, map) in items.iter().zip(&maps) {
        lines.push(match map {
            Some(map) if !names.is_empty() => csv_line(names.iter().map(|name| {
                let held = map.iter().find(|(known, _)| known == name);
                held.map_or(String::new(), |(_, value)| csv_cell(value))
            })),
            _ => csv_cell(item),
        });
    }
    if count > items.len() {
        lines.push(more(count - items.len(), "row"));
    }
    lines.join("\n")
}

fn csv_line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",")
}

fn csv_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => csv_quoted(text),
        Value::List(_) | Value::Record(_) | Value::Object(_) => match value.to_masked_json() {
            serde_json::Value::String(text) => csv_quoted(&text),
            json => csv_quoted(&json.to_string()),
        },
        other => inline(other),
    }
}

/// Quotes a cell if necessary (RFC 4180).
fn csv_quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The maximum width of a cell.
const MAX_CELL_WIDTH: usize = 40;

/// The number of blanks between columns.
const GAP: usize = 2;

/// The fields of a map or an object.
type Fields<'a> = Vec<(&'a str, &'a Value)>;

/// A value as a table, without a final line end.
fn table(value: &Value, frame: DisplayArea) -> String {
    match (value, fields(value)) {
        (Value::Text(text), _) => truncated_lines(text, frame),
        (Value::List(items), _) if !items.is_empty() => {
            // Items that are not shown are not examined.
            let shown: Vec<&Value> = items.iter().take(frame.limit).collect();
            list(&shown, items.len(), frame)
        }
        (value, Some(fields)) if !fields.is_empty() => {
            let below = vertical(&fields, frame);
            match value {
                Value::Object(object) => format!("{}\n{below}", object.kind),
                _ => below,
            }
        }
        (other, _) => inline(other),
    }
}

/// Formats a list; `items` are the first of `count` items.
fn list(items: &[&Value], count: usize, frame: DisplayArea) -> String {
    let maps: Option<Vec<Fields<'_>>> = items.iter().map(|item| fields(item)).collect();
    match maps {
        Some(maps) => rows(&maps, count, frame),
        None => lines(items, count, frame),
    }
}

/// Formats items that are not maps: on one line if they fit, otherwise one per line.
fn lines(items: &[&Value], count: usize, frame: DisplayArea) -> String {
    let all: Vec<String> = items.iter().map(|item| inline(item)).collect();
    let line = format!("[{}]", all.join(","));
    if count <= frame.limit && width(&line) <= frame.columns {
        return line;
    }
    let mut lines: Vec<String> = items.iter().map(|item| cut(&cell(item), frame.columns)).collect();
    if count > items.len() {
        lines.push(more(count - items.len(), "item"));
    }
    lines.join("\n")
}

/// Formats maps as one table with all their names, or one below the other if that is too wide.
fn rows(maps: &[Fields<'_>], count: usize, frame: DisplayArea) -> String {
    let names = names(maps.iter());
    let cells: Vec<Vec<String>> = maps
        .iter()
        .map(|map| {
            let held = |name: &&str| map.iter().find(|(known, _)| known == name);
            let cells = names
                .iter()
                .map(|name| held(name).map_or(String::new(), |(_, value)| cell(value)));
            cells.map(|text| cut(&text, MAX_CELL_WIDTH)).collect()
        })
        .collect();
    let titles: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    let widths: Vec<usize> = titles
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let widest = cells.iter().map(|row| width(&row[column])).max().unwrap_or(0);
            widest.max(width(name))
        })
        .collect();
    let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let mut lines = if total <= frame.columns {
        let mut lines = vec![table_line(&titles, &widths)];
        lines.extend(cells.iter().map(|row| table_line(row, &widths)));
        lines
    } else {
        let numbered = maps.iter().enumerate();
        let blocks = numbered.map(|(index, map)| format!("[{index}]\n{}", vertical(map, frame)));
        blocks.collect()
    };
    if count > maps.len() {
        lines.push(more(count - maps.len(), "row"));
    }
    lines.join("\n")
}

/// The names in all maps, in order of appearance.
fn names<'a: 'm, 'm>(maps: impl Iterator<Item = &'m Fields<'a>>) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    let all = maps.flatten().map(|(name, _)| *name);
    all.filter(|name| seen.insert(*name)).collect()
}

/// Names and values, one per line.
fn vertical(fields: &[(&str, &Value)], frame: DisplayArea) -> String {
    let shown = fields.iter().take(frame.limit);
    let shown: Vec<(String, &Value)> = shown.map(|(name, value)| (escaped(name), *value)).collect();
    let widest = shown.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let column = widest.min(frame.columns / 2).max(1);
    let room = frame.columns.saturating_sub(column + GAP).max(1);
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in &shown {
        let name = padded(&cut(name, column), column);
        let line = format!("{name}{:GAP$}{}", "", cut(&cell(value), room));
        lines.push(line.trim_end().to_owned());
    }
    if fields.len() > frame.limit {
        lines.push(more(fields.len() - frame.limit, "key"));
    }
    lines.join("\n")
}

fn table_line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(text, width)| padded(text, *width));
    let line = padded.collect::<Vec<_>>().join(&" ".repeat(GAP));
    line.trim_end().to_owned()
}

/// A value as a tree, without a final line end.
fn tree(value: &Value) -> String {
    let mut lines = vec![match value {
        Value::Object(object) => object.kind.clone(),
        _ => leaf(value),
    }];
    branches(value, "", &mut lines);
    lines.join("\n")
}

fn branches(value: &Value, before: &str, lines: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (format!("[{index}]"), item))
            .collect(),
        other => fields(other)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| (escaped(name), value))
            .collect(),
    };
    let count = inner.len();
    for (index, (name, value)) in inner.into_iter().enumerate() {
        let (branch, below) = if index + 1 == count {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        lines.push(format!("{before}{branch}{name}: {}", leaf(value)));
        branches(value, &format!("{before}{below}"), lines);
    }
}

/// A value without children, or the number of its children.
fn leaf(value: &Value) -> String {
    let (count, what) = match (value, fields(value)) {
        (Value::List(items), _) => (items.len(), "item"),
        (_, Some(fields)) => (fields.len(), "key"),
        _ => (0, ""),
    };
    match count {
        0 => inline(value),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::repl::width::width;
    use crate::value::secret::Secret;

    fn frame(columns: usize, limit: usize) -> DisplayArea {
        DisplayArea {
            columns,
            limit,
            is_terminal: true,
        }
    }

    fn value(json: Json) -> Value {
        Value::from_json(json)
    }

    #[test]
    fn maps_print_as_a_table_or_vertically_if_too_wide() {
        let list = value(json!([{"id": 1, "name": "Ann"}, {"id": 22, "name": "日本", "more": [1]}]));
        assert_eq!(
            table(&list, frame(80, 20)),
            "id  name  more\n1   Ann\n22  日本  [1]"
        );
        assert_eq!(
            table(&list, frame(12, 20)),
            "[0]\nid    1\nname  Ann\n[1]\nid    22\nmore  [1]\nname  日本"
        );
    }

    #[test]
    fn omitted_rows_and_items_are_counted() {
        let list = Value::List((0..57).map(|id| value(json!({"id": id}))).collect());
        let shown = table(&list, frame(80, 20));
        assert_eq!(shown.lines().count(), 22);
        assert!(
            shown.ends_with("… 37 more rows; `:set rows N` shows N of them"),
            "{shown}"
        );
        let numbers = Value::List((0..100).map(Value::Int).collect());
        assert!(table(&numbers, frame(80, 20)).ends_with("… 80 more items; `:set rows N` shows N of them"));
        assert_eq!(table(&value(json!([1, 2])), frame(80, 20)), "[1,2]");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let long = "名前".repeat(60);
        let list = value(json!([{"a": long, "b": long, "c": {"d": long}}, {"a": 1}]));
        let single = value(json!({"key of some length": long, "b": [long]}));
        for columns in [20, 40, 80, 120] {
            for value in [&list, &single] {
                let shown = table(value, frame(columns, 20));
                assert!(
                    shown.lines().all(|line| width(line) <= columns),
                    "{columns}:\n{shown}"
                );
            }
        }
    }

    #[test]
    fn secrets_are_masked_in_every_form() {
        let secret = Value::Secret(Secret::new("hunter2"));
        let record: crate::value::Record = [("password".to_owned(), secret.clone())].into();
        let values = [
            secret,
            Value::Record(record.clone()),
            Value::List(vec![Value::Record(record)]),
        ];
        for value in &values {
            for shown in [
                table(value, frame(80, 20)),
                tree(value),
                csv(value, frame(80, 20)),
                text(value),
            ] {
                assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
            }
        }
    }

    #[test]
    fn tree_and_csv_output_show_the_whole_value() {
        let nested = value(json!({"a": {"b": [1, "x"]}, "c": null}));
        assert_eq!(
            tree(&nested),
            "2 keys\n├─ a: 1 key\n│  └─ b: 2 items\n│     ├─ [0]: 1\n│     └─ [1]: \"x\"\n└─ c: null"
        );
        let list = value(json!([{"a": "x,y"}, {"b": "say \"hi\"\n"}]));
        assert_eq!(csv(&list, frame(80, 20)), "a,b\n\"x,y\",\n,\"say \"\"hi\"\"\n\"");
    }

    #[test]
    fn control_characters_are_escaped_before_measuring_width() {
        let list = value(json!([{"c": "a\u{1b}[31mred\u{7}", "n": 1}, {"c": "", "n": 2}]));
        assert_eq!(
            table(&list, frame(80, 20)),
            "c                    n\na\\u{1b}[31mred\\u{7}  1\n                     2"
        );
        let odd = value(json!({"k\u{1b}": ["\u{9b}31m\u{7f}".repeat(9)], "b": "\u{1b}".repeat(9)}));
        for value in [&list, &odd] {
            let shown = table(value, frame(20, 20));
            assert!(shown.lines().all(|line| width(line) <= 20), "{shown}");
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown}");
        }
    }

    #[test]
    fn closures_infinities_and_secrets_are_shown_without_quotes() {
        let placeholder = Value::Object(crate::value::Object::placeholder("closure"));
        let infinite = Value::Float(f64::INFINITY);
        let secret = Value::Secret(Secret::new("hunter2"));
        for (one, word) in [(placeholder, "<closure>"), (infinite, "inf"), (secret, "***")] {
            assert_eq!(table(&one, frame(80, 20)), word);
            assert_eq!(tree(&one), word);
            assert_eq!(line(&one), word);
            assert_eq!(csv(&one, frame(80, 20)), word);
            let list = Value::List(vec![one.clone(), Value::from("x")]);
            assert_eq!(table(&list, frame(80, 20)), format!("[{word},\"x\"]"));
            let record: crate::value::Record =
                [("f".to_owned(), one), ("a".to_owned(), Value::Int(2))].into();
            let record = Value::Record(record);
            assert_eq!(table(&record, frame(80, 20)), format!("a  2\nf  {word}"));
            assert_eq!(tree(&record), format!("2 keys\n├─ a: 2\n└─ f: {word}"));
        }
    }

    #[test]
    fn csv_and_text_output_respect_the_row_limit() {
        let list = Value::List((0..100).map(|id| value(json!({"id": id}))).collect());
        let told = "… 98 more rows; `:set rows N` shows N of them";
        assert_eq!(csv(&list, frame(80, 2)), format!("id\n0\n1\n{told}"));
        let text = Value::from("a\nb\nc\nd");
        assert_eq!(
            table(&text, frame(80, 2)),
            "a\nb\n… 2 more lines; `:set rows N` shows N of them"
        );
    }
}
