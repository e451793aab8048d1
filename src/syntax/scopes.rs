//! Name resolution in a text: where each name is declared and its scope, which names are used without a declaration,
//! which are changed. Works on tokens, so that it also handles a text that is still being typed.

mod reader;

use std::collections::BTreeSet;
use std::ops::Range;

use super::{CodeTokens, SourceText};

/// The resolved names of a text. Positions are byte offsets.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// The declarations, in the order in which their scopes start.
    pub declared: Vec<Declared>,
    /// The uses, in text order.
    pub used: Vec<Used>,
    /// The functions that the text defines.
    pub functions: Vec<Function>,
    /// Where a `return` or an `exit` ends the whole text: outside of functions, a `return` also outside of closures.
    pub exits: Vec<usize>,
    /// Names that are tested with `is_def_var`.
    pub tested: BTreeSet<String>,
    /// Functions called as `f!(…)`, which see their caller's variables.
    pub open: BTreeSet<String>,
}

/// A declared name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The name.
    pub name: String,
    /// What it declares.
    pub kind: Binding,
    /// The position of the name.
    pub at: Range<usize>,
    /// Its scope; empty if that only starts after the text.
    pub holds: Range<usize>,
    /// The value of a variable, or what a loop iterates over.
    pub value: Option<Range<usize>>,
    /// Whether it is outside of all blocks, closures and functions.
    pub outer: bool,
    /// The function that contains it.
    pub function: Option<usize>,
}

/// What a name denotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    /// A variable: `let`.
    Variable,
    /// A constant.
    Constant,
    /// An import.
    Module,
    /// A parameter of a function.
    Parameter,
    /// A parameter of a closure.
    Closure,
    /// The variable of a loop.
    Loop,
    /// The variable of a `catch`.
    Caught,
}

/// A use of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    /// The name.
    pub name: String,
    /// How it is used.
    pub kind: Use,
    /// Its position.
    pub at: Range<usize>,
    /// The declaration in this text that it refers to; `None` for functions.
    pub means: Option<usize>,
    /// What happens to it.
    pub change: Change,
    /// The start of the innermost closure around it.
    pub closure: Option<usize>,
    /// The function that contains it.
    pub function: Option<usize>,
}

/// How a name is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A variable.
    Variable,
    /// A function call.
    Call,
    /// A method call.
    Method,
    /// A module, before `::`.
    Module,
    /// A constant: `global::NAME`.
    Global,
}

/// What happens to a variable where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is read.
    Read,
    /// It is assigned: `x = 1`, `x += 1`.
    Assigned,
    /// A part of it is assigned: `m.a = 1`, `list[0] += 1`.
    Part,
    /// This method is called on it or on a part of it.
    Called(String),
    /// It is the first argument of this function: the language's own functions receive the variable itself.
    Passed(String),
}

/// A function that a text defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// The name.
    pub name: String,
    /// The parameters.
    pub params: Vec<String>,
    /// Its range, from the first word to the closing brace.
    pub at: Range<usize>,
    /// The range between its braces.
    pub body: Range<usize>,
    /// The positions of its `return` statements.
    pub returns: Vec<usize>,
    /// Its index, as used in `function` of declarations and uses.
    index: usize,
}

impl Scopes {
    /// Resolves the names of a text.
    pub(crate) fn of(text: &str) -> Scopes {
        Scopes::read(text, SourceText::read(text).code())
    }

    /// Resolves the names of a text that was read.
    pub(super) fn read(text: &str, code: CodeTokens<'_>) -> Scopes {
        reader::read(text, code)
    }

    /// The declarations in scope at this position, newest last.
    pub(crate) fn in_scope_at(&self, at: usize) -> impl Iterator<Item = &Declared> {
        let holds = move |declared: &&Declared| declared.holds.contains(&at);
        self.declared.iter().filter(holds)
    }

    /// The uses outside of functions without a declaration here.
    pub(crate) fn free(&self) -> impl Iterator<Item = &Used> {
        self.used
            .iter()
            .filter(|used| used.function.is_none() && self.is_free(used))
    }

    /// The uses in a function without a declaration in it.
    pub(crate) fn free_in(&self, function: &Function) -> impl Iterator<Item = &Used> {
        let index = function.index;
        self.used
            .iter()
            .filter(move |used| used.function == Some(index) && self.is_free(used))
    }

    fn is_free(&self, used: &Used) -> bool {
        match used.kind {
            Use::Call | Use::Method => !self.functions.iter().any(|function| function.name == used.name),
            _ => used.means.is_none(),
        }
    }
}

impl Used {
    /// Whether its value may change. A method with an unknown effect may change it.
    pub(crate) fn may_change(&self, is_known: impl Fn(&str) -> bool) -> bool {
        match &self.change {
            Change::Read => false,
            Change::Assigned | Change::Part => true,
            Change::Called(method) => CHANGING.contains(&method.as_str()) || !is_known(method),
            Change::Passed(function) => CHANGING.contains(&function.as_str()),
        }
    }
}

/// The language's own functions that change their receiver.
const CHANGING: &[&str] = &[
    "append",
    "chop",
    "clear",
    "crop",
    "dedup",
    "drain",
    "fill_with",
    "for_each",
    "insert",
    "make_lower",
    "make_upper",
    "mixin",
    "order",
    "order_by",
    "order_desc",
    "pad",
    "pop",
    "push",
    "remove",
    "replace",
    "retain",
    "reverse",
    "set",
    "set_tag",
    "shift",
    "sort",
    "sort_by",
    "sort_desc",
    "splice",
    "split",
    "trim",
    "truncate",
    "write_ascii",
    "write_be",
    "write_le",
    "write_utf8",
];

#[cfg(test)]
mod tests;
