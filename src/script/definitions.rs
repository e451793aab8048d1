//! Definition files for the parts of the language that are not operations: Rhai's own functions and our pure helpers.

use std::fmt::Write as _;

use rhai::packages::{Package, StandardPackage};
use rhai::{Engine, Module};

use super::std as pure;

/// The files as (name, text): the built-in functions, the operators, and the standard library.
pub(crate) fn standard() -> Vec<(String, String)> {
    super::prepare();
    let mut own = Module::new();
    pure::register(&mut own);
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    engine.register_global_module(own.into());
    let files = engine.definitions();
    let functions = files.builtin_functions();
    let operators = files.builtin_functions_operators();
    let library = files.static_module();
    vec![
        file("rhai-builtin", "Functions of the language", &functions),
        file("rhai-operators", "Operators of the language", &operators),
        file(
            "rhai-library",
            "The standard library and provisor's own helpers",
            &library,
        ),
    ]
}

fn file(name: &str, about: &str, text: &str) -> (String, String) {
    let mut out = format!(
        "/// {about}.\n///\n/// Written by `provisor ops definitions`; write it again after an update.\nmodule static;\n"
    );
    for declaration in declarations(text) {
        let _ = write!(out, "\n{declaration}\n");
    }
    (format!("{name}.d.rhai"), out)
}

/// Returns the declarations that a script can use, each with its comment, in the form that editors read.
fn declarations(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        lines.push(line.trim_end());
        if !line.starts_with("///") && line.ends_with(';') {
            let comment: Vec<&str> = lines
                .iter()
                .copied()
                .filter(|line| line.starts_with("///"))
                .collect();
            if let Some(declaration) = script_declaration(line) {
                let comment = comment.iter().map(|line| format!("{line}\n"));
                found.push(format!("{}{declaration}", comment.collect::<String>()));
            }
            lines.clear();
        }
    }
    found
}

/// Removes Rust details from a declaration; `None` if scripts cannot use it.
fn script_declaration(declaration: &str) -> Option<String> {
    let hidden = ["fn eval(", "fn timestamp(", "fn __"];
    // A function without parameter names overrides a library function that is already documented.
    if hidden.iter().any(|start| declaration.starts_with(start))
        || declaration.contains('$')
        || declaration.contains("(_:")
    {
        return None;
    }
    let declaration: String = words(&without_result(declaration))
        .into_iter()
        .map(known_type)
        .collect::<Option<_>>()?;
    // A setter returns nothing, and Rhai leaves its return type empty.
    let declaration = declaration.replace(") -> ;", ");");
    Some(declaration.replace("Range<int>=", "RangeInclusive<int>"))
}

/// Translates a type name to the one the other files use; `None` for a type that no script value has. Any other word
/// is unchanged.
fn known_type(word: &str) -> Option<&str> {
    match word {
        "i8" | "i16" | "i32" | "i128" | "u8" | "u16" | "u32" | "u64" | "u128" | "f32" | "timestamp" => None,
        "map" => Some("Map"),
        "array" => Some("Array"),
        "string" => Some("String"),
        "blob" => Some("Blob"),
        "range" => Some("Range<int>"),
        "Fn" => Some("FnPtr"),
        other => Some(other),
    }
}

/// Splits text into words and the text between them. A word before `(` or `:` is a name, not a type, and keeps that
/// character.
fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut length = rest.find(|c| is_word(c) != is_word(first)).unwrap_or(rest.len());
        if is_word(first) && rest[length..].starts_with(['(', ':']) {
            length += 1;
        }
        found.push(&rest[..length]);
        rest = &rest[length..];
    }
    found
}

/// Replaces `Result<T, Box<…>>` with `T`: a failure is thrown.
fn without_result(declaration: &str) -> String {
    let Some((before, after)) = declaration.split_once("Result<") else {
        return declaration.to_owned();
    };
    let value = after.split(", Box<").next().unwrap_or(after);
    format!("{before}{};", value.trim_end_matches([';', '>']))
}

#[cfg(test)]
mod tests;
