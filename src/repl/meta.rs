//! Commands: what begins with a colon. Help and completion read the same table.

use super::{Left, Next, Repl};
use crate::value::nearest::nearest;

/// One command.
pub(super) struct Command {
    /// Its name without the colon.
    pub(super) name: &'static str,
    /// What it takes, as help shows it.
    pub(super) args: &'static str,
    /// One line: what it does.
    pub(super) summary: &'static str,
    /// Carries it out with what was typed behind its name.
    pub(super) run: fn(&mut Repl, &str) -> Next,
}

/// Every command, in the order in which people meet them.
pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        args: "[NAME]",
        summary: "What there is, or about one",
        run: help,
    },
    Command {
        name: "load",
        args: "FILE",
        summary: "Evaluate a file here: its variables and functions stay",
        run: |repl, args| match args {
            "" => repl.usage("load"),
            path => repl.load(path),
        },
    },
    Command {
        name: "quit",
        args: "",
        summary: "Leave",
        run: |_, _| Next::Quit,
    },
];

impl Repl {
    /// Carries a command out: its name and what was typed behind it.
    pub(super) fn command(&mut self, typed: &str) -> Next {
        let typed = typed.trim();
        let (name, args) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let names = || COMMANDS.iter().map(|command| command.name);
        let mut begins = COMMANDS.iter().filter(|command| command.name.starts_with(name));
        let exact = COMMANDS.iter().find(|command| command.name == name);
        let only = match (begins.next(), begins.next()) {
            (Some(only), None) if !name.is_empty() => Some(only),
            _ => None,
        };
        if let Some(command) = exact.or(only) {
            return (command.run)(self, args.trim());
        }
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean :{near}?"),
            None => ":help lists the commands".to_owned(),
        };
        self.outside
            .screen
            .error(&format!("there is no command `:{name}`"), &[hint]);
        Next::Failed(Left::Usage)
    }

    /// Tells how a command is written.
    pub(super) fn usage(&self, name: &str) -> Next {
        let command = COMMANDS.iter().find(|command| command.name == name);
        let args = command.map_or("", |command| command.args);
        self.outside
            .screen
            .error(&format!("write it as `:{name} {args}`"), &[]);
        Next::Failed(Left::Usage)
    }
}

fn help(repl: &mut Repl, _: &str) -> Next {
    let widest = COMMANDS
        .iter()
        .map(|command| command.name.len() + command.args.len())
        .max();
    let width = widest.unwrap_or_default() + 3;
    let lines = COMMANDS.iter().map(|command| {
        let call = format!(":{} {}", command.name, command.args);
        format!("{call:width$}{}", command.summary)
    });
    repl.outside.screen.out(&lines.collect::<Vec<_>>().join("\n"));
    Next::Go
}
