//! Documentation as plain text for a terminal.

use super::find::{kinds_of, short};
use super::{ErrorDoc, OpDoc, ParamDoc, Property, properties};
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Operation;
use crate::operation::spec::Kind;

/// The layout of documentation.
pub struct DocLayout<'a> {
    /// The width of a line in columns.
    pub width: usize,
    /// Styles a heading.
    pub heading: &'a dyn Fn(&str) -> String,
}

impl std::fmt::Debug for DocLayout<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DocLayout({})", self.width)
    }
}

/// Renders the documentation of an operation, without a final line break.
pub fn op(doc: &OpDoc, look: &DocLayout<'_>) -> String {
    let mut page = Page::new(look);
    page.heading(&doc.heading());
    page.paragraph(&format!("{}. {}", doc.summary, doc.about));
    page.params(&doc.params);
    page.section("Returns");
    page.paragraph_at(2, doc.result.ty);
    page.properties(&doc.result.properties);
    page.errors(doc);
    page.section("Effect");
    page.item(2, doc.effect.name, doc.effect.meaning, 12);
    page.section("Permission");
    page.item(2, doc.permission.name, doc.permission.meaning, 12);
    if !doc.timeout.is_empty() {
        page.section("Waits for the platform");
        page.paragraph_at(2, doc.timeout);
    }
    page.section("Example");
    doc.example
        .lines()
        .for_each(|line| page.line(&format!("  {line}")));
    page.text
}

/// Renders the documentation of a kind of object.
pub fn kind(catalogue: &Catalogue, kind: &'static Kind, look: &DocLayout<'_>) -> String {
    let mut page = Page::new(look);
    page.heading(kind.name);
    page.paragraph(&format!("{}.", kind.summary));
    page.section("Properties");
    page.properties(&properties(kind));
    let methods = catalogue.methods(kind.name);
    let methods: Vec<(String, &str)> = methods.map(|op| (op.method_signature(), op.summary)).collect();
    if !methods.is_empty() {
        page.section("Methods");
        page.table(&methods);
    }
    page.text
}

/// Lists the operations and kinds of a module.
pub fn module(catalogue: &Catalogue, name: &str, look: &DocLayout<'_>) -> String {
    let mut page = Page::new(look);
    page.heading(name);
    page.section("Operations");
    let all = catalogue.operations().iter().copied();
    page.list(all.filter(|op| op.module == name));
    if kinds_of(catalogue, name).next().is_some() {
        page.section("Objects");
        let kinds: Vec<(String, &str)> = kinds_of(catalogue, name)
            .map(|kind| (short(kind.name).to_owned(), kind.summary))
            .collect();
        page.table(&kinds);
    }
    page.text
}

/// Lists operations with their summaries, one per line where there is room, grouped by module if there are several.
pub fn list(ops: &[Operation], look: &DocLayout<'_>) -> String {
    let mut page = Page::new(look);
    let mut groups: Vec<Vec<Operation>> = Vec::new();
    for op in ops {
        match groups.iter_mut().find(|group| group[0].module == op.module) {
            Some(group) => group.push(*op),
            None => groups.push(vec![*op]),
        }
    }
    for (index, group) in groups.iter().enumerate() {
        if groups.len() > 1 {
            if index > 0 {
                page.text.push('\n');
            }
            page.heading(match group[0].module {
                "" => "everywhere",
                module => module,
            });
        }
        page.list(group.iter().copied());
    }
    page.text
}

/// Wraps text to lines of at most `width` characters; a longer word gets a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let room = width.saturating_sub(line.chars().count() + 1);
        if !line.is_empty() && word.chars().count() > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The maximum width of a column of names.
const MAX_NAME_WIDTH: usize = 48;

struct Page<'a> {
    look: &'a DocLayout<'a>,
    text: String,
}

impl<'a> Page<'a> {
    fn new(look: &'a DocLayout<'a>) -> Page<'a> {
        Page {
            look,
            text: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line.trim_end());
    }

    fn heading(&mut self, text: &str) {
        let text = (self.look.heading)(text);
        self.line(&text);
    }

    fn section(&mut self, title: &str) {
        self.text.push('\n');
        self.heading(title);
    }

    fn paragraph(&mut self, text: &str) {
        self.text.push('\n');
        self.paragraph_at(0, text);
    }

    fn paragraph_at(&mut self, indent: usize, text: &str) {
        for line in wrap(text, self.look.width.saturating_sub(indent)) {
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    /// Writes a name with a text beside it, or below it if the name is too long or the line too short.
    fn item(&mut self, indent: usize, name: &str, text: &str, column: usize) {
        let at = indent + column;
        let beside = self.look.width >= at + 24 && name.chars().count() < column;
        if !beside {
            self.line(&format!("{:indent$}{name}", ""));
            self.paragraph_at(indent + 4, text);
            return;
        }
        let lines = wrap(text, self.look.width - at);
        let first = lines.first().map_or("", String::as_str);
        self.line(&format!("{:indent$}{name:column$}{first}", ""));
        for line in lines.iter().skip(1) {
            self.line(&format!("{:at$}{line}", ""));
        }
    }

    fn table(&mut self, rows: &[(String, &str)]) {
        let widths = rows.iter().map(|(name, _)| name.chars().count());
        let column = widths.max().unwrap_or_default().min(MAX_NAME_WIDTH) + 2;
        for (name, text) in rows {
            self.item(2, name, text, column);
        }
    }

    fn list(&mut self, ops: impl Iterator<Item = Operation>) {
        let rows: Vec<(String, &str)> = ops.map(|op| (op.signature(), op.summary)).collect();
        self.table(&rows);
    }

    fn params(&mut self, params: &[ParamDoc]) {
        if params.is_empty() {
            return;
        }
        self.section("Parameters");
        for param in params {
            self.param(2, param);
            self.keys(6, param);
        }
    }

    /// Writes the keys of a map, recursively.
    fn keys(&mut self, indent: usize, param: &ParamDoc) {
        for key in &param.keys {
            self.param(indent, key);
            self.keys(indent + 4, key);
        }
    }

    fn param(&mut self, indent: usize, param: &ParamDoc) {
        let must = if param.required || indent > 2 {
            ""
        } else {
            ", optional"
        };
        let text = format!("{}{must}: {}", param.ty, param.about);
        self.item(indent, param.name, &text, 14);
    }

    fn properties(&mut self, properties: &[Property]) {
        for property in properties {
            let text = format!("{}: {}", property.ty, property.about);
            self.item(4, &format!(".{}", property.name), &text, 14);
        }
    }

    fn errors(&mut self, doc: &OpDoc) {
        if doc.errors.is_empty() && doc.common_errors.is_empty() {
            return;
        }
        self.section("Errors (err.kind)");
        for ErrorDoc { code, when, hint } in &doc.errors {
            self.item(2, code, when, 20);
            if !hint.is_empty() {
                self.item(2, "", &format!("-> {hint}"), 20);
            }
        }
        if !doc.common_errors.is_empty() {
            let also = doc.common_errors.join(", ");
            self.paragraph_at(2, &format!("as for all operations of this kind: {also}"));
        }
        self.paragraph_at(2, "`provisor explain CODE` describes each");
    }
}
