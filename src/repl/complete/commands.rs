//! Commands and what they take.

use super::paths::paths;
use super::{Candidate, begins, code, names, space};
use crate::ops::doc;
use crate::repl::around::{Mode, Outside};
use crate::repl::helper::ReplHelper;
use crate::repl::meta::{Command, commands, settings};
use crate::script::interactive::declared;

/// Completes what stands behind the colon.
pub(super) fn complete(helper: &ReplHelper, rest: &str) -> (usize, Vec<Candidate>) {
    let Some((name, args)) = rest.split_once(' ') else {
        let fitting = commands().filter(|command| command.name.starts_with(rest));
        return (1, fitting.map(title).collect());
    };
    let behind = 1 + name.len() + 1;
    let (start, found) = arguments(helper, name, args);
    (behind + start, found)
}

fn title(command: &Command) -> Candidate {
    let blank = if command.args.is_empty() { "" } else { " " };
    Candidate::new(
        format!("{}{blank}", command.name),
        format!(":{}{blank}{}", command.name, command.args),
        command.summary,
    )
}

/// Where the last word of the arguments begins, and what it could become.
fn arguments(helper: &ReplHelper, name: &str, args: &str) -> (usize, Vec<Candidate>) {
    let start = args.rfind(' ').map_or(0, |at| at + 1);
    let word = &args[start..];
    let is_first = start == 0;
    let found = match name {
        "load" if is_first => return (0, quoted(args)),
        "save" if !is_first => words(word, &["1-", "--force"]),
        "save" => paths(word),
        "export" if !is_first && word.starts_with('-') => words(word, &["--reveal", "--force"]),
        "export" if !is_first => paths(word),
        "run" if is_first => paths(word),
        "run" => parameters(&helper.outside, args, word),
        "profile" if is_first => names::profiles(&*helper.outside.around, word),
        "mode" if is_first => modes(word),
        "sandbox" if is_first => words(word, &["on", "off", "status", "fault", "reset"]),
        "sandbox" if args.starts_with("fault ") => faults(&helper.outside, word),
        "set" => settings(args, word),
        "help" if is_first => topics(helper, word),
        "source" if is_first => functions(helper, word),
        "vars" | "export" | "reveal" | "page" if is_first => variables(helper, word),
        "ops" if is_first => {
            let known = doc::find::modules().into_iter().filter(|name| begins(name, word));
            known.map(|name| Candidate::new(name, name, "")).collect()
        }
        "time" | "type" => return code(helper, args),
        _ => Vec::new(),
    };
    (start, found)
}

/// Paths of a command that takes all of its line as one, quotes around it or not.
fn quoted(args: &str) -> Vec<Candidate> {
    match args.strip_prefix('"') {
        Some(inner) => {
            let mut found = paths(inner);
            for one in &mut found {
                one.replacement.insert(0, '"');
            }
            found
        }
        None => paths(args),
    }
}

/// The parameters of the script behind `:run`, as its flags.
fn parameters(outside: &Outside, args: &str, word: &str) -> Vec<Candidate> {
    let path = args.split_whitespace().next().unwrap_or_default();
    let Ok((_, text)) = outside.around.read(path.trim_matches('"')) else {
        return Vec::new();
    };
    let Some(declared) = declared(&text) else {
        return Vec::new();
    };
    let fitting = declared.params().iter().filter(|param| {
        let flag = param.flag();
        flag.starts_with(word)
            && !args
                .split_whitespace()
                .any(|given| given == flag && given != word)
    });
    fitting
        .map(|param| {
            let need = if param.required() { "" } else { ", optional" };
            Candidate::new(
                format!("{} ", param.flag()),
                format!("{} {}{need}", param.flag(), param.ty.name()),
                &param.help,
            )
        })
        .collect()
}

fn modes(word: &str) -> Vec<Candidate> {
    let all = [Mode::Dev, Mode::Prod, Mode::ReadOnly].map(Mode::word);
    words(word, &all)
}

fn words(word: &str, known: &[&str]) -> Vec<Candidate> {
    let fitting = known.iter().filter(|known| known.starts_with(word));
    fitting.map(|known| Candidate::new(*known, *known, "")).collect()
}

fn settings(args: &str, word: &str) -> Vec<Candidate> {
    let given: Vec<&str> = args.split_whitespace().collect();
    let name = match given.as_slice() {
        [] => "",
        [_] if args == word => "",
        [name, ..] => name,
    };
    let setting = settings::SETTINGS.iter().find(|setting| setting.name == name);
    match setting {
        Some(setting) => words(word, setting.values),
        None => settings::SETTINGS
            .iter()
            .filter(|setting| setting.name.starts_with(word))
            .map(|setting| Candidate::new(format!("{} ", setting.name), setting.name, setting.about))
            .collect(),
    }
}

/// What help tells about.
fn topics(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    if let Some(word) = word.strip_prefix(':') {
        let fitting = commands().filter(|command| command.name.starts_with(word));
        return fitting
            .map(|command| {
                Candidate::new(
                    format!(":{}", command.name),
                    format!(":{}", command.name),
                    command.summary,
                )
            })
            .collect();
    }
    let mut found = words(word, &["commands"]);
    for op in doc::all().filter(|op| begins(op.name, word)) {
        found.push(Candidate::new(op.name, op.signature(), op.summary));
    }
    found.extend(functions(helper, word));
    found
}

fn functions(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let known = space(helper).functions();
    let fitting = known.iter().filter(|known| begins(&known.name, word));
    fitting
        .map(|known| {
            Candidate::new(
                &known.name,
                format!("{}({})", known.name, known.params.join(", ")),
                known.doc.lines().next().unwrap_or_default(),
            )
        })
        .collect()
}

fn variables(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let space = space(helper);
    let known = space.variables();
    let fitting = known.iter().filter(|known| begins(&known.name, word));
    let mut found: Vec<Candidate> = fitting
        .map(|known| Candidate::new(&known.name, &known.name, &known.type_name))
        .collect();
    if "_".starts_with(word) && space.variable("_").is_some() {
        found.push(Candidate::new("_", "_", "the last result"));
    }
    found
}

/// The faults of the sandbox: a route, then what happens on it.
fn faults(outside: &Outside, word: &str) -> Vec<Candidate> {
    let (routes, kinds) = outside.around.faults();
    let known = match word.split_once(':') {
        None => routes.into_iter().map(|route| format!("{route}:")).collect(),
        Some((route, _)) => kinds
            .into_iter()
            .map(|kind| format!("{route}:{kind}"))
            .collect::<Vec<_>>(),
    };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    words(word, &known)
}
