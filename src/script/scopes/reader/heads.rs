//! Constructs that start with names: variables, functions, loops, closures.

use super::{Head, Open, Opened, Pending, Reader};
use crate::script::scopes::{Binding, Function};
use crate::script::tokens::TokenKind;

impl Reader<'_> {
    pub(super) fn variable(&mut self, at: usize) -> usize {
        let Some(name) = self
            .found
            .get(at + 1)
            .filter(|piece| piece.kind == TokenKind::Name)
        else {
            return at + 1;
        };
        let constant = self.word(at) == "const";
        self.pending.push(Pending {
            name: name.clone(),
            kind: if constant {
                Binding::Constant
            } else {
                Binding::Variable
            },
            depth: self.open.len(),
            value: (self.word(at + 2) == "=").then(|| self.start(at + 3)),
        });
        at + 2
    }

    /// Handles `fn name(a, b) {`.
    pub(super) fn define(&mut self, at: usize) -> usize {
        let mut name = at + 1;
        if self.word(name + 1) == "." {
            // A method of a type: `fn int.double()`.
            name += 2;
        }
        let mut end = name + 1;
        let mut params = Vec::new();
        while end < self.found.len() && !["{", ")"].contains(&self.word(end)) {
            if self.sort(end) == Some(TokenKind::Name) {
                params.push(self.found[end].clone());
            }
            end += 1;
        }
        let brace = if self.word(end) == ")" { end + 1 } else { end };
        let first = if self.before(at, 1) == "private" {
            at - 1
        } else {
            at
        };
        let index = self.scopes.functions.len();
        self.scopes.functions.push(Function {
            name: self.word(name).to_owned(),
            params: params
                .iter()
                .map(|param| param.text(self.text).to_owned())
                .collect(),
            at: self.start(first)..self.text.len(),
            body: self.end(brace)..self.text.len().max(self.end(brace)),
            returns: Vec::new(),
            index,
        });
        if self.word(brace) != "{" {
            return brace;
        }
        self.open.push(Open {
            kind: Opened::Function,
            held: self.in_scope.len(),
            function: Some(index),
            closure: None,
        });
        for param in params {
            self.declare(&param, Binding::Parameter, self.end(brace), None);
        }
        brace + 1
    }

    /// Handles `for x in` and `for (x, i) in`.
    pub(super) fn head_of_loop(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        let mut names = Vec::new();
        while end < self.found.len() && !["in", "{", ";"].contains(&self.word(end)) {
            if self.sort(end) == Some(TokenKind::Name) {
                names.push(self.found[end].clone());
            }
            end += 1;
        }
        if self.word(end) != "in" {
            return end;
        }
        self.heads.push(Head {
            names,
            kind: Binding::Loop,
            depth: self.open.len(),
            value: Some(self.start(end + 1)),
            braces: self.sort(end + 1) == Some(TokenKind::Keyword) || self.word(end + 1) == "{",
        });
        end + 1
    }

    /// Handles `catch (error)`.
    pub(super) fn head_of_catch(&mut self, at: usize) -> usize {
        if self.word(at + 1) != "(" || self.word(at + 3) != ")" {
            return at + 1;
        }
        self.heads.push(Head {
            names: vec![self.found[at + 2].clone()],
            kind: Binding::Caught,
            depth: self.open.len(),
            value: None,
            braces: false,
        });
        at + 4
    }

    /// Handles `import "lib" as lib`, but not `export x as y`.
    pub(super) fn named(&mut self, at: usize) -> usize {
        let mut statement = (0..at).rev().map(|at| self.word(at));
        let begins = statement.find(|word| ["import", "export", ";", "{", "}"].contains(word));
        if let Some(name) = self.found.get(at + 1).filter(|_| begins == Some("import")) {
            self.declare(&name.clone(), Binding::Module, name.at.end, None);
        }
        at + 2
    }

    pub(super) fn begin_closure(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        let mut params = Vec::new();
        if self.word(at) == "|" {
            while end < self.found.len() && (self.sort(end) == Some(TokenKind::Name) || self.word(end) == ",")
            {
                if self.sort(end) == Some(TokenKind::Name) {
                    params.push(self.found[end].clone());
                }
                end += 1;
            }
            end += usize::from(self.word(end) == "|");
        }
        self.open.push(Open {
            kind: Opened::Closure {
                block: self.word(end) == "{",
            },
            held: self.in_scope.len(),
            function: self.function(),
            closure: Some(self.start(at)),
        });
        let from = self.end(end - 1);
        for param in params {
            self.declare(&param, Binding::Closure, from, None);
        }
        end
    }
}
