//! Goes through a text from its first word to its last, and keeps account of what is open.

use std::ops::Range;

use super::{Binding, Change, Declared, Function, Scopes, Use, Used};
use crate::script::tokens::{Piece, Sort, pieces};

/// Operators that give a variable another value.
const ASSIGNING: &[&str] = &[
    "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=",
];

pub(super) fn read(text: &str) -> Scopes {
    let mut found = pieces(text);
    found.retain(|piece| piece.sort != Sort::Comment);
    let mut reader = Reader {
        text,
        found: &found,
        scopes: Scopes::default(),
        open: Vec::new(),
        holding: Vec::new(),
        pending: Vec::new(),
        heads: Vec::new(),
    };
    let mut at = 0;
    while at < found.len() {
        at = reader.read(at);
    }
    // What is not over holds behind the text.
    reader.settle(0, text.len(), text.len());
    reader.find_constants();
    reader.scopes
}

struct Reader<'a> {
    text: &'a str,
    found: &'a [Piece],
    scopes: Scopes,
    open: Vec<Open>,
    /// What holds, the newest last.
    holding: Vec<usize>,
    /// Variables whose statement is not over.
    pending: Vec<Pending>,
    /// Names for blocks that are still to come.
    heads: Vec<Head>,
}

/// Something that is open.
struct Open {
    sort: Opened,
    /// How much held before it.
    held: usize,
    function: Option<usize>,
    /// Where the innermost closure begins.
    closure: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// `{`, `(`, `[`.
    Bracket,
    /// `#{`.
    Map,
    /// The braces of a function: what held before it is not seen.
    Function,
    /// A closure whose body is an expression or a block.
    Closure { block: bool },
}

struct Pending {
    name: Piece,
    sort: Binding,
    depth: usize,
    value: Option<usize>,
}

struct Head {
    names: Vec<Piece>,
    sort: Binding,
    depth: usize,
    value: Option<usize>,
    /// Has what the loop goes through braces of its own: `for x in if a { b } else { c } {`?
    braces: bool,
}

impl<'a> Reader<'a> {
    fn word(&self, at: usize) -> &'a str {
        self.found.get(at).map_or("", |piece| piece.text(self.text))
    }

    fn before(&self, at: usize, back: usize) -> &'a str {
        at.checked_sub(back).map_or("", |at| self.word(at))
    }

    fn sort(&self, at: usize) -> Option<Sort> {
        self.found.get(at).map(|piece| piece.sort)
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

    /// Reads what stands here, and gives where it ends.
    fn read(&mut self, at: usize) -> usize {
        let keyword = self.sort(at) == Some(Sort::Keyword);
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
                    None => self.scopes.ends.push(place),
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
            _ if self.sort(at) == Some(Sort::Name) => self.name(at),
            _ => {}
        }
        at + 1
    }

    /// Does a value end before this place?
    fn is_operand(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.found.get(at));
        before.is_some_and(|piece| {
            matches!(piece.sort, Sort::Name | Sort::Number | Sort::Text)
                || [")", "]", "}", "true", "false", "this"].contains(&piece.text(self.text))
        })
    }

    fn variable(&mut self, at: usize) -> usize {
        let Some(name) = self.found.get(at + 1).filter(|piece| piece.sort == Sort::Name) else {
            return at + 1;
        };
        let constant = self.word(at) == "const";
        self.pending.push(Pending {
            name: name.clone(),
            sort: if constant {
                Binding::Constant
            } else {
                Binding::Variable
            },
            depth: self.open.len(),
            value: (self.word(at + 2) == "=").then(|| self.start(at + 3)),
        });
        at + 2
    }

    /// `fn name(a, b) {`
    fn define(&mut self, at: usize) -> usize {
        let mut name = at + 1;
        if self.word(name + 1) == "." {
            // Of a type: `fn int.double()`.
            name += 2;
        }
        let mut end = name + 1;
        let mut params = Vec::new();
        while end < self.found.len() && !["{", ")"].contains(&self.word(end)) {
            if self.sort(end) == Some(Sort::Name) {
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
            sort: Opened::Function,
            held: self.holding.len(),
            function: Some(index),
            closure: None,
        });
        for param in params {
            self.declare(&param, Binding::Parameter, self.end(brace), None);
        }
        brace + 1
    }

    /// `for x in`, `for (x, i) in`
    fn head_of_loop(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        let mut names = Vec::new();
        while end < self.found.len() && !["in", "{", ";"].contains(&self.word(end)) {
            if self.sort(end) == Some(Sort::Name) {
                names.push(self.found[end].clone());
            }
            end += 1;
        }
        if self.word(end) != "in" {
            return end;
        }
        self.heads.push(Head {
            names,
            sort: Binding::Loop,
            depth: self.open.len(),
            value: Some(self.start(end + 1)),
            braces: self.sort(end + 1) == Some(Sort::Keyword) || self.word(end + 1) == "{",
        });
        end + 1
    }

    /// `catch (error)`
    fn head_of_catch(&mut self, at: usize) -> usize {
        if self.word(at + 1) != "(" || self.word(at + 3) != ")" {
            return at + 1;
        }
        self.heads.push(Head {
            names: vec![self.found[at + 2].clone()],
            sort: Binding::Caught,
            depth: self.open.len(),
            value: None,
            braces: false,
        });
        at + 4
    }

    /// `import "lib" as lib`, and not `export x as y`.
    fn named(&mut self, at: usize) -> usize {
        let mut statement = (0..at).rev().map(|at| self.word(at));
        let begins = statement.find(|word| ["import", "export", ";", "{", "}"].contains(word));
        if let Some(name) = self.found.get(at + 1).filter(|_| begins == Some("import")) {
            self.declare(&name.clone(), Binding::Module, name.at.end, None);
        }
        at + 2
    }

    fn begin_closure(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        let mut params = Vec::new();
        if self.word(at) == "|" {
            while end < self.found.len() && (self.sort(end) == Some(Sort::Name) || self.word(end) == ",") {
                if self.sort(end) == Some(Sort::Name) {
                    params.push(self.found[end].clone());
                }
                end += 1;
            }
            end += usize::from(self.word(end) == "|");
        }
        self.open.push(Open {
            sort: Opened::Closure {
                block: self.word(end) == "{",
            },
            held: self.holding.len(),
            function: self.function(),
            closure: Some(self.start(at)),
        });
        let from = self.end(end - 1);
        for param in params {
            self.declare(&param, Binding::Closure, from, None);
        }
        end
    }

    fn push(&mut self, sort: Opened) {
        self.open.push(Open {
            sort,
            held: self.holding.len(),
            function: self.function(),
            closure: self.closure(),
        });
    }

    fn begin_block(&mut self, at: usize) {
        let depth = self.open.len();
        self.push(Opened::Bracket);
        let behind_block = self.before(at, 1) == "}";
        let is_here = |head: &mut Head| head.depth == depth && (behind_block || !head.braces);
        if let Some(head) = self.heads.pop_if(is_here) {
            let value = head.value.map(|from| from..self.start(at));
            for name in &head.names {
                self.declare(name, head.sort, self.end(at), value.clone());
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
            sort: Opened::Function,
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
        let is_body = |open: &&Open| open.sort == Opened::Closure { block: true };
        if self.word(at) == "}" && self.open.last().filter(is_body).is_some() {
            let _ = self.leave(self.end(at));
        }
    }

    /// Closures whose body is an expression end with it.
    fn end_closures(&mut self, at: usize) {
        while matches!(self.open.last(), Some(open) if matches!(open.sort, Opened::Closure { .. })) {
            let _ = self.leave(self.start(at));
        }
    }

    /// What was declared in what is open last holds no longer.
    fn leave(&mut self, end: usize) -> Option<Open> {
        let open = self.open.pop()?;
        for index in self.holding.drain(open.held..) {
            let holds = &mut self.scopes.declared[index].holds;
            holds.end = end.max(holds.start);
        }
        Some(open)
    }

    /// Variables of statements at this depth or deeper, which end here, hold from there on.
    fn settle(&mut self, depth: usize, end: usize, from: usize) {
        let over: Vec<Pending> = self
            .pending
            .extract_if(.., |pending| pending.depth >= depth)
            .collect();
        for pending in over {
            let value = pending.value.map(|value| value..end.max(value));
            self.declare(&pending.name, pending.sort, from, value);
            if let Some(last) = self.scopes.declared.last_mut() {
                last.outer = pending.depth == 0;
            }
        }
    }

    fn declare(&mut self, name: &Piece, sort: Binding, from: usize, value: Option<Range<usize>>) {
        self.holding.push(self.scopes.declared.len());
        self.scopes.declared.push(Declared {
            name: name.text(self.text).to_owned(),
            sort,
            at: name.at.clone(),
            holds: from..if from < self.text.len() { usize::MAX } else { from },
            value,
            outer: self.open.is_empty(),
            function: self.function(),
        });
    }

    fn name(&mut self, at: usize) {
        let (word, next, before) = (self.word(at), self.word(at + 1), self.before(at, 1));
        let in_map = self.open.last().is_some_and(|open| open.sort == Opened::Map);
        let is_key = next == ":" && in_map && ["#{", ","].contains(&before);
        // The last case of a `switch`.
        let is_case = word == "_" && (next == "=>" || (next == "if" && ["{", ",", "}"].contains(&before)));
        if [".", "?."].contains(&before) && next == "(" {
            return self.uses(at, Use::Method);
        }
        if [".", "?.", "::"].contains(&before) || is_key || is_case || word == "this" {
            return;
        }
        match next {
            "::" if word == "global" => {
                if !["(", "::"].contains(&self.word(at + 3)) && self.sort(at + 2) == Some(Sort::Name) {
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
            "is_def_var" => drop(self.scopes.asked.insert(self.literal(at + 2))),
            "exit" if self.function().is_none() => self.scopes.ends.push(self.start(at)),
            "Fn" if self.sort(at + 2) == Some(Sort::Text) => {
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

    /// What stands between the quotes here.
    fn literal(&self, at: usize) -> String {
        self.word(at).trim_matches(['"', '`']).to_owned()
    }

    fn uses(&mut self, at: usize, sort: Use) {
        let name = self.word(at);
        self.scopes.used.push(Used {
            name: name.to_owned(),
            sort,
            at: self.start(at)..self.end(at),
            means: self.meaning(name, sort),
            change: if sort == Use::Variable {
                self.change(at)
            } else {
                Change::Read
            },
            closure: self.closure(),
            function: self.function(),
        });
    }

    fn meaning(&self, name: &str, sort: Use) -> Option<usize> {
        let walls = self.open.iter().filter(|open| open.sort == Opened::Function);
        let wall = walls.map(|open| open.held).max().unwrap_or(0);
        let mut held = self.holding.iter().enumerate().rev();
        let found = held.find(|(at, index)| {
            let declared = &self.scopes.declared[**index];
            let is_module = declared.sort == Binding::Module;
            let fits = match sort {
                Use::Variable => !is_module && *at >= wall,
                Use::Module => is_module,
                Use::Global | Use::Call | Use::Method => false,
            };
            fits && declared.name == name
        });
        found.map(|(_, index)| *index)
    }

    /// A function may stand before the constant that it uses.
    fn find_constants(&mut self) {
        let Scopes { declared, used, .. } = &mut self.scopes;
        for used in used.iter_mut().filter(|used| used.sort == Use::Global) {
            let is_it = |declared: &Declared| {
                declared.outer && declared.sort == Binding::Constant && declared.name == used.name
            };
            used.means = declared.iter().rposition(is_it);
        }
    }

    /// What happens to the variable that stands here.
    fn change(&self, at: usize) -> Change {
        if self.before(at, 1) == "("
            && at.checked_sub(2).and_then(|at| self.sort(at)) == Some(Sort::Name)
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
                "[" | "?[" => next = self.behind(next),
                word if ASSIGNING.contains(&word) && next == at + 1 => return Change::Assigned,
                word if ASSIGNING.contains(&word) => return Change::Part,
                _ => return Change::Read,
            }
        }
    }

    /// Behind the bracket that closes the one here.
    fn behind(&self, open: usize) -> usize {
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
