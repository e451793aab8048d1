//! Literals that become parameters: e-mail addresses, web addresses, names, credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::naming;
use crate::ops::spec::{OpSpec, Param};
use crate::script::bundle::Source;
use crate::script::host::Host;
use crate::script::interactive::credential::is_credential;
use crate::script::literal::is_name;
use crate::script::parse;
use crate::script::tokens::{Sort, pieces};
use crate::script::types::ParamType;

/// A parameter, and what was typed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifted {
    /// Its name.
    pub name: String,
    /// Its type's name.
    pub type_name: &'static str,
    /// What was typed, and is the parameter when it is not given; nothing for a secret.
    pub default: Option<String>,
    /// What it is for, in a line; may be empty.
    pub about: String,
}

/// Collects parameters, one for each text.
pub(super) struct Lift<'a> {
    host: &'a Host,
    /// Names that mean something else.
    taken: BTreeSet<String>,
    /// Variables that are parameters by themselves, by what they hold.
    whole: BTreeMap<String, String>,
    /// Texts that are a credential's somewhere, and a name for each.
    secrets: BTreeMap<String, String>,
    /// The parameters, each with the text that it stands for.
    params: Vec<(String, Lifted)>,
}

/// A literal in a text.
struct Literal {
    at: Position,
    text: String,
    /// What it is given to: a parameter of an operation, a key, a variable.
    given_to: Option<String>,
    /// What that is for.
    about: &'static str,
}

impl<'a> Lift<'a> {
    /// `taken` are the names that the script has already, `statements` all that will be lifted, `inputs` all of the session,
    /// whose credentials are none of the script's texts.
    pub(super) fn new(
        host: &'a Host,
        taken: BTreeSet<String>,
        statements: &[String],
        inputs: &[String],
    ) -> Lift<'a> {
        let mut whole = BTreeMap::new();
        let mut secrets = BTreeMap::new();
        for literal in inputs.iter().flat_map(|input| literals_of(host, input)) {
            if let Some((base, ParamType::Secret)) = sort(&literal) {
                secrets.entry(literal.text).or_insert(base);
            }
        }
        for statement in statements {
            if let Some((name, text)) = assigned(statement)
                && is_steady(&name, statements)
                && !naming::is_reserved(&name)
            {
                whole.entry(text).or_insert(name);
            }
        }
        Lift {
            host,
            taken,
            whole,
            secrets,
            params: Vec::new(),
        }
    }

    /// Does a line to read hold a text that is a credential's somewhere?
    pub(super) fn tells_secret(&self, line: &str) -> bool {
        self.secrets.keys().any(|secret| line.contains(secret.as_str()))
    }

    /// Is such a text in what is typed: in a literal or a comment?
    pub(super) fn holds_secret(&self, typed: &str) -> bool {
        let found = pieces(typed);
        let mut texts = found
            .iter()
            .filter(|piece| matches!(piece.sort, Sort::Text | Sort::Comment));
        texts.any(|piece| {
            let text = piece.text(typed);
            self.is_secret(text) || self.is_secret(text.trim_matches(['"', '`']))
        })
    }

    /// Is it such a text, or has it one in it that is too long to be there by chance?
    fn is_secret(&self, text: &str) -> bool {
        let mut secrets = self.secrets.keys();
        secrets.any(|secret| text == secret || (secret.len() >= 4 && text.contains(secret.as_str())))
    }

    pub(super) fn into_params(self) -> Vec<Lifted> {
        self.params.into_iter().map(|(_, param)| param).collect()
    }

    /// The statement with parameters in place of literals; `None` when nothing but a parameter is left of it.
    pub(super) fn lift(&mut self, statement: &str) -> Option<String> {
        let mut literals = literals_of(self.host, statement);
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

    /// The parameter that a literal becomes, if it becomes one.
    fn param(&mut self, literal: &Literal) -> Option<String> {
        // One use as a credential is enough, wherever the text stands besides.
        let (base, ty) = match self.secrets.get(&literal.text) {
            Some(base) => (base.clone(), ParamType::Secret),
            None => match sort(literal)? {
                (base, _) if self.is_secret(&literal.text) => (base, ParamType::Secret),
                found => found,
            },
        };
        if let Some((_, known)) = self.params.iter().find(|(text, _)| *text == literal.text) {
            return Some(known.name.clone());
        }
        let name = match self.whole.get(&literal.text) {
            Some(name) => name.clone(),
            None => naming::free(&base, &self.taken),
        };
        self.taken.insert(name.clone());
        let lifted = Lifted {
            name: name.clone(),
            type_name: ty.name(),
            default: (ty != ParamType::Secret).then(|| literal.text.clone()),
            about: literal.about.split(';').next().unwrap_or_default().to_owned(),
        };
        self.params.push((literal.text.clone(), lifted));
        Some(name)
    }
}

/// The `@param` lines for these, and the empty line above them.
pub(super) fn documented(params: &[Lifted]) -> String {
    let mut text = String::new();
    if params.is_empty() {
        return text;
    }
    text.push_str("///\n");
    let widest = |width: fn(&Lifted) -> usize| params.iter().map(width).max().unwrap_or_default();
    let (names, types) = (
        widest(|param| param.name.len()),
        widest(|param| param.type_name.len()),
    );
    for param in params {
        let default = match &param.default {
            Some(default) => format!("= {}  {}", quoted(default), param.about),
            None => format!("{}  (it was typed, and is not kept)", param.about),
        };
        let line = format!(
            "/// @param {:names$}  {:types$} {}",
            param.name,
            param.type_name,
            default.trim_end()
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A text as the language writes it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// `let email = "ann@example.com"`: the variable and what it holds.
fn assigned(statement: &str) -> Option<(String, String)> {
    let found = pieces(statement);
    let mut words = found.iter().filter(|piece| piece.text(statement) != ";");
    let (word, name, sign, text) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_assigned = ["let", "const"].contains(&word.text(statement)) && sign.text(statement) == "=";
    if !is_assigned || text.sort != Sort::Text || words.next().is_some() {
        return None;
    }
    let value = parse::literal(text.text(statement))?
        .into_immutable_string()
        .ok()?;
    Some((name.text(statement).to_owned(), value.to_string()))
}

/// Is a variable given its value once, and then only read?
fn is_steady(name: &str, statements: &[String]) -> bool {
    let mut given = 0;
    for statement in statements {
        let found = pieces(statement);
        let word = |at: usize| found.get(at).map_or("", |piece| piece.text(statement));
        for at in (0..found.len()).filter(|at| word(*at) == name && found[*at].sort == Sort::Name) {
            let back = |count: usize| at.checked_sub(count).map_or("", word);
            let (before, next, called) = (back(1), word(at + 1), word(at + 2));
            let is_compared = ["==", "<=", ">=", "!="].contains(&next);
            match before {
                "." | "?." | "::" => {}
                // A closure, a loop or a `catch` has another of the name.
                "let" | "const" | "|" | "for" => given += 1,
                _ if next == "|" || ["for", "catch"].contains(&back(2)) => given += 1,
                _ if next == "[" || (next.ends_with('=') && !is_compared) => return false,
                _ if next == "." && !READING.contains(&called) => return false,
                _ => {}
            }
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
    "split",
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

/// The name and the type of a parameter for this literal; `None` when it is to stay one.
fn sort(literal: &Literal) -> Option<(String, ParamType)> {
    let text = &literal.text;
    let given_to = literal.given_to.as_deref().map(plain_name);
    let named = |usual: &str| match &given_to {
        Some(name) if is_name(name) && !name.starts_with('_') => name.clone(),
        _ => usual.to_owned(),
    };
    if is_credential(text, literal.given_to.as_deref()) {
        return Some((named("secret"), ParamType::Secret));
    }
    let fits = |ty: ParamType| ty.parse(text).is_ok() && !text.contains(char::is_whitespace);
    if text.contains('@') && fits(ParamType::Email) {
        return Some((named("email"), ParamType::Email));
    }
    if text.contains("://") && fits(ParamType::Url) {
        return Some((named("site"), ParamType::Url));
    }
    let is_a_name = given_to
        .as_deref()
        .is_some_and(|name| name == "name" || name.ends_with("_name"));
    let plain = !text.trim().is_empty() && !text.contains(char::is_control);
    (is_a_name && plain).then(|| (named("name"), ParamType::String))
}

/// `x_api_key` for `X-Api-Key`.
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

/// The literals of a statement; none of one that cannot be parsed.
fn literals_of(host: &Host, statement: &str) -> Vec<Literal> {
    let parsed = parse::parse(&Source::new("", statement));
    parsed.map_or_else(|_| Vec::new(), |parsed| literals(host, &parsed.ast))
}

/// The literals of a tree outside of texts with `${}`.
fn literals(host: &Host, ast: &rhai::AST) -> Vec<Literal> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Expr(Expr::StringConstant(text, at))) = path.last() else {
            return true;
        };
        let mut about = "";
        let given_to = match path.len().checked_sub(2).and_then(|above| path.get(above)) {
            Some(ASTNode::Expr(Expr::InterpolatedString(..)) | ASTNode::Stmt(Stmt::Import(..))) => {
                return true;
            }
            Some(
                ASTNode::Stmt(Stmt::FnCall(call, _))
                | ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)),
            ) => {
                let param = parameter(host, call, *at);
                about = param.map_or("", |param| param.doc);
                let set = call.name.strip_prefix("set_").filter(|_| param.is_none());
                param.map(|param| param.name).or(set).map(str::to_owned)
            }
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                let entry = map.0.iter().find(|(_, value)| value.position() == *at);
                entry.map(|(key, _)| key.name.to_string())
            }
            Some(ASTNode::Stmt(Stmt::Var(var, ..))) => Some(var.0.name.to_string()),
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) if !assignment.0.is_op_assignment() => {
                assigned_to(&assignment.1.lhs)
            }
            _ => None,
        };
        found.push(Literal {
            at: *at,
            text: text.to_string(),
            given_to,
            about,
        });
        true
    });
    found
}

/// What is assigned to, in a word: the variable, the property, the key.
fn assigned_to(target: &Expr) -> Option<String> {
    match target {
        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
        Expr::Property(property, _) => Some(property.2.to_string()),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => assigned_to(&chain.rhs),
        Expr::StringConstant(key, _) => Some(key.to_string()),
        _ => None,
    }
}

/// The operation's parameter that a literal is given for.
fn parameter(host: &Host, call: &FnCallExpr, at: Position) -> Option<&'static Param> {
    let index = call.args.iter().position(|arg| arg.position() == at)?;
    let takes = |op: &&&'static OpSpec| op.name == call.name.as_str() && op.params.len() > index;
    let op = host.operations().iter().find(takes)?;
    op.params.get(index)
}

/// The bytes of the literal that begins here.
fn span(text: &str, at: Position) -> Option<(usize, usize)> {
    let (line, column) = parse::place(at);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..)?;
    let from = start + rest.char_indices().nth(column - 1)?.0;
    let piece = pieces(text).into_iter().find(|piece| piece.at.start == from)?;
    (piece.sort == Sort::Text).then_some((from, piece.at.end))
}
