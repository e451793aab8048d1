//! What errors have in common once their values are left out.

/// What stands for a value that differs from row to row.
const BLANK: &str = "…";

/// The error with a blank for every quoted value, e-mail address, web address and word with a digit in it.
pub(super) fn pattern(error: &str) -> String {
    let mut out = String::with_capacity(error.len());
    let mut rest = error;
    while let Some(next) = rest.chars().next() {
        let after_word = out.chars().next_back().is_some_and(char::is_alphanumeric);
        if let Some(end) = quoted(rest).filter(|_| !after_word) {
            out.push_str(BLANK);
            rest = &rest[end..];
        } else if next.is_whitespace() || is_bracket(next) {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            let end = word_end(rest);
            let word = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
            out.push_str(if differs(word) { BLANK } else { word });
            out.push_str(&rest[word.len()..end]);
            rest = &rest[end..];
        }
    }
    out
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
    let is_status = word.parse().is_ok_and(|number: u16| (400..600).contains(&number));
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
            assert_eq!(pattern(error), expected, "{error}");
        }
    }
}
