//! Literals that become parameters: e-mail addresses, web addresses, names.

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::ops::spec::OpSpec;
use crate::script::bundle::Source;
use crate::script::host::Host;
use crate::script::literal::is_name;
use crate::script::parse;
use crate::script::types::ParamType;

/// A parameter, and what was typed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifted {
    /// Its name.
    pub name: String,
    /// Its type's name.
    pub type_name: &'static str,
    /// What was typed.
    pub typed: String,
}

/// Collects parameters, one for each text.
pub(super) struct Lift<'a> {
    host: &'a Host,
    params: Vec<Lifted>,
}

/// A literal in a text.
struct Literal {
    at: Position,
    text: String,
    /// What it is given to: a parameter of an operation, a key, a variable.
    given_to: Option<String>,
}

impl<'a> Lift<'a> {
    pub(super) fn new(host: &'a Host) -> Lift<'a> {
        Lift {
            host,
            params: Vec::new(),
        }
    }

    pub(super) fn into_params(self) -> Vec<Lifted> {
        self.params
    }

    /// The statement with parameters in place of literals; `None` when nothing but a parameter is left of it.
    pub(super) fn lift(&mut self, statement: &str) -> Option<String> {
        if let Some(name) = self.whole(statement) {
            self.params.push(name);
            return None;
        }
        let source = Source::new("", statement);
        let Ok(parsed) = parse::parse(&source) else {
            return Some(statement.to_owned());
        };
        let mut literals = literals(self.host, &parsed.ast);
        literals.sort_by_key(|literal| parse::place(literal.at));
        literals.dedup_by_key(|literal| parse::place(literal.at));
        let mut changes = Vec::new();
        for literal in &literals {
            if let Some((from, to)) = span(statement, literal.at)
                && let Some(name) = self.param(literal)
            {
                changes.push((from..to, name));
            }
        }
        let mut out = statement.to_owned();
        for (range, name) in changes.into_iter().rev() {
            out.replace_range(range, &name);
        }
        Some(out)
    }

    /// `let email = "ann@example.com"` is a parameter by itself.
    fn whole(&self, statement: &str) -> Option<Lifted> {
        let rest = statement.strip_prefix("let ")?.trim_end_matches(';');
        let (name, value) = rest.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let text = value.strip_prefix('"')?.strip_suffix('"')?;
        let taken = self.params.iter().any(|param| param.name == name);
        if taken || !is_name(name) || text.contains(['"', '\\']) {
            return None;
        }
        let type_name = sort(text, Some(name))?.1;
        Some(Lifted {
            name: name.to_owned(),
            type_name,
            typed: text.to_owned(),
        })
    }

    /// The parameter that a literal becomes, if it becomes one.
    fn param(&mut self, literal: &Literal) -> Option<String> {
        let (base, type_name) = sort(&literal.text, literal.given_to.as_deref())?;
        if let Some(known) = self.params.iter().find(|param| param.typed == literal.text) {
            return Some(known.name.clone());
        }
        let free = |name: &str| !self.params.iter().any(|param| param.name == name);
        let mut name = base.clone();
        let mut count = 2;
        while !free(&name) {
            name = format!("{base}_{count}");
            count += 1;
        }
        self.params.push(Lifted {
            name: name.clone(),
            type_name,
            typed: literal.text.clone(),
        });
        Some(name)
    }
}

/// The name and the type of a parameter for this text; `None` when it is to stay a literal.
fn sort(text: &str, given_to: Option<&str>) -> Option<(String, &'static str)> {
    let fits = |ty: ParamType| ty.parse(text).is_ok() && !text.contains(char::is_whitespace);
    let given_to = given_to.map(str::to_lowercase);
    let named = |usual: &str| match &given_to {
        Some(name) if is_name(name) && !name.starts_with('_') => name.clone(),
        _ => usual.to_owned(),
    };
    if text.contains('@') && fits(ParamType::Email) {
        return Some((named("email"), ParamType::Email.name()));
    }
    if text.contains("://") && fits(ParamType::Url) {
        return Some((named("site"), ParamType::Url.name()));
    }
    let is_a_name = given_to
        .as_deref()
        .is_some_and(|name| name == "name" || name.ends_with("_name"));
    let plain = !text.is_empty() && !text.contains(['\n', '"', '\\']);
    (is_a_name && plain).then(|| (named("name"), ParamType::String.name()))
}

/// The literals of a tree outside of texts with `${}`.
fn literals(host: &Host, ast: &rhai::AST) -> Vec<Literal> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Expr(Expr::StringConstant(text, at))) = path.last() else {
            return true;
        };
        let parent = path.len().checked_sub(2).and_then(|above| path.get(above));
        let given_to = match parent {
            Some(ASTNode::Expr(Expr::InterpolatedString(..)) | ASTNode::Stmt(Stmt::Import(..))) => {
                return true;
            }
            Some(
                ASTNode::Stmt(Stmt::FnCall(call, _))
                | ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)),
            ) => parameter(host, call, *at),
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                let entry = map.0.iter().find(|(_, value)| value.position() == *at);
                entry.map(|(key, _)| key.name.to_string())
            }
            Some(ASTNode::Stmt(Stmt::Var(var, ..))) => Some(var.0.name.to_string()),
            _ => None,
        };
        found.push(Literal {
            at: *at,
            text: text.to_string(),
            given_to,
        });
        true
    });
    found
}

/// The name of the operation's parameter that a literal is given for.
fn parameter(host: &Host, call: &FnCallExpr, at: Position) -> Option<String> {
    let index = call.args.iter().position(|arg| arg.position() == at)?;
    let takes = |op: &&&'static OpSpec| op.name == call.name.as_str() && op.params.len() > index;
    let op = host.operations().iter().find(takes)?;
    Some(op.params.get(index)?.name.to_owned())
}

/// The bytes of the literal that begins here.
fn span(text: &str, at: Position) -> Option<(usize, usize)> {
    let (line, column) = parse::place(at);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..)?;
    let from = start + rest.char_indices().nth(column - 1)?.0;
    let mut chars = text.get(from..)?.char_indices();
    let (_, quote) = chars.next().filter(|(_, c)| matches!(c, '"' | '`'))?;
    let mut escaped = false;
    for (index, c) in chars {
        if c == quote && !escaped {
            return Some((from, from + index + 1));
        }
        escaped = c == '\\' && !escaped && quote == '"';
    }
    None
}
