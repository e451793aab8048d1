//! Commands about the past: inputs, runs, changes.

use regex_lite::Regex;

use super::Command;
use crate::repl::complete::commands as complete;
use crate::repl::evaluate::{EvaluatedInput, REDACTED_TEXT};
use crate::repl::width::cut;
use crate::repl::{Next, Repl, SessionExit};
use crate::run::session::{Change, SettledAs, SettledStep, UndoHint};
use crate::script::interactive::Answer;
use crate::value::Value;

pub(super) static INPUT: &[Command] = &[
    Command {
        name: "history",
        args: "[N|/PATTERN/]",
        summary: "List the inputs of this session: the last N, or those that match a regular expression",
        complete: complete::nothing,
        run: history,
    },
    Command {
        name: "rerun",
        args: "N",
        summary: "Offer input N again; Enter evaluates it",
        complete: complete::nothing,
        run: rerun,
    },
    Command {
        name: "why",
        args: "",
        summary: "Explain the last failure: position, calls, status, requests, and what to do",
        complete: complete::nothing,
        run: |repl, _| repl.explain_failure(),
    },
];

pub(super) static RUN_COMMANDS: &[Command] = &[
    Command {
        name: "runs",
        args: "[show [RUN] | steps [RUN]]",
        summary: "List the recorded runs, including this session",
        complete: complete::shown_run,
        run: runs,
    },
    Command {
        name: "resume",
        args: "[RUN]",
        summary: "Look up what this session left in doubt, or continue another run",
        complete: |args| args.first(complete::runs),
        run: resume,
    },
    Command {
        name: "undo",
        args: "[N]",
        summary: "List what this session, or its input N, changed, and how to undo each change",
        complete: complete::nothing,
        run: undo,
    },
];

fn history(repl: &mut Repl, args: &str) -> Next {
    let wanted: Vec<usize> = match InputSelection::of(args) {
        Ok(InputSelection::Last(count)) => {
            (repl.inputs.len().saturating_sub(count)..repl.inputs.len()).collect()
        }
        Ok(InputSelection::Found(pattern)) => {
            let inputs = repl.inputs.iter().enumerate();
            let found = inputs.filter(|(_, input)| !input.secret && pattern.is_match(input.text.trim_end()));
            found.map(|(index, _)| index).collect()
        }
        Err(reason) if reason.is_empty() => return repl.usage("history"),
        Err(reason) => return repl.wrong(&format!("`{args}` is not a regular expression: {reason}"), &[]),
    };
    if wanted.is_empty() && !repl.inputs.is_empty() {
        repl.note("no input matches");
    }
    let lines: Vec<String> = wanted
        .into_iter()
        .filter_map(|index| repl.inputs.get(index).map(|input| line(index + 1, input)))
        .collect();
    if !lines.is_empty() {
        repl.show_text(&lines.join("\n"));
    }
    Next::Go
}

/// Selects inputs.
enum InputSelection {
    Last(usize),
    Found(Regex),
}

impl InputSelection {
    /// Parses the arguments. The error explains an invalid pattern; it is empty if the arguments are not a pattern.
    fn of(args: &str) -> Result<InputSelection, String> {
        if args.is_empty() {
            return Ok(InputSelection::Last(usize::MAX));
        }
        let Some(pattern) = args.strip_prefix('/') else {
            return args.parse().map(InputSelection::Last).map_err(|_| String::new());
        };
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
        let pattern = Regex::new(pattern).map_err(|reason| reason.to_string())?;
        Ok(InputSelection::Found(pattern))
    }
}

fn line(number: usize, input: &EvaluatedInput) -> String {
    let mark = if input.done { ' ' } else { '!' };
    let text = if input.secret {
        REDACTED_TEXT.to_owned()
    } else {
        input.text.trim_end().replace('\n', "\n       ")
    };
    format!("{number:>4} {mark} {text}")
}

fn rerun(repl: &mut Repl, args: &str) -> Next {
    match args.parse().ok().and_then(|number| repl.input(number)) {
        Some(input) if repl.ports.terminal.interactive => Next::Offer(input.text.trim_end().to_owned()),
        Some(_) => repl.wrong(":rerun needs a terminal", &[]),
        None => repl.usage("rerun"),
    }
}

fn undo(repl: &mut Repl, args: &str) -> Next {
    let number: Option<u64> = match args.parse() {
        _ if args.is_empty() => None,
        Ok(number) => Some(number),
        Err(_) => return repl.usage("undo"),
    };
    let changes = match repl.lazy_session.session().map(|session| session.changes()) {
        None => Vec::new(),
        Some(Ok(changes)) => changes,
        Some(Err(error)) => return repl.wrong(&format!("the journal cannot be read: {error}"), &[]),
    };
    let wanted: Vec<&Change> = changes
        .iter()
        .filter(|change| number.is_none_or(|number| number == change.number))
        .collect();
    if wanted.is_empty() {
        let who = number.map_or("this session".to_owned(), |number| format!("input {number}"));
        return repl.note(&format!("{who} has changed nothing"));
    }
    for change in wanted {
        repl.out(&repl.told(change));
    }
    repl.note("nothing is undone automatically; enter the calls you want to run")
}

/// The subcommands of `provisor runs`.
const RUNS: [&str; 5] = ["list", "show", "steps", "export", "prune"];

fn runs(repl: &mut Repl, args: &str) -> Next {
    let mut words: Vec<String> = vec!["runs".into()];
    let given: Vec<&str> = args.split_whitespace().collect();
    match given.as_slice() {
        [] => words.push("list".into()),
        // Without a run, this session's is meant.
        [word @ ("show" | "steps")] => {
            let Some(session) = repl.lazy_session.session() else {
                let message = format!("this session is not recorded yet, and `:runs {word}` names no run");
                return repl.wrong(&message, &[":runs lists them".into()]);
            };
            words.extend([(*word).to_owned(), session.id()]);
        }
        [word, ..] if !word.starts_with('-') && !RUNS.contains(word) => {
            return repl.unknown_word(&format!("`:runs` does not know `{word}`"), word, RUNS);
        }
        given => words.extend(given.iter().map(|word| (*word).to_owned())),
    }
    repl.provisor(&words)
}

fn resume(repl: &mut Repl, args: &str) -> Next {
    let session = repl.lazy_session.session();
    match (session, args) {
        (_, run) if !run.is_empty() && !repl.is_own(run) => {
            let words: Vec<String> = std::iter::once("resume")
                .chain(run.split_whitespace())
                .map(str::to_owned)
                .collect();
            repl.provisor(&words)
        }
        (None, _) => repl.note("this session has left nothing in doubt"),
        (Some(_), _) => repl.settle(),
    }
}

impl Repl {
    /// Describes a change and how to undo it.
    fn told(&self, change: &Change) -> String {
        let what = change.what.as_deref().unwrap_or_default();
        let mut done = format!("{:>4}   {} {what}", change.number, change.op);
        // If the change does not name its target, the input does.
        let number = usize::try_from(change.number).unwrap_or_default();
        let input = self.input(number);
        if let Some(input) = input.filter(|input| !input.secret && change.what.is_none()) {
            let lines: Vec<&str> = input.text.split_whitespace().collect();
            let columns = self.columns().saturating_sub(17).max(20);
            done = format!(
                "{}\n       typed as `{}`",
                done.trim_end(),
                cut(&lines.join(" "), columns)
            );
        }
        let back = match (&change.state, &change.undo) {
            (state, _) if state == "half done" => {
                "failed and left something behind; once you know the outcome: provisor resolve".to_owned()
            }
            (state, _) if state != "done" => format!("is {state}; :resume looks it up"),
            (_, Some(undo)) => self.undo_call(undo),
            (_, None) => change.why_not.to_owned(),
        };
        format!("{}\n       {back}", done.trim_end())
    }

    /// The undo call on a variable that holds a session of the same account, if there is one: identifiers are specific
    /// to an account, and on another account the same call would remove another resource.
    fn undo_call(&self, undo: &UndoHint) -> String {
        let UndoHint {
            receiver,
            account,
            call,
        } = undo;
        let Some(kind) = receiver else {
            return format!("undo it with `{call}`");
        };
        let space = self.space();
        let holds = |name: &str| match space.variable(name) {
            Some(Answer::Value(Value::Object(held))) => {
                held.kind == *kind && space.catalogue().account_of(&held).as_ref() == Some(account)
            }
            _ => false,
        };
        let variables = space.variables();
        match variables.iter().find(|one| holds(&one.name)) {
            Some(one) => format!("undo it with `{}.{call}`, on {account}", one.name),
            None => format!("undo it with `.{call}` on a {kind} of {account} only; no variable holds one"),
        }
    }

    fn is_own(&self, run: &str) -> bool {
        self.lazy_session
            .session()
            .is_some_and(|session| session.id() == run)
    }

    /// Looks up the steps that this session left in doubt. Ctrl-C stops it.
    fn settle(&self) -> Next {
        let Some(session) = self.lazy_session.session() else {
            return Next::Go;
        };
        let screen = &self.ports.screen;
        let mut settled_count = 0;
        let mut unresolved = 0;
        let mut report = |settling: &SettledStep| {
            settled_count += 1;
            let step = format!("{} of input {}", settling.op, settling.number);
            match &settling.settled_as {
                SettledAs::Done => screen.note(&format!("{step} was carried out; it is on record")),
                SettledAs::Absent => screen.note(&format!(
                    "{step} was not carried out; enter it again if you want it"
                )),
                SettledAs::Open(reason) => {
                    unresolved += 1;
                    screen.warn(&format!("{step} stays in doubt: {reason}"));
                }
                SettledAs::Stopped => {
                    unresolved += 1;
                    screen.note("the look-up was stopped");
                }
            }
        };
        let settled = self.interruptible(|interrupt| session.settle(interrupt, &mut report));
        match settled {
            Err(error) => self.wrong(&format!("the journal cannot be used: {error}"), &[]),
            Ok(()) if unresolved > 0 => Next::Failed(SessionExit::InDoubt),
            Ok(()) if settled_count == 0 => self.note("nothing is in doubt"),
            Ok(()) => Next::Go,
        }
    }
}
