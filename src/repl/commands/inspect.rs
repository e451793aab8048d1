//! Commands that show information.

use super::Command;
use crate::repl::complete::library;
use crate::repl::{Next, Repl};
use crate::script::interactive::Native;

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        args: "[NAME]",
        summary: "List everything, or describe a name; `NAME?` does the same",
        run: |repl, name| repl.help(name),
    },
    Command {
        name: "search",
        args: "WORD…",
        summary: "Find operations, functions and commands by words of their documentation",
        run: |repl, words| match words {
            "" => repl.usage("search"),
            words => repl.search(words),
        },
    },
    Command {
        name: "ops",
        args: "[MODULE]",
        summary: "List the operations, all or those of a module or kind of object",
        run: |repl, of| repl.operations(of),
    },
    Command {
        name: "funcs",
        args: "[FILTER]",
        summary: "List this session's functions, then those of the language that contain the filter",
        run: funcs,
    },
    Command {
        name: "source",
        args: "FUNCTION",
        summary: "Show how a function of this session is written",
        run: source,
    },
    Command {
        name: "quit",
        args: "",
        summary: "Leave",
        run: |_, _| Next::Quit,
    },
];

fn funcs(repl: &mut Repl, filter: &str) -> Next {
    let own = repl.space().functions();
    let wanted = |name: &str| name.to_lowercase().contains(&filter.to_lowercase());
    let mut lines: Vec<String> = own
        .iter()
        .filter(|one| wanted(&one.name))
        .map(|one| {
            let about = one.doc.lines().next().unwrap_or_default();
            let title = format!("{}({})", one.name, one.params.join(", "));
            format!("{title}  {about}").trim_end().to_owned()
        })
        .collect();
    if !filter.is_empty() {
        let natives = library().iter().filter(|one| wanted(&one.name));
        let mut natives: Vec<String> = natives.map(Native::signature).collect();
        natives.dedup();
        lines.extend(natives);
    }
    if lines.is_empty() {
        let hint = if filter.is_empty() {
            "this session has defined no function; :funcs WORD also searches the language"
        } else {
            "no function has such a name"
        };
        repl.ports.screen.note(hint);
        return Next::Go;
    }
    repl.show_text(&lines.join("\n"));
    Next::Go
}

fn source(repl: &mut Repl, name: &str) -> Next {
    if name.is_empty() {
        return repl.usage("source");
    }
    let found = repl.space().source_of(name);
    if found.is_empty() {
        return repl.wrong(
            &format!("this session has defined no function `{name}`"),
            &[":funcs lists them".into()],
        );
    }
    let overloads = repl
        .space()
        .functions()
        .iter()
        .filter(|one| one.name == name)
        .count();
    for text in found.iter().take(overloads.max(1)) {
        repl.ports.screen.out(text);
    }
    Next::Go
}
