//! The parameters of a saved script: variables that are declared with a literal, and the e-mail addresses, web addresses,
//! names and credentials in its statements.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::credential::{holds_credential, is_credential};
use super::dependencies::{Item, ItemKind, rename_results};
use super::saving::TypedInput;
use crate::operation::platform::Operation;
use crate::operation::spec::Param;
use crate::script::bundle::Source;
use crate::script::host::Host;
use crate::script::parse;
use crate::script::types::ParamType;
use crate::syntax::{self, Scopes, SourceText, TokenKind, Use, is_name, tokens};

/// A parameter and the value typed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The parameter's name.
    pub name: String,
    /// The name of its type.
    pub type_name: &'static str,
    /// The typed value, which becomes the default, as a literal; `None` for a secret.
    pub default: Option<String>,
    /// A one-line description; may be empty.
    pub about: String,
}

impl Parameter {
    fn new(name: &str, ty: ParamType, value: &str, about: &str) -> Parameter {
        let is_text = !matches!(ty, ParamType::Int | ParamType::Float | ParamType::Bool);
        let literal = if is_text {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"")
        } else {
            value.to_owned()
        };
        Parameter {
            name: name.to_owned(),
            type_name: ty.name(),
            default: (ty != ParamType::Secret).then_some(literal),
            about: about.split(';').next().unwrap_or_default().to_owned(),
        }
    }
}

/// The parameter names of the session's functions, by name and number of parameters.
pub(super) type Signatures = BTreeMap<(String, usize), Vec<String>>;

/// Collects the parameters of a script, and knows the credentials of the session.
pub(super) struct Parameters<'a> {
    host: &'a Host,
    functions: Signatures,
    /// Texts that are used as a credential anywhere in the session, with a name for each.
    secrets: BTreeMap<String, String>,
    /// Names that no parameter may have: flags of the command line.
    refused: &'a BTreeSet<String>,
    /// Names that the script has.
    taken: BTreeSet<String>,
    /// Variables that are parameters.
    variables: BTreeSet<String>,
    /// Texts with the name of the parameter that each becomes where one is due.
    by_text: BTreeMap<String, String>,
    found: Vec<Parameter>,
}

impl<'a> Parameters<'a> {
    /// `inputs` are all of the session's: no credential of any of them may be in the script.
    pub(super) fn new(
        host: &'a Host,
        inputs: &[TypedInput],
        refused: &'a BTreeSet<String>,
    ) -> Parameters<'a> {
        let texts = || inputs.iter().map(|input| without_results(&input.text));
        let functions: Signatures = texts()
            .flat_map(|text| Scopes::of(&text).functions)
            .map(|function| ((function.name, function.params.len()), function.params))
            .collect();
        let mut secrets = BTreeMap::new();
        for literal in texts().flat_map(|text| literals(host, &functions, &text)) {
            let target_name = literal.target_name.as_deref();
            if let Some((base, ParamType::Secret)) = parameter_for(&literal.text, target_name) {
                secrets.entry(literal.text).or_insert(base);
            }
        }
        Parameters {
            host,
            functions,
            secrets,
            refused,
            taken: BTreeSet::new(),
            variables: BTreeSet::new(),
            by_text: BTreeMap::new(),
            found: Vec::new(),
        }
    }

    /// Whether a piece of code contains anything that must not be written to a file.
    pub(super) fn is_secret(&self, code: &str) -> bool {
        let found = tokens(code);
        let mut texts = found
            .iter()
            .filter(|piece| matches!(piece.kind, TokenKind::Text | TokenKind::Comment));
        holds_credential(code)
            || texts.any(|piece| {
                let text = piece.text(code);
                // What the text says, without its escapes.
                let said = parse::literal(text).and_then(|said| said.into_string().ok());
                let said = said.is_some_and(|said| self.has_secret(&said));
                said || self.has_secret(text) || self.has_secret(text.trim_matches(['"', '`']))
            })
    }

    /// Whether a text is a secret, or contains one that is too long for a coincidence.
    fn has_secret(&self, text: &str) -> bool {
        let mut secrets = self.secrets.keys();
        secrets.any(|secret| text == secret || (secret.len() >= 4 && text.contains(secret.as_str())))
    }

    /// Takes the names in the items of the script, and turns variables that are declared once, with a literal, into
    /// parameters.
    pub(super) fn prepare(&mut self, items: &[&Item<'_>]) {
        let mut declared: BTreeMap<String, usize> = BTreeMap::new();
        for item in items.iter().filter(|item| item.kind != ItemKind::Skipped) {
            self.taken.extend(item.declares.iter().cloned());
            let scopes = Scopes::of(&item.text);
            let names = scopes.used.iter().filter(|used| used.kind != Use::Method);
            let names = names.filter(|used| used.function.is_none());
            self.taken.extend(names.map(|used| used.name.clone()));
            for known in scopes.declared.iter().filter(|known| known.function.is_none()) {
                *declared.entry(known.name.clone()).or_default() += 1;
            }
        }
        self.taken.extend(declared.keys().cloned());
        for item in items.iter().filter(|item| item.kind == ItemKind::Statement) {
            let Some((name, ty, value)) = declared_literal(&item.text) else {
                continue;
            };
            let is_free = !self.refused.contains(&name) && !is_reserved(&name) && !name.starts_with('_');
            let is_steady = !items.iter().any(|item| item.changes.contains(&name));
            let kind = Some(ty).filter(|ty| *ty == ParamType::String);
            let kind = kind.and_then(|_| self.kind(&value, Some(&name)));
            // A text that becomes a parameter wherever it occurs does so under one name.
            let is_parameter = match kind {
                Some(_) => is_steady && !self.by_text.contains_key(&value),
                None => !self.is_secret(&item.text),
            };
            if !is_free || declared.get(&name) != Some(&1) || !is_parameter {
                continue;
            }
            if is_steady && ty == ParamType::String {
                let known = self.by_text.entry(value.clone());
                known.or_insert_with(|| name.clone());
            }
            let ty = kind.map_or(ty, |(_, ty)| ty);
            self.found.push(Parameter::new(&name, ty, &value, ""));
            self.variables.insert(name);
        }
    }

    /// Returns this name, with a number appended if it is taken, and takes it.
    pub(super) fn free_name(&mut self, name: &str) -> String {
        let numbered = (2..).map(|count| format!("{name}_{count}"));
        let is_free =
            |name: &String| !self.taken.contains(name) && !self.refused.contains(name) && !is_reserved(name);
        let free = std::iter::once(name.to_owned()).chain(numbered).find(is_free);
        let free = free.unwrap_or_default();
        self.taken.insert(free.clone());
        free
    }

    /// Whether this declares a variable that is a parameter.
    pub(super) fn replaces(&self, item: &Item<'_>) -> bool {
        !self.variables.is_disjoint(&item.declares)
    }

    /// Replaces literals in a statement with parameters.
    pub(super) fn lift(&mut self, statement: &str) -> String {
        let mut literals = literals(self.host, &self.functions, statement);
        literals.sort_by_key(|literal| parse::place(literal.at));
        literals.dedup_by_key(|literal| parse::place(literal.at));
        let source = SourceText::read(statement);
        let mut out = statement.to_owned();
        let mut changes = Vec::new();
        for literal in &literals {
            if let Some(range) = span(&source, literal.at)
                && let Some(name) = self.parameter(literal)
            {
                changes.push((range, name));
            }
        }
        for (range, name) in changes.into_iter().rev() {
            out.replace_range(range, &name);
        }
        out
    }

    /// Returns the name of the parameter that a literal becomes, if any.
    fn parameter(&mut self, literal: &Literal) -> Option<String> {
        let (base, ty) = self.kind(&literal.text, literal.target_name.as_deref())?;
        if let Some(name) = self.by_text.get(&literal.text) {
            return Some(name.clone());
        }
        let name = self.free_name(&base);
        self.by_text.insert(literal.text.clone(), name.clone());
        self.found
            .push(Parameter::new(&name, ty, &literal.text, literal.about));
        Some(name)
    }

    /// Returns a name and the type of the parameter for a text and the name that receives it; `None` if none is due. One
    /// use as a credential makes every occurrence a secret.
    fn kind(&self, text: &str, target_name: Option<&str>) -> Option<(String, ParamType)> {
        if let Some(base) = self.secrets.get(text) {
            return Some((base.clone(), ParamType::Secret));
        }
        let (base, ty) = parameter_for(text, target_name)?;
        let is_secret = self.has_secret(text);
        Some((base, if is_secret { ParamType::Secret } else { ty }))
    }

    /// The parameters: variables, then those of the statements.
    pub(super) fn into_found(self) -> Vec<Parameter> {
        self.found
    }
}

/// Returns the lines of a doc comment that describes these parameters.
pub(super) fn documented(about: &str, params: &[Parameter]) -> Vec<String> {
    let widest = |width: fn(&Parameter) -> usize| params.iter().map(width).max().unwrap_or_default();
    let names = widest(|param| param.name.len());
    let types = widest(|param| param.type_name.len());
    let line = |param: &Parameter| {
        let rest = match &param.default {
            Some(default) => format!("= {default}  {}", param.about),
            None => format!("{}  (it was typed, and is not kept)", param.about),
        };
        let (name, ty) = (&param.name, param.type_name);
        format!("/// @param {name:names$}  {ty:types$} {}", rest.trim_end())
    };
    let mut lines = vec![format!("/// {about}")];
    lines.extend(params.first().map(|_| "///".to_owned()));
    lines.extend(params.iter().map(line));
    lines
}

/// Whether no parameter, result or function of a script can have this name.
fn is_reserved(name: &str) -> bool {
    ["main", "_err"].contains(&name) || syntax::is_reserved(name)
}

/// Parses `let email = "ann@example.com"` into the variable, the type and the value. Other literals than texts stay as
/// they were typed. `None` for a text with line breaks, which no default can have.
fn declared_literal(statement: &str) -> Option<(String, ParamType, String)> {
    let found = tokens(statement);
    let words = found.iter().map(|piece| piece.text(statement));
    let words: Vec<&str> = words.filter(|word| *word != ";").collect();
    let (name, literal) = match words.as_slice() {
        ["let", name, "=", literal] => (*name, (*literal).to_owned()),
        ["let", name, "=", "-", number] => (*name, format!("-{number}")),
        _ => return None,
    };
    let value = parse::literal(&literal)?;
    let ty = match value.type_name() {
        "string" => ParamType::String,
        "i64" => ParamType::Int,
        "f64" => ParamType::Float,
        "bool" => ParamType::Bool,
        _ => return None,
    };
    let value = value
        .into_immutable_string()
        .map_or(literal, |text| text.to_string());
    (!value.contains(char::is_control)).then(|| (name.to_owned(), ty, value))
}

/// Whether a text in this code is passed to a parameter, key or variable whose name suggests a credential, or looks like
/// one. `functions` are those of the session, with their parameters.
pub(super) fn passes_credential(host: &Host, functions: &Signatures, code: &str) -> bool {
    let code = without_results(code);
    literals(host, functions, &code)
        .iter()
        .any(|literal| is_credential(&literal.text, literal.target_name.as_deref()))
}

/// Gives results, such as `_3`, a name that the language has.
fn without_results(code: &str) -> String {
    rename_results(code, |_| Some("result".to_owned()))
}

/// A literal in a text.
struct Literal {
    /// Its start.
    at: Position,
    /// Its value.
    text: String,
    /// The name that receives it: a parameter of an operation, a key, a variable.
    target_name: Option<String>,
    /// The description of that parameter.
    about: &'static str,
}

/// Returns a name and the type of the parameter for a text and the name that receives it; `None` if none is due.
fn parameter_for(text: &str, target_name: Option<&str>) -> Option<(String, ParamType)> {
    let plain = target_name.map(plain_name);
    let named = |fallback: &str| match &plain {
        Some(name) if is_name(name) && !name.starts_with('_') => name.clone(),
        _ => fallback.to_owned(),
    };
    if is_credential(text, target_name) {
        return Some((named("secret"), ParamType::Secret));
    }
    let fits = |ty: ParamType| ty.parse(text).is_ok() && !text.contains(char::is_whitespace);
    if text.contains('@') && fits(ParamType::Email) {
        return Some((named("email"), ParamType::Email));
    }
    if text.contains("://") && fits(ParamType::Url) {
        return Some((named("site"), ParamType::Url));
    }
    let is_a_name = plain
        .as_deref()
        .is_some_and(|name| name == "name" || name.ends_with("_name"));
    let is_shown = !text.trim().is_empty() && !text.contains(char::is_control);
    (is_a_name && is_shown).then(|| (named("name"), ParamType::String))
}

/// Returns `x_api_key` for `X-Api-Key`.
fn plain_name(name: &str) -> String {
    let lower = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().map(lower).collect()
}

/// Returns the byte range of the literal that starts here.
fn span(source: &SourceText<'_>, at: Position) -> Option<Range<usize>> {
    let (line, column) = parse::place(at);
    let from = source.offset(line, column);
    let code = source.code();
    let token = code.index(from);
    let is_here = code.kind(token) == Some(TokenKind::Text) && code.start(token) == from;
    is_here.then(|| from..code.end(token))
}

/// Returns the texts in a piece of code except those with `${}`; none if it does not parse.
fn literals(host: &Host, functions: &Signatures, code: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let Ok(parsed) = parse::parse(&Source::new("", code)) else {
        return found;
    };
    parsed.ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Expr(Expr::StringConstant(text, at))) = path.last() else {
            return true;
        };
        let mut about = "";
        let target_name = match path.len().checked_sub(2).and_then(|above| path.get(above)) {
            Some(ASTNode::Expr(Expr::InterpolatedString(..)) | ASTNode::Stmt(Stmt::Import(..))) => {
                return true;
            }
            Some(
                ASTNode::Stmt(Stmt::FnCall(call, _))
                | ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)),
            ) => {
                let own = own_parameter(functions, call, *at);
                let param = parameter(host, call, *at).filter(|_| own.is_none());
                about = param.map_or("", |param| param.doc);
                let set = call.name.strip_prefix("set_").filter(|_| param.is_none());
                own.or(param.map(|param| param.name)).or(set).map(str::to_owned)
            }
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                let entry = map.0.iter().find(|(_, value)| value.position() == *at);
                entry.map(|(key, _)| key.name.to_string())
            }
            Some(ASTNode::Stmt(Stmt::Var(var, ..))) => Some(var.0.name.to_string()),
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) if !assignment.0.is_op_assignment() => {
                assignment_target(&assignment.1.lhs)
            }
            _ => None,
        };
        found.push(Literal {
            at: *at,
            text: text.to_string(),
            target_name,
            about,
        });
        true
    });
    found
}

/// Returns the name of the assignment target: the variable, property or key.
fn assignment_target(target: &Expr) -> Option<String> {
    match target {
        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
        Expr::Property(property, _) => Some(property.2.to_string()),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => assignment_target(&chain.rhs),
        Expr::StringConstant(key, _) => Some(key.to_string()),
        _ => None,
    }
}

/// Returns the parameter of a session function that receives this literal.
fn own_parameter<'a>(functions: &'a Signatures, call: &FnCallExpr, at: Position) -> Option<&'a str> {
    let index = call.args.iter().position(|arg| arg.position() == at)?;
    let params = functions.get(&(call.name.to_string(), call.args.len()))?;
    params.get(index).map(String::as_str)
}

/// Returns the operation's parameter that receives this literal.
fn parameter(host: &Host, call: &FnCallExpr, at: Position) -> Option<&'static Param> {
    let index = call.args.iter().position(|arg| arg.position() == at)?;
    let takes = |op: &&Operation| op.name == call.name.as_str() && op.params.len() > index;
    let op = host.operations().iter().find(takes)?;
    op.params.get(index)
}
