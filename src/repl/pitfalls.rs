//! Hints for common pitfalls that are not errors, shown at a terminal after an input that ran into one.

use crate::syntax::{Binding, CodeTokens, SourceText, TokenKind};

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
    let source = SourceText::read(text);
    let code = source.code();
    let mut hints = Vec::new();
    if !has_value {
        hints.extend(find_discarded_change(code));
    }
    if (0..code.len()).any(|at| [code.word(at), code.word(at + 1), code.word(at + 2)] == ["+", "(", ")"]) {
        hints.push("`()` added to a text adds nothing and is not an error: check for `()` first".to_owned());
    }
    hints.extend(shared(&source));
    hints
}

/// Finds a temporary value that is modified in place and then lost: `" a ".trim()`.
fn find_discarded_change(code: CodeTokens<'_>) -> Option<String> {
    let last = code.len().checked_sub(1).filter(|last| code.word(*last) == ")")?;
    let open = code.partner(last)?;
    let (name, receiver) = (code.before(open, 1), open.checked_sub(3)?);
    let is_lost = code.kind(receiver) == Some(TokenKind::Text) || code.word(receiver) == ")";
    (code.before(open, 2) == "." && IN_PLACE.contains(&name) && is_lost).then(|| {
        format!("`{name}` changes its value in place and returns nothing: `let x = ...; x.{name}(...); x`")
    })
}

/// Finds closures that are kept by a loop and share its variable: `for i in 0..3 { fs.push(|| i) }`.
fn shared(source: &SourceText<'_>) -> Option<String> {
    let (code, scopes) = (source.code(), source.scopes());
    let is_kept = |closure: usize| {
        let at = code.index(closure);
        code.before(at, 1) == "(" && code.before(at, 2) == "push"
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
