//! Scans a text from start to end, tracking open blocks.

mod heads;
mod uses;

use std::ops::Range;

use super::{Binding, Declared, Scopes};
use crate::script::tokens::{Piece, TokenKind, pieces};

pub(super) fn read(text: &str) -> Scopes {
    let mut found = pieces(text);
    found.retain(|piece| piece.kind != TokenKind::Comment);
    let mut reader = Reader {
        text,
        found: &found,
        scopes: Scopes::default(),
        open: Vec::new(),
        in_scope: Vec::new(),
        pending: Vec::new(),
        heads: Vec::new(),
    };
    let mut at = 0;
    while at < found.len() {
        at = reader.read(at);
    }
    // A statement that is not terminated takes effect after the text.
    reader.settle(0, text.len(), text.len());
    reader.find_constants();
    reader.scopes
}

struct Reader<'a> {
    text: &'a str,
    found: &'a [Piece],
    scopes: Scopes,
    open: Vec<Open>,
    /// Indices of the declarations in scope, newest last.
    in_scope: Vec<usize>,
    /// Variables whose statement has not ended.
    pending: Vec<Pending>,
    /// Names for blocks that have not started.
    heads: Vec<Head>,
}

/// An open bracket, function or closure.
struct Open {
    kind: Opened,
    /// How many declarations were in scope before it.
    held: usize,
    function: Option<usize>,
    /// The start of the innermost closure.
    closure: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// `{`, `(`, `[`.
    Bracket,
    /// `#{`.
    Map,
    /// The braces of a function, which does not see outer variables.
    Function,
    /// A closure whose body is an expression or a block.
    Closure { block: bool },
}

struct Pending {
    name: Piece,
    kind: Binding,
    depth: usize,
    value: Option<usize>,
}

struct Head {
    names: Vec<Piece>,
    kind: Binding,
    depth: usize,
    value: Option<usize>,
    /// Whether the expression that the loop iterates over has its own braces: `for x in if a { b } else { c } {`.
    braces: bool,
}

impl<'a> Reader<'a> {
    fn word(&self, at: usize) -> &'a str {
        self.found.get(at).map_or("", |piece| piece.text(self.text))
    }

    fn before(&self, at: usize, back: usize) -> &'a str {
        at.checked_sub(back).map_or("", |at| self.word(at))
    }

    fn sort(&self, at: usize) -> Option<TokenKind> {
        self.found.get(at).map(|piece| piece.kind)
    }

    fn start(&self, at: usize) -> usize {
        self.found.get(at).map_or(self.text.len(), |piece| piece.at.start)
    }

    fn end(&self, at: usize) -> usize {
        self.found.get(at).map_or(self.text.len(), |piece| piece.at.end)
    }

    fn function(&self) -> Option<usize> {
        self.open.last().and_then(|open| open.function)
    }

    fn closure(&self) -> Option<usize> {
        self.open.last().and_then(|open| open.closure)
    }

    /// Handles the token at this index and returns the next index.
    fn read(&mut self, at: usize) -> usize {
        let keyword = self.sort(at) == Some(TokenKind::Keyword);
        match self.word(at) {
            "let" | "const" if keyword => return self.variable(at),
            "fn" if keyword => return self.define(at),
            "for" if keyword => return self.head_of_loop(at),
            "catch" if keyword => return self.head_of_catch(at),
            "as" if keyword => return self.named(at),
            "return" if keyword && self.closure().is_none() => {
                let place = self.start(at);
                match self.function() {
                    Some(index) => self.scopes.functions[index].returns.push(place),
                    None => self.scopes.exits.push(place),
                }
            }
            "|" | "||" if !self.is_operand(at) => return self.begin_closure(at),
            "(" | "[" | "?[" => self.push(Opened::Bracket),
            "#{" => self.push(Opened::Map),
            "{" | "${" => self.begin_block(at),
            ")" | "]" | "}" => self.close(at),
            "," => self.end_closures(at),
            ";" => {
                self.end_closures(at);
                self.settle(self.open.len(), self.start(at), self.end(at));
            }
            _ if self.sort(at) == Some(TokenKind::Name) => self.name(at),
            _ => {}
        }
        at + 1
    }

    /// Whether a value ends before this index.
    fn is_operand(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.found.get(at));
        before.is_some_and(|piece| {
            matches!(piece.kind, TokenKind::Name | TokenKind::Number | TokenKind::Text)
                || [")", "]", "}", "true", "false", "this"].contains(&piece.text(self.text))
        })
    }

    fn push(&mut self, kind: Opened) {
        self.open.push(Open {
            kind,
            held: self.in_scope.len(),
            function: self.function(),
            closure: self.closure(),
        });
    }

    fn begin_block(&mut self, at: usize) {
        let depth = self.open.len();
        self.push(Opened::Bracket);
        let behind_block = self.before(at, 1) == "}";
        let ends_here = |head: &mut Head| head.depth == depth && (behind_block || !head.braces);
        if let Some(head) = self.heads.pop_if(ends_here) {
            let value = head.value.map(|from| from..self.start(at));
            for name in &head.names {
                self.declare(name, head.kind, self.end(at), value.clone());
            }
        }
    }

    fn close(&mut self, at: usize) {
        self.end_closures(at);
        if self.open.is_empty() {
            return;
        }
        self.settle(self.open.len(), self.start(at), self.start(at));
        self.heads.retain(|head| head.depth < self.open.len());
        let closed = self.leave(self.start(at));
        if let Some(Open {
            kind: Opened::Function,
            function: Some(index),
            ..
        }) = closed
        {
            let (start, end) = (self.start(at), self.end(at));
            let function = &mut self.scopes.functions[index];
            function.at.end = end;
            function.body.end = start;
        }
        // The block was a closure's body.
        let is_body = |open: &Open| open.kind == Opened::Closure { block: true };
        if self.word(at) == "}" && self.open.last().is_some_and(is_body) {
            let _ = self.leave(self.end(at));
        }
    }

    /// Ends the closures whose body is an expression.
    fn end_closures(&mut self, at: usize) {
        while matches!(self.open.last(), Some(open) if matches!(open.kind, Opened::Closure { .. })) {
            let _ = self.leave(self.start(at));
        }
    }

    /// Closes the innermost bracket, function or closure, and ends the scope of what it declared.
    fn leave(&mut self, end: usize) -> Option<Open> {
        let open = self.open.pop()?;
        for index in self.in_scope.drain(open.held..) {
            let holds = &mut self.scopes.declared[index].holds;
            holds.end = end.max(holds.start);
        }
        Some(open)
    }

    /// Declares pending variables at this depth or deeper: their statement ends here, their scope starts at `from`.
    fn settle(&mut self, depth: usize, end: usize, from: usize) {
        let over: Vec<Pending> = self
            .pending
            .extract_if(.., |pending| pending.depth >= depth)
            .collect();
        for pending in over {
            let value = pending.value.map(|value| value..end.max(value));
            self.declare(&pending.name, pending.kind, from, value);
            if let Some(last) = self.scopes.declared.last_mut() {
                last.outer = pending.depth == 0;
            }
        }
    }

    fn declare(&mut self, name: &Piece, kind: Binding, from: usize, value: Option<Range<usize>>) {
        self.in_scope.push(self.scopes.declared.len());
        self.scopes.declared.push(Declared {
            name: name.text(self.text).to_owned(),
            kind,
            at: name.at.clone(),
            holds: from..if from < self.text.len() { usize::MAX } else { from },
            value,
            outer: self.open.is_empty(),
            function: self.function(),
        });
    }
}
