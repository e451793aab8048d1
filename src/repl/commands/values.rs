//! Commands that show and export values.

use super::Command;
use super::path::split;
use super::words::words;
use crate::repl::complete::commands as complete;
use crate::repl::help::preview;
use crate::repl::host::Export;
use crate::repl::show::{DisplayOptions, rendered};
use crate::repl::width::{cut, padded, width};
use crate::repl::{Next, Repl};
use crate::script::infer::{InferredType, missing, type_of};
use crate::script::interactive::{Answer, Completeness, Step, read};
use crate::value::visible::counted;

pub(super) static LOOK: &[Command] = &[
    Command {
        name: "vars",
        args: "[FILTER]",
        summary: "List the variables with type, size and value",
        complete: |args| args.first(complete::variables),
        run: vars,
    },
    Command {
        name: "type",
        args: "EXPRESSION",
        summary: "Show the type of an expression; evaluates and sends nothing",
        complete: complete::expression,
        run: show_type,
    },
];

pub(super) static VALUES: &[Command] = &[
    Command {
        name: "out",
        args: "[N]",
        summary: "Show the result of input N again, or the last",
        complete: complete::nothing,
        run: out,
    },
    Command {
        name: "page",
        args: "[VALUE]",
        summary: "Show a variable, or the last result, as a whole in $PAGER",
        complete: complete::value,
        run: page,
    },
    Command {
        name: "reveal",
        args: "VALUE",
        summary: "Show the secrets of a variable in clear; asks for confirmation, and is recorded",
        complete: complete::value,
        run: reveal,
    },
    Command {
        name: "export",
        args: "VALUE FILE [--reveal] [--force]",
        summary: "Write a variable to a file that only you can read, as its extension states; secrets are masked",
        complete: complete::exported,
        run: export,
    },
];

fn vars(repl: &mut Repl, filter: &str) -> Next {
    let space = repl.space();
    let known = space.variables();
    let known: Vec<_> = known.iter().filter(|one| one.name.contains(filter)).collect();
    let rows: Vec<[String; 4]> = known
        .iter()
        .map(|one| {
            let seen = space
                .resolve_path(&[Step::Name(one.name.clone())])
                .unwrap_or_default();
            let size = seen.size.map_or(String::new(), |size| size.to_string());
            let held = space
                .variable(&one.name)
                .map_or(String::new(), |held| preview(&held));
            let mark = if one.constant { " (const)" } else { "" };
            [one.name.clone(), format!("{}{mark}", one.type_name), size, held]
        })
        .collect();
    drop(space);
    if rows.is_empty() {
        return repl.note("there are no variables");
    }
    let widths = [0, 1, 2].map(|at: usize| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0));
    let columns = repl.ports.screen.width().unwrap_or(usize::MAX);
    for row in rows {
        let cells = row.iter().zip(widths).map(|(text, width)| padded(text, width));
        let line = format!("{}  {}", cells.collect::<Vec<_>>().join("  "), row[3]);
        repl.out(cut(&line, columns).trim_end());
    }
    Next::Go
}

fn show_type(repl: &mut Repl, expression: &str) -> Next {
    if expression.is_empty() {
        return repl.usage("type");
    }
    match read(expression) {
        Completeness::Incomplete(open) if open.closing_token.is_empty() => {
            return repl.wrong("the expression is incomplete: something is missing after it", &[]);
        }
        Completeness::Incomplete(open) => {
            return repl.wrong(
                &format!("the expression is incomplete: {} is missing", open.closing_token),
                &[],
            );
        }
        Completeness::Broken(diagnostic) => {
            repl.ports.screen.diagnostic(&diagnostic);
            return Next::Failed(crate::repl::SessionExit::Usage);
        }
        Completeness::Complete => {}
    }
    let known = type_of(&*repl.space(), expression);
    if known == InferredType::Nothing {
        let missing = missing(&*repl.space(), expression);
        if let Some((what, near)) = missing {
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            return repl.wrong(&what, &hint.into_iter().collect::<Vec<_>>());
        }
    }
    match known {
        InferredType::Nothing => repl.note("unknown without running it"),
        known => repl.out(&known.words()),
    }
}

fn out(repl: &mut Repl, number: &str) -> Next {
    let name = format!("_{number}");
    let answer = repl.space().variable(&name);
    match answer {
        Some(answer) => {
            repl.show(&answer);
            Next::Go
        }
        None => repl.wrong(
            &format!("there is no result `{name}`"),
            &[":history lists the inputs".into()],
        ),
    }
}

fn page(repl: &mut Repl, path: &str) -> Next {
    if !repl.ports.terminal.interactive {
        return repl.wrong(
            "a pager needs a terminal",
            &["without one, values are written as a whole".into()],
        );
    }
    let path = if path.is_empty() { "_" } else { path };
    let value = match repl.held(path) {
        Ok(value) => value,
        Err(next) => return next,
    };
    let look = DisplayOptions {
        rows: usize::MAX,
        ..repl.settings.look
    };
    let text = rendered(&repl.ports, look, &Answer::Value(value)).unwrap_or_default();
    repl.done(repl.ports.host.page(&text, false))
}

fn reveal(repl: &mut Repl, path: &str) -> Next {
    if path.is_empty() {
        return repl.usage("reveal");
    }
    let terminal = &repl.ports.terminal;
    if !terminal.interactive || !terminal.prompts {
        return repl.wrong(
            "secrets are shown at a terminal only",
            &["`provisor tenants export --reveal` writes them into a file".into()],
        );
    }
    let value = match repl.held(path) {
        Ok(value) => value,
        Err(next) => return next,
    };
    if !value.has_secret() {
        return repl.note(&format!("`{path}` holds no secret"));
    }
    match repl.interruptible(|interrupt| repl.ports.host.reveal(path, &value, interrupt)) {
        Ok(text) => repl.out(&text),
        Err(host_error) => repl.refuse(&host_error),
    }
}

fn export(repl: &mut Repl, args: &str) -> Next {
    let (path, rest) = split(args);
    let words = match words(rest) {
        Ok(words) => words,
        Err(reason) => return repl.wrong(&reason, &[]),
    };
    let (flags, given): (Vec<&str>, Vec<&str>) = words
        .iter()
        .map(String::as_str)
        .partition(|word| word.starts_with("--"));
    let known = ["--reveal", "--force"];
    let (false, [file]) = (path.is_empty(), given.as_slice()) else {
        let several = given.len() > 1;
        let quotes = several.then(|| "put a path with blanks in quotes".to_owned());
        return repl.wrong(
            "write it as `:export VALUE FILE [--reveal] [--force]`",
            &quotes.into_iter().collect::<Vec<_>>(),
        );
    };
    if let Some(flag) = flags.iter().find(|flag| !known.contains(flag)) {
        return repl.wrong(&format!("`:export` does not know `{flag}`"), &[]);
    }
    let value = match repl.held(path) {
        Ok(value) => value,
        Err(next) => return next,
    };
    let export = Export {
        name: path.to_owned(),
        file: (*file).to_owned(),
        reveal: flags.contains(&"--reveal") && value.has_secret(),
        replace: flags.contains(&"--force"),
    };
    match repl.interruptible(|interrupt| repl.ports.host.export(&export, &value, interrupt)) {
        Ok(count) => repl.note(&format!("{} in {}", counted(count, "record"), export.file)),
        Err(host_error) => repl.refuse(&host_error),
    }
}
