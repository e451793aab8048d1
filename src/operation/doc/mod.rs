//! The documentation of operations: the single source of help, completion, reference and definition files.
//!
//! [`OpDoc::of`] converts a table entry to its documentation, [`find`] resolves names to entries, and the other modules
//! render it: [`text`] for terminals, [`markdown`] for the reference, [`definitions`] for editors.

pub mod definitions;
pub mod find;
pub mod markdown;
pub mod text;

use serde::Serialize;

use super::catalogue::Catalogue;
use super::explain;
use super::platform::Operation;
use super::spec::{Effect, Kind, OpSpec, Param, Permission, Timeout, Type};

/// The documentation of an operation. Its JSON form is the output of `provisor ops … --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpDoc {
    /// The stable name: `crm::ensure_contact`.
    pub name: String,
    /// The module; empty for a global function.
    pub module: &'static str,
    /// The kind of object that has it as a method.
    pub receiver: Option<&'static str>,
    /// The signature in script syntax, with optional parameters in brackets.
    pub signature: String,
    /// A summary in one line without a full stop.
    pub summary: &'static str,
    /// Further documentation in full sentences; may be empty.
    pub about: &'static str,
    /// The parameters after the receiver.
    pub params: Vec<ParamDoc>,
    /// The result.
    pub result: ResultDoc,
    /// The specific failures that a script may catch.
    pub errors: Vec<ErrorDoc>,
    /// The codes that all operations of its kind may also fail with.
    pub common_errors: Vec<&'static str>,
    /// The effect.
    pub effect: Named,
    /// The permission that a profile must grant.
    pub permission: Named,
    /// The time allowed for the platform, in a sentence without a full stop; empty if nothing is sent.
    pub timeout: &'static str,
    /// An example script that runs as it is in a fresh sandbox.
    pub example: &'static str,
}

/// A term of the table and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The term.
    pub name: &'static str,
    /// The meaning, in a sentence without a full stop.
    pub meaning: &'static str,
}

/// A parameter, or a key of an options map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParamDoc {
    /// The name.
    pub name: &'static str,
    /// The accepted type, in a word or two.
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// Whether it is required.
    pub required: bool,
    /// A description in one line without a full stop.
    pub about: &'static str,
    /// The accepted keys of an options map.
    pub keys: Vec<ParamDoc>,
}

/// The result of an operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResultDoc {
    /// The type, as written in the table.
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// The properties of the kind named in the type.
    pub properties: Vec<Property>,
}

/// A property of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Property {
    /// The name.
    pub name: &'static str,
    /// The type.
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// A description in one line without a full stop.
    pub about: &'static str,
}

/// A failure that a script may catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ErrorDoc {
    /// The stable code: `err.kind`.
    pub code: &'static str,
    /// When it happens.
    pub when: &'static str,
    /// A remedy, in a sentence without a full stop.
    pub hint: &'static str,
}

impl OpDoc {
    /// Creates the documentation of an operation.
    pub fn of(catalogue: &Catalogue, op: Operation) -> OpDoc {
        OpDoc {
            name: op.id(),
            module: op.module,
            receiver: op.receiver,
            signature: op.signature(),
            summary: op.summary,
            about: op.doc,
            params: op.params.iter().map(ParamDoc::of).collect(),
            result: ResultDoc {
                ty: op.result,
                properties: catalogue.kind_in(op.result).map(properties).unwrap_or_default(),
            },
            errors: errors(catalogue, &op),
            common_errors: common_errors(&op),
            effect: Named {
                name: op.effect.name(),
                meaning: effect_note(&op.effect),
            },
            permission: Named {
                name: op.permission().name(),
                meaning: op.permission().meaning(),
            },
            timeout: patience(&op),
            example: op.example,
        }
    }

    /// Returns the signature with the result type: `session.deals() -> list of crm::Deal`.
    pub fn heading(&self) -> String {
        format!("{} -> {}", self.signature, self.result.ty)
    }
}

impl ParamDoc {
    fn of(param: &Param) -> ParamDoc {
        let keys = match param.ty {
            Type::Options(keys) => keys.iter().map(ParamDoc::of).collect(),
            _ => Vec::new(),
        };
        ParamDoc {
            name: param.name,
            ty: param.ty.name(),
            required: param.required,
            about: param.doc,
            keys,
        }
    }
}

/// Returns the properties of a kind.
pub fn properties(kind: &'static Kind) -> Vec<Property> {
    let property =
        |(name, ty, about): &(&'static str, &'static str, &'static str)| Property { name, ty, about };
    kind.properties.iter().map(property).collect()
}

fn errors(catalogue: &Catalogue, op: &OpSpec) -> Vec<ErrorDoc> {
    let error_doc = |(code, when): &(super::error::Code, &'static str)| ErrorDoc {
        code: code.as_str(),
        when,
        hint: explain::remedy(catalogue, code.as_str()),
    };
    op.errors.iter().map(error_doc).collect()
}

/// Returns the codes that all operations of this kind may fail with, without those of its own list.
fn common_errors(op: &OpSpec) -> Vec<&'static str> {
    use super::error::Code;
    let mut codes: Vec<Code> = Vec::new();
    if !op.params.is_empty() {
        codes.push(Code::BadArgument);
    }
    if op.permission() != Permission::None {
        if op.receiver.is_some() {
            codes.push(Code::SignInRefused);
        }
        codes.extend([
            Code::RateLimited,
            Code::Unreachable,
            Code::Unavailable,
            Code::UnreadableAnswer,
        ]);
    }
    if op.permission() == Permission::Change {
        codes.extend([Code::Forbidden, Code::InDoubt]);
    }
    codes.retain(|code| op.errors.iter().all(|(own, _)| own != code));
    codes.into_iter().map(Code::as_str).collect()
}

fn effect_note(effect: &Effect) -> &'static str {
    match effect {
        Effect::Observe => "changes nothing; a resumed row receives the recorded result",
        Effect::Ensure { .. } => {
            "creates it at most once: a recorded result is returned without a request, and a lost response is looked up \
             before anything is sent again"
        }
        Effect::Create { .. } => {
            "creates it, and fails if it already exists; a lost response is looked up before anything is sent again"
        }
        Effect::Change { .. } => {
            "changes or removes an existing object; carrying it out twice has the same effect as once, and a lost response \
             is looked up"
        }
        Effect::Act => {
            "its outcome cannot be looked up afterwards: if the response is lost, the row is parked. In a run with rows it \
             is not repeated for the same row within 24 hours (`remember`), and its result is returned as `unchanged`; \
             with a `key` it is done only once, permanently"
        }
        Effect::Request => {
            "its outcome cannot be looked up afterwards: if the response is lost, the row is parked. In a run with rows, \
             repeating the request for the same row within 24 hours (`remember`) is an error, unless the run is started \
             with `--again`; with a `key` it is sent only once, permanently"
        }
        Effect::ByCall(_) => {
            "a read can safely be repeated. If the response to a change is lost, the row is parked, unless the call has a \
             key and a function that looks the object up: then provisor settles it. In a run with rows, repeating the \
             change for the same row within 24 hours (`remember`) is an error, unless the run is started with `--again`; \
             with a `key` it is sent only once, permanently"
        }
        Effect::Sign => "returns an object to work with; sends nothing and is never recorded",
    }
}

fn patience(op: &OpSpec) -> &'static str {
    match (op.permission(), op.timeout) {
        (Permission::None, _) => "",
        (_, Timeout::Reply) => "30 s, or the profile's `timeouts.reply`",
        (_, Timeout::TenantCreation) => "150 s, or the profile's `timeouts.tenant_creation`",
    }
}

#[cfg(test)]
mod tests;
