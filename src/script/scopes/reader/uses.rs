//! Resolves the uses of names, and what happens to each.

use super::{Opened, Reader};
use crate::script::scopes::{Binding, Change, Declared, Scopes, Use, Used};
use crate::script::tokens::TokenKind;

/// The assignment operators.
const ASSIGNING: &[&str] = &[
    "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=",
];

impl Reader<'_> {
    pub(super) fn name(&mut self, at: usize) {
        let (word, next, before) = (self.word(at), self.word(at + 1), self.before(at, 1));
        let in_map = self.open.last().is_some_and(|open| open.kind == Opened::Map);
        let is_key = next == ":" && in_map && ["#{", ","].contains(&before);
        // The default case of a `switch`.
        let is_case = word == "_" && (next == "=>" || (next == "if" && ["{", ",", "}"].contains(&before)));
        if [".", "?."].contains(&before) && next == "(" {
            return self.uses(at, Use::Method);
        }
        if [".", "?.", "::"].contains(&before) || is_key || is_case || word == "this" {
            return;
        }
        match next {
            "::" if word == "global" => {
                if !["(", "::"].contains(&self.word(at + 3)) && self.sort(at + 2) == Some(TokenKind::Name) {
                    self.uses(at + 2, Use::Global);
                }
            }
            "::" => self.uses(at, Use::Module),
            "(" => self.call(at),
            "!" if self.word(at + 2) == "(" => {
                self.scopes.open.insert(word.to_owned());
                self.uses(at, Use::Call);
            }
            _ => self.uses(at, Use::Variable),
        }
    }

    fn call(&mut self, at: usize) {
        match self.word(at) {
            "is_def_var" => drop(self.scopes.tested.insert(self.literal(at + 2))),
            "exit" if self.function().is_none() => self.scopes.exits.push(self.start(at)),
            "Fn" if self.sort(at + 2) == Some(TokenKind::Text) => {
                let name = self.literal(at + 2);
                self.uses(at + 2, Use::Call);
                if let Some(used) = self.scopes.used.last_mut() {
                    used.name = name;
                }
            }
            _ => {}
        }
        self.uses(at, Use::Call);
    }

    /// Returns the text between the quotes here.
    fn literal(&self, at: usize) -> String {
        self.word(at).trim_matches(['"', '`']).to_owned()
    }

    fn uses(&mut self, at: usize, kind: Use) {
        let name = self.word(at);
        self.scopes.used.push(Used {
            name: name.to_owned(),
            kind,
            at: self.start(at)..self.end(at),
            means: self.meaning(name, kind),
            change: if kind == Use::Variable {
                self.change(at)
            } else {
                Change::Read
            },
            closure: self.closure(),
            function: self.function(),
        });
    }

    fn meaning(&self, name: &str, kind: Use) -> Option<usize> {
        let walls = self.open.iter().filter(|open| open.kind == Opened::Function);
        let wall = walls.map(|open| open.held).max().unwrap_or(0);
        let mut held = self.in_scope.iter().enumerate().rev();
        let found = held.find(|(at, index)| {
            let declared = &self.scopes.declared[**index];
            let is_module = declared.kind == Binding::Module;
            let fits = match kind {
                Use::Variable => !is_module && *at >= wall,
                Use::Module => is_module,
                Use::Global | Use::Call | Use::Method => false,
            };
            fits && declared.name == name
        });
        found.map(|(_, index)| *index)
    }

    /// Resolves constants last, because a function may precede the constant that it uses.
    pub(super) fn find_constants(&mut self) {
        let Scopes { declared, used, .. } = &mut self.scopes;
        for used in used.iter_mut().filter(|used| used.kind == Use::Global) {
            let is_declaration = |declared: &Declared| {
                declared.outer && declared.kind == Binding::Constant && declared.name == used.name
            };
            used.means = declared.iter().rposition(is_declaration);
        }
    }

    /// Determines what happens to the variable at this index.
    fn change(&self, at: usize) -> Change {
        if self.before(at, 1) == "("
            && at.checked_sub(2).and_then(|at| self.sort(at)) == Some(TokenKind::Name)
            && ![".", "?."].contains(&self.before(at, 3))
            && [",", ")"].contains(&self.word(at + 1))
        {
            return Change::Passed(self.before(at, 2).to_owned());
        }
        let mut next = at + 1;
        loop {
            match self.word(next) {
                "." | "?." if self.word(next + 2) == "(" => {
                    return Change::Called(self.word(next + 1).to_owned());
                }
                "." | "?." => next += 2,
                "[" | "?[" => next = self.after_closing(next),
                word if ASSIGNING.contains(&word) && next == at + 1 => return Change::Assigned,
                word if ASSIGNING.contains(&word) => return Change::Part,
                _ => return Change::Read,
            }
        }
    }

    /// Returns the index after the matching closing bracket.
    fn after_closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for at in open..self.found.len() {
            match self.word(at) {
                "(" | "[" | "?[" | "{" | "${" | "#{" => depth += 1,
                ")" | "]" | "}" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.found.len()
    }
}
