//! The mistakes in a document, as `provisor check` finds them.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value as Json, json};

use super::Server;
use super::document::{Document, imports};
use crate::script::bundle::{Bundle, Loader as _};
use crate::script::error::{Diagnostic, Frame};
use crate::script::program::Script;
use crate::syntax::SourceText;

impl Server {
    /// Checks a document. Returns what was found, for the editor, and the names of the sources that were read.
    pub(super) fn findings(&self, document: &Document) -> (Vec<Json>, BTreeSet<String>) {
        let loader = self.loader(document);
        let bundle = Bundle::collect(&document.source, &loader);
        let mut read = BTreeSet::new();
        if let Ok(bundle) = &bundle {
            read.extend(bundle.sources().iter().map(|source| source.name.clone()));
        }
        let script = bundle.and_then(|bundle| Script::compile(self.host(document), bundle));
        let found = match script {
            Ok(script) => {
                let refused = script.refused_parameters(&self.workplace.reserved);
                refused.into_iter().chain(script.check()).collect()
            }
            Err(error) => vec![*error],
        };
        let source = SourceText::read(document.text());
        let found = found
            .iter()
            .filter_map(|error| self.finding(document, &source, error));
        (found.collect(), read)
    }

    /// A finding for the editor. A mistake in an import is shown at the statement that imports it, unless the import is
    /// open and shows its own mistakes.
    fn finding(&self, document: &Document, source: &SourceText<'_>, error: &Diagnostic) -> Option<Json> {
        let sentences = std::iter::once(&error.title).chain(&error.hints);
        let sentences: Vec<&str> = sentences.map(String::as_str).collect();
        let mut message = sentences.join("\n");
        let bytes = match error.place() {
            Some(frame) if frame.source == document.source.name => marked(source, frame),
            Some(frame) => {
                let mut open = self.documents.values();
                let is_open = open.any(|open| open.source.name == frame.source);
                if is_open || error.is_warning() {
                    return None;
                }
                message = format!("{frame}: {message}");
                self.import_of(document, source, &frame.source)
            }
            None => 0..0,
        };
        let mut finding = json!({
            "range": document.range(&bytes),
            "severity": if error.is_warning() { 2 } else { 1 },
            "code": error.kind,
            "source": "provisor",
            "message": message,
        });
        if error.is_warning() {
            // Editors show it pale.
            finding["tags"] = json!([1]);
        }
        Some(finding)
    }

    /// The import that leads to a source: its own, or else the first.
    fn import_of(&self, document: &Document, source: &SourceText<'_>, name: &str) -> Range<usize> {
        let (loader, all) = (self.loader(document), imports(source));
        let leads = |path: &str| {
            let import = loader.load(&document.source.name, path);
            import.is_ok_and(|import| import.name == name)
        };
        let own = all.iter().find(|import| leads(&import.path));
        own.or(all.first()).map_or(0..0, |import| import.at.clone())
    }
}

/// The bytes that a frame marks.
fn marked(source: &SourceText<'_>, frame: &Frame) -> Range<usize> {
    let start = source.offset(frame.line, frame.column);
    let rest = source.text().get(start..).unwrap_or_default();
    let length = rest
        .chars()
        .take(frame.length)
        .take_while(|c| !matches!(c, '\r' | '\n'));
    start..start + length.map(char::len_utf8).sum::<usize>()
}
