//! The doc comment that declares the parameters of `main`.

use std::fmt::Write as _;

use super::extract::Parameter;

/// Returns the `@param` lines, with an empty line above them.
pub(super) fn documented(params: &[Parameter]) -> String {
    let mut text = String::new();
    if params.is_empty() {
        return text;
    }
    text.push_str("///\n");
    let widest = |width: fn(&Parameter) -> usize| params.iter().map(width).max().unwrap_or_default();
    let (names, types) = (
        widest(|param| param.name.len()),
        widest(|param| param.type_name.len()),
    );
    for param in params {
        let default = match &param.default {
            Some(default) => format!("= {}  {}", quoted(default), param.about),
            None => format!("{}  (it was typed, and is not kept)", param.about),
        };
        let line = format!(
            "/// @param {:names$}  {:types$} {}",
            param.name,
            param.type_name,
            default.trim_end()
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Quotes a text as a string literal.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}
