//! Suggests the Rhai form of what users of other languages write.

/// Keywords and names of other languages, with their Rhai form.
const WORDS: &[(&[&str], &str)] = &[
    (
        &["null", "nil", "None", "NULL", "undefined", "void"],
        "the empty value is written `()`; compare with it as in `x == ()`",
    ),
    (
        &["await", "async", "yield"],
        "an operation waits for its result by itself: call it, and use the result",
    ),
    (
        &["var"],
        "a variable is declared with `let`, a constant with `const`",
    ),
    (
        &["def", "func", "function", "lambda"],
        "a function is written `fn name(a) { ... }`, a closure `|a| ...`",
    ),
    (
        &["new", "class"],
        "there are no classes: a map is written `#{ key: value }`",
    ),
    (&["and"], "it is written `a && b`"),
    (&["or"], "it is written `a || b`"),
    (&["not"], "it is written `!a`"),
    (&["True", "TRUE"], "it is written `true`"),
    (&["False", "FALSE"], "it is written `false`"),
    (&["elif", "elsif", "elseif"], "it is written `else if`"),
    (
        &["match", "case"],
        "it is written `switch x { 1 => ..., _ => ... }`",
    ),
    (&["raise"], "an error is thrown with `throw`"),
    (
        &["except", "finally"],
        "it is written `try { ... } catch (err) { ... }`",
    ),
    (
        &["console", "puts", "echo", "printf", "println"],
        "a line is printed with `print(...)`",
    ),
    (&["self"], "the value that a method is called on is `this`"),
    (&["len"], "it is called on the value: `list.len()`"),
    (
        &["str", "String"],
        "a value becomes text with `value.to_string()`",
    ),
    (&["range"], "a range is written `0..n`, with its end `0..=n`"),
];

/// Functions that need parentheses.
const FUNCTIONS: &[&str] = &["print", "debug", "type_of", "call", "curry", "is_shared", "Fn"];

/// Properties and methods of other languages, with their Rhai form.
const MEMBERS: &[(&[&str], &str)] = &[
    (
        &["length", "size", "count"],
        "the number of elements is `value.len()`",
    ),
    (
        &["each", "forEach", "foreach", "for_each"],
        "iterate over it with `for item in list { ... }`",
    ),
    (
        &["includes", "include", "has", "indexOf"],
        "it is written `item in list`, or `list.contains(item)`",
    ),
    (&["toString", "str"], "it is written `value.to_string()`"),
    (
        &["append", "add", "push_back"],
        "an element is added with `list.push(item)`, a list with `list + other`",
    ),
    (
        &["toUpperCase", "upper", "upcase"],
        "it is written `text.to_upper()`",
    ),
    (
        &["toLowerCase", "lower", "downcase"],
        "it is written `text.to_lower()`",
    ),
    (
        &["startsWith", "startswith"],
        "it is written `text.starts_with(part)`",
    ),
    (&["endsWith", "endswith"], "it is written `text.ends_with(part)`"),
    (
        &["substring", "substr", "slice"],
        "it is written `text.sub_string(start, count)`, of a list `list.extract(start, count)`",
    ),
    (
        &["entries", "items"],
        "iterate over a map with `for key in map.keys() { map[key] }`",
    ),
    (&["concat"], "lists, maps and texts are joined with `a + b`"),
    (
        &["strip"],
        "`text.trim()` removes the blanks in place: put the text into a variable first",
    ),
];

/// Returns the hint for a word.
pub(super) fn word(word: &str) -> Option<String> {
    if FUNCTIONS.contains(&word) {
        return Some(format!(
            "it is a function, and its brackets are needed: `{word}(...)`"
        ));
    }
    suggestion(WORDS, word)
}

/// Returns the hint for a property or method.
pub(super) fn member(name: &str) -> Option<String> {
    suggestion(MEMBERS, name)
}

fn suggestion(known: &[(&[&str], &str)], word: &str) -> Option<String> {
    let found = known.iter().find(|(words, _)| words.contains(&word));
    found.map(|(_, hint)| (*hint).to_owned())
}
