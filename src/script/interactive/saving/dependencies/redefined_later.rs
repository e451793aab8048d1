//! Detects redefinitions: a script has the newest function or constant of a name from the start, a session does not.

use std::collections::BTreeSet;

use super::{InputGraph, Node};

impl InputGraph {
    /// Returns a function or constant that this input used, directly or through functions, and that a later one of
    /// `wanted` redefined, with the number of that one.
    pub(in crate::script::interactive::saving) fn redefined(
        &self,
        number: usize,
        wanted: &BTreeSet<usize>,
    ) -> Option<(String, usize)> {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut open: Vec<(String, bool)> = self.uses(number).into_iter().map(|name| (name, false)).collect();
        while let Some((name, by_function)) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let is_meant = |known: &Node| known.usable && known.redefines(&name, by_function);
            let sources = self.sources(&name, number);
            for source in sources.into_iter().filter(|source| is_meant(source)) {
                let redefined = self.0.iter().find(|known| {
                    known.number > number
                        && wanted.contains(&known.number)
                        && is_meant(known)
                        && known.names.shares_signature(&source.names, &name)
                });
                if let Some(redefined) = redefined {
                    return Some((name, redefined.number));
                }
                let needs = self.called(source, &name, number);
                open.extend(needs.into_iter().map(|(need, _)| (need, true)));
            }
        }
        None
    }
}

impl Node {
    /// Whether it defines a function of this name or, if a function uses the name, a constant.
    fn redefines(&self, name: &str, by_function: bool) -> bool {
        self.names.signatures(name).next().is_some()
            || (by_function && self.names.own_constants.contains(name))
    }
}
