//! Reduces errors to patterns by leaving out their values.

/// The placeholder for a value that differs between rows.
pub(super) const BLANK: &str = "…";

/// A part of an error message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) text: String,
    /// Whether this is a value, which may differ in another row.
    pub(super) is_value: bool,
}

/// Splits an error into parts: every quoted value, email address, URL and word with a digit in it is a value.
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

/// Joins the parts, with a blank for every value.
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

/// Removes the number of tries from the error, since it would separate otherwise equal failures.
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
