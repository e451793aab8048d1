//! Which lines of scripts have run.
//!
//! A statement is put before the first statement of each line in the text that runs, and into the cases of a `switch` that
//! are expressions. Positions in errors stay those of the written text (see [`Patches`](super::parse::Patches)).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use rhai::{AST, ASTNode, Expr, INT, Module, Stmt};

use super::handles::global;
use super::parse::{self, Patch};
use crate::syntax::{CodeTokens, SourceText};

/// The function that counts a line.
const COUNT: &str = "__line";

/// The lines that ran, of all scripts that were compiled with it.
#[derive(Debug, Default)]
pub struct Coverage {
    counts: RwLock<Vec<AtomicU64>>,
    /// The lines by source, each with the index of its count.
    lines: Mutex<BTreeMap<String, BTreeMap<usize, usize>>>,
}

impl Coverage {
    /// Returns the lines of each source that can run, with how often each did.
    pub fn lines(&self) -> BTreeMap<String, BTreeMap<usize, u64>> {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        let count = |at: usize| counts.get(at).map_or(0, |count| count.load(Ordering::Relaxed));
        let sources = self.sources();
        let sources = sources.iter().map(|(source, lines)| {
            let lines = lines.iter().map(|(line, at)| (*line, count(*at)));
            (source.clone(), lines.collect())
        });
        sources.collect()
    }

    /// Registers the function that counts.
    pub(super) fn register(coverage: &Arc<Coverage>, module: &mut Module) {
        let coverage = Arc::clone(coverage);
        global(COUNT)
            .with_volatility(true)
            .set_into_module(module, move |at: INT| {
                let counts = coverage.counts.read().unwrap_or_else(PoisonError::into_inner);
                let count = usize::try_from(at).ok().and_then(|at| counts.get(at));
                if let Some(count) = count {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
    }

    /// Returns what must be inserted into a source so that its lines are counted.
    pub(super) fn patches(&self, source: &str, text: &SourceText<'_>, ast: &AST) -> Vec<Patch> {
        let code = text.code();
        let mut starts: Vec<(usize, Option<usize>)> = statements(text, code, ast);
        starts.extend(cases(code));
        starts.sort_unstable();
        let mut patches = Vec::new();
        let mut counted = BTreeMap::new();
        for (start, end) in starts {
            let (line, _) = text.line_and_column(code.start(start));
            if counted.contains_key(&line) {
                continue;
            }
            let at = self.index(source, line);
            counted.insert(line, at);
            match end {
                None => patches.push(Patch::before(text, start, format!("{COUNT}({at});"))),
                Some(end) => {
                    patches.push(Patch::before(text, start, format!("{{{COUNT}({at});")));
                    patches.push(Patch::after(text, end, "}".to_owned()));
                }
            }
        }
        patches
    }

    /// The index of a line's count; the same one if the source is compiled again.
    fn index(&self, source: &str, line: usize) -> usize {
        let mut sources = self.sources();
        let lines = sources.entry(source.to_owned()).or_default();
        *lines.entry(line).or_insert_with(|| {
            let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
            counts.push(AtomicU64::new(0));
            counts.len() - 1
        })
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<usize, usize>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first tokens of all statements that are in a block of their own or outside of all blocks.
fn statements(text: &SourceText<'_>, code: CodeTokens<'_>, ast: &AST) -> Vec<(usize, Option<usize>)> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(statement)) = path.last()
            && let Some(position) = start(statement)
        {
            let (line, column) = parse::place(position);
            // Rhai's column may be too small, but never too large.
            let mut at = code.index(text.offset(line, column));
            while code.before(at, 1) == "::" {
                at = at.saturating_sub(2);
            }
            // Not the body of a closure without braces, and not an `else if`.
            if at == 0 || ["{", ";", "}"].contains(&code.before(at, 1)) {
                found.push((at, None));
            }
        }
        true
    });
    found
}

fn start(statement: &Stmt) -> Option<rhai::Position> {
    let position = match statement {
        Stmt::Noop(_) | Stmt::Block(_) | Stmt::Share(_) => return None,
        Stmt::Expr(expr) => return started(expr),
        Stmt::Assignment(assignment) => return started(&assignment.1.lhs),
        other => other.position(),
    };
    (!position.is_none()).then_some(position)
}

fn started(expr: &Expr) -> Option<rhai::Position> {
    let position = expr.start_position();
    (!position.is_none()).then_some(position)
}

/// The first and last tokens of the cases of all `switch` expressions that are not blocks.
fn cases(code: CodeTokens<'_>) -> Vec<(usize, Option<usize>)> {
    let arrows = (0..code.len()).filter(|at| code.word(*at) == "=>");
    let expressions = arrows.filter(|at| code.word(at + 1) != "{");
    let whole = expressions.filter_map(|arrow| {
        let mut end = arrow + 1;
        while end < code.len() && code.word(end) != "," && !code.closes(end) {
            end = code.after(end);
        }
        (end > arrow + 1).then_some((arrow + 1, Some(end - 1)))
    });
    whole.collect()
}
