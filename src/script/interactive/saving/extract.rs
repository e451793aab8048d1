//! Turns literals into parameters: email addresses, URLs, names, credentials.

use std::collections::{BTreeMap, BTreeSet};

use super::literals::{Literal, Params, assigned, literals_of, parameter_for, span};
use super::naming;
use crate::script::host::Host;
use crate::script::parse;
use crate::script::scopes::Scopes;
use crate::script::tokens::{TokenKind, pieces};
use crate::script::types::ParamType;

/// A parameter and the value typed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The parameter's name.
    pub name: String,
    /// The name of its type.
    pub type_name: &'static str,
    /// The typed value, which becomes the default; `None` for a secret.
    pub default: Option<String>,
    /// A one-line description; may be empty.
    pub about: String,
}

/// Collects parameters, one for each distinct text.
pub(super) struct Extractor<'a> {
    host: &'a Host,
    /// The functions of the session.
    functions: Params,
    /// Names already in use.
    taken: BTreeSet<String>,
    /// Names that no parameter may have.
    refused: &'a BTreeSet<String>,
    /// Maps a value to the variable that becomes the parameter as a whole.
    by_text: BTreeMap<String, String>,
    /// Texts used as a credential anywhere, with a name for each.
    secrets: BTreeMap<String, String>,
    /// The parameters, each with the text that it replaces.
    params: Vec<(String, Parameter)>,
}

impl<'a> Extractor<'a> {
    /// `taken` are names that the script already has, `refused` names that no parameter may have, `inputs` all of the
    /// session's: their credentials stay out of the script.
    pub(super) fn new(
        host: &'a Host,
        taken: BTreeSet<String>,
        refused: &'a BTreeSet<String>,
        inputs: &[String],
    ) -> Extractor<'a> {
        let mut functions = Params::new();
        for function in inputs.iter().flat_map(|input| Scopes::of(input).functions) {
            functions.insert((function.name, function.params.len()), function.params);
        }
        let mut secrets = BTreeMap::new();
        let literals = inputs
            .iter()
            .flat_map(|input| literals_of(host, &functions, input));
        for literal in literals {
            if let Some((base, ParamType::Secret)) = parameter_for(&literal) {
                secrets.entry(literal.text).or_insert(base);
            }
        }
        Extractor {
            host,
            functions,
            taken,
            refused,
            by_text: BTreeMap::new(),
            secrets,
            params: Vec::new(),
        }
    }

    /// Finds the variables of these statements that become parameters as a whole.
    pub(super) fn find_parameters(&mut self, statements: &[String]) {
        for statement in statements {
            if let Some((name, text)) = assigned(statement)
                && is_steady(&name, statements)
                && !self.refused.contains(&name)
                && !naming::is_reserved(&name)
            {
                self.by_text.entry(text).or_insert(name);
            }
        }
    }

    /// Whether a line of prose contains a text that is used as a credential.
    pub(super) fn contains_secret(&self, line: &str) -> bool {
        self.secrets.keys().any(|secret| line.contains(secret.as_str()))
    }

    /// Whether a typed literal or comment contains such a text.
    pub(super) fn holds_secret(&self, typed: &str) -> bool {
        let found = pieces(typed);
        let mut texts = found
            .iter()
            .filter(|piece| matches!(piece.kind, TokenKind::Text | TokenKind::Comment));
        texts.any(|piece| {
            let text = piece.text(typed);
            self.is_secret(text) || self.is_secret(text.trim_matches(['"', '`']))
        })
    }

    /// Whether this is such a text, or contains one that is too long for a coincidence.
    fn is_secret(&self, text: &str) -> bool {
        let mut secrets = self.secrets.keys();
        secrets.any(|secret| text == secret || (secret.len() >= 4 && text.contains(secret.as_str())))
    }

    pub(super) fn into_params(self) -> Vec<Parameter> {
        self.params.into_iter().map(|(_, param)| param).collect()
    }

    /// Replaces literals in the statement with parameters; `None` if only a parameter would remain.
    pub(super) fn lift(&mut self, statement: &str) -> Option<String> {
        let mut literals = literals_of(self.host, &self.functions, statement);
        literals.sort_by_key(|literal| parse::place(literal.at));
        literals.dedup_by_key(|literal| parse::place(literal.at));
        let variable = assigned(statement).map(|(name, _)| name);
        let mut changes = Vec::new();
        for literal in &literals {
            if let Some((from, to)) = span(statement, literal.at)
                && let Some(name) = self.param(literal)
            {
                if variable.as_ref() == Some(&name) {
                    return None;
                }
                changes.push((from..to, name));
            }
        }
        let mut out = statement.to_owned();
        for (range, name) in changes.into_iter().rev() {
            out.replace_range(range, &name);
        }
        Some(out)
    }

    /// Returns the parameter that a literal becomes, if any.
    fn param(&mut self, literal: &Literal) -> Option<String> {
        // One use as a credential makes every occurrence a secret.
        let (base, ty) = match self.secrets.get(&literal.text) {
            Some(base) => (base.clone(), ParamType::Secret),
            None => match parameter_for(literal)? {
                (base, _) if self.is_secret(&literal.text) => (base, ParamType::Secret),
                found => found,
            },
        };
        if let Some((_, known)) = self.params.iter().find(|(text, _)| *text == literal.text) {
            return Some(known.name.clone());
        }
        let name = match self.by_text.get(&literal.text) {
            Some(name) => name.clone(),
            None => naming::free(&base, self.taken.union(self.refused)),
        };
        self.taken.insert(name.clone());
        let lifted = Parameter {
            name: name.clone(),
            type_name: ty.name(),
            default: (ty != ParamType::Secret).then(|| literal.text.clone()),
            about: literal.about.split(';').next().unwrap_or_default().to_owned(),
        };
        self.params.push((literal.text.clone(), lifted));
        Some(name)
    }
}

/// Whether a variable is assigned once and then only read.
fn is_steady(name: &str, statements: &[String]) -> bool {
    let mut given = 0;
    for statement in statements {
        let scopes = Scopes::of(statement);
        // A closure, a loop or a `catch` may declare another of this name.
        given += scopes.declared.iter().filter(|known| known.name == name).count();
        let mut uses = scopes.used.iter().filter(|used| used.name == name);
        if uses.any(|used| used.may_change(|method| READING.contains(&method)) && !used.is_called("split")) {
            return false;
        }
    }
    given == 1
}

/// Methods of texts that do not change them.
const READING: &[&str] = &[
    "len",
    "is_empty",
    "contains",
    "starts_with",
    "ends_with",
    "index_of",
    "sub_string",
    "split_rev",
    "to_upper",
    "to_lower",
    "to_string",
    "chars",
    "bytes",
    "parse_int",
    "parse_float",
    "get",
];
