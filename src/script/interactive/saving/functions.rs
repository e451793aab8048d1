//! The functions of the script: the newest of each signature, without those that could not run.

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::{InputGraph, Signature};
use super::hoisted::Hoisted;
use super::naming::{self, signature};
use super::split::{self, pieces};
use crate::script::scopes::{Scopes, Use};
use crate::script::tokens::{self, TokenKind};

/// The functions of the script.
pub(super) struct Functions {
    /// Why each is left out.
    left_out: BTreeMap<Signature, String>,
    /// Functions by name and number of parameters.
    kept: Vec<(Signature, String)>,
    /// The new name of the session's own function `main`, since the script has one.
    main: Option<String>,
}

impl Functions {
    /// Determines which functions of these inputs can be kept.
    pub(super) fn find(
        session: &InputGraph,
        inputs: &[(usize, &str)],
        hoisted: &Hoisted,
        is_secret: &dyn Fn(&str) -> bool,
    ) -> Functions {
        let mut left_out = BTreeMap::new();
        let mut needs: BTreeMap<&Signature, &BTreeSet<String>> = BTreeMap::new();
        let mut modules: BTreeSet<&String> = BTreeSet::new();
        for (number, text) in inputs {
            modules.extend(session.modules(*number));
            needs.extend(session.functions(*number));
            for piece in pieces(text)
                .iter()
                .filter(|piece| piece.kind == split::PieceKind::Function)
            {
                let signature = signature(&piece.text);
                left_out.remove(&signature);
                if is_secret(&piece.text) {
                    left_out.insert(signature, SECRET.to_owned());
                } else if let Some(unseen) = unseen(session, &piece.text) {
                    left_out.insert(signature, format!("it does not see `{unseen}`"));
                }
            }
        }
        // If a function is left out, so are its callers.
        loop {
            let is_there = |name: &String| {
                let mut own = needs.keys().filter(|(known, _)| known == name);
                let kept = own.any(|signature| !left_out.contains_key(*signature));
                !session.is_given(name) || kept || modules.contains(name) || hoisted.has(name)
            };
            let found = needs
                .iter()
                .filter(|(signature, _)| !left_out.contains_key(**signature))
                .find_map(|(signature, needs)| {
                    Some((*signature, needs.iter().find(|name| !is_there(name))?))
                });
            let Some((signature, missing)) = found else { break };
            let reason = match hoisted.immovable_reason(missing) {
                Some(reason) => format!("no function can see the constant `{missing}`: {reason}"),
                None => format!("it uses `{missing}`, which is not among the saved inputs"),
            };
            left_out.insert(signature.clone(), reason);
        }
        let has_main = needs.keys().any(|(name, _)| name == "main");
        let taken = || session.identifiers(inputs.iter().map(|(number, _)| *number));
        Functions {
            left_out,
            kept: Vec::new(),
            main: has_main.then(|| naming::free("main", &taken())),
        }
    }

    /// Why a function is left out; `None` if it is kept.
    pub(super) fn left_out(&self, function: &Signature) -> Option<String> {
        self.left_out.get(function).cloned()
    }

    /// Keeps a function, replacing an older one.
    pub(super) fn keep(&mut self, function: &str) {
        let signature = signature(function);
        self.kept.retain(|(known, _)| *known != signature);
        self.kept.push((signature, self.renamed(function)));
    }

    /// Renames calls of the session's own `main`.
    pub(super) fn renamed(&self, text: &str) -> String {
        let mut out = text.to_owned();
        let Some(name) = &self.main else { return out };
        let found = tokens::pieces(text);
        let word = |at: usize| found.get(at).map_or("", |piece| piece.text(text));
        for at in (0..found.len()).rev() {
            let joined = at
                .checked_sub(1)
                .is_some_and(|at| [".", "?.", "::"].contains(&word(at)));
            if found[at].kind == TokenKind::Name && word(at) == "main" && word(at + 1) == "(" && !joined {
                out.replace_range(found[at].at.clone(), name);
            }
        }
        out
    }

    /// The new name of the session's own function `main`; `None` if none is kept.
    pub(super) fn main(&self) -> Option<&str> {
        let name = self.main.as_deref()?;
        let is_kept = self.kept.iter().any(|((known, _), _)| known == "main");
        is_kept.then_some(name)
    }

    /// The functions, in order of definition.
    pub(super) fn kept(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(|(_, text)| text.as_str())
    }
}

/// The reason for leaving out a function that must not be shown.
pub(super) const SECRET: &str = "it may hold a secret";

/// Returns a variable or constant that a function uses but cannot see.
fn unseen(session: &InputGraph, text: &str) -> Option<String> {
    let scopes = Scopes::of(text);
    let function = scopes.functions.first()?;
    let mut free = scopes.free_in(function);
    let unseen = free.find(|used| match used.kind {
        Use::Variable => !scopes.tested.contains(&used.name),
        Use::Global => !session.is_given(&used.name),
        Use::Call | Use::Method | Use::Module => false,
    })?;
    Some(if unseen.kind == Use::Global {
        format!("global::{}", unseen.name)
    } else {
        unseen.name.clone()
    })
}
