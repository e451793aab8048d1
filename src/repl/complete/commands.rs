//! Completes commands and their arguments.

use super::paths::paths;
use super::{Candidate, code, matches_prefix, names, space};
use crate::operation::context::Mode;
use crate::repl::commands::words::{in_quotes as quotes, last_word, needs_quotes, words as split};
use crate::repl::commands::{Command, commands, path, settings};
use crate::repl::helper::ReplHelper;
use crate::repl::host::Ports;
use crate::script::interactive::declared;

/// Completes the text after the colon.
pub(super) fn complete(helper: &ReplHelper, rest: &str) -> (usize, Vec<Candidate>) {
    let Some((name, args)) = rest.split_once(' ') else {
        let matching = commands().filter(|command| command.name.starts_with(rest));
        return (1, matching.map(title).collect());
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

/// Returns where the last word of the arguments begins, and its completions.
fn arguments(helper: &ReplHelper, name: &str, args: &str) -> (usize, Vec<Candidate>) {
    let (start, in_quotes, typed) = last_word(args);
    let word = &args[start..];
    let is_first = start == 0;
    let paths = |_: &str| files(&typed, in_quotes);
    let found = match name {
        "load" | "run" if is_first => paths(word),
        "save" if !is_first => words(word, &["1-", "--force"]),
        "save" => paths(word),
        "export" if !is_first && word.starts_with('-') => words(word, &["--reveal", "--force"]),
        "export" if !is_first => paths(word),
        "run" => parameters(&helper.ports, args, word),
        "profile" if is_first => names::profiles(&*helper.ports.host, word),
        "mode" if is_first => modes(word),
        "sandbox" if is_first => words(word, &["on", "off", "status", "fault", "reset"]),
        "sandbox" if args.starts_with("fault ") => faults(&helper.ports, word),
        "set" => settings(args, word),
        "help" if is_first => topics(helper, word),
        "source" if is_first => functions(helper, word),
        "export" | "reveal" | "page" if is_path(args) => return inside(helper, args),
        "vars" | "export" | "reveal" | "page" if is_first => variables(helper, word),
        "resume" if is_first => runs(helper, word),
        "runs" if is_first => words(word, &["show ", "steps "]),
        "runs" if args.split_whitespace().count() <= 2 => runs(helper, word),
        "ops" if is_first => {
            let space = space(helper);
            let known = space
                .catalogue()
                .modules()
                .filter(|name| matches_prefix(name, word));
            known.map(|name| Candidate::new(name, name, "")).collect()
        }
        "time" | "type" => return code(helper, args),
        _ => Vec::new(),
    };
    (start, found)
}

/// Completes files and folders, quoted if one of them needs it or a quote is already typed.
fn files(typed: &str, in_quotes: bool) -> Vec<Candidate> {
    let mut found = paths(typed);
    if in_quotes || found.iter().any(|one| needs_quotes(&one.replacement)) {
        for one in &mut found {
            // The path continues after a folder.
            let ends = !one.replacement.ends_with('/');
            one.replacement = quotes(&one.replacement, ends);
        }
    }
    found
}

/// Whether a path from a variable is being typed: `row.a`, `list[0].`, `row["a key`.
fn is_path(args: &str) -> bool {
    args.contains(['.', '[']) && path::split(args).1.is_empty() && !args.ends_with(' ')
}

/// Completes the members of a variable's value, without methods.
fn inside(helper: &ReplHelper, args: &str) -> (usize, Vec<Candidate>) {
    let (start, mut found) = code(helper, args);
    found.retain(|one| !one.replacement.ends_with(['(', ')']));
    (start, found)
}

/// The recorded runs, newest first.
fn runs(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let known = helper.ports.host.runs().into_iter();
    let matching = known.filter(|(run, _)| matches_prefix(run, word));
    matching
        .map(|(run, about)| Candidate::new(&run, &run, about))
        .collect()
}

/// Completes the flags of the script given to `:run`, one for each of its parameters.
fn parameters(ports: &Ports, args: &str, word: &str) -> Vec<Candidate> {
    // The word being typed may have an open quote.
    let before = &args[..args.len() - word.len()];
    let path = split(before).ok().and_then(|words| words.into_iter().next());
    let Ok((_, text)) = ports.host.read(&path.unwrap_or_default()) else {
        return Vec::new();
    };
    let Some(declared) = declared(&text) else {
        return Vec::new();
    };
    let matching = declared.params().iter().filter(|param| {
        let flag = param.flag();
        flag.starts_with(word)
            && !args
                .split_whitespace()
                .any(|given| given == flag && given != word)
    });
    matching
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
    let all = [Mode::Dev, Mode::Prod, Mode::ReadOnly].map(Mode::name);
    words(word, &all)
}

fn words(word: &str, known: &[&str]) -> Vec<Candidate> {
    let matching = known.iter().filter(|known| known.starts_with(word));
    matching.map(|known| Candidate::new(*known, *known, "")).collect()
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

/// Completes the topics of `:help`.
fn topics(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    if let Some(word) = word.strip_prefix(':') {
        let matching = commands().filter(|command| command.name.starts_with(word));
        return matching
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
    let space = space(helper);
    let all = space.catalogue().operations().iter();
    found.extend(
        all.filter(|op| matches_prefix(op.name, word))
            .map(|op| Candidate::new(op.name, op.signature(), op.summary)),
    );
    drop(space);
    found.extend(functions(helper, word));
    found
}

fn functions(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let known = space(helper).functions();
    let matching = known.iter().filter(|known| matches_prefix(&known.name, word));
    matching
        .map(|known| Candidate::new(&known.name, known.signature(), known.summary()))
        .collect()
}

fn variables(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let space = space(helper);
    let known = space.variables();
    let matching = known.iter().filter(|known| matches_prefix(&known.name, word));
    let mut found: Vec<Candidate> = matching
        .map(|known| Candidate::new(&known.name, &known.name, &known.type_name))
        .collect();
    if "_".starts_with(word) && space.variable("_").is_some() {
        found.push(Candidate::new("_", "_", "the last result"));
    }
    found
}

/// Completes the faults of the sandbox: a route, then the kind of fault.
fn faults(ports: &Ports, word: &str) -> Vec<Candidate> {
    let (routes, kinds) = ports.host.faults();
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
