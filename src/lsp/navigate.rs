//! Definitions, also in imports, and the symbols of a document.

use std::ops::Range;

use serde_json::{Value as Json, json};
use url::Url;

use super::Server;
use super::describe::word_at;
use super::document::{Document, imports};
use crate::script::bundle::{Loader as _, Source};
use crate::syntax::{Binding, Function, SourceText, TokenKind};

impl Server {
    /// Where the name at a byte is defined; null if that is not in a script.
    pub(super) fn definition(&self, document: &Document, byte: usize) -> Json {
        let source = SourceText::read(document.text());
        let code = source.code();
        let all = imports(&source);
        if let Some(import) = all.iter().find(|import| import.at.contains(&byte)) {
            return self.in_import(document, &import.path, |_| Some(0..0));
        }
        let Some(at) = word_at(code, byte).filter(|at| code.kind(*at) == Some(TokenKind::Name)) else {
            return Json::Null;
        };
        let name = code.word(at);
        let path_of = |alias: &str| all.iter().find(|import| import.alias == alias);
        if let Some(import) = path_of(code.before(at, 2)).filter(|_| code.before(at, 1) == "::") {
            return self.in_import(document, &import.path, |source| function(source, name, None));
        }
        let start = code.start(at);
        let scopes = source.scopes();
        let used = scopes.used.iter().find(|used| used.at.start == start);
        if let Some(declared) = used.and_then(|used| scopes.declared.get(used.means?)) {
            if let Some(import) = path_of(name).filter(|_| declared.kind == Binding::Module) {
                return self.in_import(document, &import.path, |_| Some(0..0));
            }
            return document.location(&declared.at);
        }
        if scopes.declared.iter().any(|declared| declared.at.start == start) {
            return document.location(&(start..code.end(at)));
        }
        let given = (code.word(at + 1) == "(").then(|| code.inside(at + 1).list().len());
        match function(&source, name, given) {
            Some(found) => document.location(&found),
            None => Json::Null,
        }
    }

    /// The place that `find` returns in an import of the document.
    fn in_import(
        &self,
        document: &Document,
        path: &str,
        find: impl Fn(&SourceText<'_>) -> Option<Range<usize>>,
    ) -> Json {
        let Ok(loaded) = self.loader(document).load(&document.source.name, path) else {
            return Json::Null;
        };
        let Some(bytes) = find(&SourceText::read(&loaded.text)) else {
            return Json::Null;
        };
        let mut open = self.documents.values();
        match open.find(|open| open.source.name == loaded.name) {
            Some(open) => open.location(&bytes),
            None => closed(&loaded).map_or(Json::Null, |document| document.location(&bytes)),
        }
    }
}

/// The document of a file that is not open.
fn closed(source: &Source) -> Option<Document> {
    let uri = Url::from_file_path(&source.name).ok()?;
    Some(Document::new(uri.as_str(), Json::Null, &source.text))
}

/// The name in the definition of a function, with so many parameters if there is one.
fn function(source: &SourceText<'_>, name: &str, params: Option<usize>) -> Option<Range<usize>> {
    let functions = source.scopes().functions.iter();
    let named: Vec<&Function> = functions.filter(|function| function.name == name).collect();
    let exact = named
        .iter()
        .find(|function| params == Some(function.params.len()));
    exact
        .or(named.first())
        .map(|function| name_range(source, function))
}

fn name_range(source: &SourceText<'_>, function: &Function) -> Range<usize> {
    let code = source.code();
    let start = code.index(function.at.start);
    let name = (start..code.len()).find(|at| code.word(*at) == function.name);
    name.map_or(function.at.clone(), |at| code.start(at)..code.end(at))
}

/// The functions, and the imports, variables and constants outside of them.
pub(super) fn symbols(document: &Document) -> Json {
    const MODULE: u8 = 2;
    const FUNCTION: u8 = 12;
    const VARIABLE: u8 = 13;
    const CONSTANT: u8 = 14;
    let source = SourceText::read(document.text());
    let scopes = source.scopes();
    let symbol = |name: &str, detail: String, kind: u8, all: Range<usize>, own: Range<usize>| {
        let range = document.range(&all);
        let symbol = json!({
            "name": name,
            "detail": detail,
            "kind": kind,
            "range": range,
            "selectionRange": document.range(&own),
        });
        (own.start, symbol)
    };
    let functions = scopes
        .functions
        .iter()
        .filter(|function| !function.name.is_empty());
    let functions = functions.map(|function| {
        let detail = format!("({})", function.params.join(", "));
        let name = name_range(&source, function);
        symbol(&function.name, detail, FUNCTION, function.at.clone(), name)
    });
    let declared = scopes.declared.iter().filter(|declared| declared.outer);
    let declared = declared.filter_map(|declared| {
        let kind = match declared.kind {
            Binding::Module => MODULE,
            Binding::Variable => VARIABLE,
            Binding::Constant => CONSTANT,
            _ => return None,
        };
        let value = declared.value.as_ref();
        let end = value.map_or(declared.at.end, |value| value.end.max(declared.at.end));
        let all = declared.at.start..end;
        Some(symbol(
            &declared.name,
            String::new(),
            kind,
            all,
            declared.at.clone(),
        ))
    });
    let mut found: Vec<(usize, Json)> = functions.chain(declared).collect();
    found.sort_by_key(|(start, _)| *start);
    found.into_iter().map(|(_, symbol)| symbol).collect()
}
