//! Definition files for editors, in the format of Rhai's language server (`.d.rhai`).
//!
//! A file begins with `module NAME;`, or with `module static;` if its contents need no module name. Functions are
//! declared as `fn name(parameter: Type) -> Type;`, once for each number of arguments, and properties as
//! `fn get name(object: Type) -> Type;` (the server's own grammar, public).

use std::fmt::Write as _;

use super::find::short;
use super::{OpDoc, ParamDoc};
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Operation;
use crate::operation::spec::{Param, Type};

/// A definition file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionFile {
    /// The file name with its extension.
    pub name: String,
    /// The contents.
    pub text: String,
}

/// Creates the files for all operations and kinds: one for each module, and one for global functions, methods and
/// properties.
pub fn files(catalogue: &Catalogue) -> Vec<DefinitionFile> {
    let all = || catalogue.operations().iter().copied();
    let global = all().filter(|op| op.module.is_empty() || op.method_kind().is_some());
    let mut text = header(
        "static",
        "Operations that scripts call without a module name, and the objects they return",
    );
    for kind in catalogue.kinds() {
        for (name, ty, about) in kind.properties {
            let (object, of) = (object_name(kind.name), type_name(kind.name));
            let _ = write!(
                text,
                "\n/// {about}\nfn get {name}({object}: {of}) -> {};\n",
                result_type(catalogue, ty)
            );
        }
    }
    global.for_each(|op| declare(&mut text, catalogue, op, op.method_kind()));
    let mut files = vec![DefinitionFile {
        name: "provisor.d.rhai".to_owned(),
        text,
    }];
    for module in catalogue.modules() {
        let own: Vec<Operation> = all()
            .filter(|op| op.module == module && op.receiver.is_none())
            .collect();
        let mut text = header(module, &format!("Operations of `{module}`"));
        for op in own {
            declare(&mut text, catalogue, op, None);
        }
        files.push(DefinitionFile {
            name: format!("{module}.d.rhai"),
            text,
        });
    }
    files
}

/// Returns the type name of a kind: `CrmContact` for `crm::Contact`, since types have no module in these files.
pub fn type_name(kind: &str) -> String {
    let capital = |part: &str| {
        let mut chars = part.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    kind.split("::").map(capital).collect()
}

fn header(module: &str, about: &str) -> String {
    format!(
        "/// {about}.\n///\n/// Written by `provisor ops definitions`; write it again after an update.\nmodule {module};\n"
    )
}

/// Writes one declaration of the function, or of the method of this kind, for each possible number of arguments, the longest
/// first.
fn declare(text: &mut String, catalogue: &Catalogue, op: Operation, kind: Option<&str>) {
    let comment = comment(&OpDoc::of(catalogue, op));
    for count in (op.required()..=op.params.len()).rev() {
        let receiver = kind.map(|kind| format!("{}: {}", object_name(kind), type_name(kind)));
        let params = op.params.iter().take(count);
        let params = params.map(|param| format!("{}: {}", word(param.name), param_type(param)));
        let params: Vec<String> = receiver.into_iter().chain(params).collect();
        let _ = write!(
            text,
            "\n{comment}fn {}({}) -> {};\n",
            op.name,
            params.join(", "),
            result_type(catalogue, op.result)
        );
    }
}

fn comment(doc: &OpDoc) -> String {
    let lines = description(doc).into_iter();
    let lines: Vec<String> = lines
        .map(|line| format!("/// {line}").trim_end().to_owned() + "\n")
        .collect();
    lines.concat()
}

/// Returns the documentation in Markdown, line by line, without the signature.
pub fn description(doc: &OpDoc) -> Vec<String> {
    let mut lines = vec![format!("{}.", doc.summary)];
    if !doc.about.is_empty() {
        lines.extend([String::new(), doc.about.to_owned()]);
    }
    let about = |param: &ParamDoc| format!("* `{}` ({}): {}", param.name, param.ty, param.about);
    if !doc.params.is_empty() {
        lines.push(String::new());
        for param in &doc.params {
            lines.push(about(param));
            lines.extend(param.keys.iter().map(|key| format!("  {}", about(key))));
        }
    }
    if !doc.errors.is_empty() {
        lines.push(String::new());
        let error = |error: &super::ErrorDoc| format!("* error `{}`: {}", error.code, error.when);
        lines.extend(doc.errors.iter().map(error));
    }
    lines.extend([
        String::new(),
        format!("Effect: {}; {}.", doc.effect.name, doc.effect.meaning),
    ]);
    lines.extend([String::new(), "```rhai".to_owned()]);
    lines.extend(doc.example.lines().map(str::to_owned));
    lines.push("```".to_owned());
    lines
}

/// Returns the parameter name for an object: `session` for `crm::Session`.
fn object_name(kind: &str) -> String {
    short(kind).to_lowercase()
}

/// Returns a name that is not a keyword of the definition language.
fn word(name: &str) -> String {
    match name {
        "module" | "static" | "type" | "op" | "get" | "set" => format!("{name}_"),
        name => name.to_owned(),
    }
}

fn param_type(param: &Param) -> String {
    match param.ty {
        Type::Text => "String".to_owned(),
        Type::SecretText => "String | Secret".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Number => "int | float".to_owned(),
        Type::Id => "int | String".to_owned(),
        Type::Duration => "int | float | String".to_owned(),
        Type::List => "Array".to_owned(),
        Type::Texts => "int | String | Array".to_owned(),
        Type::Function => "Fn".to_owned(),
        Type::Map => "Map".to_owned(),
        Type::Any => "?".to_owned(),
        Type::Options(keys) => {
            let keys = keys
                .iter()
                .map(|key| format!("{}: {}", key.name, param_type(key)));
            format!("#{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Converts a result type of the table: `list of crm::Deal` becomes `Array<CrmDeal>`.
fn result_type(catalogue: &Catalogue, result_text: &str) -> String {
    let one = |result_text: &str| -> String {
        match result_text.trim() {
            "string" => "String".to_owned(),
            "secret" => "Secret".to_owned(),
            "bool" | "int" | "float" | "()" => result_text.trim().to_owned(),
            "map" => "Map".to_owned(),
            "list" => "Array".to_owned(),
            name if catalogue.kind(name).is_some() => type_name(name),
            _ => "?".to_owned(),
        }
    };
    let part = |result_text: &str| match result_text.trim().strip_prefix("list of ") {
        Some(items) => match one(items).as_str() {
            "?" => "Array".to_owned(),
            items => format!("Array<{items}>"),
        },
        None => one(result_text),
    };
    let parts: Vec<String> = result_text.split(" or ").map(part).collect();
    if parts.iter().any(|part| part == "?") {
        return "?".to_owned();
    }
    parts.join(" | ")
}
