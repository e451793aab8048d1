//! Infers the type of an expression without evaluating it, from live values and declared operations and functions.

mod declared;
mod functions;
mod locals;
pub(in crate::repl) mod missing;

use std::collections::BTreeMap;

pub(super) use self::declared::{ERROR, operations};
use self::declared::{function, method, property};
use crate::operation::catalogue::Catalogue;
use crate::operation::spec::Kind;
use crate::script::interactive::{Step, Workspace};
use crate::syntax::{CodeTokens, SourceText, TokenKind};

/// The inferred type of a value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::repl) enum InferredType {
    /// Unknown.
    Nothing,
    /// An object of this kind.
    Object(&'static Kind),
    /// A list with items of this type.
    List(Box<InferredType>),
    /// A map with these keys, each with the type of its value.
    Map(Vec<(String, String)>),
    /// A value of this type, as named in scripts.
    Plain(String),
}

impl InferredType {
    /// Parses a type of the operation table: `list of crm::Deal`, `string`, `map`.
    pub(in crate::repl) fn parse_type(catalogue: &Catalogue, words: &str) -> InferredType {
        let words = words.trim();
        if let Some(item) = words.strip_prefix("list of ") {
            return InferredType::List(Box::new(InferredType::parse_type(catalogue, item)));
        }
        if words.contains(" or ") {
            return InferredType::Nothing;
        }
        let first = words.split([' ', ',']).next().unwrap_or_default();
        if let Some(kind) = catalogue.kind_in(first) {
            return InferredType::Object(kind);
        }
        match first {
            "" | "any" | "?" => InferredType::Nothing,
            "list" | "array" => InferredType::List(Box::new(InferredType::Nothing)),
            "map" | "maps" => InferredType::Map(Vec::new()),
            "nothing" | "()" => InferredType::Plain("()".into()),
            other => InferredType::Plain(other.to_owned()),
        }
    }

    /// The type's name in scripts; empty if unknown.
    pub(in crate::repl) fn type_name(&self) -> &str {
        match self {
            InferredType::Nothing => "",
            InferredType::Object(kind) => kind.name,
            InferredType::List(_) => "array",
            InferredType::Map(_) => "map",
            InferredType::Plain(name) => name,
        }
    }

    /// The type in words: `list of crm::Deal`.
    pub(in crate::repl) fn words(&self) -> String {
        match self {
            InferredType::List(item) if **item != InferredType::Nothing => {
                format!("list of {}", item.words())
            }
            InferredType::List(_) => "list".into(),
            known => known.type_name().to_owned(),
        }
    }
}

/// Infers the type of an expression: one value with calls and property accesses, or several of them joined by
/// operators. For a variable declaration, that of its value.
pub(in crate::repl) fn type_of(space: &Workspace, text: &str) -> InferredType {
    let source = SourceText::read(text);
    let code = unterminated(source.code());
    let is_declaration = ["let", "const"].contains(&code.word(0)) && code.word(2) == "=";
    let start = if is_declaration { 3 } else { 0 };
    let locals = Locals::new();
    Reader::new(space, code.part(start, code.len()), &locals).expression()
}

/// A statement without its `;`.
fn unterminated(code: CodeTokens<'_>) -> CodeTokens<'_> {
    let end = (0..=code.len()).rev().find(|end| code.before(*end, 1) != ";");
    code.part(0, end.unwrap_or(0))
}

/// Names that have a meaning only in the text: parameters and variables of a function.
type Locals = BTreeMap<String, Local>;

/// The inferred meaning of such a name.
#[derive(Debug, Clone)]
struct Local {
    known: InferredType,
    /// The path from a live variable to the value, if it is part of one.
    steps: Option<Vec<Step>>,
}

impl Local {
    fn of(known: InferredType) -> Local {
        Local { known, steps: None }
    }

    fn chain(&self, space: &Workspace) -> Chain {
        let live = self.steps.clone().and_then(|steps| known_at(space, steps, 1));
        live.unwrap_or_else(|| Chain {
            known: self.known.clone(),
            steps: None,
            at: 1,
        })
    }

    /// An element of it, as a loop or a closure iterates over them.
    fn element(self) -> Local {
        let known = match self.known {
            InferredType::List(item) => *item,
            InferredType::Plain(name) if name == "range" => InferredType::Plain("int".into()),
            _ => InferredType::Nothing,
        };
        let steps = self.steps.map(|mut steps| {
            steps.push(Step::Element);
            steps
        });
        Local { known, steps }
    }
}

/// How deep calls of the session's own functions are followed. A recursive function is read again for each of its
/// calls, so the number is small enough not to be noticed.
const MAX_DEPTH: u8 = 3;

/// Infers the type of the value that ends right before the token with this index.
pub(super) fn type_before(space: &Workspace, source: &SourceText<'_>, end: usize) -> InferredType {
    let (code, locals) = (source.code(), locals::locals(space, source, end));
    Reader::new(space, code.part(code.start_of_value(end), end), &locals).value()
}

/// Reads the tokens of an expression.
#[derive(Clone, Copy)]
struct Reader<'a> {
    space: &'a Workspace,
    code: CodeTokens<'a>,
    locals: &'a Locals,
    /// How many nested calls of functions may still be followed.
    depth: u8,
}

impl<'a> Reader<'a> {
    fn new(space: &'a Workspace, code: CodeTokens<'a>, locals: &'a Locals) -> Reader<'a> {
        Reader {
            space,
            code,
            locals,
            depth: MAX_DEPTH,
        }
    }

    /// A reader of other tokens in the same place.
    fn with(self, code: CodeTokens<'a>) -> Reader<'a> {
        Reader { code, ..self }
    }

    fn word(&self, index: usize) -> &'a str {
        self.code.word(index)
    }

    /// Infers the type of values joined by operators.
    fn expression(&self) -> InferredType {
        if matches!(self.word(0), "|" | "||") {
            return InferredType::Plain("closure".into());
        }
        let is_value = ["true", "false", "this"].contains(&self.word(0));
        if self.code.kind(0) == Some(TokenKind::Keyword) && !is_value {
            return InferredType::Nothing;
        }
        let outer = self.code.outer().map(|at| (at, self.word(at)));
        let operators: Vec<_> = outer.filter(|(_, word)| is_operator(word)).collect();
        if operators.is_empty() {
            return self.value();
        }
        let has = |words: &[&str]| operators.iter().any(|(_, word)| words.contains(word));
        if has(&["==", "!=", "<", ">", "<=", ">=", "&&", "||", "!", "in"]) {
            return InferredType::Plain("bool".into());
        }
        if has(&["..", "..="]) {
            return InferredType::Plain("range".into());
        }
        let types = self.operands(operators.iter().map(|(at, _)| *at));
        if has(&["??"]) {
            let first = types.first().cloned().unwrap_or(InferredType::Nothing);
            let same = types.iter().all(|known| *known == first);
            return if same { first } else { InferredType::Nothing };
        }
        combined(&types)
    }

    /// The types of the operands that are separated at these indices.
    fn operands(&self, ends: impl Iterator<Item = usize>) -> Vec<InferredType> {
        let mut start = 0;
        let mut types = Vec::new();
        for end in ends.chain([self.code.len()]) {
            if end > start {
                types.push(self.with(self.code.part(start, end)).value());
            }
            start = end + 1;
        }
        types
    }

    /// Infers the type of one value with calls and property accesses.
    fn value(&self) -> InferredType {
        self.chain().map_or(InferredType::Nothing, |chain| chain.known)
    }

    /// Like [`Reader::value`], with the path to the live value.
    fn chain(&self) -> Option<Chain> {
        let mut chain = self.first()?;
        while chain.at < self.code.len() {
            chain = match self.word(chain.at) {
                "." | "?." => self.member(&chain),
                "[" => self.element(&chain),
                _ => None,
            }?;
        }
        Some(chain)
    }

    /// Infers the type of these tokens and the path to the live value.
    fn local(&self) -> Local {
        let known = self.expression();
        let steps = self.chain().and_then(|chain| chain.steps);
        Local { known, steps }
    }

    fn first(&self) -> Option<Chain> {
        let word = self.word(0);
        let plain = |name: &str, at| {
            Some(Chain {
                known: InferredType::Plain(name.into()),
                steps: None,
                at,
            })
        };
        let known = |known, at| {
            Some(Chain {
                known,
                steps: None,
                at,
            })
        };
        match (self.code.kind(0)?, word) {
            (TokenKind::Text, word) if word.starts_with('\'') => plain("char", 1),
            (TokenKind::Text, _) => plain("string", self.code.after_string(0)),
            (TokenKind::Number, word) if word.contains(['.', 'e']) && !word.starts_with("0x") => {
                plain("float", 1)
            }
            (TokenKind::Number, _) => plain("int", 1),
            (TokenKind::Keyword, "true" | "false") => plain("bool", 1),
            (TokenKind::Symbol, "[") => {
                let item = self.given(0).into_iter().next().unwrap_or(InferredType::Nothing);
                known(InferredType::List(Box::new(item)), self.code.after(0))
            }
            (TokenKind::Symbol, "#{") => known(InferredType::Map(self.written_keys()), self.code.after(0)),
            (TokenKind::Symbol, "(") if self.word(1) == ")" => plain("()", 2),
            (TokenKind::Symbol, "(") => {
                known(self.with(self.code.inside(0)).expression(), self.code.after(0))
            }
            (TokenKind::Name, name) if self.word(1) == "::" => {
                let end = if self.word(3) == "(" {
                    self.code.after(3)
                } else {
                    3
                };
                known(function(self.space, name, self.word(2)), end)
            }
            (TokenKind::Name, name) if self.word(1) == "(" => known(self.called(name), self.code.after(1)),
            (TokenKind::Name, name) if self.locals.contains_key(name) => {
                Some(self.locals[name].chain(self.space))
            }
            (TokenKind::Name, name) => {
                let steps = vec![Step::Name(name.to_owned())];
                known_at(self.space, steps, 1)
            }
            _ => None,
        }
    }

    /// The keys of a map literal, with the types of their values.
    fn written_keys(&self) -> Vec<(String, String)> {
        let entries = self.code.inside(0).list().into_iter();
        let keyed = entries.filter(|entry| entry.word(1) == ":").map(|entry| {
            let value = self.with(entry.part(2, entry.len())).expression();
            (entry.word(0).trim_matches('"').to_owned(), value.words())
        });
        keyed.collect()
    }

    /// The types of the comma-separated values in the bracket at this index.
    fn given(&self, open: usize) -> Vec<InferredType> {
        let values = self.code.inside(open).list().into_iter();
        values.map(|value| self.with(value).expression()).collect()
    }

    /// The return type of a function without a module.
    fn called(&self, name: &str) -> InferredType {
        if self.space.functions().iter().any(|known| known.name == name) {
            return functions::result(self.space, name, &self.given(1), self.depth);
        }
        function(self.space, "", name)
    }

    /// The return type of a method: of the value's kind, of the session's functions, or one that takes a closure.
    fn method(&self, of: &InferredType, name: &str, open: usize) -> InferredType {
        let known = method(self.space, of, name);
        if let (InferredType::List(item), "map") = (of, name) {
            let item = Local::of((**item).clone());
            return InferredType::List(Box::new(self.closure(item, open)));
        }
        if known != InferredType::Nothing {
            return known;
        }
        let mut args = vec![of.clone()];
        args.extend(self.given(open));
        functions::result(self.space, name, &args, self.depth)
    }

    /// The return type of the closure `|item| …` in this bracket for such an item.
    fn closure(&self, item: Local, open: usize) -> InferredType {
        let inner = self.code.inside(open);
        let is_plain = [inner.word(0), inner.word(2)] == ["|", "|"] && inner.word(3) != "{";
        if !is_plain || inner.len() <= 3 {
            return InferredType::Nothing;
        }
        let mut locals = self.locals.clone();
        locals.insert(inner.word(1).to_owned(), item);
        Reader {
            locals: &locals,
            ..self.with(inner.part(3, inner.len()))
        }
        .expression()
    }

    fn member(&self, chain: &Chain) -> Option<Chain> {
        let name = self.word(chain.at + 1);
        if self.code.kind(chain.at + 1) != Some(TokenKind::Name) {
            return None;
        }
        if self.word(chain.at + 2) == "(" {
            return Some(Chain {
                known: self.method(&chain.known, name, chain.at + 2),
                steps: None,
                at: self.code.after(chain.at + 2),
            });
        }
        chain.step(
            self.space,
            Step::Name(name.to_owned()),
            property(self.space, &chain.known, name),
            2,
        )
    }

    fn element(&self, chain: &Chain) -> Option<Chain> {
        let length = self.code.after(chain.at) - chain.at;
        let inner = self.word(chain.at + 1);
        let (step, known) = match &chain.known {
            InferredType::List(item) => (Step::Element, (**item).clone()),
            InferredType::Plain(name) if name == "string" => {
                (Step::Element, InferredType::Plain("char".into()))
            }
            InferredType::Map(_) if inner.starts_with('"') => {
                let key = inner.trim_matches('"');
                (
                    Step::Name(key.to_owned()),
                    property(self.space, &chain.known, key),
                )
            }
            _ => return None,
        };
        chain.step(self.space, step, known, length)
    }
}

/// The part of a value that has been read.
struct Chain {
    known: InferredType,
    /// The path from a variable, as long as it leads through live values.
    steps: Option<Vec<Step>>,
    /// The index of the next token.
    at: usize,
}

impl Chain {
    fn step(&self, space: &Workspace, step: Step, known: InferredType, length: usize) -> Option<Chain> {
        let at = self.at + length;
        if let Some(steps) = &self.steps {
            let mut steps = steps.clone();
            steps.push(step);
            if space.resolve_path(&steps).is_some() {
                return known_at(space, steps, at);
            }
        }
        Some(Chain {
            known,
            steps: None,
            at,
        })
    }
}

/// Looks up the live value at this path.
fn known_at(space: &Workspace, steps: Vec<Step>, at: usize) -> Option<Chain> {
    let inspected = space.resolve_path(&steps)?;
    let known = match inspected.type_name.as_str() {
        "map" => InferredType::Map(inspected.keys),
        "array" => {
            let mut inside = steps.clone();
            inside.push(Step::Element);
            let item = known_at(space, inside, 0).map_or(InferredType::Nothing, |chain| chain.known);
            InferredType::List(Box::new(item))
        }
        name => match space.catalogue().kind(name) {
            Some(kind) => InferredType::Object(kind),
            None => InferredType::Plain(name.to_owned()),
        },
    };
    Some(Chain {
        known,
        steps: Some(steps),
        at,
    })
}

fn is_operator(word: &str) -> bool {
    [
        "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">", "<=", ">=", "&&", "||", "!", "in", "??", "..",
        "..=",
    ]
    .contains(&word)
}

/// The type of the result of arithmetic on these types.
fn combined(types: &[InferredType]) -> InferredType {
    let all = |name: &str| types.iter().all(|known| known.type_name() == name);
    let any = |name: &str| types.iter().any(|known| known.type_name() == name);
    let numbers = types
        .iter()
        .all(|known| matches!(known.type_name(), "int" | "float"));
    let plain = |name: &str| InferredType::Plain(name.into());
    match () {
        () if all("int") => plain("int"),
        () if numbers => plain("float"),
        () if any("string") => plain("string"),
        () if all("array") => InferredType::List(Box::new(InferredType::Nothing)),
        () if all("map") => InferredType::Map(Vec::new()),
        () => InferredType::Nothing,
    }
}
