//! Completes names on their own: variables, functions, modules, keywords.

use super::{Candidate, matches_prefix};
use crate::operation::spec::OpSpec;
use crate::script::infer::{Environment, TextTypes};
use crate::script::interactive::{Function, natives};
use crate::syntax::{Binding, SourceText};

/// Keywords of the language, each with a description.
const KEYWORDS: &[(&str, &str)] = &[
    ("let", "a variable: let x = 1"),
    (
        "const",
        "a variable that is not assigned again: const MOST = 10; functions see it as global::MOST",
    ),
    ("fn", "a function: fn twice(n) { n * 2 }"),
    (
        "if",
        "a condition: if a > b { … } else { … }; its value is that of the block that ran",
    ),
    ("else", "the other case: if a { … } else if b { … } else { … }"),
    (
        "for",
        "for item in list { … }, for (item, number) in list { … }, for n in 0..10 { … }",
    ),
    (
        "in",
        "for item in list { … }; also a question: \"key\" in map, item in list",
    ),
    ("while", "a loop with a condition: while a { … }"),
    ("loop", "an endless loop: loop { … if done { break } }"),
    ("do", "a loop that runs at least once: do { … } while a"),
    ("break", "leave a loop"),
    ("continue", "continue with the loop's next iteration"),
    (
        "switch",
        "one of several cases: switch x { 1 => …, 2 | 3 => …, _ => … }",
    ),
    ("return", "leave the function, or the script"),
    (
        "throw",
        "fail: throw \"why\", throw #{ kind: \"no_room\", message: \"why\" }",
    ),
    ("try", "try { … } catch (err) { err.kind, err.message, err.hint }"),
    ("catch", "try { … } catch (err) { … }"),
    ("import", "import \"./file\" as name; then name::function()"),
    ("this", "the value that a function is called on: value.f()"),
    ("true", "bool"),
    ("false", "bool"),
];

/// The names that begin with the word; for an empty word, without those of the language itself.
pub(super) fn names(space: &dyn Environment, source: &SourceText<'_>, word: &str) -> Vec<Candidate> {
    let mut found = locals(space, source, word);
    for variable in space.variables() {
        let is_known = found.iter().any(|known| known.title == variable.name);
        if !is_known && matches_prefix(&variable.name, word) {
            found.push(Candidate::new(
                &variable.name,
                &variable.name,
                &variable.type_name,
            ));
        }
    }
    found.extend(functions(&space.functions(), word));
    for module in space.modules().iter().filter(|name| matches_prefix(name, word)) {
        let name = format!("{module}::");
        if !found.iter().any(|known| known.title == name) {
            found.push(Candidate::new(&name, &name, "imported"));
        }
    }
    let all = || space.catalogue().operations().iter();
    for module in space
        .catalogue()
        .modules()
        .filter(|name| matches_prefix(name, word))
    {
        let count = all().filter(|op| op.module == module).count();
        found.push(Candidate::new(
            format!("{module}::"),
            format!("{module}::"),
            format!("a platform: {count} operations"),
        ));
    }
    let everywhere = all().filter(|op| op.module.is_empty() && matches_prefix(op.name, word));
    found.extend(everywhere.map(|op| operation(op)));
    if !word.is_empty() {
        found.extend(language(word));
    }
    found
}

/// The names that the text declares and that are in scope at its end, newest first.
fn locals(space: &dyn Environment, source: &SourceText<'_>, word: &str) -> Vec<Candidate> {
    let (scopes, end) = (source.scopes(), source.text().len());
    let inside = |body: &std::ops::Range<usize>| body.start <= end && end <= body.end;
    let function = scopes.functions.iter().rposition(|one| inside(&one.body));
    let types = TextTypes::read(space, source);
    let mut found: Vec<Candidate> = Vec::new();
    for (index, declared) in scopes.declared.iter().enumerate().rev() {
        let is_module = declared.kind == Binding::Module;
        let is_visible = declared.holds.contains(&end) && (is_module || declared.function == function);
        let is_known = found
            .iter()
            .any(|known| known.title.trim_end_matches(':') == declared.name);
        if !is_visible || is_known || !matches_prefix(&declared.name, word) {
            continue;
        }
        found.push(if is_module {
            let name = format!("{}::", declared.name);
            Candidate::new(&name, &name, "imported")
        } else {
            Candidate::new(&declared.name, &declared.name, types.declared(index).words())
        });
    }
    found
}

/// Keywords and functions of the language that begin with the word.
fn language(word: &str) -> Vec<Candidate> {
    let keywords = KEYWORDS.iter().filter(|(name, _)| matches_prefix(name, word));
    let mut found: Vec<Candidate> = keywords
        .map(|(name, about)| Candidate::new(*name, *name, *about))
        .collect();
    for native in natives() {
        // Methods are offered after their receiver.
        let is_function =
            !native.property && !native.params.first().is_some_and(|(name, _)| is_receiver(name));
        let is_known = found.last().is_some_and(|last| last.title == native.signature());
        if is_function && !is_known && matches_prefix(&native.name, word) {
            found.push(Candidate::new(
                call(&native.name, !native.params.is_empty()),
                native.signature(),
                &native.doc,
            ));
        }
    }
    found
}

/// Whether the library uses this parameter name for the receiver of a method.
fn is_receiver(name: &str) -> bool {
    [
        "array",
        "map",
        "string",
        "blob",
        "character",
        "fn_ptr",
        "range",
        "obj",
        "iterable",
        "unit",
        "map1",
        "array1",
    ]
    .contains(&name)
}

/// The operations and functions of a module that begin with the word.
pub(super) fn module(space: &dyn Environment, module: &str, word: &str) -> Vec<Candidate> {
    let of_module = space.catalogue().operations().iter();
    let of_module = of_module.filter(|op| op.module == module && op.receiver.is_none());
    let mut found: Vec<Candidate> = of_module
        .filter(|op| matches_prefix(op.name, word))
        .map(|op| operation(op))
        .collect();
    found.extend(functions(&space.module_functions(module), word));
    found
}

/// The calls of those functions whose name begins with the word.
fn functions(known: &[Function], word: &str) -> impl Iterator<Item = Candidate> {
    let matching = known
        .iter()
        .filter(move |known| matches_prefix(&known.name, word));
    matching.map(|known| {
        let call = call(&known.name, !known.params.is_empty());
        Candidate::new(call, known.signature(), known.summary())
    })
}

/// An operation without its module or receiver.
pub(super) fn operation(op: &OpSpec) -> Candidate {
    let signature = op.signature();
    let title = signature
        .rsplit_once("::")
        .map_or(signature.as_str(), |(_, name)| name);
    let title = match op.receiver {
        Some(_) => title.split_once('.').map_or(title, |(_, name)| name),
        None => title,
    };
    Candidate::new(call(op.name, !op.params.is_empty()), title, op.summary)
}

/// A name with an opening bracket, or with both if it takes no arguments.
pub(super) fn call(name: &str, takes: bool) -> String {
    format!("{name}{}", if takes { "(" } else { "()" })
}

/// The description of a keyword.
pub(crate) fn keyword(word: &str) -> Option<&'static str> {
    let known = KEYWORDS.iter().find(|(name, _)| *name == word);
    known.map(|(_, about)| *about)
}
