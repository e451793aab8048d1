//! Parses a source text into an AST, and collects what is known without running it.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt, Token};

use super::bundle::Source;
use super::coverage::Coverage;
use super::error::Diagnostic;
use super::function::is_closure;
use super::host;
use super::nesting;
use super::parse_error;
use super::script_error;
use crate::syntax::{SourceText, TokenKind};

/// A parsed source.
pub(super) struct Parsed {
    /// The AST of the text as written: for analysis, not for running.
    pub(super) ast: AST,
    /// Its imports, in source order.
    pub(super) imports: Vec<Import>,
    /// The position of each `fn main`, as (line, column).
    pub(super) mains: Vec<(usize, usize)>,
    /// Names that occur in it, for suggestions on misspelt ones.
    pub(super) names: Names,
    /// What is inserted into the text that runs.
    pub(super) patches: Patches,
}

/// One `import` statement.
#[derive(Debug, Clone)]
pub(super) struct Import {
    /// The path, if it is a literal.
    pub(super) path: Option<String>,
    /// The name that it gets; empty without one.
    pub(super) alias: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Names that a source defines or uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Keys of map literals and properties that are assigned or read.
    pub(super) keys: BTreeSet<String>,
    /// Variables declared anywhere.
    pub(super) variables: BTreeSet<String>,
    /// Parameters of functions.
    pub(super) params: BTreeSet<String>,
    /// Functions as (name, number of parameters).
    pub(super) functions: BTreeSet<(String, usize)>,
    /// Names given to imports.
    pub(super) modules: BTreeSet<String>,
    /// Calls of functions and methods.
    pub(super) calls: Vec<CallSite>,
}

/// One call of a function or method, without its module.
#[derive(Debug, Clone)]
pub(super) struct CallSite {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Names {
    /// Whether there is a `fn main`.
    pub(super) fn has_main(&self) -> bool {
        self.functions.iter().any(|(name, _)| name == "main")
    }
}

/// The differences between the running and the written text, in text order.
#[derive(Debug, Clone, Default)]
pub(super) struct Patches(Vec<Patch>);

/// A piece of text that is inserted before or after a token.
#[derive(Debug, Clone)]
pub(super) struct Patch {
    statement: String,
    /// Where it goes in the written text: in bytes, and as line and column.
    at: usize,
    line: usize,
    column: usize,
}

impl Patch {
    /// Inserts behind this token.
    pub(super) fn after(text: &SourceText<'_>, token: usize, statement: String) -> Patch {
        Patch::at(text, text.code().end(token), statement)
    }

    /// Inserts before this token.
    pub(super) fn before(text: &SourceText<'_>, token: usize, statement: String) -> Patch {
        Patch::at(text, text.code().start(token), statement)
    }

    fn at(text: &SourceText<'_>, at: usize, statement: String) -> Patch {
        let (line, column) = text.line_and_column(at);
        Patch {
            statement,
            at,
            line,
            column,
        }
    }
}

impl Patches {
    /// Adds those that count the lines that run.
    pub(super) fn count_lines(&mut self, coverage: &Coverage, source: &Source, ast: &AST) {
        let text = SourceText::read(&source.text);
        self.0.extend(coverage.patches(&source.name, &text, ast));
        // A statement behind a brace stays before the first one of its block.
        self.0.sort_by_key(|patch| patch.at);
    }

    /// Maps a column of the running text to the written text.
    pub(super) fn written_column(&self, line: usize, column: usize) -> usize {
        let mut shift = 0;
        for patch in self.0.iter().filter(|patch| patch.line == line) {
            let at = patch.column + shift;
            let length = patch.statement.chars().count();
            if column < at {
                break;
            }
            if column < at + length {
                return patch.column;
            }
            shift += length;
        }
        column - shift
    }

    /// Returns the running text for a written one.
    fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for patch in &self.0 {
            out.push_str(text.get(done..patch.at).unwrap_or_default());
            out.push_str(&patch.statement);
            done = patch.at;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

/// Parses a source. The AST keeps all positions as written.
pub(super) fn parse(source: &Source) -> Result<Parsed, Box<Diagnostic>> {
    parse_with(source, |token| token)
}

/// The engine that parses scripts, with tokens substituted by `rename`.
#[expect(
    deprecated,
    reason = "Rhai marks its volatile interfaces so; the version is pinned exactly"
)]
pub(super) fn compiler(rename: impl Fn(Token) -> Token + Send + Sync + 'static) -> Engine {
    let mut engine = host::compiler();
    engine.on_parse_token(move |token, _, _| rename(token));
    engine
}

/// Like [`parse`], with tokens substituted by `rename`.
pub(super) fn parse_with(
    source: &Source,
    rename: impl Fn(Token) -> Token + Send + Sync + 'static,
) -> Result<Parsed, Box<Diagnostic>> {
    let ast = compiler(rename)
        .compile(blank_shebang(&source.text))
        .map_err(|error| parse_error::explain(source, &error))?;
    let text = SourceText::read(&source.text);
    let mut patches = loops_with_this(&text, &ast);
    patches.extend(catches(&text));
    patches.extend(receivers_in_options(&text));
    patches.sort_by_key(|patch| patch.at);
    Ok(Parsed {
        imports: imports(&ast),
        names: names(&ast),
        mains: mains(&text),
        patches: Patches(patches),
        ast,
    })
}

/// Compiles the AST that runs, as if preceded by `above` lines, with tokens substituted by `rename`. Every `catch (err)`
/// block first converts `err` to a single error type, whatever was thrown; that lets `err.kind` work everywhere while an
/// unknown property of a map is an error. Loops that may change `this` first check its nesting depth.
pub(super) fn runnable(
    source: &Source,
    parsed: &Parsed,
    above: usize,
    rename: impl Fn(Token) -> Token + Send + Sync + 'static,
) -> Result<AST, Box<Diagnostic>> {
    let text = blank_shebang(&parsed.patches.apply(&source.text));
    let mut ast = compiler(rename)
        .compile("\n".repeat(above) + text.as_str())
        .map_err(|error| parse_error::explain(source, &error))?;
    ast.set_source(source.name.as_str());
    Ok(ast)
}

/// Blanks out a `#!` line; all other positions are unchanged.
pub(super) fn blank_shebang(text: &str) -> String {
    if !text.starts_with("#!") {
        return text.to_owned();
    }
    let end = text.find('\n').unwrap_or(text.len());
    format!("{}{}", " ".repeat(text[..end].chars().count()), &text[end..])
}

/// Methods that change what they are called on. Their receiver must not be a copy.
const IN_PLACE: &[&str] = &[
    "push",
    "insert",
    "set",
    "append",
    "mixin",
    "fill_with",
    "pad",
    "splice",
    "curry",
];

/// What makes `api` in `api.post(path, #{ probe: |key| api.get(path) })` a value: `(api ?? ())`. Rhai locks the variable
/// of a method call, and refuses a closure among the arguments that uses it.
fn receivers_in_options(text: &SourceText<'_>) -> Vec<Patch> {
    let code = text.code();
    let is_receiver = |at: &usize| {
        code.kind(*at) == Some(TokenKind::Name)
            && !matches!(code.before(*at, 1), "." | "?." | "::")
            && matches!(code.word(at + 1), "." | "?.")
            && code.kind(at + 2) == Some(TokenKind::Name)
            && code.word(at + 3) == "("
            && !IN_PLACE.contains(&code.word(at + 2))
    };
    let is_captured = |at: &usize| {
        let end = code.after(at + 3);
        let is_option = |inner: usize| code.word(inner) == ":" && matches!(code.word(inner + 1), "|" | "||");
        let is_used =
            |inner: usize| code.word(inner) == code.word(*at) && !matches!(code.before(inner, 1), "." | "?.");
        let first = (at + 4..end).find(|inner| is_option(*inner));
        first.is_some_and(|first| (first..end).any(is_used))
    };
    let patch = |offset: usize, statement: &str| {
        let (line, column) = text.line_and_column(offset);
        Patch {
            statement: statement.to_owned(),
            at: offset,
            line,
            column,
        }
    };
    let receivers = (0..code.len()).filter(is_receiver).filter(is_captured);
    receivers
        .flat_map(|at| [patch(code.start(at), "("), patch(code.end(at), " ?? ())")])
        .collect()
}

/// The position of each `fn main`.
fn mains(text: &SourceText<'_>) -> Vec<(usize, usize)> {
    let code = text.code();
    let mains = (0..code.len()).filter(|at| code.is_keyword(*at, "fn") && code.word(at + 1) == "main");
    mains.map(|at| text.line_and_column(code.start(at))).collect()
}

/// The statements for blocks after `catch (name)`.
fn catches(text: &SourceText<'_>) -> Vec<Patch> {
    let code = text.code();
    let has_name = |at: &usize| {
        code.is_keyword(*at, "catch")
            && [code.word(at + 1), code.word(at + 3), code.word(at + 4)] == ["(", ")", "{"]
            && code.kind(at + 2) == Some(TokenKind::Name)
    };
    let patch = |at| {
        let statement = script_error::normalising_statement(code.word(at + 2));
        Patch::after(text, at + 4, statement)
    };
    (0..code.len()).filter(has_name).map(patch).collect()
}

/// Line and column, both counted from 1; (1, 1) when unknown.
pub(super) fn place(position: Position) -> (usize, usize) {
    let column = position.position().unwrap_or(1).max(1);
    (position.line().unwrap_or(1), column)
}

fn imports(ast: &AST) -> Vec<Import> {
    let mut imports = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, position))) = path.last() {
            let (path, at) = match &import.0 {
                Expr::StringConstant(path, at) => (Some(path.to_string()), *at),
                other => (None, other.start_position()),
            };
            let (line, column) = place(if at.is_none() { *position } else { at });
            imports.push(Import {
                path,
                alias: import.1.name.to_string(),
                line,
                column,
            });
        }
        true
    });
    imports.sort_by_key(|import| (import.line, import.column));
    imports
}

/// The statements for loops of a text that mentions `this`, which can be nested deeper without reading a variable.
fn loops_with_this(text: &SourceText<'_>, ast: &AST) -> Vec<Patch> {
    let (mut loops, mut has_this) = (Vec::new(), false);
    let code = text.code();
    ast.walk(&mut |path: &[ASTNode]| {
        let body = match path.last() {
            Some(ASTNode::Stmt(Stmt::While(flow, _) | Stmt::Do(flow, ..))) => &flow.body,
            Some(ASTNode::Stmt(Stmt::For(flow, _))) => &flow.2.body,
            Some(ASTNode::Expr(Expr::ThisPtr(_))) => {
                has_this = true;
                return true;
            }
            _ => return true,
        };
        if !body.position().is_none() {
            let (line, column) = place(body.position());
            // Rhai's column may be too small, but never too large.
            let near = code.index(text.offset(line, column));
            let brace = (near..code.len()).find(|at| code.word(*at) == "{");
            loops.extend(brace.map(|brace| Patch::after(text, brace, nesting::LOOK.to_owned())));
        }
        true
    });
    if has_this { loops } else { Vec::new() }
}

fn names(ast: &AST) -> Names {
    let mut names = Names::default();
    for function in ast.iter_functions().filter(|f| !is_closure(f.name)) {
        let entry = (function.name.to_owned(), function.params.len());
        names.functions.insert(entry);
        names
            .params
            .extend(function.params.iter().map(|param| (*param).to_owned()));
    }
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(var, ..))) => {
                names.variables.insert(var.0.name.to_string());
            }
            Some(ASTNode::Stmt(Stmt::Import(import, _))) => {
                names.modules.insert(import.1.name.to_string());
            }
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => {
                if let Expr::Dot(chain, ..) = &assignment.1.lhs
                    && let Expr::Property(property, _) = &chain.rhs
                {
                    names.keys.insert(property.2.to_string());
                }
            }
            Some(
                ASTNode::Stmt(Stmt::FnCall(call, at))
                | ASTNode::Expr(Expr::FnCall(call, at) | Expr::MethodCall(call, at)),
            ) => {
                let (line, column) = place(*at);
                let name = call.name.to_string();
                names.calls.push(CallSite { name, line, column });
            }
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                names
                    .keys
                    .extend(map.0.iter().map(|(key, _)| key.name.to_string()));
            }
            _ => {}
        }
        true
    });
    names
}

/// Evaluates a literal.
pub(super) fn literal(text: &str) -> Option<rhai::Dynamic> {
    let engine: Engine = host::compiler();
    let ast = engine.compile_expression(text).ok()?;
    match ast.statements() {
        [Stmt::Expr(expr)] => expr.get_literal_value(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
