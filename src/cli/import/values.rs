//! Converts variables to parameters of `main`: resolves texts with `{{holes}}` and determines what is secret.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Code, is_reserved, name_of, quoted};
use super::collection::Variable;
use super::secrets::{name_is_secret, value_is_secret};

/// A part of a text after its variables are resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Literal text.
    Text(String),
    /// A parameter, by its index in [`Values::params`].
    Param(usize),
    /// An expression.
    Code(&'static str),
}

/// A parameter of `main`.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way in which it is used")]
pub(super) struct Param {
    pub(super) name: String,
    /// Its description in the doc comment of `main`.
    pub(super) about: String,
    pub(super) default: Option<String>,
    pub(super) secret: bool,
    /// Whether it is part of a longer text; then it cannot have the secret type.
    pub(super) in_text: bool,
    /// Whether JSON uses it without quotes.
    pub(super) json: bool,
    /// Whether anything else uses it as a whole value.
    plain: bool,
    /// Whether an earlier pass found both uses; then it is a string.
    pub(super) mixed: bool,
}

/// All variables and credentials found so far.
pub(super) struct Values {
    known: BTreeMap<String, Variable>,
    /// The folder variables in scope of the request being written; they shadow `known`.
    scope: BTreeMap<String, Variable>,
    /// Names that the environment defines; folders cannot override them.
    fixed: BTreeSet<String>,
    pub(super) params: Vec<Param>,
    /// Resolved variables, by folder and name.
    by_variable: BTreeMap<(String, String), Vec<Piece>>,
    /// Resolved variables that refer to others, as valid in the current folders.
    made: BTreeMap<String, Vec<Piece>>,
    /// The credentials among folder variables.
    hidden: BTreeSet<String>,
    /// Literal credentials, each with the index of its parameter.
    literals: BTreeMap<String, usize>,
    /// Names that parameters cannot have.
    refused: BTreeSet<String>,
    taken: BTreeSet<String>,
    /// Credentials found by an earlier pass; a text that contains one is a credential.
    known_credentials: Vec<String>,
    /// Variables used both in JSON and as text, by folder and name.
    mixed: BTreeSet<(String, String)>,
    /// Notes on the request being written.
    pub(super) pending_notes: Vec<String>,
    /// Notes on the collection as a whole.
    pub(super) notes: BTreeSet<String>,
    /// The parameters of the function being written.
    pub(super) used: BTreeSet<usize>,
}

/// The maximum nesting of variables; more means a circle.
const MAX_DEPTH: usize = 32;

/// The maximum number of variables resolved in one text.
const MAX_REPLACEMENTS: usize = 200;

/// The minimum length, in bytes, of a credential to look for inside other texts: `test` is a common word.
pub(super) const MIN_SECRET_LEN: usize = 8;

/// The maximum length, in bytes, of a text made of variables; a longer one cannot be intended.
const MAX_EXPANDED_LEN: usize = 1 << 20;

impl Values {
    /// Creates the values. Parameters cannot have the names in `refused`; `known_credentials` are credentials known already.
    pub(super) fn new(
        variables: impl IntoIterator<Item = Variable>,
        refused: BTreeSet<String>,
        known_credentials: Vec<String>,
    ) -> Values {
        Values {
            known: by_key(variables),
            scope: BTreeMap::new(),
            fixed: BTreeSet::new(),
            params: Vec::new(),
            by_variable: BTreeMap::new(),
            made: BTreeMap::new(),
            hidden: BTreeSet::new(),
            literals: BTreeMap::new(),
            refused,
            taken: BTreeSet::new(),
            known_credentials,
            mixed: BTreeSet::new(),
            pending_notes: Vec::new(),
            notes: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// Adds the environment's variables, which take precedence over those of the collection and its folders.
    pub(super) fn below(mut self, environment: &[Variable]) -> Values {
        self.fixed = environment.iter().map(|variable| variable.key.clone()).collect();
        self.known.extend(by_key(environment.iter().cloned()));
        self
    }

    /// Puts folder variables in scope; the last of a name wins. Variables that refer to others are resolved again.
    pub(super) fn enter(&mut self, folders: &[Variable]) {
        let own = folders
            .iter()
            .filter(|variable| !self.fixed.contains(&variable.key));
        let scope = by_key(own.cloned());
        if scope != self.scope {
            let secret = scope.values().filter(|variable| is_secret(variable));
            self.hidden.extend(secret.map(|variable| variable.value.clone()));
            self.scope = scope;
            self.made.clear();
        }
    }

    /// The variables used both in JSON without quotes and as text.
    pub(super) fn mixed(&self) -> BTreeSet<(String, String)> {
        let is_mixed = |pieces: &[Piece]| {
            matches!(pieces, [Piece::Param(index)] if {
                let param = &self.params[*index];
                param.json && !param.secret && (param.plain || param.in_text)
            })
        };
        let mixed = self.by_variable.iter().filter(|(_, pieces)| is_mixed(pieces));
        mixed.map(|(place, _)| place.clone()).collect()
    }

    /// Sets the variables with both uses, as an earlier pass found them.
    pub(super) fn with_mixed(self, mixed: BTreeSet<(String, String)>) -> Values {
        Values { mixed, ..self }
    }

    /// Whether any of the pieces is secret.
    pub(super) fn hides(&self, pieces: &[Piece]) -> bool {
        let is_secret = |piece: &Piece| matches!(piece, Piece::Param(index) if self.params[*index].secret);
        pieces.iter().any(is_secret)
    }

    /// Adds a note on the request being written.
    pub(super) fn add_note(&mut self, note: String) {
        if !self.pending_notes.contains(&note) {
            self.pending_notes.push(note);
        }
    }

    /// Adds a note on the whole collection.
    pub(super) fn once(&mut self, note: String) {
        self.notes.insert(note);
    }

    /// The folder variables in scope.
    pub(super) fn scoped(&self) -> Vec<Variable> {
        self.scope.values().cloned().collect()
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        self.scope.get(name).or_else(|| self.known.get(name))
    }

    /// All credentials found in plain text, longest first.
    pub(super) fn credentials(&self) -> Vec<String> {
        let variables = self.known.values();
        let secret = variables
            .filter(|variable| is_secret(variable))
            .map(|variable| variable.value.clone());
        let mut all: Vec<String> = secret
            .chain(self.hidden.iter().cloned())
            .chain(self.literals.keys().cloned())
            .filter(|value| !value.is_empty() && !is_placeholder_credential(value))
            .collect();
        // Longest first, so that none is masked only in part.
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all
    }

    /// Resolves the variables of a text. Fails if they are circular or grow too large.
    pub(super) fn pieces(&mut self, text: &str) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text)),
                Part::Placeholder(name) => pieces.extend(self.variable(&name, &mut Vec::new())?),
            }
        }
        Ok(pieces)
    }

    /// Expands the variables of a text that are known and not secret: for comparison, never for output.
    pub(super) fn expanded(&self, text: &str) -> String {
        let mut out = String::new();
        self.expand(text, MAX_DEPTH, &mut { MAX_REPLACEMENTS }, &mut out);
        out
    }

    fn expand(&self, text: &str, deeper: usize, left: &mut usize, out: &mut String) {
        for part in parts(text) {
            let name = match part {
                Part::Text(text) => {
                    out.push_str(&text);
                    continue;
                }
                Part::Placeholder(name) => name,
            };
            let known = self
                .find(&name)
                .filter(|known| !known.value.is_empty() && !is_secret(known));
            match known {
                Some(known) if deeper > 0 && *left > 0 => {
                    *left -= 1;
                    self.expand(known.value.trim(), deeper - 1, left, out);
                }
                _ => out.extend(["{{", name.as_str(), "}}"]),
            }
        }
    }

    /// Converts a text to an expression. `field` is the name of its field, which may indicate a credential.
    pub(super) fn value(&mut self, text: &str, field: &str) -> Result<Code, String> {
        if let Some(index) = self.literals.get(text).copied() {
            return Ok(self.param(index));
        }
        let pieces = self.pieces(text)?;
        let secret_field = name_is_secret(field);
        match pieces.as_slice() {
            [Piece::Param(index)] => {
                self.params[*index].secret |= secret_field;
                self.params[*index].plain = true;
                return Ok(self.param(*index));
            }
            [Piece::Code(code)] => return Ok(Code::Expr((*code).to_owned())),
            _ => {}
        }
        let plain: String = pieces
            .iter()
            .map(|piece| {
                if let Piece::Text(text) = piece {
                    text.as_str()
                } else {
                    ""
                }
            })
            .collect();
        let holds_secret = self.hides(&pieces);
        let has_holes = pieces.iter().any(|piece| !matches!(piece, Piece::Text(_)));
        if holds_secret || (secret_field && !plain.trim().is_empty()) || self.is_credential(&plain) {
            return Ok(self.credential(text, field, has_holes));
        }
        Ok(Code::Expr(self.text(&pieces)))
    }

    /// Builds a string expression, such as an address. Its parameters cannot have the secret type: they become text.
    pub(super) fn text(&mut self, pieces: &[Piece]) -> String {
        let mut parts: Vec<(bool, String)> = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => match parts.last_mut() {
                    Some((true, last)) => last.push_str(text),
                    _ => parts.push((true, text.clone())),
                },
                Piece::Param(index) => {
                    self.used.insert(*index);
                    self.params[*index].in_text = true;
                    parts.push((false, self.params[*index].name.clone()));
                }
                Piece::Code(code) => parts.push((false, (*code).to_owned())),
            }
        }
        join_parts(&parts)
    }

    /// Converts an address. Path segments that are credentials become parameters, but not of the secret type: an
    /// address is text.
    pub(super) fn address(&mut self, text: &str) -> Result<String, String> {
        let mut pieces = Vec::new();
        for piece in self.pieces(text)? {
            let Piece::Text(text) = piece else {
                pieces.push(piece);
                continue;
            };
            for (index, part) in text.split('/').enumerate() {
                if index > 0 {
                    pieces.push(Piece::Text("/".into()));
                }
                if self.is_credential(part) {
                    let Code::Expr(name) = self.credential(part, "token", false) else {
                        continue;
                    };
                    let param = self.params.iter().position(|param| param.name == name);
                    pieces.extend(param.map(Piece::Param));
                } else {
                    pieces.push(Piece::Text(part.to_owned()));
                }
            }
        }
        Ok(self.text(&pieces))
    }

    /// Whether the text looks like a credential or contains a known one.
    fn is_credential(&self, text: &str) -> bool {
        let holds = |secret: &String| secret.len() >= MIN_SECRET_LEN && text.contains(secret.as_str());
        value_is_secret(text) || self.known_credentials.iter().any(holds)
    }

    /// Returns the parameter as an expression, and marks it as used.
    pub(super) fn param(&mut self, index: usize) -> Code {
        self.used.insert(index);
        Code::Expr(self.params[index].name.clone())
    }

    /// Returns the parameter for a literal credential, which may contain variables. Equal credentials share a
    /// parameter.
    pub(super) fn credential(&mut self, text: &str, field: &str, made_of_variables: bool) -> Code {
        let index = if let Some(index) = self.literals.get(text) {
            *index
        } else {
            let about = if made_of_variables {
                format!("the whole value of `{field}`, which holds a credential")
            } else {
                format!("the credential from `{field}`")
            };
            let index = self.add(name_of(field, "credential"), about, None, true);
            self.literals.insert(text.to_owned(), index);
            index
        };
        self.param(index)
    }

    /// Adds a parameter under a unique name. Returns its index.
    pub(super) fn add(
        &mut self,
        name: String,
        about: String,
        default: Option<String>,
        secret: bool,
    ) -> usize {
        let base = if is_reserved(&name) || self.refused.contains(&name) {
            format!("the_{name}")
        } else {
            name
        };
        let name = unique(&base, &mut self.taken);
        self.params.push(Param {
            name,
            about,
            default,
            secret,
            in_text: false,
            json: false,
            plain: false,
            mixed: false,
        });
        self.params.len() - 1
    }

    /// Resolves a variable. One whose value refers to others is resolved to those.
    fn variable(&mut self, name: &str, path: &mut Vec<String>) -> Result<Vec<Piece>, String> {
        let folder = self.scope.get(name).map(|variable| variable.folder.clone());
        let place = (folder.unwrap_or_default(), name.to_owned());
        if let Some(pieces) = self.by_variable.get(&place).or_else(|| self.made.get(name)) {
            return Ok(pieces.clone());
        }
        if path.iter().any(|outer| outer == name) {
            path.push(name.to_owned());
            let circle = path.join(" -> ");
            return Err(format!(
                "has variables that refer to each other in a cycle: {circle}"
            ));
        }
        if path.len() > MAX_DEPTH {
            return Err(format!(
                "has a variable `{}` that refers to others more than {MAX_DEPTH} levels deep",
                path[0]
            ));
        }
        if let Some(pieces) = self.resolve_nested(name, path)? {
            self.made.insert(name.to_owned(), pieces.clone());
            return Ok(pieces);
        }
        let pieces = match name.strip_prefix('$') {
            Some(dynamic) => self.dynamic(name, dynamic),
            None => vec![Piece::Param(self.own(name))],
        };
        if let [Piece::Param(index)] = pieces.as_slice() {
            self.params[*index].mixed = self.mixed.contains(&place);
        }
        self.by_variable.insert(place, pieces.clone());
        Ok(pieces)
    }

    /// The pieces of a variable whose value refers to others; `None` for any other variable.
    fn resolve_nested(&mut self, name: &str, path: &mut Vec<String>) -> Result<Option<Vec<Piece>>, String> {
        let known = self.find(name).filter(|variable| !is_secret(variable));
        let parts = known.map(|variable| parts(&variable.value)).unwrap_or_default();
        if !parts.iter().any(|part| matches!(part, Part::Placeholder(_))) {
            return Ok(None);
        }
        path.push(name.to_owned());
        let mut pieces = Vec::new();
        let mut length = 0;
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text)),
                Part::Placeholder(inner) => pieces.extend(self.variable(&inner, path)?),
            }
            length += pieces.last().map_or(0, |piece| {
                if let Piece::Text(text) = piece {
                    text.len()
                } else {
                    1
                }
            });
            if length > MAX_EXPANDED_LEN || pieces.len() > MAX_EXPANDED_LEN / 64 {
                return Err(format!("has a variable `{name}` whose value is too large"));
            }
        }
        path.pop();
        Ok(Some(pieces))
    }

    /// Adds the parameter for a variable. A folder variable that shadows another is named after both.
    fn own(&mut self, name: &str) -> usize {
        let known = self.find(name).cloned().unwrap_or_else(|| Variable {
            key: name.to_owned(),
            ..Variable::default()
        });
        let secret = is_secret(&known);
        let shown = |text: &str| format!("`{}`", text.replace('`', "'"));
        let mut about = format!("the variable {}", shown(name));
        let mut called = name_of(name, "value");
        if !known.folder.is_empty() {
            about = format!("{about} of the folder {}", shown(&known.folder));
            if self.known.contains_key(name) {
                let folder = known.folder.rsplit(" / ").next().unwrap_or_default();
                called = name_of(&format!("{folder} {name}"), "value");
            }
        }
        let default = Some(known.value).filter(|value| !value.is_empty() && !secret);
        self.add(called, about, default, secret)
    }

    /// Resolves one of Postman's dynamic variables, which are new at each request.
    fn dynamic(&mut self, name: &str, dynamic: &str) -> Vec<Piece> {
        match dynamic {
            "guid" | "randomUUID" => vec![Piece::Code("uuid()")],
            "isoTimestamp" => vec![Piece::Code("now()")],
            _ => {
                let about =
                    format!("replaces Postman's own `{name}`, which Postman generates for each request");
                vec![Piece::Param(self.add(
                    name_of(dynamic, "value"),
                    about,
                    None,
                    false,
                ))]
            }
        }
    }
}

fn by_key(variables: impl IntoIterator<Item = Variable>) -> BTreeMap<String, Variable> {
    let variables = variables.into_iter();
    variables
        .map(|variable| (variable.key.clone(), variable))
        .collect()
}

/// Whether the value is just a word for a credential, such as `password`. Samples use it as a placeholder, and every
/// script contains it.
fn is_placeholder_credential(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphabetic())
        && value.len() < 2 * MIN_SECRET_LEN
        && name_is_secret(value)
}

/// Whether the variable's value is secret.
pub(super) fn is_secret(variable: &Variable) -> bool {
    variable.secret || name_is_secret(&variable.key) || value_is_secret(&variable.value)
}

/// Returns the name, with the first number that makes it unique if needed, and adds it to `taken`.
pub(super) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut unique = name.to_owned();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}_{number}");
        number += 1;
    }
    unique
}

/// A part of a text before its variables are resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    Placeholder(String),
}

/// Splits a text at its `{{holes}}`.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let Some(end) = rest[at..].find("}}") else { break };
        let name = rest[at + 2..at + end].trim();
        if name.is_empty() || name.contains(['{', '}', '\n']) {
            parts.push(Part::Text(rest[..at + 2].to_owned()));
            rest = &rest[at + 2..];
            continue;
        }
        if at > 0 {
            parts.push(Part::Text(rest[..at].to_owned()));
        }
        parts.push(Part::Placeholder(name.to_owned()));
        rest = &rest[at + end + 2..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    parts
}

/// Joins texts and expressions into one expression: a template if nothing in it needs escaping, else a concatenation.
fn join_parts(parts: &[(bool, String)]) -> String {
    match parts {
        [] => return "\"\"".to_owned(),
        [(true, text)] => return quoted(text),
        _ => {}
    }
    // In a template, a backslash before `${` makes it literal.
    let plain = |text: &str| !text.contains(['`', '$', '\\']) && !text.chars().any(char::is_control);
    if parts.iter().all(|(literal, text)| !literal || plain(text)) {
        let inner: String = parts
            .iter()
            .map(|(literal, text)| {
                if *literal {
                    text.clone()
                } else {
                    format!("${{{text}}}")
                }
            })
            .collect();
        return format!("`{inner}`");
    }
    let terms = parts
        .iter()
        .map(|(literal, text)| if *literal { quoted(text) } else { text.clone() });
    let terms: Vec<String> = std::iter::once("\"\"".to_owned()).chain(terms).collect();
    terms.join(" + ")
}

#[cfg(test)]
mod tests;
