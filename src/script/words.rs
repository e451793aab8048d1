//! The reserved words of the language, according to its own tokenizer.

use rhai::Token;

use super::host;

/// Whether this word cannot be used as a name, including texts that are not names at all.
pub(crate) fn is_reserved(word: &str) -> bool {
    if OWN_WORDS.contains(&word) {
        return true;
    }
    let engine = host::compiler();
    let texts = [word];
    let (mut tokens, _) = engine.lex(&texts);
    !matches!(tokens.next(), Some((Token::Identifier(name), _)) if name.as_str() == word)
}

/// Words that the tokenizer accepts as names but that have a fixed meaning in every script.
const OWN_WORDS: &[&str] = &["global", "exit"];

#[cfg(test)]
mod tests {
    use super::*;

    const RESERVED: &str = "let const fn if else switch for in while loop do until break continue return throw try \
        catch import export as true false this private global is_shared is_def_var is_def_fn type_of print debug eval \
        call curry var static shared goto match case public protected new use with module package super thread spawn \
        go await async sync yield default void null nil exit is Fn";

    #[test]
    fn reserved_words_are_not_valid_names() {
        let names: Vec<&str> = RESERVED.split(' ').filter(|word| !is_reserved(word)).collect();
        assert_eq!(names, Vec::<&str>::new());
        for word in ["", "_", "_3", "two words", "é", "1", "a.b", "\"a\""] {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["email", "main", "site_2", "_x", "lets", "format", "now", "sleep"] {
            assert!(!is_reserved(word), "{word}");
        }
    }
}
