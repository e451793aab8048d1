//! Names that a text itself declares: `let s = ...;`, `for q in list {`, `list.map(|r| `, parameters.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::{Context, Environment, InferredType, InferredValue, Reader};
use crate::script::doc::{doc_above, param_type};
use crate::script::interactive::natives;
use crate::syntax::{Binding, Change, CodeTokens, Declared, SourceText};

/// Methods of a list whose closure takes an element.
const ELEMENT_METHODS: &[&str] = &[
    "map", "filter", "find", "find_map", "for_each", "all", "some", "index_of", "retain", "drain", "extract",
];

/// The types of everything that a text declares, each inferred once.
pub(crate) struct TextTypes<'a> {
    context: Context<'a>,
    source: &'a SourceText<'a>,
    /// In the order of [`crate::syntax::Scopes::declared`].
    values: Vec<InferredValue>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> TextTypes<'a> {
    /// Infers the most probable types.
    pub(crate) fn read(space: &'a dyn Environment, source: &'a SourceText<'a>) -> TextTypes<'a> {
        TextTypes::of(Context::of(space), source, &BTreeMap::new())
    }

    /// Infers only the types that hold in every execution.
    pub(crate) fn certain(space: &'a dyn Environment, source: &'a SourceText<'a>) -> TextTypes<'a> {
        let context = Context {
            certain: true,
            ..Context::of(space)
        };
        TextTypes::of(context, source, &BTreeMap::new())
    }

    /// `params` are the types of parameters of a function.
    pub(super) fn of(
        context: Context<'a>,
        source: &'a SourceText<'a>,
        params: &BTreeMap<String, InferredValue>,
    ) -> TextTypes<'a> {
        let mut types = TextTypes {
            context,
            source,
            values: Vec::new(),
            by_name: HashMap::new(),
        };
        let changes = if context.certain {
            Changes::of(context.space, source)
        } else {
            Changes::default()
        };
        for (index, declared) in source.scopes().declared.iter().enumerate() {
            let known = types.value(declared, params);
            types.values.push(changes.certain(index, known));
            types.by_name.entry(&declared.name).or_default().push(index);
        }
        types
    }

    /// The type of the value that ends right before the token with this index.
    pub(crate) fn before(&self, end: usize) -> InferredType {
        let code = self.source.code();
        let place = end.checked_sub(1).map_or(0, |last| code.end(last));
        let value = code.part(code.start_of_value(end), end);
        self.reader(value, &Locals::at(self, place)).value()
    }

    /// The type of a declaration, by its index.
    pub(crate) fn declared(&self, index: usize) -> InferredType {
        let known = self.values.get(index);
        known.map_or(InferredType::Nothing, |value| value.known.clone())
    }

    /// Reads an expression at this position.
    pub(super) fn expression(&self, code: CodeTokens<'_>, place: usize) -> InferredType {
        self.reader(code, &Locals::at(self, place)).expression()
    }

    fn reader<'b>(&self, code: CodeTokens<'b>, locals: &'b Locals<'b>) -> Reader<'b>
    where
        'a: 'b,
    {
        Reader::new(self.context, code, locals)
    }

    /// The declaration in scope at a position that a name refers to. If its type is unknown, it still shadows others.
    fn get(&self, name: &str, place: usize) -> Option<&InferredValue> {
        let declared = &self.source.scopes().declared;
        let mut known = self.by_name.get(name)?.iter().rev();
        let index = known.find(|index| declared[**index].holds.contains(&place))?;
        self.values.get(*index)
    }

    /// The value of a declaration; those before it are known.
    fn value(&self, declared: &Declared, params: &BTreeMap<String, InferredValue>) -> InferredValue {
        let code = self.source.code();
        let read = |code: CodeTokens<'_>| self.reader(code, &Locals::at(self, code.start(0))).local();
        let within = |value: &Range<usize>| read(code.within(value));
        let value = declared.value.as_ref().map(within);
        let known = match (declared.kind, value) {
            // The second name of `for (item, number) in list`.
            (Binding::Loop, _) if code.before(code.index(declared.at.start), 1) == "," => {
                Some(InferredValue::of(InferredType::Plain("int".into())))
            }
            (Binding::Loop, Some(of)) => Some(of.element()),
            (Binding::Caught, _) => Some(InferredValue::of(InferredType::Plain("error".into()))),
            (Binding::Closure, _) => list_of(code, declared).map(|list| read(list).element()),
            (Binding::Parameter, _) => match params.get(&declared.name) {
                Some(given) => Some(given.clone()),
                None => Some(InferredValue::of(self.documented(declared))),
            },
            (_, value) => value,
        };
        known.unwrap_or(InferredValue::of(InferredType::Nothing))
    }

    /// The type of a parameter as the comment above its function gives it: `@param tenant crm::Contact`.
    fn documented(&self, param: &Declared) -> InferredType {
        let functions = &self.source.scopes().functions;
        let Some(function) = param.function.and_then(|index| functions.get(index)) else {
            return InferredType::Nothing;
        };
        let doc = doc_above(self.source, function.at.start);
        let words = doc.lines().find_map(|line| param_type(line, &param.name));
        let catalogue = self.context.space.catalogue();
        words.map_or(InferredType::Nothing, |words| {
            InferredType::parse_type(catalogue, &words)
        })
    }
}

/// The names that an expression can use.
#[derive(Clone, Copy, Default)]
pub(super) struct Locals<'a> {
    /// Those of a text, at a position.
    text: Option<(&'a TextTypes<'a>, usize)>,
    /// Other names.
    given: Option<&'a BTreeMap<String, InferredValue>>,
    /// Those around them.
    outer: Option<&'a Locals<'a>>,
}

impl<'a> Locals<'a> {
    fn at(types: &'a TextTypes<'a>, place: usize) -> Locals<'a> {
        Locals {
            text: Some((types, place)),
            ..Locals::default()
        }
    }

    pub(super) fn within(given: &'a BTreeMap<String, InferredValue>, outer: &'a Locals<'a>) -> Locals<'a> {
        Locals {
            text: None,
            given: Some(given),
            outer: Some(outer),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a InferredValue> {
        let of_text = self.text.and_then(|(types, place)| types.get(name, place));
        let of_text = of_text.or_else(|| self.given?.get(name));
        of_text.or_else(|| self.outer?.get(name))
    }
}

/// What happens to the declarations of a text after they are made, by their index.
#[derive(Default)]
struct Changes {
    assigned: BTreeSet<usize>,
    /// Elements or keys may be added or removed.
    altered: BTreeSet<usize>,
    /// Any variable may be assigned elsewhere.
    any: bool,
}

impl Changes {
    fn of(space: &dyn Environment, source: &SourceText<'_>) -> Changes {
        let scopes = source.scopes();
        let mut changes = Changes {
            any: !scopes.open.is_empty(),
            ..Changes::default()
        };
        let functions = space.functions();
        let is_known = |method: &str| {
            let is_own = functions.iter().any(|own| own.name == method);
            !is_own && natives().iter().any(|native| native.name == method)
        };
        for used in &scopes.used {
            if used.change == Change::Assigned {
                changes.assigned.extend(used.means);
            } else if used.may_change(is_known) {
                changes.altered.extend(used.means);
            }
        }
        changes
    }

    /// What remains certain of the type of a declaration.
    fn certain(&self, index: usize, value: InferredValue) -> InferredValue {
        if self.any || self.assigned.contains(&index) {
            return InferredValue::of(InferredType::Nothing);
        }
        if !self.altered.contains(&index) {
            return value;
        }
        InferredValue::of(match value.known {
            InferredType::List(_) => InferredType::List(Box::new(InferredType::Nothing)),
            InferredType::Map(_) => InferredType::Map(Vec::new()),
            known => known,
        })
    }
}

/// The list of a closure that is called for each of its elements; `declared` is its first parameter.
fn list_of<'a>(code: CodeTokens<'a>, declared: &Declared) -> Option<CodeTokens<'a>> {
    let at = code.index(declared.at.start);
    let word = |back: usize| code.before(at, back);
    let is_element = [word(1), word(2), word(4)] == ["|", "(", "."] && ELEMENT_METHODS.contains(&word(3));
    is_element.then(|| code.part(code.start_of_value(at - 4), at - 4))
}
