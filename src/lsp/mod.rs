//! `provisor lsp`: serves editors by the [Language Server Protocol], version 3.17.
//!
//! A thin layer: mistakes come from [`crate::script::check`], completions from [`crate::script::complete`], types from
//! [`crate::script::infer`], documentation from [`crate::operation::doc`], formatting from [`crate::script::format`].
//! Nothing is evaluated, no platform is asked, and nothing is written.
//!
//! One thread answers one message after the other, and a second one reads, so that a request can be cancelled while it
//! waits. Documents are sent as a whole at each change. Positions count UTF-16 code units, the only way that every editor
//! knows.
//!
//! * [`protocol`] reads and writes messages.
//! * [`document`] is an open document, with its positions.
//! * [`findings`] are the mistakes, [`describe`] hover and signatures, [`navigate`] definitions and symbols.
//!
//! [Language Server Protocol]: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/

mod describe;
mod document;
mod findings;
mod navigate;
mod protocol;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use self::document::{Document, Position, imports, path_of};
use self::protocol::{Failure, Message, code};
use crate::script::bundle::{Loader, Source};
use crate::script::complete::{Candidate, complete, keyword};
use crate::script::format::format_source;
use crate::script::host::Host;
use crate::script::infer::ScriptEnvironment;
use crate::syntax::SourceText;

/// What the server needs of the program that it is part of.
pub(crate) struct Workplace {
    /// The platforms whose operations scripts may call.
    pub host: Host,
    /// The host of tests of scripts.
    pub test_host: Host,
    /// Whether a file has tests of scripts.
    pub is_test: fn(&Path) -> bool,
    /// Creates the loader of a script's imports.
    pub loader: Box<CreateLoader>,
    /// The names that no parameter of `main` may have.
    pub reserved: BTreeSet<String>,
}

/// Creates the loader of the imports of a script of this path and text.
pub(crate) type CreateLoader = dyn Fn(&Path, &str) -> Box<dyn Loader>;

/// Serves an editor until it asks for the end or goes away. Returns whether it ended as the protocol demands: with
/// `shutdown` before `exit`.
pub(crate) fn serve(
    workplace: Workplace,
    mut input: impl BufRead + Send + 'static,
    output: &mut dyn Write,
) -> io::Result<bool> {
    let (sender, receiver) = channel();
    let reader = move || {
        while let Ok(Some(message)) = protocol::read(&mut input) {
            if sender.send(message).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().spawn(reader)?;
    let mut server = Server::new(workplace);
    let mut queue: VecDeque<Message> = VecDeque::new();
    loop {
        queue.extend(receiver.try_iter());
        let next = match queue.pop_front() {
            Some(next) => next,
            None => match receiver.try_recv() {
                Ok(next) => next,
                Err(TryRecvError::Disconnected) => return Ok(false),
                Err(TryRecvError::Empty) => {
                    // The editor waits, so there is time to look for mistakes.
                    if let Some((uri, found)) = server.next_findings() {
                        protocol::notify(output, "textDocument/publishDiagnostics", &found)?;
                        server.stale.remove(&uri);
                        continue;
                    }
                    match receiver.recv() {
                        Ok(next) => next,
                        Err(_) => return Ok(false),
                    }
                }
            },
        };
        match next {
            Message::Request { id, method, params } => {
                let result = if is_cancelled(&queue, &id) {
                    Err(Failure::new(
                        code::REQUEST_CANCELLED,
                        "the editor cancelled the request",
                    ))
                } else {
                    guarded(|| server.answer(&method, params))
                };
                protocol::respond(output, &id, result)?;
            }
            Message::Notification { method, .. } if method == "exit" => {
                return Ok(server.state == State::ShutDown);
            }
            Message::Notification { method, params } => {
                if let Err(failure) = guarded(|| server.note(&method, params)) {
                    let message = format!("{method}: {}", failure.message);
                    let log = json!({ "type": 1, "message": message });
                    protocol::notify(output, "window/logMessage", &log)?;
                }
            }
            Message::Response => {}
            Message::Malformed { id, error } => protocol::respond(output, &id, Err(error))?,
        }
    }
}

/// Whether a message that is already here cancels this request.
fn is_cancelled(queue: &VecDeque<Message>, request: &Json) -> bool {
    queue.iter().any(|message| {
        matches!(message, Message::Notification { method, params }
            if method == "$/cancelRequest" && params["id"] == *request)
    })
}

/// Calls `serve` so that an error of ours ends one request only.
fn guarded<T>(serve: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let outcome = catch_unwind(AssertUnwindSafe(serve));
    outcome.unwrap_or_else(|_| Err(Failure::new(code::INTERNAL_ERROR, "this is a bug in provisor")))
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Running,
    ShutDown,
}

struct Server {
    workplace: Workplace,
    state: State,
    /// The open documents by address.
    documents: BTreeMap<String, Document>,
    /// The names of the sources that each document was last checked with.
    read: BTreeMap<String, BTreeSet<String>>,
    /// The documents whose findings are out of date, or which were closed.
    stale: BTreeSet<String>,
}

#[derive(Deserialize)]
struct DocumentId {
    uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfDocument {
    text_document: DocumentId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AtPosition {
    text_document: DocumentId,
    position: Position,
}

#[derive(Deserialize)]
struct DocumentItem {
    uri: String,
    #[serde(default)]
    version: Json,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    text_document: DocumentItem,
}

#[derive(Deserialize)]
struct VersionedId {
    uri: String,
    #[serde(default)]
    version: Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    text_document: VersionedId,
    content_changes: Vec<WholeText>,
}

/// A change of the whole text; one of a part is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeText {
    text: String,
}

impl Server {
    fn new(workplace: Workplace) -> Server {
        Server {
            workplace,
            state: State::New,
            documents: BTreeMap::new(),
            read: BTreeMap::new(),
            stale: BTreeSet::new(),
        }
    }

    /// Answers a request.
    fn answer(&mut self, method: &str, params: Json) -> Result<Json, Failure> {
        match (self.state, method) {
            (State::New, "initialize") => {
                self.state = State::Running;
                return Ok(capabilities());
            }
            (State::New, _) => {
                return Err(Failure::new(
                    code::NOT_INITIALIZED,
                    "`initialize` is the first request",
                ));
            }
            (State::ShutDown, _) => {
                return Err(Failure::new(
                    code::INVALID_REQUEST,
                    "the server was shut down; only `exit` follows",
                ));
            }
            (State::Running, "initialize") => {
                return Err(Failure::new(
                    code::INVALID_REQUEST,
                    "the server is initialized already",
                ));
            }
            (State::Running, "shutdown") => {
                self.state = State::ShutDown;
                return Ok(Json::Null);
            }
            (State::Running, _) => {}
        }
        let at = |params| {
            let at: AtPosition = protocol::params(params)?;
            let document = self.document(&at.text_document.uri)?;
            Ok((document, document.offset(at.position)))
        };
        let of = |params| {
            let of: OfDocument = protocol::params(params)?;
            self.document(&of.text_document.uri)
        };
        match method {
            "textDocument/completion" => at(params).map(|(document, byte)| self.completion(document, byte)),
            "textDocument/hover" => at(params).map(|(document, byte)| self.hover(document, byte)),
            "textDocument/signatureHelp" => {
                at(params).map(|(document, byte)| self.signature_help(document, byte))
            }
            "textDocument/definition" => at(params).map(|(document, byte)| self.definition(document, byte)),
            "textDocument/documentSymbol" => of(params).map(navigate::symbols),
            "textDocument/formatting" => of(params).map(formatting),
            _ => Err(Failure::new(
                code::METHOD_NOT_FOUND,
                format!("`{method}` is not supported"),
            )),
        }
    }

    fn document(&self, uri: &str) -> Result<&Document, Failure> {
        let document = self.documents.get(uri);
        document.ok_or_else(|| Failure::new(code::INVALID_PARAMS, format!("`{uri}` is not open")))
    }

    /// Receives a notification. Those that it does not know are ignored, as the protocol demands.
    fn note(&mut self, method: &str, params: Json) -> Result<(), Failure> {
        if self.state != State::Running {
            return Ok(());
        }
        match method {
            "textDocument/didOpen" => {
                let Opened { text_document } = protocol::params(params)?;
                let DocumentItem { uri, version, text } = text_document;
                self.store(Document::new(&uri, version, &text));
            }
            "textDocument/didChange" => {
                let Changed {
                    text_document: VersionedId { uri, version },
                    content_changes,
                } = protocol::params(params)?;
                self.document(&uri)?;
                if let Some(WholeText { text }) = content_changes.last() {
                    self.store(Document::new(&uri, version, text));
                }
            }
            "textDocument/didClose" => {
                let OfDocument { text_document } = protocol::params(params)?;
                if let Some(closed) = self.documents.remove(&text_document.uri) {
                    self.read.remove(&closed.uri);
                    self.mark_stale(&closed);
                }
            }
            // Any file may be one that a document imports.
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                self.stale.extend(self.documents.keys().cloned());
            }
            _ => {}
        }
        Ok(())
    }

    fn store(&mut self, document: Document) {
        self.mark_stale(&document);
        self.documents.insert(document.uri.clone(), document);
    }

    /// Marks a changed document and those that import it.
    fn mark_stale(&mut self, changed: &Document) {
        let name = &changed.source.name;
        let importers = self.read.iter().filter(|(_, read)| read.contains(name));
        let importers: Vec<String> = importers.map(|(uri, _)| uri.clone()).collect();
        self.stale.extend(importers);
        self.stale.insert(changed.uri.clone());
    }

    /// The findings of one of the documents whose findings are out of date, for the editor; none for a closed one.
    fn next_findings(&mut self) -> Option<(String, Json)> {
        let uri = self.stale.first()?.clone();
        let Some(document) = self.documents.get(&uri) else {
            return Some((uri.clone(), json!({ "uri": uri, "diagnostics": [] })));
        };
        let found = guarded(|| Ok(self.findings(document)));
        let (diagnostics, read) = found.unwrap_or_default();
        let found = json!({ "uri": uri, "version": document.version, "diagnostics": diagnostics });
        self.read.entry(uri.clone()).or_default().extend(read);
        Some((uri, found))
    }

    /// The host of a document.
    fn host(&self, document: &Document) -> &Host {
        let Workplace {
            host,
            test_host,
            is_test,
            ..
        } = &self.workplace;
        let path = path_of(&document.uri);
        if path.is_some_and(|path| is_test(&path)) {
            test_host
        } else {
            host
        }
    }

    /// The loader of a document's imports: those that are open as they are in the editor, others from the disk.
    fn loader(&self, document: &Document) -> OpenLoader<'_> {
        let path = path_of(&document.uri).unwrap_or_default();
        OpenLoader {
            documents: &self.documents,
            disk: (self.workplace.loader)(&path, &document.source.text),
        }
    }

    /// What a document can use without declaring it.
    fn environment(&self, document: &Document, source: &SourceText<'_>) -> ScriptEnvironment {
        let loader = self.loader(document);
        let imported = imports(source).into_iter().filter_map(|import| {
            let source = loader.load(&document.source.name, &import.path).ok()?;
            Some((import.alias, source.text))
        });
        let imported: Vec<(String, String)> = imported.collect();
        let imported = imported
            .iter()
            .map(|(alias, text)| (alias.clone(), text.as_str()));
        ScriptEnvironment::read(self.host(document).catalogue(), source, imported)
    }

    fn completion(&self, document: &Document, byte: usize) -> Json {
        let (typed, rest) = document.text().split_at(byte);
        let environment = self.environment(document, &SourceText::read(document.text()));
        let found = complete(&environment, typed);
        // The whole word is replaced, also if the cursor is in the middle of it.
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let end = byte + (rest.len() - behind.len());
        let range = document.range(&(found.start..end));
        let items = found.candidates.iter().enumerate().map(|(index, one)| {
            // The bracket may be there already.
            let text = if behind.starts_with('(') {
                one.replacement.trim_end_matches(['(', ')'])
            } else {
                &one.replacement
            };
            json!({
                "label": one.title,
                "kind": item_kind(one),
                "detail": one.about,
                "filterText": one.replacement,
                "sortText": format!("{index:05}"),
                "textEdit": { "range": range, "newText": text },
            })
        });
        json!({ "isIncomplete": false, "items": items.collect::<Vec<_>>() })
    }
}

/// The kind of a completion, as the protocol numbers them.
fn item_kind(candidate: &Candidate) -> u8 {
    const FUNCTION: u8 = 3;
    const VARIABLE: u8 = 6;
    const MODULE: u8 = 9;
    const PROPERTY: u8 = 10;
    const KEYWORD: u8 = 14;
    let Candidate {
        replacement, about, ..
    } = candidate;
    match replacement.as_str() {
        text if text.ends_with("::") => MODULE,
        text if text.ends_with(['(', ')']) => FUNCTION,
        text if keyword(text) == Some(about.as_str()) => KEYWORD,
        text if text.contains(": ") || about.contains(": ") => PROPERTY,
        _ => VARIABLE,
    }
}

/// Formats a document; null if it has a syntax error, which is among the findings.
fn formatting(document: &Document) -> Json {
    match format_source(&document.source) {
        Ok(text) if text == document.text() => json!([]),
        Ok(text) => {
            let whole = document.range(&(0..document.text().len()));
            json!([{ "range": whole, "newText": text }])
        }
        Err(_) => Json::Null,
    }
}

/// What the server can do, as its response to `initialize`.
fn capabilities() -> Json {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": { "openClose": true, "change": 1, "save": true },
            "completionProvider": { "triggerCharacters": [".", ":"] },
            "hoverProvider": true,
            "signatureHelpProvider": { "triggerCharacters": ["(", ","] },
            "definitionProvider": true,
            "documentSymbolProvider": true,
            "documentFormattingProvider": true,
        },
        "serverInfo": { "name": "provisor", "version": env!("CARGO_PKG_VERSION") },
    })
}

/// Loads imports, those of open documents with the text in the editor.
struct OpenLoader<'a> {
    documents: &'a BTreeMap<String, Document>,
    disk: Box<dyn Loader>,
}

impl Loader for OpenLoader<'_> {
    fn load(&self, from: &str, import: &str) -> Result<Source, String> {
        let source = self.disk.load(from, import)?;
        let mut open = self.documents.values().map(|document| &document.source);
        Ok(open
            .find(|open| open.name == source.name)
            .cloned()
            .unwrap_or(source))
    }
}
