//! Wraps an input while it runs: provides the constants of earlier inputs, which functions see as `global::NAME`, and
//! detects whether the input reached its end or left by `exit` or by a `return` outside of any function.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use rhai::{AST, Dynamic, Engine, Expr, FnCallExpr, ImmutableString, Module, Position, Scope, Stmt, Token};

use crate::script::execution::Execution;
use crate::script::{nesting, parse};

/// The names of the wrapper's statements. No script can write them.
const BEFORE: &str = "\u{1}before";
const AFTER: &str = "\u{1}after";

/// The wrapper of one input.
pub(super) struct EvalFrame {
    constants: BTreeMap<ImmutableString, Dynamic>,
    ended: Arc<AtomicBool>,
}

impl EvalFrame {
    /// Takes the constants from the scope that earlier inputs left.
    pub(super) fn of(scope: &Scope<'_>) -> EvalFrame {
        let mut constants = BTreeMap::new();
        // The newest comes first.
        for (name, constant, value) in scope.iter_raw() {
            if constant && !constants.contains_key(name) {
                constants.insert(name.into(), value.clone());
            }
        }
        EvalFrame {
            constants,
            ended: Arc::default(),
        }
    }

    /// Wraps the input in the statements before and after it.
    pub(super) fn around(input: &AST) -> AST {
        let Some((before, after)) = hook_calls() else {
            return input.clone();
        };
        let mut statements = vec![before];
        statements.extend(input.statements().iter().cloned());
        AST::new(append_end_call(statements, after), Module::new()).merge(&input.clone_functions_only())
    }

    /// Registers what the wrapper needs with an engine.
    #[expect(
        deprecated,
        reason = "Rhai marks its volatile interfaces so; the version is pinned exactly"
    )]
    pub(super) fn prepare(&self, engine: &mut Engine, execution: &Execution) {
        let (constants, execution) = (self.constants.clone(), execution.clone());
        engine.on_var(move |name, _, mut context| {
            if name != BEFORE {
                return nesting::watch(&execution, name, &context);
            }
            // Rhai keeps the constants of a single evaluation only.
            let constants = Arc::new(RwLock::new(constants.clone()));
            context.global_runtime_state_mut().constants = Some(constants);
            Ok(Some(Dynamic::UNIT))
        });
        let ended = Arc::clone(&self.ended);
        engine.register_fn(AFTER, move |value: Dynamic| {
            ended.store(true, Ordering::Relaxed);
            value
        });
    }

    /// Whether the input reached its end.
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// Returns the statement before an input, and the call after it.
fn hook_calls() -> Option<(Stmt, Box<FnCallExpr>)> {
    let engine = parse::compiler(|token| match token {
        Token::Identifier(name) if name.as_str() == "before" => Token::Identifier(Box::new(BEFORE.into())),
        Token::Identifier(name) if name.as_str() == "after" => Token::Identifier(Box::new(AFTER.into())),
        token => token,
    });
    let ast = engine.compile("before; after(())").ok()?;
    let [before, Stmt::Expr(after)] = ast.statements() else {
        return None;
    };
    match &**after {
        Expr::FnCall(after, _) => Some((before.clone(), after.clone())),
        _ => None,
    }
}

/// Appends the call that records that the end was reached; the value of the last statement is passed through it.
fn append_end_call(mut statements: Vec<Stmt>, mut after: Box<FnCallExpr>) -> Vec<Stmt> {
    let gives = |last: &Stmt| {
        !matches!(
            last,
            Stmt::Noop(..)
                | Stmt::Var(..)
                | Stmt::Import(..)
                | Stmt::Export(..)
                | Stmt::Share(..)
                | Stmt::Return(..)
        )
    };
    if let Some(last) = statements.pop_if(|last| gives(last)) {
        after.args.clear();
        after.args.push(Expr::Stmt(Box::new(last.into())));
    }
    statements.push(Stmt::FnCall(after, Position::NONE));
    statements
}
