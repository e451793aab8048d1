//! Groups errors that are equal once the values that differ between rows are left out.

use crate::report::RowStatus;

/// The most groups; errors beyond them are only counted.
const MAX_GROUPS: usize = 100;

/// The most groups that are written as lines.
const MAX_LINES: usize = 20;

/// Errors grouped by pattern, in order of first appearance.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// Rows with an error that fit no group after the limit was reached.
    others: u64,
}

#[derive(Debug, Clone)]
struct Group {
    status: RowStatus,
    pattern: String,
    /// The parts of the error; `differing` marks those that are not the same in all rows.
    parts: Vec<Part>,
    differing: Vec<bool>,
    /// The error of the row with the lowest position.
    example: String,
    first: u64,
    rows: u64,
}

impl Groups {
    pub(super) fn add(&mut self, status: RowStatus, position: u64, error: &str) {
        let error = error.lines().next().unwrap_or_default().trim();
        let parts = parts(&without_tries(error));
        let pattern = pattern(&parts);
        let known = |group: &&mut Group| group.status == status && group.pattern == pattern;
        if let Some(group) = self.groups.iter_mut().find(known) {
            group.rows += 1;
            let pairs = group.parts.iter().zip(&parts);
            for (differs, (one, other)) in group.differing.iter_mut().zip(pairs) {
                *differs |= one != other;
            }
            if position < group.first {
                group.first = position;
                error.clone_into(&mut group.example);
            }
        } else if self.groups.len() < MAX_GROUPS {
            self.groups.push(Group {
                status,
                pattern,
                differing: vec![false; parts.len()],
                parts,
                example: error.to_owned(),
                first: position,
                rows: 1,
            });
        } else {
            self.others += 1;
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let groups = self.most_frequent_first();
        let mut lines: Vec<String> = groups.iter().take(MAX_LINES).map(|group| group.line()).collect();
        let rest: u64 = groups.iter().skip(MAX_LINES).map(|group| group.rows).sum();
        match rest + self.others {
            0 => {}
            1 => lines.push("1 more row with another error".into()),
            rest => lines.push(format!("{rest} more rows with other errors")),
        }
        lines
    }

    fn most_frequent_first(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.rows), group.first));
        groups
    }
}

impl Group {
    /// The error, with a blank for each part that differs between rows.
    fn text(&self) -> String {
        let pieces = self.parts.iter().zip(&self.differing);
        let shown = pieces.map(|(part, differs)| if *differs { BLANK } else { &part.text });
        shown.collect()
    }

    fn line(&self) -> String {
        let (status, text, first) = (self.status.as_str(), self.text(), self.first + 1);
        match self.rows {
            // Errors about a row's input already begin with the row's number.
            1 => match text.strip_prefix(&format!("row {first}")) {
                Some(rest) if rest.starts_with([' ', ':', ',']) => format!("row {first} {status}{rest}"),
                _ => format!("row {first} {status}: {text}"),
            },
            rows if !self.differing.contains(&true) => {
                format!("{rows} rows {status}: {text} (first: row {first})")
            }
            rows => format!(
                "{rows} rows {status}: {text}\n  the first, row {first}: {}",
                self.example
            ),
        }
    }
}

/// The placeholder for a value that differs between rows.
const BLANK: &str = "…";

/// A part of an error message.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    text: String,
    /// Whether this is a value, which may differ in another row.
    is_value: bool,
}

/// Splits an error into parts: every quoted value, email address, URL and word with a digit in it is a value.
fn parts(error: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut push = |text: &str, is_value: bool| match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if !last.is_value && !is_value => last.text.push_str(text),
        _ => parts.push(Part {
            text: text.to_owned(),
            is_value,
        }),
    };
    let mut rest = error;
    let mut after_word = false;
    while let Some(next) = rest.chars().next() {
        if let Some(end) = quoted(rest).filter(|_| !after_word) {
            push(&rest[..end], true);
            (rest, after_word) = (&rest[end..], false);
        } else if next.is_whitespace() || is_bracket(next) {
            let end = next.len_utf8();
            push(&rest[..end], false);
            (rest, after_word) = (&rest[end..], false);
        } else {
            let end = word_end(rest);
            let word = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
            push(word, differs(word));
            push(&rest[word.len()..end], false);
            after_word = rest[..end].chars().next_back().is_some_and(char::is_alphanumeric);
            rest = &rest[end..];
        }
    }
    parts
}

/// Joins the parts, with a blank for every value.
fn pattern(parts: &[Part]) -> String {
    let shown = |part: &Part| {
        if part.is_value {
            BLANK.to_owned()
        } else {
            part.text.clone()
        }
    };
    parts.iter().map(shown).collect()
}

/// Removes the number of tries from the error, since it would separate otherwise equal failures.
fn without_tries(error: &str) -> String {
    let mut out = String::with_capacity(error.len());
    let mut rest = error;
    while let Some(at) = rest.find(" (") {
        let inner = &rest[at + 2..];
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..at]);
        rest = match inner[digits..].strip_prefix(" tries)") {
            Some(after) if digits > 0 => after,
            _ => {
                out.push_str(" (");
                inner
            }
        };
    }
    out + rest
}

/// Returns the end of the quoted value at the start of the text.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '`' | '"' | '\''))?;
    let end = text[1..].find(quote)?;
    Some(end + 2)
}

/// Returns the end of the word at the start of the text. An equals sign is part of a URL, and otherwise a bracket.
fn word_end(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || (is_bracket(c) && c != '='));
    let word = &text[..end.unwrap_or(text.len())];
    match word.find('=') {
        Some(at) if !word.contains("://") => at,
        _ => word.len(),
    }
}

fn is_bracket(c: char) -> bool {
    matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '=')
}

/// Whether a word varies between rows. An HTTP status does not: it distinguishes errors.
fn differs(word: &str) -> bool {
    // A number with a plus sign may be a phone number and is not a status.
    let is_status =
        !word.starts_with('+') && word.parse().is_ok_and(|number: u16| (400..600).contains(&number));
    !is_status && differs_by_row(word)
}

fn differs_by_row(word: &str) -> bool {
    word.contains('@') || word.contains("://") || word.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_errors_are_grouped_without_placeholders() {
        let mut groups = Groups::default();
        groups.add(RowStatus::Failed, 7, "status 409 from a.example");
        groups.add(RowStatus::Failed, 3, "status 409 from a.example");
        assert_eq!(
            groups.lines(),
            ["2 rows failed: status 409 from a.example (first: row 4)"]
        );
    }

    #[test]
    fn the_row_number_is_not_repeated_in_an_error() {
        let line = |position, error: &str| {
            let mut groups = Groups::default();
            groups.add(RowStatus::Failed, position, error);
            groups.lines().join("\n")
        };
        assert_eq!(
            line(0, "row 1 (line 2): it has 2 cells"),
            "row 1 failed (line 2): it has 2 cells"
        );
        assert_eq!(
            line(6, "row 7, column `age`: not a number"),
            "row 7 failed, column `age`: not a number"
        );
        assert_eq!(line(0, "row 12 is meant"), "row 1 failed: row 12 is meant");
    }

    #[test]
    fn grouped_errors_elide_only_the_differing_parts() {
        let mut groups = Groups::default();
        let error = |phone: &str| {
            format!(
                "POST https://api.example/v1/sms/ kept the message to {phone} [sparrow_draft, HTTP 200] (notify.rhai:20:22)"
            )
        };
        groups.add(RowStatus::Failed, 0, &error("+491"));
        groups.add(RowStatus::Failed, 1, &error("+492"));
        let text = error("…");
        assert_eq!(
            groups.lines(),
            [format!(
                "2 rows failed: {text}\n  the first, row 1: {}",
                error("+491")
            )]
        );
    }

    #[test]
    fn errors_differing_only_in_retry_count_are_grouped() {
        let mut groups = Groups::default();
        groups.add(RowStatus::Failed, 0, "no answer within 5 s (2 tries)");
        groups.add(RowStatus::Failed, 1, "no answer within 5 s");
        groups.add(RowStatus::Failed, 2, "no answer within 5 s (3 tries)");
        assert_eq!(
            groups.lines(),
            ["3 rows failed: no answer within 5 s (first: row 1)"]
        );
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let mut groups = Groups::default();
        let letters = |number: u64| -> String {
            let digit =
                |place: u32| char::from(b'a' + u8::try_from(number / 26_u64.pow(place) % 26).unwrap());
            (0..3).map(digit).collect()
        };
        for position in 0..1000 {
            groups.add(RowStatus::Failed, position, &letters(position));
        }
        assert_eq!(groups.groups.len(), MAX_GROUPS);
        let lines = groups.lines();
        assert_eq!(lines.len(), MAX_LINES + 1);
        assert_eq!(lines[MAX_LINES], "980 more rows with other errors");
        assert_eq!(groups.others, 900);
    }

    #[test]
    fn an_error_pattern_elides_names_numbers_and_urls() {
        let cases = [
            ("ann@example.com is already registered", "… is already registered"),
            ("`Ann Lee` (id 17) can't be found", "… (id …) can't be found"),
            ("GET https://a.example/x?y=1: refused.", "GET …: refused."),
            ("the 'name' isn't set, it's empty", "the … isn't set, it's empty"),
            ("an unclosed \" stays", "an unclosed \" stays"),
            ("app 17: status 409", "app …: status 409"),
            ("größe=12, naïve", "größe=…, naïve"),
            ("", ""),
        ];
        for (error, expected) in cases {
            assert_eq!(pattern(&parts(error)), expected, "{error}");
            let whole: String = parts(error).into_iter().map(|part| part.text).collect();
            assert_eq!(whole, error);
        }
    }

    #[test]
    fn the_retry_count_is_stripped_from_an_error() {
        let cases = [
            (
                "no answer within 5 s (2 tries) (a.rhai:1:2)",
                "no answer within 5 s (a.rhai:1:2)",
            ),
            ("refused (12 tries)", "refused"),
            ("one (two) (tries)", "one (two) (tries)"),
        ];
        for (error, expected) in cases {
            assert_eq!(without_tries(error), expected);
        }
    }
}
