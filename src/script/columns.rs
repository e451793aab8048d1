//! Derives the output columns from the map literals that `main` returns.

use rhai::{AST, ASTFlags, ASTNode, Expr, Position, Stmt, StmtBlock};

/// The keys of the map literals that `main` returns, each once, in source order. Empty if `main` also returns
/// something else, since its keys are then unknown.
pub(super) fn output_columns(ast: &AST) -> Vec<String> {
    let mut returned = Returned::default();
    let body = main_body(ast);
    if let Some(last) = body.iter().max_by_key(|stmt| stmt.position()) {
        returned.tail(last);
    }
    for stmt in &body {
        stmt_returns(stmt, &mut returned);
    }
    if returned.unknown {
        return Vec::new();
    }
    returned.keys.sort_by_key(|(at, _)| *at);
    let mut columns: Vec<String> = Vec::new();
    for (_, key) in returned.keys {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    columns
}

#[derive(Default)]
struct Returned {
    keys: Vec<(Position, String)>,
    unknown: bool,
}

impl Returned {
    fn value(&mut self, expr: &Expr) {
        match expr {
            Expr::Map(map, _) => {
                let keys = map.0.iter().map(|(key, _)| (key.pos, key.name.to_string()));
                self.keys.extend(keys);
            }
            Expr::Stmt(block) => self.block(block),
            Expr::Unit(_) => {}
            _ => self.unknown = true,
        }
    }

    fn block(&mut self, block: &StmtBlock) {
        if let Some(last) = block.statements().last() {
            self.tail(last);
        }
    }

    /// Records the value of a block's last statement.
    fn tail(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Expr(expr) => self.value(expr),
            Stmt::FnCall(..) => self.unknown = true,
            Stmt::Block(block) => self.block(block),
            Stmt::If(flow, _) => {
                self.block(&flow.body);
                self.block(&flow.branch);
            }
            Stmt::Switch(switch, _) => switch.1.expressions.iter().for_each(|case| self.value(&case.rhs)),
            // Other statements have no value, or are found as a `return`.
            _ => {}
        }
    }
}

fn stmt_returns(stmt: &Stmt, returned: &mut Returned) {
    stmt.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Return(Some(value), flags, _))) = path.last()
            && !flags.contains(ASTFlags::BREAK)
        {
            returned.value(value);
        }
        true
    });
}

/// Returns the statements of `main`; none if a method has that name, too. Rhai keeps the bodies of functions private, but
/// walks through those of an AST.
fn main_body(ast: &AST) -> Vec<Stmt> {
    let mut functions = ast.shared_lib().iter_script_fn_info();
    if functions.any(|(.., def)| def.name == "main" && def.this_type.is_some()) {
        return Vec::new();
    }
    let mut main = ast.clone_functions_only();
    main.retain_functions(|_, _, name, _| name == "main");
    let mut body = Vec::new();
    main.walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(stmt)] = path {
            body.push((*stmt).clone());
        }
        true
    });
    body
}
