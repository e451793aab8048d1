//! What the names of a text mean: where each is declared and until where it holds, what is used without being declared,
//! what is changed. Read off the tokens, so that a text that is still being typed can be asked, too.

mod reader;

use std::collections::BTreeSet;
use std::ops::Range;

/// What the names of a text mean. Places are in bytes.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// What is declared, in the order in which it begins to hold.
    pub declared: Vec<Declared>,
    /// What is used, in the order of the text.
    pub used: Vec<Used>,
    /// The functions that are defined.
    pub functions: Vec<Function>,
    /// Where a `return` or an `exit` ends the whole text: in no function, and a `return` in no closure.
    pub ends: Vec<usize>,
    /// Names that are asked for with `is_def_var`.
    pub asked: BTreeSet<String>,
    /// Functions that are called as `f!(…)`, and so see what their caller sees.
    pub open: BTreeSet<String>,
}

/// A name that is given a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The name.
    pub name: String,
    /// What it is.
    pub sort: Binding,
    /// Where it is written.
    pub at: Range<usize>,
    /// Where it holds; empty for what holds behind the text only.
    pub holds: Range<usize>,
    /// What a variable is given, or what a loop goes through.
    pub value: Option<Range<usize>>,
    /// Is it in no block, closure or function?
    pub outer: bool,
    /// The function that it lies in.
    pub function: Option<usize>,
}

/// What a name is.
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
    /// What a `catch` caught.
    Caught,
}

/// A name that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    /// The name.
    pub name: String,
    /// As what it is used.
    pub sort: Use,
    /// Where it is written.
    pub at: Range<usize>,
    /// The declaration in this text that it means; functions have none.
    pub means: Option<usize>,
    /// What happens to it.
    pub change: Change,
    /// Where the innermost closure around it begins.
    pub closure: Option<usize>,
    /// The function that it lies in.
    pub function: Option<usize>,
}

/// As what a name is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A variable.
    Variable,
    /// A function that is called.
    Call,
    /// A function that is called on a value.
    Method,
    /// What stands before `::`.
    Module,
    /// A constant: `global::NAME`.
    Global,
}

/// What happens to a variable where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is read.
    Read,
    /// It is given another value: `x = 1`, `x += 1`.
    Assigned,
    /// A part of it is: `m.a = 1`, `list[0] += 1`.
    Part,
    /// This method is called on it or on a part of it.
    Called(String),
    /// It is the first argument of this function: the language's own get the variable itself.
    Passed(String),
}

/// A function that a text defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<String>,
    /// Where it is written, from its first word to its last brace.
    pub at: Range<usize>,
    /// What lies between its braces.
    pub body: Range<usize>,
    /// Where it returns before its end.
    pub returns: Vec<usize>,
    /// The same as a number of the kind that `function` of the others is.
    index: usize,
}

impl Scopes {
    /// Reads a text.
    pub(crate) fn of(text: &str) -> Scopes {
        reader::read(text)
    }

    /// What holds at this place, the newest last.
    pub(crate) fn holding(&self, at: usize) -> impl Iterator<Item = &Declared> {
        let holds = move |declared: &&Declared| declared.holds.contains(&at);
        self.declared.iter().filter(holds)
    }

    /// What is used and not declared here, outside of functions.
    pub(crate) fn free(&self) -> impl Iterator<Item = &Used> {
        self.used
            .iter()
            .filter(|used| used.function.is_none() && self.is_free(used))
    }

    /// What a function uses that is not declared in it.
    pub(crate) fn free_in(&self, function: &Function) -> impl Iterator<Item = &Used> {
        let index = function.index;
        self.used
            .iter()
            .filter(move |used| used.function == Some(index) && self.is_free(used))
    }

    fn is_free(&self, used: &Used) -> bool {
        match used.sort {
            Use::Call | Use::Method => !self.functions.iter().any(|function| function.name == used.name),
            _ => used.means.is_none(),
        }
    }
}

impl Used {
    /// May it be another value afterwards? What a method does that nobody knows is not known, so that it may.
    pub(crate) fn may_change(&self, is_known: impl Fn(&str) -> bool) -> bool {
        match &self.change {
            Change::Read => false,
            Change::Assigned | Change::Part => true,
            Change::Called(method) => CHANGING.contains(&method.as_str()) || !is_known(method),
            Change::Passed(function) => CHANGING.contains(&function.as_str()),
        }
    }

    /// Is this method called on it?
    pub(crate) fn is_called(&self, method: &str) -> bool {
        matches!(&self.change, Change::Called(called) if called == method)
    }
}

/// The language's own functions that change what they are called on.
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
