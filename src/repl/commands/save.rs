//! Saves the session's inputs as a script.

use super::Command;
use super::words::words;
use crate::repl::complete::commands as complete;
use crate::repl::evaluate::is_hidden;
use crate::repl::{Next, Repl};
use crate::script::bundle::{Bundle, Source};
use crate::script::interactive::{InputOutcome, SavedScript, TypedInput};
use crate::script::program::Script;

pub(super) static COMMANDS: &[Command] = &[Command {
    name: "save",
    args: "FILE [FROM-TO] [--force]",
    summary: "Write the inputs as a script; typed literals become its parameters",
    complete: complete::saved,
    run: save,
}];

fn save(repl: &mut Repl, args: &str) -> Next {
    let words = match words(args) {
        Ok(words) => words,
        Err(reason) => return repl.wrong(&reason, &[]),
    };
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let force = words.contains(&"--force");
    words.retain(|word| *word != "--force");
    let (file, range) = match words.as_slice() {
        [file] => (*file, None),
        [file, range] => match parse_range(range, repl.inputs.len()) {
            Some(range) => (*file, Some(range)),
            None => {
                return repl.wrong(
                    &format!("`{range}` is not a range of inputs"),
                    &[
                        "for example 2-5, or 3".into(),
                        "put a path with blanks in quotes".into(),
                    ],
                );
            }
        },
        _ => return repl.usage("save"),
    };
    let (from, to) = range.unwrap_or((1, repl.inputs.len()));
    let typed = repl.typed();
    let elsewhere = |(at, input): &(usize, &TypedInput)| {
        range.is_some() && (from..=to).contains(at) && input.elsewhere.is_some()
    };
    if let Some((number, input)) = (1..).zip(&typed).find(elsewhere) {
        let there = input.elsewhere.as_deref().unwrap_or_default();
        let here = repl.ports.host.place().account();
        return repl.wrong(
            &format!("input {number} was entered on {there}, and this session is on {here} now"),
            &["switch to that account, and save a range of inputs that were entered on it".into()],
        );
    }
    if typed.iter().all(|input| input.elsewhere.is_some()) {
        return repl.wrong("no input of this account to save", &[]);
    }
    let about = if from == to {
        format!("Saved from a REPL session: input {from}.")
    } else {
        format!("Saved from a REPL session: inputs {from} to {to}.")
    };
    let refused = repl.ports.host.flag_names();
    let saved = repl.space().save(&typed, from..=to, &about, &refused);
    if !repl.check(file, &saved.text) {
        return Next::Failed(crate::repl::SessionExit::Failed(None));
    }
    if let Err(host_error) = repl.ports.host.write(file, &saved.text, force) {
        return repl.refuse(&host_error);
    }
    repl.report_saved(file, &saved);
    Next::Go
}

impl Repl {
    fn typed(&self) -> Vec<TypedInput> {
        let here = self.ports.host.place().account();
        let numbered = self.inputs.iter().enumerate();
        numbered
            .map(|(index, input)| TypedInput {
                number: index + 1,
                text: input.text.clone(),
                outcome: if input.done {
                    InputOutcome::Done(input.has_value)
                } else {
                    InputOutcome::Failed
                },
                hidden: is_hidden(&input.text),
                elsewhere: Some(&input.account).filter(|account| **account != here).cloned(),
            })
            .collect()
    }

    /// Shows how to run the script, and warns about differences from the session.
    fn report_saved(&self, file: &str, saved: &SavedScript) {
        let screen = &self.ports.screen;
        screen.note(&format!("wrote {file}; no mistakes found"));
        for (number, name) in &saved.dependencies {
            screen.note(&format!(
                "input {number} is included, too, because `{name}` is needed"
            ));
        }
        if let Some(name) = &saved.main {
            screen.note(&format!(
                "the session's `main` is now `{name}`: the script has its own `main`"
            ));
        }
        for warning in &saved.warnings {
            screen.warn(warning);
        }
        let flag = |name: &str| format!("--{}", name.replace('_', "-"));
        let (secrets, others): (Vec<_>, Vec<_>) =
            saved.params.iter().partition(|param| param.default.is_none());
        let mut words = vec!["provisor".to_owned(), "run".to_owned(), quoted(file)];
        words.extend(self.ports.host.account_flags().iter().map(|flag| quoted(flag)));
        for secret in &secrets {
            words.push(format!(
                "{} env:{}",
                flag(&secret.name),
                secret.name.to_uppercase()
            ));
        }
        screen.note(&format!("run it: {}", words.join(" ")));
        if !others.is_empty() {
            let flags: Vec<String> = others.iter().map(|param| flag(&param.name)).collect();
            screen.note(&format!(
                "it repeats the typed values; change them with {}",
                flags.join(", ")
            ));
        }
    }

    /// Whether the script passes all checks; shows the errors if not.
    fn check(&self, name: &str, text: &str) -> bool {
        let screen = &self.ports.screen;
        let source = Source::new(name, text);
        let script = Bundle::collect(&source, &*self.ports.host.loader())
            .and_then(|bundle| Script::compile(&self.host, bundle));
        let mut found = match script {
            Ok(script) => script.check(),
            Err(error) => vec![*error],
        };
        // A session tries what its script need not use.
        found.retain(|finding| !finding.is_warning());
        if found.is_empty() {
            return true;
        }
        for error in &found {
            screen.diagnostic(error);
        }
        screen.error(
            "the script is not written: it would not pass provisor check",
            &["save a range without the inputs shown".into()],
        );
        false
    }
}

/// Parses a range such as `2-5`, `3` or `2-` into the first and the last input.
fn parse_range(text: &str, last: usize) -> Option<(usize, usize)> {
    let (from, to) = match text.split_once('-') {
        Some((from, "")) => (from.parse().ok()?, last),
        Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
        None => {
            let only = text.parse().ok()?;
            (only, only)
        }
    };
    (1 <= from && from <= to && to <= last).then_some((from, to))
}

/// Quotes a value for the shell if necessary.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests;
