//! Splits the arguments of a command into words: separated by white space, and quoted as in a shell. Backslashes are
//! ordinary characters.

/// Splits a command line into words.
pub(in crate::repl) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return Err(format!("the quote {open} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// Returns the only word of a command line; the error suggests quotes.
pub(super) fn only_word(text: &str) -> Result<String, String> {
    let mut found = words(text)?;
    match (found.pop(), found.is_empty()) {
        (Some(word), true) => Ok(word),
        _ => Err(format!("put a path with blanks in quotes: {}", quoted(text))),
    }
}

/// Quotes a word if necessary.
pub(in crate::repl) fn quoted(word: &str) -> String {
    match () {
        () if needs_quotes(word) => in_quotes(word, true),
        () => word.to_owned(),
    }
}

/// Whether a word needs quotes.
pub(in crate::repl) fn needs_quotes(word: &str) -> bool {
    word.is_empty() || word.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
}

/// Quotes a word; without the closing quote unless `ends` is set.
pub(in crate::repl) fn in_quotes(word: &str, ends: bool) -> String {
    let quote = if word.contains('"') { '\'' } else { '"' };
    // A word that contains both kinds of quotes is composed of several quoted parts.
    let inner = match quote {
        '\'' => word.replace('\'', "'\"'\"'"),
        _ => word.to_owned(),
    };
    let end = if ends { quote.to_string() } else { String::new() };
    format!("{quote}{inner}{end}")
}

/// The word being typed at the end: where it begins, whether it is quoted, and its unquoted text.
pub(in crate::repl) fn last_word(text: &str) -> (usize, bool, String) {
    let mut start = 0;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => start = at + c.len_utf8(),
            _ => {}
        }
    }
    let typed = &text[start..];
    let closed = quote.map_or_else(|| typed.to_owned(), |open| format!("{typed}{open}"));
    let word = words(&closed).ok().and_then(|words| words.into_iter().next());
    (start, typed.starts_with(['"', '\'']), word.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn words_are_split_at_blanks_outside_of_quotes() {
        let split = words("a.rhai --name 'Ann B' --x=\"1 2\" ''").unwrap();
        assert_eq!(split, ["a.rhai", "--name", "Ann B", "--x=1 2", ""]);
        assert_eq!(words("a 'b").unwrap_err(), "the quote ' is not closed");
        assert_eq!(only_word("\"with space/x.rhai\"").unwrap(), "with space/x.rhai");
        assert_eq!(
            only_word("with space/x.rhai").unwrap_err(),
            "put a path with blanks in quotes: \"with space/x.rhai\""
        );
    }

    #[test]
    fn a_quoted_command_word_round_trips() {
        for word in ["a.rhai", "a b.rhai", "it's", "say \"x\"", "both ' and \"", ""] {
            assert_eq!(words(&quoted(word)).unwrap(), [word]);
            let open = in_quotes(word, false);
            assert_eq!(last_word(&open), (0, true, word.to_owned()), "{open}");
        }
        assert_eq!(quoted("a.rhai"), "a.rhai");
    }

    #[test]
    fn the_last_word_is_found_while_it_is_typed() {
        assert_eq!(last_word("v \"a b"), (2, true, "a b".into()));
        assert_eq!(last_word("\"a b\" --x"), (6, false, "--x".into()));
        assert_eq!(last_word("a "), (2, false, String::new()));
        assert_eq!(last_word("\"a b\""), (0, true, "a b".into()));
    }
}
