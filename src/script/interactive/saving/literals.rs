//! The literals of a statement, what receives each, and the parameter that it could become.

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::operation::platform::Operation;
use crate::operation::spec::Param;
use crate::script::bundle::Source;
use crate::script::host::Host;
use crate::script::interactive::credential::is_credential;
use crate::script::literal::is_name;
use crate::script::parse;
use crate::script::tokens::{TokenKind, pieces};
use crate::script::types::ParamType;

/// A literal in a text.
pub(super) struct Literal {
    /// Its start.
    pub(super) at: Position,
    /// Its value.
    pub(super) text: String,
    /// The name that receives it: a parameter of an operation, a key, a variable.
    pub(super) target_name: Option<String>,
    /// The description of that parameter.
    pub(super) about: &'static str,
}

/// The functions of a session: (name, number of parameters) to the parameter names.
pub(super) type Params = BTreeMap<(String, usize), Vec<String>>;

/// Returns the literals of a statement; empty if it does not parse.
pub(super) fn literals_of(host: &Host, functions: &Params, statement: &str) -> Vec<Literal> {
    let parsed = parse::parse(&Source::new("", statement));
    parsed.map_or_else(|_| Vec::new(), |parsed| literals(host, functions, &parsed.ast))
}

/// Returns the name and type of the parameter for this literal; `None` if it stays a literal.
pub(super) fn parameter_for(literal: &Literal) -> Option<(String, ParamType)> {
    let text = &literal.text;
    let target_name = literal.target_name.as_deref().map(plain_name);
    let named = |fallback: &str| match &target_name {
        Some(name) if is_name(name) && !name.starts_with('_') => name.clone(),
        _ => fallback.to_owned(),
    };
    if is_credential(text, literal.target_name.as_deref()) {
        return Some((named("secret"), ParamType::Secret));
    }
    let fits = |ty: ParamType| ty.parse(text).is_ok() && !text.contains(char::is_whitespace);
    if text.contains('@') && fits(ParamType::Email) {
        return Some((named("email"), ParamType::Email));
    }
    if text.contains("://") && fits(ParamType::Url) {
        return Some((named("site"), ParamType::Url));
    }
    let is_a_name = target_name
        .as_deref()
        .is_some_and(|name| name == "name" || name.ends_with("_name"));
    let plain = !text.trim().is_empty() && !text.contains(char::is_control);
    (is_a_name && plain).then(|| (named("name"), ParamType::String))
}

/// Parses `let email = "ann@example.com"` into the variable and its value.
pub(super) fn assigned(statement: &str) -> Option<(String, String)> {
    let found = pieces(statement);
    let mut words = found.iter().filter(|piece| piece.text(statement) != ";");
    let (word, name, sign, text) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_assigned = ["let", "const"].contains(&word.text(statement)) && sign.text(statement) == "=";
    if !is_assigned || text.kind != TokenKind::Text || words.next().is_some() {
        return None;
    }
    let value = parse::literal(text.text(statement))?
        .into_immutable_string()
        .ok()?;
    Some((name.text(statement).to_owned(), value.to_string()))
}

/// Returns the byte range of the literal that starts here.
pub(super) fn span(text: &str, at: Position) -> Option<(usize, usize)> {
    let (line, column) = parse::place(at);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..)?;
    let from = start + rest.char_indices().nth(column - 1)?.0;
    let piece = pieces(text).into_iter().find(|piece| piece.at.start == from)?;
    (piece.kind == TokenKind::Text).then_some((from, piece.at.end))
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

/// Returns the literals of an AST except those in texts with `${}`.
fn literals(host: &Host, functions: &Params, ast: &rhai::AST) -> Vec<Literal> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
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
fn own_parameter<'a>(functions: &'a Params, call: &FnCallExpr, at: Position) -> Option<&'a str> {
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
