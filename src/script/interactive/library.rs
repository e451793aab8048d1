//! The functions of the language and its library, with their parameters and the start of their documentation.

use std::sync::OnceLock;

use crate::script::definitions;

/// A function of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Native {
    /// Its name.
    pub name: String,
    /// The parameters as (name, type); the first parameter of a method is the receiver.
    pub params: Vec<(String, String)>,
    /// The result type, as scripts know it; empty if unknown.
    pub result: String,
    /// The first paragraph of its documentation; may be empty.
    pub doc: String,
    /// Whether it is a property, read without parentheses.
    pub property: bool,
}

impl Native {
    /// Whether it can be called on a value of this type.
    pub(crate) fn takes(&self, type_name: &str) -> bool {
        let first = self.params.first();
        first.is_some_and(|(_, ty)| {
            ty == type_name || (ty == "?" && !self.name.starts_with(char::is_uppercase))
        })
    }

    /// The call with parameter names: `pad(text, len, with)`.
    pub(crate) fn signature(&self) -> String {
        let names: Vec<&str> = self.params.iter().map(|(name, _)| name.as_str()).collect();
        format!("{}({})", self.name, names.join(", "))
    }

    /// The call with parameter types: `pad(string, int, char)`.
    pub(crate) fn typed(&self) -> String {
        let types: Vec<&str> = self.params.iter().map(|(_, ty)| ty.as_str()).collect();
        format!("{}({})", self.name, types.join(", "))
    }

    /// The call with parameter names, without the receiver.
    pub(crate) fn method(&self) -> String {
        if self.property {
            return self.name.clone();
        }
        let names: Vec<&str> = self
            .params
            .iter()
            .skip(1)
            .map(|(name, _)| name.as_str())
            .collect();
        format!("{}({})", self.name, names.join(", "))
    }
}

/// Every named function of the language. The first call takes some milliseconds.
pub(crate) fn natives() -> &'static [Native] {
    static NATIVES: OnceLock<Vec<Native>> = OnceLock::new();
    NATIVES.get_or_init(all_natives)
}

fn all_natives() -> Vec<Native> {
    let mut found = Vec::new();
    for (name, text) in definitions::standard() {
        if name.starts_with("rhai-builtin") || name.starts_with("rhai-library") {
            read(&text, &mut found);
        }
    }
    found.sort_by(|a, b| (&a.name, a.params.len()).cmp(&(&b.name, b.params.len())));
    found.dedup();
    found
}

fn read(text: &str, found: &mut Vec<Native>) {
    let mut doc = String::new();
    let mut is_over = false;
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("///") {
            let comment = comment.trim();
            is_over |= comment.is_empty() && !doc.is_empty();
            if !is_over && !comment.is_empty() {
                if !doc.is_empty() {
                    doc.push(' ');
                }
                doc.push_str(comment);
            }
            continue;
        }
        if let Some(mut native) = line.strip_prefix("fn ").and_then(declaration) {
            native.doc = std::mem::take(&mut doc);
            found.push(native);
        }
        doc.clear();
        is_over = false;
    }
}

/// Parses `get name(value: T) -> T;` or `name(value: T) -> T;`.
fn declaration(text: &str) -> Option<Native> {
    let property = text.starts_with("get ") && !text.starts_with("get (");
    let text = text.strip_prefix("get ").filter(|_| property).unwrap_or(text);
    if text.starts_with("set ") {
        return None;
    }
    let (name, rest) = text.split_once('(')?;
    let (params, result) = rest.rsplit_once(") ->").or_else(|| rest.rsplit_once(')'))?;
    let params = params
        .split(", ")
        .filter(|param| !param.is_empty())
        .filter_map(|param| param.split_once(": "))
        .map(|(name, ty)| (name.to_owned(), plain(ty).to_owned()));
    let result = result.trim().trim_end_matches(';');
    Some(Native {
        name: name.to_owned(),
        params: params.collect(),
        result: match result {
            "?" | "RhaiResult" => String::new(),
            other => plain(other).to_owned(),
        },
        doc: String::new(),
        property,
    })
}

/// Translates a type of the definition files to the name that [`super::Variable`] uses.
fn plain(ty: &str) -> &str {
    match ty.trim() {
        "String" => "string",
        "Array" => "array",
        "Map" => "map",
        "Blob" => "blob",
        "FnPtr" => "closure",
        ty if ty.starts_with("Range") => "range",
        ty => ty,
    }
}

#[cfg(test)]
mod tests;
