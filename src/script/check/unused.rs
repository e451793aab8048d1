//! Finds variables, imports and functions that nothing uses.

use std::collections::BTreeSet;

use super::{CheckContext, UNUSED};
use crate::script::error::Diagnostic;
use crate::syntax::{Binding, Declared, Function, StatementKind, TokenKind};

impl CheckContext<'_> {
    /// Reports what this source declares for itself and does not use. What others can import is no fault.
    pub(super) fn unused(&self) -> Vec<Diagnostic> {
        let scopes = self.text.scopes();
        // Such a function uses the variables of its callers.
        if !scopes.open.is_empty() {
            return Vec::new();
        }
        let used: BTreeSet<usize> = scopes.used.iter().filter_map(|used| used.means).collect();
        let declared = scopes.declared.iter().enumerate();
        let declared = declared.filter(|(index, declared)| !used.contains(index) && self.is_own(declared));
        let mut found: Vec<Diagnostic> = declared
            .map(|(_, declared)| {
                let what = match declared.kind {
                    Binding::Module => "import",
                    Binding::Constant => "constant",
                    _ => "variable",
                };
                self.nothing_uses(what, &declared.name, declared.at.start)
            })
            .collect();
        let functions = scopes.functions.iter();
        let functions = functions.filter(|function| self.is_unused_function(function));
        found.extend(functions.map(|function| {
            let code = self.text.code();
            let start = code.index(function.at.start);
            let is_name = |at: &usize| code.word(*at) == function.name;
            let name = (start..code.len()).find(is_name).unwrap_or(start);
            self.nothing_uses("function", &function.name, code.start(name))
        }));
        found
    }

    fn nothing_uses(&self, what: &str, name: &str, at: usize) -> Diagnostic {
        let title = format!("nothing uses the {what} `{name}`");
        let error = self.wrong_at(UNUSED, self.text.line_and_column(at), title);
        match what {
            "variable" => error.hint(format!("remove it, or call it `_{name}` if that is intended")),
            _ => error.hint("remove it"),
        }
    }

    /// Whether a name is declared for this source alone, with `let`, `const` or `import`.
    fn is_own(&self, declared: &Declared) -> bool {
        let code = self.text.code();
        let at = code.index(declared.at.start);
        let is_kept = matches!(
            declared.kind,
            Binding::Variable | Binding::Constant | Binding::Module
        );
        // Constants of an importable file are read by those who import it; a nameless `let` is not finished.
        let is_exported = code.before(at, 2) == "export"
            || (declared.outer && declared.kind == Binding::Constant && !self.is_workflow());
        let is_tested = self.text.scopes().tested.contains(&declared.name);
        is_kept && !is_exported && !is_tested && !declared.name.starts_with('_')
    }

    /// Whether nothing in this source calls the function, and no other can.
    fn is_unused_function(&self, function: &Function) -> bool {
        let code = self.text.code();
        let is_private = code.is_keyword(code.index(function.at.start), "private");
        let is_own = is_private || (self.is_main && self.is_workflow());
        if !is_own || function.name == "main" || function.name.starts_with('_') {
            return false;
        }
        // A function can also be called by its name in a text.
        let is_mention = |at: &usize| {
            let outside = !function.at.contains(&code.start(*at));
            let word = code.word(*at);
            let is_text = code.kind(*at) == Some(TokenKind::Text) && word.contains(&function.name);
            outside && (word == function.name || is_text)
        };
        let is_definition = |at: &usize| code.is_keyword(at.saturating_sub(1), "fn");
        !(0..code.len()).any(|at| is_mention(&at) && !is_definition(&at))
    }

    /// Whether the source is run rather than imported: it has `main`, or statements that act.
    fn is_workflow(&self) -> bool {
        let code = self.text.code();
        let acts = |statement: &crate::syntax::Statement| {
            let word = code.word(code.index(statement.at.start));
            statement.kind == StatementKind::Other && !["const", "export"].contains(&word)
        };
        !self.source.is_library() && (self.parsed.names.has_main() || self.text.statements().iter().any(acts))
    }
}
