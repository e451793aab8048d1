//! What a name means, for hover, and the signatures of the call at the cursor.

use std::ops::Range;

use serde_json::{Value as Json, json};

use super::Server;
use super::document::{Document, imports};
use crate::operation::doc::OpDoc;
use crate::operation::doc::definitions::description;
use crate::operation::platform::Operation;
use crate::script::complete::{Call, call_at, called, complete, keyword};
use crate::script::infer::{ERROR, Environment, InferredType, TextTypes, operations};
use crate::script::interactive::{Function, Native, natives};
use crate::syntax::{Binding, CodeTokens, SourceText, TokenKind};

/// The most definitions of one name that a hover shows.
const MAX_SHOWN: usize = 3;

/// The name or keyword at a byte, or right before it.
pub(super) fn word_at(code: CodeTokens<'_>, byte: usize) -> Option<usize> {
    let next = code.index(byte);
    let here = Some(next).filter(|at| code.start(*at) == byte);
    let before = next.checked_sub(1).filter(|at| code.end(*at) >= byte);
    let is_word = |at: &usize| matches!(code.kind(*at), Some(TokenKind::Name | TokenKind::Keyword));
    [here, before].into_iter().flatten().find(is_word)
}

impl Server {
    /// Describes the name at a byte; null if nothing is known of it.
    pub(super) fn hover(&self, document: &Document, byte: usize) -> Json {
        let source = SourceText::read(document.text());
        let code = source.code();
        let Some(at) = word_at(code, byte) else {
            return Json::Null;
        };
        let environment = self.environment(document, &source);
        let name = Name {
            environment: &environment,
            source: &source,
            at,
        };
        let mut found = name.descriptions();
        if found.is_empty() {
            return Json::Null;
        }
        found.truncate(MAX_SHOWN);
        json!({
            "contents": { "kind": "markdown", "value": found.join("\n\n---\n\n") },
            "range": document.range(&(code.start(at)..code.end(at))),
        })
    }

    /// The signatures of the call that is being typed at a byte; null outside of a call.
    pub(super) fn signature_help(&self, document: &Document, byte: usize) -> Json {
        let typed = document.text().get(..byte).unwrap_or_default();
        let source = SourceText::read(typed);
        let Some(call) = call_at(source.code()) else {
            return Json::Null;
        };
        let environment = self.environment(document, &SourceText::read(document.text()));
        let signatures = signatures(&environment, &source, &call);
        if signatures.is_empty() {
            return Json::Null;
        }
        let has_place = |signature: &Signature| signature.params.len() > call.argument;
        json!({
            "activeSignature": signatures.iter().position(has_place).unwrap_or(0),
            "activeParameter": call.argument,
            "signatures": signatures.iter().map(Signature::to_json).collect::<Vec<_>>(),
        })
    }
}

/// A name in a text.
struct Name<'a> {
    environment: &'a dyn Environment,
    source: &'a SourceText<'a>,
    /// The index of its token.
    at: usize,
}

impl Name<'_> {
    fn code(&self) -> CodeTokens<'_> {
        self.source.code()
    }

    fn word(&self) -> &str {
        self.code().word(self.at)
    }

    /// What the name means, in Markdown; several if that depends on what the script does.
    fn descriptions(&self) -> Vec<String> {
        let (code, word) = (self.code(), self.word());
        let is_call = code.word(self.at + 1) == "(";
        match (code.before(self.at, 1), code.word(self.at + 1)) {
            ("." | "?.", _) if is_call => self.method(),
            ("." | "?.", _) => self.property().into_iter().collect(),
            ("::", _) if code.before(self.at, 2) == "global" && is_call => self.own(word),
            ("::", _) if code.before(self.at, 2) == "global" => self.variable().into_iter().collect(),
            ("::", _) => self.in_module(code.before(self.at, 2)),
            (_, "::") => self.module().into_iter().collect(),
            (_, "(") => self.function(),
            (_, ":") => self.option().into_iter().collect(),
            _ if code.kind(self.at) == Some(TokenKind::Keyword) => {
                let about = keyword(word).map(|about| described(word, about));
                about.into_iter().collect()
            }
            _ => self.variable().into_iter().collect(),
        }
    }

    fn receiver(&self) -> InferredType {
        TextTypes::read(self.environment, self.source).before(self.at - 1)
    }

    fn method(&self) -> Vec<String> {
        let (word, of) = (self.word(), self.receiver());
        let mut ops = operations(self.environment, &of, word);
        if ops.is_empty() && of == InferredType::Nothing {
            let all = self.environment.catalogue().operations().iter().copied();
            ops = all
                .filter(|op| op.method_kind().is_some() && op.name == word)
                .collect();
        }
        let own = self.own(word);
        if !own.is_empty() {
            return own;
        }
        if !ops.is_empty() {
            return ops.iter().map(|op| self.operation(*op)).collect();
        }
        let fits = |native: &&Native| of == InferredType::Nothing || native.takes(of.type_name());
        let natives = natives()
            .iter()
            .filter(|native| native.name == word && !native.property);
        natives
            .filter(fits)
            .map(|native| described(&native.method(), &native.doc))
            .collect()
    }

    fn property(&self) -> Option<String> {
        let (word, of) = (self.word(), self.receiver());
        let listed = |known: &[(&str, &str, &str)]| {
            let found = known.iter().find(|(name, ..)| *name == word);
            found.map(|(name, ty, about)| described(&format!("{name}: {ty}"), about))
        };
        match &of {
            InferredType::Object(kind) => listed(kind.properties),
            InferredType::Plain(ty) if ty == "error" => listed(ERROR),
            InferredType::Map(keys) => {
                let (key, ty) = keys.iter().find(|(key, _)| key == word)?;
                Some(described(&format!("{key}: {ty}"), ""))
            }
            other => {
                let mut natives = natives().iter();
                let native = natives.find(|native| {
                    native.property && native.name == word && native.takes(other.type_name())
                })?;
                Some(described(&format!("{word}: {}", native.result), &native.doc))
            }
        }
    }

    fn in_module(&self, module: &str) -> Vec<String> {
        let word = self.word();
        let all = self.environment.catalogue().operations().iter().copied();
        let ops = all.filter(|op| op.module == module && op.receiver.is_none() && op.name == word);
        let ops: Vec<String> = ops.map(|op| self.operation(op)).collect();
        if !ops.is_empty() {
            return ops;
        }
        let functions = self.environment.module_functions(module);
        let named = functions.iter().filter(|function| function.name == word);
        named
            .map(|function| described(&format!("{module}::{}", function.signature()), &function.doc))
            .collect()
    }

    fn module(&self) -> Option<String> {
        let word = self.word();
        if let Some(import) = imports(self.source).iter().find(|import| import.alias == word) {
            return Some(described(&format!("import {:?} as {word}", import.path), ""));
        }
        let platform = self.environment.catalogue().module(word)?;
        let operations = self.environment.catalogue().operations().iter();
        let count = operations.filter(|op| op.module == word).count();
        let about = format!("{}: {count} operations", platform.title);
        Some(described(&format!("{word}::"), &about))
    }

    fn function(&self) -> Vec<String> {
        let word = self.word();
        let own = self.own(word);
        if !own.is_empty() {
            return own;
        }
        let all = self.environment.catalogue().operations().iter().copied();
        let ops = all.filter(|op| op.module.is_empty() && op.receiver.is_none() && op.name == word);
        let ops: Vec<String> = ops.map(|op| self.operation(op)).collect();
        if !ops.is_empty() {
            return ops;
        }
        let natives = natives()
            .iter()
            .filter(|native| native.name == word && !native.property);
        natives
            .map(|native| described(&native.signature(), &native.doc))
            .collect()
    }

    /// The functions of the text with this name.
    fn own(&self, word: &str) -> Vec<String> {
        let functions = self.environment.functions();
        let named = functions.iter().filter(|function| function.name == word);
        named
            .map(|function| described(&format!("fn {}", function.signature()), &function.doc))
            .collect()
    }

    fn operation(&self, op: Operation) -> String {
        let doc = OpDoc::of(self.environment.catalogue(), op);
        described(&doc.heading(), &description(&doc).join("\n"))
    }

    /// A key of an options map.
    fn option(&self) -> Option<String> {
        let start = self.code().start(self.at);
        let before = self.source.text().get(..start)?;
        let keys = complete(self.environment, before).candidates;
        let key = format!("{}: ", self.word());
        let option = keys.into_iter().find(|one| one.title.starts_with(&key))?;
        Some(described(&option.title, &option.about))
    }

    fn variable(&self) -> Option<String> {
        let scopes = self.source.scopes();
        let start = self.code().start(self.at);
        let used = scopes.used.iter().find(|used| used.at.start == start);
        let index = match used {
            Some(used) => used.means?,
            None => scopes
                .declared
                .iter()
                .position(|declared| declared.at.start == start)?,
        };
        let declared = scopes.declared.get(index)?;
        let ty = TextTypes::read(self.environment, self.source).declared(index);
        let what = match declared.kind {
            Binding::Constant => "const ",
            Binding::Variable => "let ",
            _ => "",
        };
        let title = match ty.words().as_str() {
            "" => format!("{what}{}", declared.name),
            words => format!("{what}{}: {words}", declared.name),
        };
        let about = match ty {
            InferredType::Object(kind) => format!("{}.", kind.summary),
            _ => String::new(),
        };
        Some(described(&title, &about))
    }
}

/// A title in the language, with a text below it.
fn described(title: &str, about: &str) -> String {
    format!("```rhai\n{title}\n```\n\n{about}").trim_end().to_owned()
}

/// A way to call a function.
struct Signature {
    /// The text up to the bracket.
    head: String,
    /// The parameters, each with a line of text.
    params: Vec<(String, String)>,
    /// What it does.
    about: String,
}

impl Signature {
    fn to_json(&self) -> Json {
        let mut label = format!("{}(", self.head);
        let mut params = Vec::new();
        for (index, (name, about)) in self.params.iter().enumerate() {
            label.push_str(if index == 0 { "" } else { ", " });
            let start = label.encode_utf16().count();
            label.push_str(name);
            let range: Range<usize> = start..label.encode_utf16().count();
            params.push(json!({ "label": [range.start, range.end], "documentation": about }));
        }
        label.push(')');
        json!({ "label": label, "documentation": self.about, "parameters": params })
    }

    fn of_operation(op: Operation, is_method: bool) -> Signature {
        let signature = if is_method {
            op.method_signature()
        } else {
            op.signature()
        };
        let head = signature.split_once('(').map_or("", |(head, _)| head);
        let params = op.params.iter().map(|param| {
            let name = if param.required {
                param.name.to_owned()
            } else {
                format!("[{}]", param.name)
            };
            (name, format!("{}: {}", param.ty.name(), param.doc))
        });
        Signature {
            head: head.to_owned(),
            params: params.collect(),
            about: op.summary.to_owned(),
        }
    }

    fn of_function(prefix: &str, function: &Function) -> Signature {
        let params = function.params.iter();
        Signature {
            head: format!("{prefix}{}", function.name),
            params: params.map(|name| (name.clone(), String::new())).collect(),
            about: function.summary().to_owned(),
        }
    }

    fn of_native(native: &Native, skipped: usize) -> Signature {
        let params = native.params.iter().skip(skipped);
        Signature {
            head: native.name.clone(),
            params: params
                .map(|(name, ty)| (name.clone(), if ty == "?" { String::new() } else { ty.clone() }))
                .collect(),
            about: native.doc.clone(),
        }
    }
}

/// The ways in which a call can be meant.
fn signatures(environment: &dyn Environment, source: &SourceText<'_>, call: &Call<'_>) -> Vec<Signature> {
    let code = source.code();
    let (before, module) = (code.before(call.open, 2), code.before(call.open, 3));
    if before == "::" {
        let functions = environment.module_functions(module);
        let own = functions.iter().filter(|function| function.name == call.name);
        let own = own.map(|function| Signature::of_function(&format!("{module}::"), function));
        let ops = called(environment, source, call).into_iter();
        let ops = ops.map(|op| Signature::of_operation(op, false));
        return ops.chain(own).collect();
    }
    let functions = environment.functions();
    let own = functions.iter().filter(|function| function.name == call.name);
    let own: Vec<Signature> = own.map(|function| Signature::of_function("", function)).collect();
    if !own.is_empty() {
        return own;
    }
    let is_method = [".", "?."].contains(&before);
    let ops = called(environment, source, call).into_iter();
    let ops: Vec<Signature> = ops.map(|op| Signature::of_operation(op, is_method)).collect();
    if !ops.is_empty() {
        return ops;
    }
    let of = if is_method {
        TextTypes::read(environment, source).before(call.open - 2)
    } else {
        InferredType::Nothing
    };
    let fits = |native: &&Native| {
        let is_named = native.name == call.name && !native.property;
        is_named && (of == InferredType::Nothing || native.takes(of.type_name()))
    };
    let natives = natives().iter().filter(fits);
    natives
        .map(|native| Signature::of_native(native, usize::from(is_method)))
        .collect()
}
