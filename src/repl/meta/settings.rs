//! Commands about how the session behaves.

use super::Command;
use crate::repl::{Next, Repl};

/// What can be set.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::repl) struct Settings {
    /// Tell how long each input took?
    pub(in crate::repl) timing: bool,
    /// Tell each request?
    trace: bool,
}

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "time",
        args: "INPUT",
        summary: "Evaluate it, and tell how long it took",
        run: time,
    },
    Command {
        name: "set",
        args: "[timing|trace on|off]",
        summary: "What is told: how long inputs take, and each request",
        run: set,
    },
];

fn time(repl: &mut Repl, args: &str) -> Next {
    if args.is_empty() {
        return repl.usage("time");
    }
    let before = repl.settings.timing;
    repl.settings.timing = true;
    let next = repl.enter(args);
    repl.settings.timing = before;
    next
}

fn set(repl: &mut Repl, args: &str) -> Next {
    let words: Vec<&str> = args.split_whitespace().collect();
    let on = |flag: bool| if flag { "on" } else { "off" };
    let flag = |word: &str| match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    match words.as_slice() {
        [] => {
            let Settings { timing, trace } = repl.settings;
            repl.outside.screen.out(&format!("timing {}", on(timing)));
            repl.outside.screen.out(&format!("trace {}", on(trace)));
            Next::Go
        }
        ["timing", word] => match flag(word) {
            Some(flag) => {
                repl.settings.timing = flag;
                Next::Go
            }
            None => repl.usage("set"),
        },
        ["trace", word] => match flag(word) {
            Some(flag) => match repl.outside.around.trace(flag) {
                Ok(()) => {
                    repl.settings.trace = flag;
                    Next::Go
                }
                Err(trouble) => repl.refuse(&trouble),
            },
            None => repl.usage("set"),
        },
        _ => repl.usage("set"),
    }
}
