//! Finds undefined variables: misspelt, declared in another block, or not visible in a function.

use std::collections::BTreeSet;

use super::{CheckContext, NAME};
use crate::script::error::Diagnostic;
use crate::script::unknown;
use crate::syntax::{Binding, Scopes, Use, Used};

impl CheckContext<'_> {
    /// Reports each undefined variable at its first use in each function and in the top-level code.
    pub(super) fn variables(&self) -> Vec<Diagnostic> {
        let scopes = self.text.scopes();
        let mut reported = BTreeSet::new();
        let unknown = scopes
            .used
            .iter()
            // The name of a function is a value, too.
            .filter(|used| is_unknown(scopes, used) && !self.is_function(&used.name))
            .filter(|used| reported.insert((used.function, used.name.as_str())));
        unknown.map(|used| self.unknown(used)).collect()
    }

    fn is_function(&self, name: &str) -> bool {
        let mut functions = self.parsed.names.functions.iter();
        functions.any(|(known, _)| known == name)
    }

    fn unknown(&self, used: &Used) -> Diagnostic {
        let (names, scopes) = (&self.parsed.names, self.text.scopes());
        let (line, column) = self.text.line_and_column(used.at.start);
        let name = used.name.as_str();
        if used.kind == Use::Global {
            let title = format!("there is no constant `global::{name}`");
            let constants = scopes
                .declared
                .iter()
                .filter(|known| known.outer && known.kind == Binding::Constant)
                .map(|known| known.name.as_str());
            return self
                .wrong_at(NAME, (line, column), title)
                .hint(unknown::constant(name, names, constants));
        }
        let error = self.wrong_at(
            NAME,
            (line, column),
            format!("there is no variable `{name}` here"),
        );
        let visible = scopes
            .in_scope_at(used.at.start)
            .filter(|known| known.function == used.function && known.kind != Binding::Module)
            .map(|known| known.name.as_str());
        let elsewhere = || scopes.declared.iter().find(|known| known.name == name);
        let is_module = elsewhere().is_some_and(|known| known.kind == Binding::Module)
            || self.host.module_names().any(|module| module == name);
        let hint = unknown::hint(name, names, visible, used.function.is_some(), is_module);
        let hint = hint.or_else(|| {
            let declared = elsewhere()?;
            Some(if declared.holds.start > used.at.start {
                "it is declared further down".to_owned()
            } else {
                "it exists only in the block in which it is declared".to_owned()
            })
        });
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

fn is_unknown(scopes: &Scopes, used: &Used) -> bool {
    let sees_its_caller = || {
        let function = used.function.and_then(|index| scopes.functions.get(index));
        function.is_some_and(|function| scopes.open.contains(&function.name))
    };
    used.means.is_none()
        && matches!(used.kind, Use::Variable | Use::Global)
        && !scopes.tested.contains(&used.name)
        && !sees_its_caller()
}
