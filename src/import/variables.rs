//! Resolves texts with `{{placeholders}}`, and turns variables and credentials into parameters of `main`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::code::{Code, is_reserved, name_of, quoted};
use super::collection::Variable;
use super::credentials::{MIN_SECRET_LEN, is_placeholder_credential, name_is_secret, value_is_secret};

/// A part of a text before its variables are resolved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    /// The name of a variable.
    Placeholder(&'a str),
}

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
#[derive(Debug, Clone, Default, PartialEq)]
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

/// What one pass over a collection finds for the next.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Credentials; a text that contains one is a credential.
    credentials: Vec<String>,
    /// Variables used both in JSON without quotes and as text, by folder and name.
    mixed: BTreeSet<(String, String)>,
}

/// All variables and credentials found so far.
#[derive(Debug, Default)]
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
    /// The credentials among folder variables, and those in requests to platforms, which sessions replace.
    hidden: BTreeSet<String>,
    /// Literal credentials, each with the index of its parameter.
    literals: BTreeMap<String, usize>,
    /// Names that parameters cannot have.
    refused: BTreeSet<String>,
    taken: BTreeSet<String>,
    earlier: Findings,
    /// Notes on the request being written.
    pub(super) request_notes: Vec<String>,
    /// Notes on the collection as a whole.
    pub(super) notes: BTreeSet<String>,
    /// The parameters of the function being written.
    pub(super) used: BTreeSet<usize>,
}

/// The maximum nesting of variables; more means a circle.
pub(super) const MAX_DEPTH: usize = 32;

/// The maximum number of variables resolved in one text.
const MAX_REPLACEMENTS: usize = 200;

/// The maximum length, in bytes, of a text made of variables; a longer one cannot be intended.
const MAX_EXPANDED_LEN: usize = 1 << 20;

impl Values {
    /// Creates the values. The environment's variables take precedence over those of the collection and its folders.
    /// Parameters cannot have the names in `refused`.
    pub(super) fn new(
        collection: &[Variable],
        environment: &[Variable],
        refused: BTreeSet<String>,
        earlier: Findings,
    ) -> Values {
        Values {
            known: by_key(collection.iter().chain(environment)),
            fixed: environment.iter().map(|variable| variable.key.clone()).collect(),
            refused,
            earlier,
            ..Values::default()
        }
    }

    /// Puts folder variables in scope; the last of a name wins. Variables that refer to others are resolved again.
    pub(super) fn enter(&mut self, folders: &[Variable]) {
        let scope = by_key(
            folders
                .iter()
                .filter(|variable| !self.fixed.contains(&variable.key)),
        );
        if scope != self.scope {
            let secret = scope.values().filter(|variable| is_secret(variable));
            self.hidden.extend(secret.map(|variable| variable.value.clone()));
            self.scope = scope;
            self.made.clear();
        }
    }

    /// Returns what the next pass needs.
    pub(super) fn findings(&self) -> Findings {
        let is_mixed = |pieces: &[Piece]| {
            matches!(pieces, [Piece::Param(index)] if {
                let param = &self.params[*index];
                param.json && !param.secret && (param.plain || param.in_text)
            })
        };
        let mixed = self.by_variable.iter().filter(|(_, pieces)| is_mixed(pieces));
        Findings {
            credentials: self.credentials(),
            mixed: mixed.map(|(place, _)| place.clone()).collect(),
        }
    }

    /// Whether any of the pieces is secret.
    pub(super) fn hides(&self, pieces: &[Piece]) -> bool {
        let is_secret = |piece: &Piece| matches!(piece, Piece::Param(index) if self.params[*index].secret);
        pieces.iter().any(is_secret)
    }

    /// Adds a note on the request being written.
    pub(super) fn add_note(&mut self, note: String) {
        if !self.request_notes.contains(&note) {
            self.request_notes.push(note);
        }
    }

    /// The folder variables in scope.
    pub(super) fn scoped(&self) -> Vec<Variable> {
        self.scope.values().cloned().collect()
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        self.scope.get(name).or_else(|| self.known.get(name))
    }

    /// Removes the credentials that an earlier pass found, except plain words, which names often contain.
    pub(super) fn without_credentials(&self, name: &str) -> String {
        let is_word = |secret: &str| secret.len() < MIN_SECRET_LEN || !secret.contains(char::is_numeric);
        let found = self.earlier.credentials.iter().filter(|secret| !is_word(secret));
        found.fold(name.to_owned(), |name, secret| name.replace(secret.as_str(), ""))
    }

    /// All credentials found in plain text, longest first, so that none is masked only in part.
    pub(super) fn credentials(&self) -> Vec<String> {
        let secret = self.known.values().filter(|variable| is_secret(variable));
        let secret = secret.map(|variable| &variable.value);
        let all = secret.chain(&self.hidden).chain(self.literals.keys());
        let all = all.filter(|value| !value.is_empty() && !is_placeholder_credential(value));
        let mut all: Vec<String> = all.cloned().collect();
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all
    }

    /// Resolves the variables of a text. Fails if they are circular or grow too large.
    pub(super) fn pieces(&mut self, text: &str) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text.to_owned())),
                Part::Placeholder(name) => pieces.extend(self.variable(name, &mut Vec::new())?),
            }
        }
        Ok(pieces)
    }

    /// Expands the variables of a text that are known and not secret: for comparison, never for output.
    pub(super) fn expanded(&self, text: &str) -> String {
        let mut out = String::new();
        let is_open = |variable: &Variable| !is_secret(variable);
        self.expand(text, &is_open, MAX_DEPTH, &mut { MAX_REPLACEMENTS }, &mut out);
        out
    }

    /// Expands the variables of a credential that are known, also secret ones: for comparison, never for output.
    pub(super) fn resolved(&self, text: &str) -> String {
        let mut out = String::new();
        self.expand(
            text.trim(),
            &|_| true,
            MAX_DEPTH,
            &mut { MAX_REPLACEMENTS },
            &mut out,
        );
        out
    }

    /// Registers a credential that the script does not contain, so that it is recognized elsewhere.
    pub(super) fn hide(&mut self, text: &str) {
        let credential = self.resolved(text);
        let is_text = |part: &Part| matches!(part, Part::Text(_));
        if parts(&credential).iter().any(is_text) {
            self.hidden.insert(credential);
        }
    }

    /// Expands the variables that are known and pass `is_open`.
    fn expand(
        &self,
        text: &str,
        is_open: &dyn Fn(&Variable) -> bool,
        deeper: usize,
        left: &mut usize,
        out: &mut String,
    ) {
        for part in parts(text) {
            let known = match part {
                Part::Text(_) => None,
                Part::Placeholder(name) => self.find(name),
            };
            match known.filter(|known| !known.value.is_empty() && is_open(known)) {
                Some(known) if deeper > 0 && *left > 0 => {
                    *left -= 1;
                    self.expand(known.value.trim(), is_open, deeper - 1, left, out);
                }
                _ => out.push_str(&part.to_string()),
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
        let literal = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            _ => "",
        });
        let plain: String = literal.collect();
        let has_placeholders = pieces.iter().any(|piece| !matches!(piece, Piece::Text(_)));
        let is_secret = self.hides(&pieces) || (secret_field && !plain.trim().is_empty());
        if is_secret || self.is_credential(&plain) {
            return Ok(self.credential(text, field, has_placeholders));
        }
        Ok(Code::Expr(self.text(&pieces)))
    }

    /// Builds a string expression, such as an address. Its parameters cannot have the secret type: they become text.
    pub(super) fn text(&mut self, pieces: &[Piece]) -> String {
        let mut parts: Vec<(bool, String)> = Vec::new();
        for piece in pieces {
            match (piece, parts.last_mut()) {
                (Piece::Text(text), Some((true, last))) => last.push_str(text),
                (Piece::Text(text), _) => parts.push((true, text.clone())),
                (Piece::Code(code), _) => parts.push((false, (*code).to_owned())),
                (Piece::Param(index), _) => {
                    self.used.insert(*index);
                    self.params[*index].in_text = true;
                    parts.push((false, self.params[*index].name.clone()));
                }
            }
        }
        string_expression(&parts)
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
            for (index, segment) in text.split('/').enumerate() {
                if index > 0 {
                    pieces.push(Piece::Text("/".into()));
                }
                pieces.push(if self.is_credential(segment) {
                    Piece::Param(self.credential_index(segment, "token", false))
                } else {
                    Piece::Text(segment.to_owned())
                });
            }
        }
        Ok(self.text(&pieces))
    }

    /// Whether the text looks like a credential or contains a known one.
    fn is_credential(&self, text: &str) -> bool {
        let holds = |secret: &String| secret.len() >= MIN_SECRET_LEN && text.contains(secret.as_str());
        value_is_secret(text) || self.earlier.credentials.iter().any(holds)
    }

    /// Returns the parameter as an expression, and marks it as used.
    pub(super) fn param(&mut self, index: usize) -> Code {
        self.used.insert(index);
        Code::Expr(self.params[index].name.clone())
    }

    /// Returns the parameter for a literal credential, which may contain variables. Equal credentials share a
    /// parameter.
    pub(super) fn credential(&mut self, text: &str, field: &str, made_of_variables: bool) -> Code {
        let index = self.credential_index(text, field, made_of_variables);
        self.param(index)
    }

    fn credential_index(&mut self, text: &str, field: &str, made_of_variables: bool) -> usize {
        if let Some(index) = self.literals.get(text) {
            return *index;
        }
        let about = if made_of_variables {
            format!("the whole value of `{field}`, which holds a credential")
        } else {
            format!("the credential from `{field}`")
        };
        let index = self.add(name_of(field, "credential"), about, None, true);
        self.literals.insert(text.to_owned(), index);
        index
    }

    /// Adds a parameter for a literal text, which becomes its default unless it is a credential.
    pub(super) fn input(&mut self, text: &str, field: &str) -> Result<Code, String> {
        if name_is_secret(field) || self.is_credential(text) {
            return self.value(text, field);
        }
        let about = format!("the `{field}` of the request; it must be unique");
        let default = Some(text.to_owned()).filter(|text| !text.is_empty());
        let index = self.add(name_of(field, "value"), about, default, false);
        Ok(self.param(index))
    }

    /// Adds a parameter under a unique name. Returns its index.
    pub(super) fn add(
        &mut self,
        name: String,
        about: String,
        default: Option<String>,
        secret: bool,
    ) -> usize {
        let name = if is_reserved(&name) || self.refused.contains(&name) {
            format!("the_{name}")
        } else {
            name
        };
        self.params.push(Param {
            name: unique(&name, &mut self.taken),
            about,
            default,
            secret,
            ..Param::default()
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
            let cycle = format!("{} -> {name}", path.join(" -> "));
            return Err(format!(
                "has variables that refer to each other in a cycle: {cycle}"
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
        let piece = match name.strip_prefix('$') {
            Some(dynamic) => self.dynamic(name, dynamic),
            None => Piece::Param(self.own(name)),
        };
        if let Piece::Param(index) = piece {
            self.params[index].mixed = self.earlier.mixed.contains(&place);
        }
        self.by_variable.insert(place, vec![piece.clone()]);
        Ok(vec![piece])
    }

    /// The pieces of a variable whose value refers to others; `None` for any other variable.
    fn resolve_nested(&mut self, name: &str, path: &mut Vec<String>) -> Result<Option<Vec<Piece>>, String> {
        let known = self.find(name).filter(|variable| !is_secret(variable));
        let value = known.map(|variable| variable.value.clone()).unwrap_or_default();
        let parts = parts(&value);
        if !parts.iter().any(|part| matches!(part, Part::Placeholder(_))) {
            return Ok(None);
        }
        path.push(name.to_owned());
        let mut pieces = Vec::new();
        let mut length = 0;
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text.to_owned())),
                Part::Placeholder(inner) => pieces.extend(self.variable(inner, path)?),
            }
            length += match pieces.last() {
                Some(Piece::Text(text)) => text.len(),
                last => usize::from(last.is_some()),
            };
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
        let value = known.value.trim();
        let secret = is_secret(&known) || (value.len() >= MIN_SECRET_LEN && self.hidden.contains(value));
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
    fn dynamic(&mut self, name: &str, dynamic: &str) -> Piece {
        match dynamic {
            "guid" | "randomUUID" => Piece::Code("uuid()"),
            "isoTimestamp" => Piece::Code("now()"),
            _ => {
                let about =
                    format!("replaces Postman's own `{name}`, which Postman generates for each request");
                Piece::Param(self.add(name_of(dynamic, "value"), about, None, false))
            }
        }
    }
}

fn by_key<'a>(variables: impl Iterator<Item = &'a Variable>) -> BTreeMap<String, Variable> {
    variables
        .map(|variable| (variable.key.clone(), variable.clone()))
        .collect()
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

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Text(text) => f.write_str(text),
            Part::Placeholder(name) => write!(f, "{{{{{name}}}}}"),
        }
    }
}

/// Splits a text at its `{{placeholders}}`.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let Some(end) = rest[at..].find("}}") else { break };
        let name = rest[at + 2..at + end].trim();
        if name.is_empty() || name.contains(['{', '}', '\n']) {
            parts.push(Part::Text(&rest[..at + 2]));
            rest = &rest[at + 2..];
            continue;
        }
        if at > 0 {
            parts.push(Part::Text(&rest[..at]));
        }
        parts.push(Part::Placeholder(name));
        rest = &rest[at + end + 2..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// Joins texts (marked as literal) and expressions into one string expression: a template if nothing in it needs
/// escaping, else a concatenation.
fn string_expression(parts: &[(bool, String)]) -> String {
    match parts {
        [] => return "\"\"".to_owned(),
        [(true, text)] => return quoted(text),
        _ => {}
    }
    // In a template, a backslash before `${` makes it literal.
    let plain = |text: &str| !text.contains(['`', '$', '\\']) && !text.chars().any(char::is_control);
    let is_template = parts.iter().all(|(literal, text)| !literal || plain(text));
    let terms = parts.iter().map(|(literal, text)| match (is_template, literal) {
        (true, true) | (false, false) => text.clone(),
        (true, false) => format!("${{{text}}}"),
        (false, true) => quoted(text),
    });
    let terms: Vec<String> = terms.collect();
    if is_template {
        format!("`{}`", terms.concat())
    } else {
        format!("\"\" + {}", terms.join(" + "))
    }
}

/// Whether the variable's value is secret.
pub(super) fn is_secret(variable: &Variable) -> bool {
    variable.secret || name_is_secret(&variable.key) || value_is_secret(&variable.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(variables: &[(&str, &str)]) -> Values {
        let variables = variables.iter().map(|(key, value)| Variable {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            ..Variable::default()
        });
        let variables: Vec<Variable> = variables.collect();
        let refused = BTreeSet::from(["profile".to_owned()]);
        Values::new(&variables, &[], refused, Findings::default())
    }

    fn shown(values: &mut Values, text: &str, field: &str) -> String {
        values.value(text, field).unwrap().render(0)
    }

    #[test]
    fn variables_become_parameters_and_nested_values_are_resolved() {
        let mut v = values(&[
            ("host", "example.com"),
            ("base", "https://{{host}}/api"),
            ("profile", "x"),
        ]);
        assert_eq!(
            shown(&mut v, "{{base}}/users/{{id}}", "url"),
            "`https://${host}/api/users/${id}`"
        );
        assert_eq!(shown(&mut v, "{{profile}}", "name"), "the_profile");
        assert_eq!(v.params[0].default.as_deref(), Some("example.com"));
        assert_eq!(v.params[1].default, None);
        assert_eq!(shown(&mut v, "{{$guid}}", "id"), "uuid()");
        assert_eq!(shown(&mut v, "a`{{id}}", "x"), "\"\" + \"a`\" + id");
        assert_eq!(shown(&mut v, "{{", "x"), "\"{{\"");
    }

    #[test]
    fn a_circular_variable_error_shows_the_cycle() {
        let mut v = values(&[("a", "{{b}}"), ("b", "x{{c}}"), ("c", "{{a}}"), ("d", "{{d}}")]);
        let reason = v.value("{{a}}", "x").unwrap_err();
        assert!(reason.contains("a -> b -> c -> a"), "{reason}");
        assert!(v.value("{{d}}", "x").is_err());
    }

    #[test]
    fn exponential_variable_expansion_is_rejected() {
        let chain: Vec<(String, String)> = (0..30)
            .map(|n| (format!("v{n}"), format!("{{{{v{}}}}}{{{{v{}}}}}", n + 1, n + 1)))
            .collect();
        let chain: Vec<(&str, &str)> = chain.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let reason = values(&chain).value("{{v0}}", "x").unwrap_err();
        assert!(reason.contains("value is too large"), "{reason}");
    }

    #[test]
    fn credentials_become_whole_secret_parameters_without_defaults() {
        let mut v = values(&[("token", "abc"), ("user", "ann")]);
        assert_eq!(shown(&mut v, "{{token}}", "x"), "token");
        assert!(v.params[0].secret && v.params[0].default.is_none());
        assert_eq!(shown(&mut v, "hunter2", "password"), "password");
        assert_eq!(
            shown(&mut v, "hunter2", "password"),
            "password",
            "the same credential is the same parameter"
        );
        assert_eq!(shown(&mut v, "other", "password"), "password_2");
        assert_eq!(shown(&mut v, "Key {{token}}", "X-Auth"), "x_auth");
        assert_eq!(shown(&mut v, "{{user}}", "password"), "user");
        assert!(v.params.iter().all(|param| param.secret));
        assert!(
            v.credentials().contains(&"hunter2".to_owned()) && v.credentials().contains(&"abc".to_owned())
        );
    }
}
