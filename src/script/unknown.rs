//! Hints for undefined variables.

use super::foreign;
use super::parse::Names;
use crate::value::nearest::nearest;

/// Returns the hint for a name without a variable in scope. `near` are the candidates for a suggestion.
pub(super) fn hint<'a>(
    name: &str,
    names: &Names,
    near: impl IntoIterator<Item = &'a str>,
    in_function: bool,
    is_module: bool,
) -> Option<String> {
    if names.variables.contains(name) && in_function {
        return Some(format!(
            "functions cannot see variables outside them; pass it as a parameter, or declare it at the top \
             as `const {name}` and write `global::{name}`"
        ));
    }
    if is_module {
        return Some(format!(
            "it is a module: its functions are called as `{name}::function()`"
        ));
    }
    if let Some(hint) = foreign::word(name) {
        return Some(hint);
    }
    nearest(name, near).map(|near| format!("did you mean `{near}`?"))
}

/// Returns the hint for `global::NAME` if there is no such constant.
pub(super) fn constant<'a>(name: &str, names: &Names, near: impl IntoIterator<Item = &'a str>) -> String {
    if names.variables.contains(name) {
        return format!(
            "`global::` contains only constants: write `const {name} = ...` instead of `let`, before it is needed"
        );
    }
    match nearest(name, near) {
        Some(near) => format!("did you mean `global::{near}`?"),
        None => format!("declare it at the top: `const {name} = ...`"),
    }
}
