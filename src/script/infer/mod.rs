//! Infers the types of expressions without evaluating anything, from live values and from what operations, functions and
//! comments declare. Completion, help and checks use it.

mod declared;
mod environment;
mod functions;
mod locals;
mod missing;

pub(crate) use self::declared::{ERROR, operations};
pub(crate) use self::environment::{Environment, ScriptEnvironment};
pub(crate) use self::locals::TextTypes;
pub(crate) use self::missing::missing;

use std::collections::BTreeMap;

use self::declared::{function, method, property};
use self::locals::Locals;
use super::interactive::Step;
use crate::operation::catalogue::Catalogue;
use crate::operation::spec::Kind;
use crate::syntax::{CodeTokens, SourceText, TokenKind};

/// The inferred type of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InferredType {
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
    pub(crate) fn parse_type(catalogue: &Catalogue, words: &str) -> InferredType {
        // A value that is not there has no members, so what is known of the other one counts.
        let words = words.trim().trim_end_matches(" or ()");
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
            "" | "any" | "?" | "json" => InferredType::Nothing,
            "url" | "email" | "path" => InferredType::Plain("string".into()),
            "list" | "array" => InferredType::List(Box::new(InferredType::Nothing)),
            "map" | "maps" => InferredType::Map(Vec::new()),
            "nothing" | "()" => InferredType::Plain("()".into()),
            other => InferredType::Plain(other.to_owned()),
        }
    }

    /// The type's name in scripts; empty if unknown.
    pub(crate) fn type_name(&self) -> &str {
        match self {
            InferredType::Nothing => "",
            InferredType::Object(kind) => kind.name,
            InferredType::List(_) => "array",
            InferredType::Map(_) => "map",
            InferredType::Plain(name) => name,
        }
    }

    /// The type in words: `list of crm::Deal`.
    pub(crate) fn words(&self) -> String {
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
pub(crate) fn type_of(space: &dyn Environment, text: &str) -> InferredType {
    let source = SourceText::read(text);
    let code = unterminated(source.code());
    let is_declaration = ["let", "const"].contains(&code.word(0)) && code.word(2) == "=";
    let start = if is_declaration { 3 } else { 0 };
    let code = code.part(start, code.len());
    Reader::new(Context::of(space), code, &Locals::default()).expression()
}

/// A statement without its `;`.
fn unterminated(code: CodeTokens<'_>) -> CodeTokens<'_> {
    let end = (0..=code.len()).rev().find(|end| code.before(*end, 1) != ";");
    code.part(0, end.unwrap_or(0))
}

/// What inference starts from.
#[derive(Clone, Copy)]
struct Context<'a> {
    space: &'a dyn Environment,
    /// How many nested calls of functions may still be followed. A recursive function is read again for each of its
    /// calls, so the number is small enough not to be noticed.
    depth: u8,
    /// Whether only those types are wanted that hold in every execution. What is assigned again has no such type.
    certain: bool,
}

/// A value that is not evaluated.
#[derive(Debug, Clone)]
struct InferredValue {
    known: InferredType,
    /// The path to it from a live variable, if it is part of one.
    steps: Option<Vec<Step>>,
}

impl InferredValue {
    fn of(known: InferredType) -> InferredValue {
        InferredValue { known, steps: None }
    }

    /// The live value at this path.
    fn live(space: &dyn Environment, steps: Vec<Step>) -> Option<InferredValue> {
        let inspected = space.resolve_path(&steps)?;
        let known = match inspected.type_name.as_str() {
            "map" => InferredType::Map(inspected.keys),
            "array" => {
                let inside = [steps.as_slice(), &[Step::Element]].concat();
                let item = InferredValue::live(space, inside);
                InferredType::List(Box::new(item.map_or(InferredType::Nothing, |item| item.known)))
            }
            name => match space.catalogue().kind(name) {
                Some(kind) => InferredType::Object(kind),
                None => InferredType::Plain(name.to_owned()),
            },
        };
        let steps = Some(steps);
        Some(InferredValue { known, steps })
    }

    /// The live value that a name stands for, if there is one.
    fn resolved(&self, space: &dyn Environment) -> InferredValue {
        let live = self
            .steps
            .clone()
            .and_then(|steps| InferredValue::live(space, steps));
        live.unwrap_or_else(|| InferredValue::of(self.known.clone()))
    }

    /// A part of it, of this type as far as it is not live.
    fn part(&self, space: &dyn Environment, step: Step, known: InferredType) -> InferredValue {
        let steps = self
            .steps
            .as_ref()
            .map(|steps| [steps.as_slice(), &[step]].concat());
        let live = steps.and_then(|steps| InferredValue::live(space, steps));
        live.unwrap_or_else(|| InferredValue::of(known))
    }

    /// An element of it, as a loop or a closure iterates over them.
    fn element(self) -> InferredValue {
        let known = match self.known {
            InferredType::List(item) => *item,
            InferredType::Plain(name) if name == "range" => InferredType::Plain("int".into()),
            _ => InferredType::Nothing,
        };
        let steps = self.steps.map(|mut steps| {
            steps.push(Step::Element);
            steps
        });
        InferredValue { known, steps }
    }
}

impl<'a> Context<'a> {
    /// Inference for people who type: the most probable type.
    fn of(space: &'a dyn Environment) -> Context<'a> {
        Context {
            space,
            depth: space.depth(),
            certain: false,
        }
    }
}

/// Reads the tokens of an expression.
#[derive(Clone, Copy)]
struct Reader<'a> {
    context: Context<'a>,
    code: CodeTokens<'a>,
    locals: &'a Locals<'a>,
}

impl<'a> Reader<'a> {
    fn new(context: Context<'a>, code: CodeTokens<'a>, locals: &'a Locals<'a>) -> Reader<'a> {
        Reader {
            context,
            code,
            locals,
        }
    }

    fn space(&self) -> &'a dyn Environment {
        self.context.space
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
        combined(&types, self.context.certain)
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
        self.chain().map_or(InferredType::Nothing, |value| value.known)
    }

    /// Like [`Reader::value`], with the path to the live value.
    fn chain(&self) -> Option<InferredValue> {
        let (mut value, mut at) = self.first()?;
        while at < self.code.len() {
            (value, at) = self.next(&value, at)?;
        }
        Some(value)
    }

    /// Infers the type of these tokens and the path to the live value.
    fn local(&self) -> InferredValue {
        let known = self.expression();
        let steps = self.chain().and_then(|value| value.steps);
        InferredValue { known, steps }
    }

    /// Reads the start of a value. Returns it and the next token.
    fn first(&self) -> Option<(InferredValue, usize)> {
        let word = self.word(0);
        let known = |known, at| Some((InferredValue::of(known), at));
        let plain = |name: &str, at| known(InferredType::Plain(name.into()), at);
        match (self.code.kind(0)?, word) {
            (TokenKind::Text, word) if word.starts_with('\'') => plain("char", 1),
            (TokenKind::Text, _) => plain("string", self.code.after_string(0)),
            (TokenKind::Number, word) if word.contains(['.', 'e']) && !word.starts_with("0x") => {
                plain("float", 1)
            }
            (TokenKind::Number, _) => plain("int", 1),
            (TokenKind::Keyword, "true" | "false") => plain("bool", 1),
            (TokenKind::Symbol, "[") => {
                let items = self.given(0);
                let first = items.first().cloned().unwrap_or(InferredType::Nothing);
                let is_mixed = items.iter().any(|item| *item != first);
                let item = if self.context.certain && is_mixed {
                    InferredType::Nothing
                } else {
                    first
                };
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
                known(function(self.space(), name, self.word(2)), end)
            }
            (TokenKind::Name, name) if self.word(1) == "(" => known(self.called(name), self.code.after(1)),
            (TokenKind::Name, name) => {
                let local = self.locals.get(name).map(|local| local.resolved(self.space()));
                let live = || InferredValue::live(self.space(), vec![Step::Name(name.to_owned())]);
                Some((local.or_else(live)?, 1))
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
        if self.space().functions().iter().any(|known| known.name == name) {
            return functions::result(self.context, name, &self.given(1));
        }
        function(self.space(), "", name)
    }

    /// The return type of a method: of the value's kind, of the session's functions, or one that takes a closure.
    fn method(&self, of: &InferredType, name: &str, open: usize) -> InferredType {
        let is_own = || self.space().functions().iter().any(|known| known.name == name);
        let known = if self.context.certain && is_own() {
            InferredType::Nothing
        } else {
            method(self.context, of, name)
        };
        if let (InferredType::List(item), "map") = (of, name) {
            let item = InferredValue::of((**item).clone());
            return InferredType::List(Box::new(self.closure(item, open)));
        }
        if known != InferredType::Nothing {
            return known;
        }
        let mut args = vec![of.clone()];
        args.extend(self.given(open));
        functions::result(self.context, name, &args)
    }

    /// The return type of the closure `|item| …` in this bracket for such an item.
    fn closure(&self, item: InferredValue, open: usize) -> InferredType {
        let inner = self.code.inside(open);
        let is_plain = [inner.word(0), inner.word(2)] == ["|", "|"] && inner.word(3) != "{";
        if !is_plain || inner.len() <= 3 {
            return InferredType::Nothing;
        }
        let names = BTreeMap::from([(inner.word(1).to_owned(), item)]);
        let locals = Locals::within(&names, self.locals);
        Reader {
            locals: &locals,
            ..self.with(inner.part(3, inner.len()))
        }
        .expression()
    }

    /// Reads what follows a value at this token: `.name`, `.name(…)`, `[0]`. Returns it and the next token.
    fn next(&self, value: &InferredValue, at: usize) -> Option<(InferredValue, usize)> {
        match self.word(at) {
            "." | "?." => self.member(value, at),
            "[" => Some((self.element(value, self.word(at + 1))?, self.code.after(at))),
            _ => None,
        }
    }

    fn member(&self, value: &InferredValue, at: usize) -> Option<(InferredValue, usize)> {
        let name = self.word(at + 1);
        if self.code.kind(at + 1) != Some(TokenKind::Name) {
            return None;
        }
        if self.word(at + 2) == "(" {
            let known = self.method(&value.known, name, at + 2);
            return Some((InferredValue::of(known), self.code.after(at + 2)));
        }
        let known = property(self.space(), &value.known, name);
        Some((
            value.part(self.space(), Step::Name(name.to_owned()), known),
            at + 2,
        ))
    }

    fn element(&self, value: &InferredValue, index: &str) -> Option<InferredValue> {
        let (step, known) = match &value.known {
            InferredType::List(item) => (Step::Element, (**item).clone()),
            InferredType::Plain(name) if name == "string" => {
                (Step::Element, InferredType::Plain("char".into()))
            }
            InferredType::Map(_) if index.starts_with('"') => {
                let key = index.trim_matches('"');
                let known = property(self.space(), &value.known, key);
                (Step::Name(key.to_owned()), known)
            }
            _ => return None,
        };
        Some(value.part(self.space(), step, known))
    }
}

fn is_operator(word: &str) -> bool {
    [
        "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">", "<=", ">=", "&&", "||", "!", "in", "??", "..",
        "..=",
    ]
    .contains(&word)
}

/// The type of the result of arithmetic on these types.
fn combined(types: &[InferredType], certain: bool) -> InferredType {
    let all = |name: &str| types.iter().all(|known| known.type_name() == name);
    let any = |name: &str| types.iter().any(|known| known.type_name() == name);
    let numbers = types
        .iter()
        .all(|known| matches!(known.type_name(), "int" | "float"));
    let plain = |name: &str| InferredType::Plain(name.into());
    match () {
        () if all("int") => plain("int"),
        () if numbers => plain("float"),
        // A text becomes a secret together with one.
        () if certain && !types.iter().all(is_shown) => InferredType::Nothing,
        () if any("string") => plain("string"),
        () if all("array") => InferredType::List(Box::new(InferredType::Nothing)),
        () if all("map") => InferredType::Map(Vec::new()),
        () => InferredType::Nothing,
    }
}

/// Whether values of this type become part of a text that they are added to.
fn is_shown(known: &InferredType) -> bool {
    ["string", "char", "int", "float", "bool", "()"].contains(&known.type_name())
}
