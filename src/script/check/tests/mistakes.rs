//! Seeded mistakes: scripts that run, each with one mistake that a person could make. How many are found, on their line?

use std::collections::BTreeSet;

use fastrand::Rng;

use super::{Program, catalogue, check, scripts};
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Operation;
use crate::operation::spec::{Param, Type};
use crate::script::host::Host;
use crate::script::infer::{InferredType, ScriptEnvironment, TextTypes};
use crate::syntax::{CodeTokens, SourceText, TokenKind, Use, is_name, is_reserved};

/// The seed of the test. Others were used while the checks were written.
const SEED: u64 = 7_046_029;

/// The number of mistakes, and how many of them must be found.
const MISTAKES: (usize, usize) = (500, 480);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    MisspeltName,
    WrongArity,
    MissingParameter,
    UndefinedVariable,
    WrongProperty,
    WrongOptionKey,
}

const KINDS: [Kind; 6] = [
    Kind::MisspeltName,
    Kind::WrongArity,
    Kind::MissingParameter,
    Kind::UndefinedVariable,
    Kind::WrongProperty,
    Kind::WrongOptionKey,
];

/// A script with a mistake.
struct Mistake {
    kind: Kind,
    script: String,
    text: String,
    line: usize,
}

#[test]
fn nearly_all_seeded_mistakes_are_found_on_their_line() {
    let (report, found) = report(SEED);
    assert!(found >= MISTAKES.1, "{report}");
}

/// Makes the mistakes of a seed and checks them. Returns the numbers with what was missed, and how many were found.
fn report(seed: u64) -> (String, usize) {
    let host = Host::new(&catalogue());
    let (mut found, mut lines) = (0, Vec::new());
    let mistakes = mistakes(seed);
    assert_eq!(mistakes.len(), MISTAKES.0);
    let mut by_kind = KINDS.map(|kind| (kind, 0, 0));
    for mistake in &mistakes {
        let complaints = check(&host, &mistake.text, &[]);
        let is_found = complaints
            .iter()
            .any(|error| error.place().is_some_and(|frame| frame.line == mistake.line));
        for (kind, made, seen) in &mut by_kind {
            if *kind == mistake.kind {
                *made += 1;
                *seen += usize::from(is_found);
            }
        }
        if is_found {
            found += 1;
        } else {
            let line = mistake.text.lines().nth(mistake.line - 1).unwrap();
            let said: Vec<&str> = complaints.iter().map(|error| error.title.as_str()).collect();
            lines.push(format!(
                "{:?} in {}: {}  {said:?}",
                mistake.kind,
                mistake.script,
                line.trim()
            ));
        }
    }
    let numbers = by_kind.map(|(kind, made, seen)| format!("{kind:?} {seen}/{made}"));
    let report = format!(
        "found {found} of {}: {}\n{}",
        mistakes.len(),
        numbers.join(", "),
        lines.join("\n")
    );
    (report, found)
}

/// Different mistakes, as many of each kind.
fn mistakes(seed: u64) -> Vec<Mistake> {
    let mut rng = Rng::with_seed(seed);
    let (programs, catalogue) = (scripts(), catalogue());
    let known = Known::of(&catalogue);
    let mut made: BTreeSet<String> = BTreeSet::new();
    let mut found: Vec<Mistake> = Vec::new();
    while found.len() < MISTAKES.0 {
        let kind = KINDS[found.len() % KINDS.len()];
        let program = &programs[rng.usize(..programs.len())];
        if let Some(mistake) = make(&mut rng, &known, program, kind)
            && made.insert(mistake.text.clone())
        {
            found.push(mistake);
        }
    }
    found
}

/// What a word can mean.
struct Known<'a> {
    catalogue: &'a Catalogue,
    names: BTreeSet<String>,
    properties: BTreeSet<&'static str>,
}

impl Known<'_> {
    fn of(catalogue: &Catalogue) -> Known<'_> {
        let language = Host::new(catalogue).language().clone();
        let operations = catalogue.operations().iter().map(|op| op.name.to_owned());
        let modules = catalogue.modules().map(str::to_owned);
        let kinds = catalogue.kinds().flat_map(|kind| kind.properties);
        Known {
            catalogue,
            names: language.into_keys().chain(operations).chain(modules).collect(),
            properties: kinds.map(|(name, ..)| *name).collect(),
        }
    }

    fn operations(&self, name: &str) -> Vec<Operation> {
        let all = self.catalogue.operations().iter().copied();
        all.filter(|op| op.name == name).collect()
    }
}

/// Makes a mistake of this kind in a script, if there is a place for it.
fn make(rng: &mut Rng, known: &Known<'_>, program: &Program, kind: Kind) -> Option<Mistake> {
    let source = SourceText::read(&program.text);
    let code = source.code();
    let places: Vec<usize> = match kind {
        Kind::MisspeltName => (0..code.len())
            .filter(|at| {
                let is_call = ["(", "::"].contains(&code.word(at + 1)) && code.before(*at, 1) != "fn";
                code.kind(*at) == Some(TokenKind::Name) && is_call && known.names.contains(code.word(*at))
            })
            .collect(),
        Kind::UndefinedVariable => {
            let used = source.scopes().used.iter();
            let used = used.filter(|used| used.kind == Use::Variable && used.means.is_some());
            used.map(|used| code.index(used.at.start)).collect()
        }
        Kind::WrongProperty => (0..code.len())
            .filter(|at| {
                let is_member = code.before(*at, 1) == "." && code.word(at + 1) != "(";
                is_member && known.properties.contains(code.word(*at))
            })
            .collect(),
        Kind::WrongArity | Kind::MissingParameter => (0..code.len())
            .filter(|at| code.kind(*at) == Some(TokenKind::Name) && code.word(at + 1) == "(")
            .filter(|at| code.before(*at, 1) != "fn")
            .collect(),
        Kind::WrongOptionKey => (0..code.len())
            .filter(|at| code.word(at + 1) == ":" && is_option(known, code, *at))
            .collect(),
    };
    let at = *rng.choice(&places)?;
    let (range, text) = match kind {
        Kind::WrongArity => add_argument(known, &source, at)?,
        Kind::MissingParameter => remove_argument(known, &source, at)?,
        _ => {
            let word = code.word(at);
            let is_taken = |word: &str| {
                known.names.contains(word)
                    || known.properties.contains(word)
                    || is_reserved(word)
                    || (0..code.len()).any(|at| code.word(at) == word)
            };
            let wrong = (0..100)
                .map(|_| misspell(rng, word))
                .find(|wrong| is_name(wrong) && !is_taken(wrong))?;
            (code.start(at)..code.end(at), wrong)
        }
    };
    let mut wrong = program.text.clone();
    wrong.replace_range(range, &text);
    Some(Mistake {
        kind,
        script: program.name.clone(),
        text: wrong,
        line: source.line_and_column(code.start(at)).0,
    })
}

/// A word with one letter left out, doubled, exchanged with the next, or replaced.
fn misspell(rng: &mut Rng, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = rng.usize(..letters.len());
    match rng.u8(..4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => letters[at] = rng.lowercase(),
    }
    letters.into_iter().collect()
}

/// The numbers of arguments that the called function takes, as far as the text shows which one that is.
fn counts(known: &Known<'_>, source: &SourceText<'_>, at: usize) -> Option<BTreeSet<usize>> {
    let code = source.code();
    let name = code.word(at);
    let own = source.scopes().functions.iter();
    let own: BTreeSet<usize> = own
        .filter(|function| function.name == name)
        .map(|function| function.params.len())
        .collect();
    if !own.is_empty() {
        return Some(own);
    }
    let mut named = known.operations(name);
    match code.before(at, 1) {
        "." | "?." => {
            let environment = ScriptEnvironment::read(known.catalogue, source, []);
            let of = TextTypes::read(&environment, source).before(at - 1);
            match of {
                InferredType::Object(kind) => named.retain(|op| op.is_method_of(kind.name)),
                // The language's own methods have counts that are not listed by type here.
                _ => return None,
            }
        }
        "::" => named.retain(|op| op.module == code.before(at, 2) && op.receiver.is_none()),
        _ => named.retain(|op| op.module.is_empty() && op.receiver.is_none()),
    }
    let counts: BTreeSet<usize> = named
        .iter()
        .flat_map(|op| op.required()..=op.params.len())
        .collect();
    (!counts.is_empty()).then_some(counts)
}

/// Adds so many arguments to the call that no function takes them.
fn add_argument(
    known: &Known<'_>,
    source: &SourceText<'_>,
    at: usize,
) -> Option<(std::ops::Range<usize>, String)> {
    let code = source.code();
    let most = *counts(known, source, at)?.last()?;
    let given = code.inside(at + 1).list().len();
    let end = code.start(code.partner(at + 1)?);
    let added = vec!["0"; (most + 1).checked_sub(given)?].join(", ");
    let comma = if given == 0 { "" } else { ", " };
    Some((end..end, format!("{comma}{added}")))
}

/// Leaves out the last argument of a call that needs it.
fn remove_argument(
    known: &Known<'_>,
    source: &SourceText<'_>,
    at: usize,
) -> Option<(std::ops::Range<usize>, String)> {
    let code = source.code();
    let arguments = code.inside(at + 1).list();
    if counts(known, source, at)?.contains(&arguments.len().checked_sub(1)?) {
        return None;
    }
    let end = code.start(code.partner(at + 1)?);
    let start = match arguments.as_slice() {
        [.., before, _] => before.end(before.len() - 1),
        _ => code.end(at + 1),
    };
    Some((start..end, String::new()))
}

/// Whether the word is a key of the options that an operation's call gives.
fn is_option(known: &Known<'_>, code: CodeTokens<'_>, at: usize) -> bool {
    let mut open = code.part(0, at).open_brackets();
    let (Some(map), Some(call)) = (open.next(), open.next()) else {
        return false;
    };
    let Some(name) = call.checked_sub(1).filter(|_| code.word(call) == "(") else {
        return false;
    };
    let is_key = |param: &Param| match param.ty {
        Type::Options(keys) => keys.iter().any(|key| key.name == code.word(at)),
        _ => false,
    };
    let named = known.operations(code.word(name));
    code.word(map) == "#{" && named.iter().any(|op| op.params.iter().any(is_key))
}
