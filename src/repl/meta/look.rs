//! Commands that tell about things.

use super::{Command, commands};
use crate::repl::{Next, Repl};

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        args: "[NAME]",
        summary: "What there is, or about one",
        run: help,
    },
    Command {
        name: "quit",
        args: "",
        summary: "Leave",
        run: |_, _| Next::Quit,
    },
];

fn help(repl: &mut Repl, _: &str) -> Next {
    let call = |command: &Command| format!(":{} {}", command.name, command.args);
    let width = commands()
        .map(|command| call(command).len())
        .max()
        .unwrap_or_default()
        + 2;
    let lines = commands().map(|command| format!("{:width$}{}", call(command), command.summary));
    repl.outside.screen.out(&lines.collect::<Vec<_>>().join("\n"));
    Next::Go
}
