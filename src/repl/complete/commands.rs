//! Completes commands and their arguments.

use super::paths::paths;
use super::{code, space};
use crate::operation::context::Mode;
use crate::repl::commands::words::{in_quotes as quotes, last_word, needs_quotes, words as split};
use crate::repl::commands::{Command, commands, path, settings};
use crate::repl::helper::ReplHelper;
use crate::script::complete::{Candidate, matches_prefix};
use crate::script::interactive::declared;

/// The arguments of a command, as typed so far.
pub(in crate::repl) struct Arguments<'a> {
    helper: &'a ReplHelper,
    text: &'a str,
    /// Where the last word begins.
    start: usize,
}

/// Where the text to complete begins in the arguments, and its completions.
type Completions = (usize, Vec<Candidate>);

/// Completes the arguments of a command.
pub(in crate::repl) type Complete = fn(&Arguments<'_>) -> Completions;

impl<'a> Arguments<'a> {
    /// The last word, with its opening quote.
    fn word(&self) -> &'a str {
        &self.text[self.start..]
    }

    /// Completes the last word from a list.
    pub(in crate::repl) fn each(&self, list: fn(&ReplHelper, &str) -> Vec<Candidate>) -> Completions {
        (self.start, list(self.helper, self.word()))
    }

    /// Completes the first word from a list; there are no others.
    pub(in crate::repl) fn first(&self, list: fn(&ReplHelper, &str) -> Vec<Candidate>) -> Completions {
        if self.start == 0 {
            self.each(list)
        } else {
            nothing(self)
        }
    }
}

/// Completes the text after the colon.
pub(super) fn complete(helper: &ReplHelper, rest: &str) -> Completions {
    let Some((name, text)) = rest.split_once(' ') else {
        let matching = commands().filter(|command| command.name.starts_with(rest));
        return (1, matching.map(title).collect());
    };
    let behind = 1 + name.len() + 1;
    let complete = commands()
        .find(|command| command.name == name)
        .map_or(nothing as Complete, |command| command.complete);
    let (start, found) = complete(&Arguments {
        helper,
        text,
        start: last_word(text).0,
    });
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

pub(in crate::repl) fn nothing(args: &Arguments<'_>) -> Completions {
    (args.start, Vec::new())
}

/// Completes a script, then flags for its parameters.
pub(in crate::repl) fn script(args: &Arguments<'_>) -> Completions {
    match args.start {
        0 => args.each(files),
        start => (start, parameters(args)),
    }
}

/// Completes a new script, then the inputs that go into it.
pub(in crate::repl) fn saved(args: &Arguments<'_>) -> Completions {
    match args.start {
        0 => args.each(files),
        _ => args.each(|_, word| words(word, &["1-", "--force"])),
    }
}

/// Completes a variable, then the file that it is written to.
pub(in crate::repl) fn exported(args: &Arguments<'_>) -> Completions {
    match args.start {
        0 => value(args),
        _ if args.word().starts_with('-') => args.each(|_, word| words(word, &["--reveal", "--force"])),
        _ => args.each(files),
    }
}

pub(in crate::repl) fn sandbox(args: &Arguments<'_>) -> Completions {
    if args.text.starts_with("fault ") {
        return args.each(faults);
    }
    args.first(|_, word| words(word, &["on", "off", "status", "fault", "reset"]))
}

pub(in crate::repl) fn shown_run(args: &Arguments<'_>) -> Completions {
    match args.text.split_whitespace().count() {
        _ if args.start == 0 => args.each(|_, word| words(word, &["show ", "steps "])),
        0..=2 => args.each(runs),
        _ => nothing(args),
    }
}

pub(in crate::repl) fn profiles(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let known = helper.ports.host.profiles().into_iter();
    let known = known.filter(|name| matches_prefix(name, word));
    known
        .map(|name| Candidate::new(&name, &name, "profile"))
        .collect()
}

pub(in crate::repl) fn modes(_: &ReplHelper, word: &str) -> Vec<Candidate> {
    words(word, &[Mode::Dev, Mode::Prod, Mode::ReadOnly].map(Mode::name))
}

pub(in crate::repl) fn modules(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let space = space(helper);
    let known = space.catalogue().modules();
    let known = known.filter(|name| matches_prefix(name, word));
    known.map(|name| Candidate::new(name, name, "")).collect()
}

/// Completes code.
pub(in crate::repl) fn expression(args: &Arguments<'_>) -> Completions {
    code(args.helper, args.text)
}

/// Completes a variable, or a path from one: `row.a`, `list[0].`, `row["a key`.
pub(in crate::repl) fn value(args: &Arguments<'_>) -> Completions {
    if is_path(args.text) {
        return inside(args.helper, args.text);
    }
    args.first(variables)
}

/// Completes files and folders, quoted if one of them needs it or a quote is already typed.
pub(in crate::repl) fn files(_: &ReplHelper, word: &str) -> Vec<Candidate> {
    let (_, in_quotes, typed) = last_word(word);
    let mut found = paths(&typed);
    if in_quotes || found.iter().any(|one| needs_quotes(&one.replacement)) {
        for one in &mut found {
            // The path continues after a folder.
            let ends = !one.replacement.ends_with('/');
            one.replacement = quotes(&one.replacement, ends);
        }
    }
    found
}

/// Whether a path from a variable is being typed.
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
pub(in crate::repl) fn runs(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let known = helper.ports.host.runs().into_iter();
    let matching = known.filter(|(run, _)| matches_prefix(run, word));
    matching
        .map(|(run, about)| Candidate::new(&run, &run, about))
        .collect()
}

/// Completes the flags of the script given to `:run`, one for each of its parameters.
fn parameters(typed: &Arguments<'_>) -> Vec<Candidate> {
    let (args, word) = (typed.text, typed.word());
    // The word being typed may have an open quote.
    let before = &args[..args.len() - word.len()];
    let path = split(before).ok().and_then(|words| words.into_iter().next());
    let Ok((_, text)) = typed.helper.ports.host.read(&path.unwrap_or_default()) else {
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

fn words(word: &str, known: &[&str]) -> Vec<Candidate> {
    let matching = known.iter().filter(|known| known.starts_with(word));
    matching.map(|known| Candidate::new(*known, *known, "")).collect()
}

/// Completes a setting, then its value.
pub(in crate::repl) fn setting(args: &Arguments<'_>) -> Completions {
    let (text, word) = (args.text, args.word());
    let given: Vec<&str> = text.split_whitespace().collect();
    let name = match given.as_slice() {
        [] => "",
        [_] if text == word => "",
        [name, ..] => name,
    };
    let setting = settings::SETTINGS.iter().find(|setting| setting.name == name);
    let found = match setting {
        Some(setting) => words(word, &(setting.values)()),
        None => settings::SETTINGS
            .iter()
            .filter(|setting| setting.name.starts_with(word))
            .map(|setting| Candidate::new(format!("{} ", setting.name), setting.name, setting.about))
            .collect(),
    };
    (args.start, found)
}

/// Completes the topics of `:help`.
pub(in crate::repl) fn topics(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
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

pub(in crate::repl) fn functions(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let known = space(helper).functions();
    let matching = known.iter().filter(|known| matches_prefix(&known.name, word));
    matching
        .map(|known| Candidate::new(&known.name, known.signature(), known.summary()))
        .collect()
}

pub(in crate::repl) fn variables(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
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
fn faults(helper: &ReplHelper, word: &str) -> Vec<Candidate> {
    let (routes, kinds) = helper.ports.host.faults();
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
