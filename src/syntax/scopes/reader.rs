//! Scans a text from start to end, tracking open blocks.

use std::collections::HashMap;
use std::ops::Range;

use super::{Binding, Change, CodeTokens, Declared, Function, Scopes, Use, Used};
use crate::syntax::TokenKind;

/// The assignment operators.
const ASSIGNING: &[&str] = &[
    "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=",
];

pub(super) fn read(text: &str, code: CodeTokens<'_>) -> Scopes {
    let mut reader = Reader {
        text,
        code,
        scopes: Scopes::default(),
        open: Vec::new(),
        in_scope: Vec::new(),
        by_name: HashMap::new(),
        pending: Vec::new(),
        heads: Vec::new(),
        statement: "",
    };
    let mut at = 0;
    while at < code.len() {
        at = reader.read(at);
    }
    // A statement that is not terminated takes effect after the text.
    reader.settle(0, text.len(), text.len());
    reader.find_constants();
    reader.scopes
}

struct Reader<'a> {
    text: &'a str,
    code: CodeTokens<'a>,
    scopes: Scopes,
    open: Vec<Open>,
    /// Indices of the declarations in scope, newest last.
    in_scope: Vec<usize>,
    /// The same by name.
    by_name: HashMap<&'a str, Vec<usize>>,
    /// Variables whose statement has not ended.
    pending: Vec<Pending>,
    /// Names for blocks that have not started.
    heads: Vec<Head>,
    /// The last word that can begin or end a statement.
    statement: &'a str,
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

/// A variable whose statement has not ended. Names are given by their token.
struct Pending {
    name: usize,
    kind: Binding,
    depth: usize,
    value: Option<usize>,
}

struct Head {
    names: Vec<usize>,
    kind: Binding,
    depth: usize,
    value: Option<usize>,
    /// Whether the expression that the loop iterates over has its own braces: `for x in if a { b } else { c } {`.
    braces: bool,
}

impl<'a> Reader<'a> {
    fn word(&self, at: usize) -> &'a str {
        self.code.word(at)
    }

    fn before(&self, at: usize, back: usize) -> &'a str {
        self.code.before(at, back)
    }

    fn is_name(&self, at: usize) -> bool {
        self.code.kind(at) == Some(TokenKind::Name)
    }

    fn start(&self, at: usize) -> usize {
        self.code.start(at)
    }

    fn end(&self, at: usize) -> usize {
        self.code.end(at)
    }

    fn function(&self) -> Option<usize> {
        self.open.last().and_then(|open| open.function)
    }

    fn closure(&self) -> Option<usize> {
        self.open.last().and_then(|open| open.closure)
    }

    /// Handles the token at this index and returns the next index.
    fn read(&mut self, at: usize) -> usize {
        let keyword = self.code.kind(at) == Some(TokenKind::Keyword);
        if ["import", "export", ";", "{", "}"].contains(&self.word(at)) {
            self.statement = self.word(at);
        }
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
            "|" | "||"
                if !at
                    .checked_sub(1)
                    .is_some_and(|before| self.code.ends_value(before)) =>
            {
                return self.begin_closure(at);
            }
            "(" | "[" | "?[" => self.push(Opened::Bracket),
            "#{" => self.push(Opened::Map),
            "{" => self.begin_block(at),
            ")" | "]" | "}" => self.close(at),
            "," => self.end_closures(at),
            ";" => {
                self.end_closures(at);
                self.settle(self.open.len(), self.start(at), self.end(at));
            }
            _ if self.is_name(at) => self.name(at),
            _ => {}
        }
        at + 1
    }

    fn push(&mut self, kind: Opened) {
        self.open.push(Open {
            kind,
            held: self.in_scope.len(),
            function: self.function(),
            closure: self.closure(),
        });
    }

    fn variable(&mut self, at: usize) -> usize {
        if !self.is_name(at + 1) {
            return at + 1;
        }
        let is_constant = self.word(at) == "const";
        self.pending.push(Pending {
            name: at + 1,
            kind: if is_constant {
                Binding::Constant
            } else {
                Binding::Variable
            },
            depth: self.open.len(),
            value: (self.word(at + 2) == "=").then(|| self.start(at + 3)),
        });
        at + 2
    }

    /// Returns the names from `at` on, up to one of these words, and the index of that word.
    fn names(&self, at: usize, ends: &[&str]) -> (Vec<usize>, usize) {
        let is_end = |at: &usize| *at == self.code.len() || ends.contains(&self.word(*at));
        let end = (at..=self.code.len()).find(is_end).unwrap_or(at);
        ((at..end).filter(|at| self.is_name(*at)).collect(), end)
    }

    /// Handles `fn name(a, b) {`.
    fn define(&mut self, at: usize) -> usize {
        // A method of a type: `fn int.double()`.
        let name = if self.word(at + 2) == "." { at + 3 } else { at + 1 };
        let (params, end) = self.names(name + 1, &["{", ")"]);
        let brace = if self.word(end) == ")" { end + 1 } else { end };
        let is_private = self.before(at, 1) == "private";
        let index = self.scopes.functions.len();
        self.scopes.functions.push(Function {
            name: self.word(name).to_owned(),
            params: params.iter().map(|param| self.word(*param).to_owned()).collect(),
            at: self.start(at - usize::from(is_private))..self.text.len(),
            body: self.end(brace)..self.text.len().max(self.end(brace)),
            returns: Vec::new(),
            index,
        });
        if self.word(brace) != "{" {
            return brace;
        }
        self.push(Opened::Function);
        if let Some(open) = self.open.last_mut() {
            (open.function, open.closure) = (Some(index), None);
        }
        for param in params {
            self.declare(param, Binding::Parameter, self.end(brace), None);
        }
        brace + 1
    }

    /// Handles `for x in` and `for (x, i) in`.
    fn head_of_loop(&mut self, at: usize) -> usize {
        let (names, end) = self.names(at + 1, &["in", "{", ";"]);
        if self.word(end) != "in" {
            return end;
        }
        let braces = self.code.kind(end + 1) == Some(TokenKind::Keyword) || self.word(end + 1) == "{";
        self.heads.push(Head {
            names,
            kind: Binding::Loop,
            depth: self.open.len(),
            value: Some(self.start(end + 1)),
            braces,
        });
        end + 1
    }

    /// Handles `catch (error)`.
    fn head_of_catch(&mut self, at: usize) -> usize {
        if self.word(at + 1) != "(" || self.word(at + 3) != ")" {
            return at + 1;
        }
        self.heads.push(Head {
            names: vec![at + 2],
            kind: Binding::Caught,
            depth: self.open.len(),
            value: None,
            braces: false,
        });
        at + 4
    }

    /// Handles `import "lib" as lib`, but not `export x as y`.
    fn named(&mut self, at: usize) -> usize {
        if self.statement == "import" && at + 1 < self.code.len() {
            self.declare(at + 1, Binding::Module, self.end(at + 1), None);
        }
        at + 2
    }

    fn begin_closure(&mut self, at: usize) -> usize {
        let (mut end, mut params) = (at + 1, Vec::new());
        if self.word(at) == "|" {
            while self.is_name(end) || self.word(end) == "," {
                params.extend(self.is_name(end).then_some(end));
                end += 1;
            }
            end += usize::from(self.word(end) == "|");
        }
        let block = self.word(end) == "{";
        self.push(Opened::Closure { block });
        let start = self.start(at);
        if let Some(open) = self.open.last_mut() {
            open.closure = Some(start);
        }
        for param in params {
            self.declare(param, Binding::Closure, self.end(end - 1), None);
        }
        end
    }

    fn begin_block(&mut self, at: usize) {
        let depth = self.open.len();
        self.push(Opened::Bracket);
        let behind_block = self.before(at, 1) == "}";
        let ends_here = |head: &mut Head| head.depth == depth && (behind_block || !head.braces);
        if let Some(head) = self.heads.pop_if(ends_here) {
            let value = head.value.map(|from| from..self.start(at));
            for name in head.names {
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
        while self.heads.pop_if(|head| head.depth >= self.open.len()).is_some() {}
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
        for index in self.in_scope.drain(open.held..).rev() {
            let declared = &mut self.scopes.declared[index];
            declared.holds.end = end.max(declared.holds.start);
            if let Some(known) = self.by_name.get_mut(declared.name.as_str()) {
                known.pop();
            }
        }
        Some(open)
    }

    /// Declares pending variables at this depth or deeper: their statement ends here, their scope starts at `from`.
    fn settle(&mut self, depth: usize, end: usize, from: usize) {
        let outside = self.pending.iter().rposition(|pending| pending.depth < depth);
        for pending in self.pending.split_off(outside.map_or(0, |last| last + 1)) {
            let value = pending.value.map(|value| value..end.max(value));
            self.declare(pending.name, pending.kind, from, value);
            if let Some(last) = self.scopes.declared.last_mut() {
                last.outer = pending.depth == 0;
            }
        }
    }

    fn declare(&mut self, name: usize, kind: Binding, from: usize, value: Option<Range<usize>>) {
        let (word, index) = (self.word(name), self.scopes.declared.len());
        self.in_scope.push(index);
        self.by_name.entry(word).or_default().push(index);
        self.scopes.declared.push(Declared {
            name: word.to_owned(),
            kind,
            at: self.start(name)..self.end(name),
            holds: from..if from < self.text.len() { usize::MAX } else { from },
            value,
            outer: self.open.is_empty(),
            function: self.function(),
        });
    }

    fn name(&mut self, at: usize) {
        let (word, next, before) = (self.word(at), self.word(at + 1), self.before(at, 1));
        let in_map = self.open.last().is_some_and(|open| open.kind == Opened::Map);
        let is_key = next == ":" && in_map && ["#{", ","].contains(&before);
        if [".", "?."].contains(&before) && next == "(" {
            return self.uses(at, Use::Method);
        }
        if [".", "?.", "::"].contains(&before) || is_key || self.code.is_default_case(at) || word == "this" {
            return;
        }
        match next {
            "::" if word == "global" => {
                if !["(", "::"].contains(&self.word(at + 3)) && self.is_name(at + 2) {
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
        // The text between the quotes of the first argument.
        let literal = self.word(at + 2).trim_matches(['"', '`']);
        match self.word(at) {
            "is_def_var" => drop(self.scopes.tested.insert(literal.to_owned())),
            "exit" if self.function().is_none() => self.scopes.exits.push(self.start(at)),
            "Fn" if self.code.kind(at + 2) == Some(TokenKind::Text) => {
                self.uses(at + 2, Use::Call);
                if let Some(used) = self.scopes.used.last_mut() {
                    literal.clone_into(&mut used.name);
                }
            }
            _ => {}
        }
        self.uses(at, Use::Call);
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

    /// The newest declaration in scope that the name refers to. A function sees no variables but its own.
    fn meaning(&self, name: &str, kind: Use) -> Option<usize> {
        let mut known = self.by_name.get(name)?.iter().rev().copied();
        known.find(|index| {
            let declared = &self.scopes.declared[*index];
            let is_module = declared.kind == Binding::Module;
            match kind {
                Use::Variable => !is_module && declared.function == self.function(),
                Use::Module => is_module,
                Use::Global | Use::Call | Use::Method => false,
            }
        })
    }

    /// Resolves constants last, because a function may precede the constant that it uses.
    fn find_constants(&mut self) {
        let Scopes { declared, used, .. } = &mut self.scopes;
        let constants = declared.iter().enumerate();
        let constants = constants.filter(|(_, known)| known.outer && known.kind == Binding::Constant);
        let constants: HashMap<&str, usize> = constants
            .map(|(index, known)| (known.name.as_str(), index))
            .collect();
        for used in used.iter_mut().filter(|used| used.kind == Use::Global) {
            used.means = constants.get(used.name.as_str()).copied();
        }
    }

    /// Determines what happens to the variable at this index.
    fn change(&self, at: usize) -> Change {
        if self.before(at, 1) == "("
            && at.checked_sub(2).is_some_and(|at| self.is_name(at))
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
                "[" | "?[" => next = self.code.after(next),
                word if ASSIGNING.contains(&word) && next == at + 1 => return Change::Assigned,
                word if ASSIGNING.contains(&word) => return Change::Part,
                _ => return Change::Read,
            }
        }
    }
}
