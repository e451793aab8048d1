//! What errors have in common once their values are left out.

/// What stands for a value that differs from row to row.
pub(super) const BLANK: &str = "…";

/// A piece of an error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) text: String,
    /// Is it a value, which may be another one in the next row?
    pub(super) is_value: bool,
}

/// The error in pieces: every quoted value, e-mail address, web address and word with a digit in it is a value.
pub(super) fn parts(error: &str) -> Vec<Part> {
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

/// The pieces with a blank for every value.
pub(super) fn pattern(parts: &[Part]) -> String {
    let shown = |part: &Part| {
        if part.is_value {
            BLANK.to_owned()
        } else {
            part.text.clone()
        }
    };
    parts.iter().map(shown).collect()
}

/// The error without how often it was tried: that tells two equal failures apart, and says nothing about them.
pub(super) fn without_tries(error: &str) -> String {
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

/// Where the quoted value ends that the text starts with.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '`' | '"' | '\''))?;
    let end = text[1..].find(quote)?;
    Some(end + 2)
}

/// Where the word ends that the text starts with. An equals sign is part of a web address, and else a bracket.
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

/// An HTTP status is what makes errors equal or not, and stays.
fn differs(word: &str) -> bool {
    // A telephone number may begin with a plus sign, and is none.
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
    fn a_pattern_leaves_out_what_differs() {
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
    fn how_often_it_was_tried_is_no_part_of_an_error() {
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
