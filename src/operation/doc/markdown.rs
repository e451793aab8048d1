//! The reference as Markdown: a page for each module, one for the error codes, and an index.

use std::fmt::Write as _;

use super::find::kinds_of;
use super::{OpDoc, ParamDoc, properties};
use crate::operation::catalogue::Catalogue;
use crate::operation::explain::{self, Explanation};
use crate::operation::spec::{Kind, OpSpec};

/// A page of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookPage {
    /// The file name.
    pub name: String,
    /// The contents.
    pub text: String,
}

/// Renders the whole reference, the index first.
pub fn book(catalogue: &Catalogue) -> Vec<BookPage> {
    let mut pages = vec![index(catalogue)];
    pages.push(page(catalogue, "global", "Global functions", |op| {
        op.module.is_empty()
    }));
    for module in catalogue.modules() {
        pages.push(page(catalogue, module, &format!("Module `{module}`"), |op| {
            op.module == module
        }));
    }
    pages.push(errors(catalogue));
    pages
}

/// Renders the documentation of an operation, with a heading of this level.
pub fn op(doc: &OpDoc, level: usize) -> String {
    let mut text = format!("{} `{}`\n\n", "#".repeat(level), doc.name);
    let _ = writeln!(text, "```rhai\n{}\n```\n", doc.heading());
    let _ = writeln!(text, "{}. {}", doc.summary, doc.about);
    if !doc.params.is_empty() {
        text.push_str("\n| Parameter | Type | |\n| --- | --- | --- |\n");
        for param in &doc.params {
            param_row(&mut text, param, "");
            key_rows(&mut text, param, "");
        }
    }
    let _ = writeln!(text, "\nReturns {}.", result(doc));
    if !doc.errors.is_empty() {
        text.push_str("\n| Error | When | What to do |\n| --- | --- | --- |\n");
        for error in &doc.errors {
            let _ = writeln!(
                text,
                "| [`{0}`](errors.md#{0}) | {1} | {2} |",
                error.code,
                cell(error.when),
                cell(error.hint)
            );
        }
    }
    if !doc.common_errors.is_empty() {
        let codes = doc
            .common_errors
            .iter()
            .map(|code| format!("[`{code}`](errors.md#{code})"));
        let _ = writeln!(
            text,
            "\nErrors of all operations of this kind: {}.",
            codes.collect::<Vec<_>>().join(", ")
        );
    }
    let _ = writeln!(
        text,
        "\n* Effect: **{}**; {}.",
        doc.effect.name, doc.effect.meaning
    );
    let _ = writeln!(
        text,
        "* Permission: **{}**; {}.",
        doc.permission.name, doc.permission.meaning
    );
    if !doc.timeout.is_empty() {
        let _ = writeln!(text, "* Waits for the platform: {}.", doc.timeout);
    }
    let _ = writeln!(
        text,
        "\nExample, which runs on a new sandbox:\n\n```rhai\n{}\n```",
        doc.example
    );
    text
}

fn index(catalogue: &Catalogue) -> BookPage {
    let mut text = String::from(
        "# Operations\n\nWhat a script can do outside itself. Written by `provisor ops book` from the operation table; \
         every example is run as a test.\n",
    );
    let _ = section(catalogue, &mut text, "Global functions", "global", |op| {
        op.module.is_empty()
    });
    for module in catalogue.modules() {
        let _ = section(catalogue, &mut text, &format!("`{module}`"), module, |op| {
            op.module == module
        });
    }
    text.push_str("\n[Errors](errors.md) explains every error code.\n");
    BookPage {
        name: "index.md".to_owned(),
        text,
    }
}

fn section(
    catalogue: &Catalogue,
    text: &mut String,
    title: &str,
    file: &str,
    of: impl Fn(&OpSpec) -> bool,
) -> std::fmt::Result {
    writeln!(
        text,
        "\n## {title}\n\n| Operation | Effect | |\n| --- | --- | --- |"
    )?;
    for op in catalogue.operations().iter().filter(|op| of(op)) {
        let (signature, id) = (op.signature(), anchor(&op.id()));
        let (effect, summary) = (op.effect.name(), cell(op.summary));
        writeln!(text, "| [`{signature}`]({file}.md#{id}) | {effect} | {summary} |")?;
    }
    Ok(())
}

fn page(catalogue: &Catalogue, file: &str, title: &str, of: impl Fn(&OpSpec) -> bool) -> BookPage {
    let mut text = format!("# {title}\n\n[All operations](index.md)\n");
    for op in catalogue.operations().iter().filter(|op| of(op)) {
        let _ = write!(text, "\n{}", self::op(&OpDoc::of(catalogue, *op), 2));
    }
    for kind in kinds_of(catalogue, file) {
        let _ = write!(text, "\n{}", object(catalogue, kind));
    }
    BookPage {
        name: format!("{file}.md"),
        text,
    }
}

fn object(catalogue: &Catalogue, kind: &'static Kind) -> String {
    let mut text = format!("## Object `{}`\n\n{}.\n", kind.name, kind.summary);
    text.push_str("\n| Property | Type | |\n| --- | --- | --- |\n");
    for property in properties(kind) {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            property.name,
            property.ty,
            cell(property.about)
        );
    }
    let methods: Vec<String> = catalogue
        .methods(kind.name)
        .map(|op| {
            let page = if op.module.is_empty() { "global.md" } else { "" };
            format!("[`{}`]({page}#{})", op.name, anchor(&op.id()))
        })
        .collect();
    if !methods.is_empty() {
        let _ = writeln!(text, "\nMethods: {}.", methods.join(", "));
    }
    text
}

fn errors(catalogue: &Catalogue) -> BookPage {
    let mut text = String::from(
        "# Error codes\n\nThe values of `err.kind` in a script; `provisor explain CODE` explains each.\n",
    );
    for entry in explain::all(catalogue) {
        let _ = write!(text, "\n{}", explanation(entry));
    }
    BookPage {
        name: "errors.md".to_owned(),
        text,
    }
}

/// Renders the entry of an error code.
fn explanation(entry: &Explanation) -> String {
    let mut text = format!("## `{}`\n\n{}\n", entry.code, entry.meaning);
    let mut list = |title: &str, items: &[&str]| {
        if !items.is_empty() {
            let _ = writeln!(text, "\n{title}:\n");
            for item in items {
                let _ = writeln!(text, "* {item}");
            }
        }
    };
    list("Usual causes", entry.causes);
    list("What to do", entry.remedies);
    let _ = writeln!(text, "\n```{}\n{}\n```", entry.language(), entry.example);
    text
}

/// Writes the keys of a map, recursively.
fn key_rows(text: &mut String, param: &ParamDoc, before: &str) {
    let before = format!("{before}{}.", param.name);
    for key in &param.keys {
        param_row(text, key, &before);
        key_rows(text, key, &before);
    }
}

fn param_row(text: &mut String, param: &ParamDoc, prefix: &str) {
    let must = if param.required || !prefix.is_empty() {
        ""
    } else {
        ", optional"
    };
    let _ = writeln!(
        text,
        "| `{prefix}{}` | {}{must} | {} |",
        param.name,
        param.ty,
        cell(param.about)
    );
}

fn result(doc: &OpDoc) -> String {
    let names: Vec<String> = doc
        .result
        .properties
        .iter()
        .map(|property| format!("`{}`", property.name))
        .collect();
    match names.as_slice() {
        [] => doc.result.ty.to_owned(),
        names => format!("{} ({})", doc.result.ty, names.join(", ")),
    }
}

/// Escapes text for a table cell, which a bar would end.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Returns the fragment that Markdown renderers derive from a heading: letters and digits in lower case.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
        .flat_map(char::to_lowercase)
        .collect()
}
