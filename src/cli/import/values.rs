//! Variables as parameters of `main`: what a text with `{{holes}}` is in the script, and which of it is secret.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Code, is_reserved, name_of, quoted};
use super::collection::Variable;
use super::secrets::{name_is_secret, value_is_secret};

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// As it is.
    Text(String),
    /// A parameter, by its place in [`Values::params`].
    Param(usize),
    /// An expression.
    Code(&'static str),
}

/// A parameter of `main`.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way in which it is used")]
pub(super) struct Param {
    pub(super) name: String,
    /// What it stands for.
    pub(super) about: String,
    pub(super) default: Option<String>,
    pub(super) secret: bool,
    /// Does it stand inside a longer text? Then it cannot be of the type that never shows itself.
    pub(super) in_text: bool,
    /// Does JSON take it as it is, without quotes?
    pub(super) json: bool,
    /// Does anything else take it whole?
    plain: bool,
    /// Do both, as an earlier reading has found? Then it is a text.
    pub(super) mixed: bool,
}

/// Every variable and every credential that was met.
pub(super) struct Values {
    known: BTreeMap<String, Variable>,
    /// Variables that folders hide from it, by the same names, for the request that is being written.
    scope: BTreeMap<String, Variable>,
    /// Names that the environment says: no folder has another value for them.
    fixed: BTreeSet<String>,
    pub(super) params: Vec<Param>,
    /// What variables are, by the folder of each and its name.
    by_variable: BTreeMap<(String, String), Vec<Piece>>,
    /// Those whose value is made of others, as they are in these folders.
    made: BTreeMap<String, Vec<Piece>>,
    /// Credentials among the variables of folders.
    hidden: BTreeSet<String>,
    /// Credentials that were written out: each with its parameter.
    literals: BTreeMap<String, usize>,
    /// Names that parameters cannot have.
    refused: BTreeSet<String>,
    taken: BTreeSet<String>,
    /// Credentials that an earlier reading met; a text that holds one is one.
    met: Vec<String>,
    /// Variables that JSON and texts take, by their places.
    mixed: BTreeSet<(String, String)>,
    /// What a reader must know of the request that is being written.
    pub(super) said: Vec<String>,
    /// What a reader must know of the collection as a whole.
    pub(super) notes: BTreeSet<String>,
    /// The parameters of the function that is being written.
    pub(super) used: BTreeSet<usize>,
}

/// Variables in variables: more means a circle.
const DEEPEST: usize = 32;

/// More variables than this are not resolved in one text.
const MOST_REPLACED: usize = 200;

/// A shorter credential is not looked for inside other texts: `test` is a word like any other.
pub(super) const SHORTEST: usize = 8;

/// A text made of variables that is longer than this is not one that anybody meant.
const LONGEST: usize = 1 << 20;

impl Values {
    /// `refused` are names that parameters cannot have, `met` are credentials that are known already.
    pub(super) fn new(
        variables: impl IntoIterator<Item = Variable>,
        refused: BTreeSet<String>,
        met: Vec<String>,
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
            met,
            mixed: BTreeSet::new(),
            said: Vec::new(),
            notes: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// The same, where the environment has some of the variables: they go before those of the collection and its folders.
    pub(super) fn below(mut self, environment: &[Variable]) -> Values {
        self.fixed = environment.iter().map(|variable| variable.key.clone()).collect();
        self.known.extend(by_key(environment.iter().cloned()));
        self
    }

    /// From here on these variables of folders count, the last of a name. What is made of others is resolved anew.
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

    /// The variables that JSON takes without quotes and texts take, too.
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

    /// The same, with what an earlier reading found of it.
    pub(super) fn with_mixed(self, mixed: BTreeSet<(String, String)>) -> Values {
        Values { mixed, ..self }
    }

    /// Is there a secret among them?
    pub(super) fn hides(&self, pieces: &[Piece]) -> bool {
        let is_secret = |piece: &Piece| matches!(piece, Piece::Param(index) if self.params[*index].secret);
        pieces.iter().any(is_secret)
    }

    /// Notes something of the request that is being written.
    pub(super) fn say(&mut self, note: String) {
        if !self.said.contains(&note) {
            self.said.push(note);
        }
    }

    /// Notes what is said once for all requests.
    pub(super) fn once(&mut self, note: String) {
        self.notes.insert(note);
    }

    /// The variables of folders that count now.
    pub(super) fn scoped(&self) -> Vec<Variable> {
        self.scope.values().cloned().collect()
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        self.scope.get(name).or_else(|| self.known.get(name))
    }

    /// Every credential that was met in clear.
    pub(super) fn credentials(&self) -> Vec<String> {
        let variables = self.known.values();
        let secret = variables
            .filter(|variable| is_secret(variable))
            .map(|variable| variable.value.clone());
        let mut all: Vec<String> = secret
            .chain(self.hidden.iter().cloned())
            .chain(self.literals.keys().cloned())
            .filter(|value| !value.is_empty() && !is_a_word_for_one(value))
            .collect();
        // The longest first, so that none is masked in part.
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all
    }

    /// A text with its variables resolved. The error names a circle.
    pub(super) fn pieces(&mut self, text: &str) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text)),
                Part::Hole(name) => pieces.extend(self.variable(&name, &mut Vec::new())?),
            }
        }
        Ok(pieces)
    }

    /// A text with every variable that is known and no secret put in its place: to compare, never to be written.
    pub(super) fn expanded(&self, text: &str) -> String {
        let mut out = String::new();
        self.expand(text, DEEPEST, &mut { MOST_REPLACED }, &mut out);
        out
    }

    fn expand(&self, text: &str, deeper: usize, left: &mut usize, out: &mut String) {
        for part in parts(text) {
            let name = match part {
                Part::Text(text) => {
                    out.push_str(&text);
                    continue;
                }
                Part::Hole(name) => name,
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

    /// A text as an expression. `field` is the name of what takes it, by which a credential is known.
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

    /// A text in which no secret can stand whole, such as an address: every variable in it is plain.
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
        joined(&parts)
    }

    /// An address with its variables resolved. Parts of its path that are credentials become parameters, which cannot be
    /// of the type that never shows itself: an address is text.
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

    /// Is the text formed like a credential, or does it hold one that was met?
    fn is_credential(&self, text: &str) -> bool {
        let holds = |secret: &String| secret.len() >= SHORTEST && text.contains(secret.as_str());
        value_is_secret(text) || self.met.iter().any(holds)
    }

    /// The parameter as an expression.
    pub(super) fn param(&mut self, index: usize) -> Code {
        self.used.insert(index);
        Code::Expr(self.params[index].name.clone())
    }

    /// The parameter for a credential that was written out, in whole or with variables in it. The same credential is
    /// the same parameter.
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

    /// A new parameter, under a name of its own.
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

    /// What a variable is. One whose value is made of others is resolved into them.
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
                "has variables that refer to each other in a circle: {circle}"
            ));
        }
        if path.len() > DEEPEST {
            return Err(format!(
                "has a variable `{}` that is made of others more than {DEEPEST} deep",
                path[0]
            ));
        }
        if let Some(pieces) = self.made_of(name, path)? {
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

    /// The parts of a variable whose value is made of others; nothing when it stands for itself.
    fn made_of(&mut self, name: &str, path: &mut Vec<String>) -> Result<Option<Vec<Piece>>, String> {
        let known = self.find(name).filter(|variable| !is_secret(variable));
        let parts = known.map(|variable| parts(&variable.value)).unwrap_or_default();
        if !parts.iter().any(|part| matches!(part, Part::Hole(_))) {
            return Ok(None);
        }
        path.push(name.to_owned());
        let mut pieces = Vec::new();
        let mut length = 0;
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text)),
                Part::Hole(inner) => pieces.extend(self.variable(&inner, path)?),
            }
            length += pieces.last().map_or(0, |piece| {
                if let Piece::Text(text) = piece {
                    text.len()
                } else {
                    1
                }
            });
            if length > LONGEST || pieces.len() > LONGEST / 64 {
                return Err(format!(
                    "has a variable `{name}` whose value grows beyond all bounds"
                ));
            }
        }
        path.pop();
        Ok(Some(pieces))
    }

    /// The parameter for a variable. A folder's that hides another one of its name is called after both.
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

    /// Postman's own variables, new at each request.
    fn dynamic(&mut self, name: &str, dynamic: &str) -> Vec<Piece> {
        match dynamic {
            "guid" | "randomUUID" => vec![Piece::Code("uuid()")],
            "isoTimestamp" => vec![Piece::Code("now()")],
            _ => {
                let about = format!("in place of Postman's own `{name}`, new at each request there");
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

/// Is it only what credentials are called, as in `password`? Samples write it where one would stand, and so does every
/// script.
fn is_a_word_for_one(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphabetic()) && value.len() < 2 * SHORTEST && name_is_secret(value)
}

/// Is the variable's value to be kept from sight?
pub(super) fn is_secret(variable: &Variable) -> bool {
    variable.secret || name_is_secret(&variable.key) || value_is_secret(&variable.value)
}

/// The name, or it with the first number that makes it new; from then on it is taken.
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
    Hole(String),
}

/// Cuts a text at its `{{holes}}`.
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
        parts.push(Part::Hole(name.to_owned()));
        rest = &rest[at + end + 2..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    parts
}

/// Texts and expressions as one expression: a template where nothing in it needs escaping, else a sum.
fn joined(parts: &[(bool, String)]) -> String {
    match parts {
        [] => return "\"\"".to_owned(),
        [(true, text)] => return quoted(text),
        _ => {}
    }
    // In a template a backslash before `${` makes a text of it.
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
