//! Names for what has none in a session: results and parameters.

use std::collections::BTreeSet;

use crate::script::tokens::{Sort, pieces};

/// Words that no name may be: those of the language, and the flags of `provisor run`, which a parameter would hide.
const NOT_FREE: &[&str] = &[
    "main",
    "_err",
    "fault",
    "seed",
    "profile",
    "rows",
    "rows_format",
    "out",
    "format",
    "reveal",
    "jobs",
    "stop_after",
    "yes",
    "json",
    "help",
    "color",
    "verbose",
    "sandbox",
    "default",
    "new",
    "use",
    "with",
    "match",
    "case",
    "module",
    "package",
    "public",
    "private",
    "protected",
    "spawn",
    "thread",
    "sync",
    "async",
    "await",
    "yield",
    "go",
    "goto",
    "is",
    "null",
    "nil",
    "void",
    "var",
    "static",
    "shared",
    "super",
    "call",
    "curry",
    "print",
    "debug",
    "exit",
    "eval",
    "this",
    "global",
    "let",
    "const",
    "fn",
    "if",
    "else",
    "switch",
    "for",
    "in",
    "while",
    "loop",
    "do",
    "until",
    "break",
    "continue",
    "return",
    "throw",
    "try",
    "catch",
    "import",
    "export",
    "as",
    "true",
    "false",
    "type_of",
    "is_def_var",
    "is_def_fn",
];

/// Words before a noun in the names of operations.
const VERBS: &[&str] = &["ensure_", "create_", "find_", "get_", "update_"];

/// May nothing be called so?
pub(super) fn is_reserved(name: &str) -> bool {
    NOT_FREE.contains(&name)
}

/// The name, with a number behind it when it is taken.
pub(super) fn free(name: &str, taken: &BTreeSet<String>) -> String {
    let is_free = |name: &str| !taken.contains(name) && !is_reserved(name);
    let mut free = name.to_owned();
    let mut count = 2;
    while !is_free(&free) {
        free = format!("{name}_{count}");
        count += 1;
    }
    free
}

/// What the result of a statement could be called: `app` for `client.ensure_app(…)`.
pub(super) fn result_name(statement: &str) -> Option<String> {
    let found = pieces(statement);
    let mut depth = 0_usize;
    let mut last = None;
    for (at, piece) in found.iter().enumerate() {
        match piece.text(statement) {
            "(" | "[" | "{" | "#{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            word if depth == 0 => {
                let is_called = found.get(at + 1).is_some_and(|next| next.text(statement) == "(");
                if piece.sort == Sort::Name {
                    last = is_called.then_some(word);
                } else if ![".", "?.", "::", ";"].contains(&word) && piece.sort != Sort::Comment {
                    // An operator: the result is no longer that of a call.
                    return None;
                }
            }
            _ => {}
        }
    }
    let called = last?;
    let noun = VERBS.iter().find_map(|verb| called.strip_prefix(verb));
    let noun = noun.or((called == "connect").then_some("session"))?;
    (!is_reserved(noun)).then(|| noun.to_owned())
}

/// The name of a function, and how many parameters it has.
pub(super) fn signature(function: &str) -> (String, usize) {
    let found = pieces(function);
    let words: Vec<&str> = found
        .iter()
        .filter(|piece| piece.sort != Sort::Comment)
        .map(|piece| piece.text(function))
        .collect();
    let at = words.iter().position(|word| *word == "fn").unwrap_or(0);
    let name = words.get(at + 1).copied().unwrap_or_default().to_owned();
    let params = words.iter().skip(at + 2).take_while(|word| **word != ")");
    let count = params.filter(|word| !["(", ","].contains(word)).count();
    (name, count)
}
