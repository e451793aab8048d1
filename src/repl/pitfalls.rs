//! Hints for common pitfalls that are not errors, shown at a terminal after an input that ran into one.

use crate::script::interactive::{Binding, Piece, Scopes, TokenKind, pieces};

/// Methods that modify their receiver and return nothing.
const IN_PLACE: &[&str] = &[
    "trim",
    "make_upper",
    "make_lower",
    "replace",
    "crop",
    "truncate",
    "pad",
    "push",
    "insert",
    "clear",
    "reverse",
    "sort",
    "retain",
    "chop",
    "set",
];

/// The hints for an input that succeeded; `has_value` is whether it returned a value.
pub(super) fn advice(text: &str, has_value: bool) -> Vec<String> {
    let found: Vec<Piece> = pieces(text)
        .into_iter()
        .filter(|piece| piece.kind != TokenKind::Comment)
        .collect();
    let words: Vec<&str> = found.iter().map(|piece| piece.text(text)).collect();
    let mut hints = Vec::new();
    if !has_value {
        hints.extend(find_discarded_change(&found, &words));
    }
    if words.windows(3).any(|three| three == ["+", "(", ")"]) {
        hints.push("`()` added to a text adds nothing and is not an error: check for `()` first".to_owned());
    }
    hints.extend(shared(text, &found));
    hints
}

/// Finds a temporary value that is modified in place and then lost: `" a ".trim()`.
fn find_discarded_change(found: &[Piece], words: &[&str]) -> Option<String> {
    let (last, before) = words.split_last()?;
    let mut depth = 1_usize;
    let open = before.iter().rposition(|word| {
        match *word {
            ")" => depth += 1,
            "(" => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let open = open.filter(|_| *last == ")")?;
    let (name, dot, receiver) = (open.checked_sub(1)?, open.checked_sub(2)?, open.checked_sub(3)?);
    let is_lost = found[receiver].kind == TokenKind::Text || words[receiver] == ")";
    (words[dot] == "." && IN_PLACE.contains(&words[name]) && is_lost).then(|| {
        format!(
            "`{0}` changes its value in place and returns nothing: `let x = ...; x.{0}(...); x`",
            words[name]
        )
    })
}

/// Finds closures that are kept by a loop and share its variable: `for i in 0..3 { fs.push(|| i) }`.
fn shared(text: &str, found: &[Piece]) -> Option<String> {
    let scopes = Scopes::of(text);
    let is_kept = |closure: usize| {
        let at = found.partition_point(|piece| piece.at.start < closure);
        let word = |back: usize| at.checked_sub(back).map_or("", |at| found[at].text(text));
        word(1) == "(" && word(2) == "push"
    };
    let shared = scopes.used.iter().find_map(|used| {
        let loops = scopes.declared.get(used.means?)?;
        // A closure around the loop has its own variable.
        let within = used.closure.filter(|closure| *closure > loops.at.end)?;
        (loops.kind == Binding::Loop && is_kept(within)).then_some(used.name.as_str())
    });
    shared.map(|variable| {
        format!(
            "the closures share one `{variable}`, and each sees its last value: write `let own = {variable};` in the \
             loop, and `own` in the closure"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_scripting_pitfalls_get_a_hint() {
        let hints = |text: &str| advice(text, false).join(" ");
        assert!(hints("\" a \".trim()").contains("in place"));
        assert!(hints("f(1).replace(\"a\", g(2))").contains("in place"));
        assert!(hints("\"x\" + ()").contains("adds nothing"));
        assert!(hints("for i in 0..3 { fs.push(|| i) }").contains("share one `i`"));
        assert!(hints("for i in 0..3 { fs.push(|n| n + i) }").contains("share one `i`"));
    }

    #[test]
    fn correct_code_gets_no_pitfall_hint() {
        for text in [
            "text.trim()",
            "list.push(1)",
            "f().len()",
            "a + f()",
            "for i in 0..3 { let own = i; fs.push(|| own) }",
            "for i in 0..3 { fs.push(i) }",
            "",
            ")",
            "for",
        ] {
            assert_eq!(advice(text, false), Vec::<String>::new(), "{text}");
        }
        assert_eq!(advice("\" a \".trim()", true), Vec::<String>::new());
    }
}
