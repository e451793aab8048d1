//! Commands that change the session's settings.

use super::Command;
use crate::repl::show::{DisplayOptions, Format};
use crate::repl::{Next, Repl};
use crate::value::nearest::nearest;

/// The settings of a session.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::repl) struct Settings {
    /// Whether to show how long each input took.
    pub(in crate::repl) timing: bool,
    /// Whether to show each request.
    trace: bool,
    /// Whether to show output longer than the screen in the pager.
    pub(in crate::repl) pager: bool,
    /// How to show values.
    pub(in crate::repl) look: DisplayOptions,
}

/// The description of a setting.
pub(in crate::repl) struct Setting {
    pub(in crate::repl) name: &'static str,
    /// The possible or suggested values.
    pub(in crate::repl) values: &'static [&'static str],
    /// A one-line description.
    pub(in crate::repl) about: &'static str,
}

/// All settings.
pub(in crate::repl) static SETTINGS: &[Setting] = &[
    Setting {
        name: "format",
        values: &["auto", "table", "json", "tree", "csv"],
        about: "how values are shown",
    },
    Setting {
        name: "rows",
        values: &["20", "100", "1000"],
        about: "how many rows of a value are shown at a terminal",
    },
    Setting {
        name: "timing",
        values: &["on", "off"],
        about: "show how long each input took",
    },
    Setting {
        name: "trace",
        values: &["on", "off"],
        about: "show each request",
    },
    Setting {
        name: "pager",
        values: &["on", "off"],
        about: "show output longer than the screen in $PAGER",
    },
];

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "time",
        args: "INPUT",
        summary: "Evaluate it and show how long it took",
        run: time,
    },
    Command {
        name: "set",
        args: "[NAME VALUE]",
        summary: "Change a setting: format, rows, timing, trace, pager",
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
    match words.as_slice() {
        [] => {
            for setting in SETTINGS {
                let value = repl.settings.word(setting.name);
                repl.ports.screen.out(&format!("{} {value}", setting.name));
            }
            Next::Go
        }
        ["rows", word] => match word.parse::<usize>() {
            Ok(rows) if rows > 0 => {
                repl.settings.look.rows = rows;
                Next::Go
            }
            _ => repl.wrong("`rows` must be a number above 0", &[]),
        },
        ["format", word] => match Format::ALL.into_iter().find(|format| format.word() == *word) {
            Some(format) => {
                repl.settings.look.format = format;
                Next::Go
            }
            None => unknown(repl, "format", word),
        },
        ["timing", word] => match flag(word) {
            Some(flag) => {
                repl.settings.timing = flag;
                Next::Go
            }
            None => unknown(repl, "timing", word),
        },
        ["pager", word] => match flag(word) {
            Some(true) if !repl.ports.screen.is_terminal() => repl.wrong("a pager needs a terminal", &[]),
            Some(flag) => {
                repl.settings.pager = flag;
                Next::Go
            }
            None => unknown(repl, "pager", word),
        },
        ["trace", word] => match flag(word) {
            Some(flag) => match repl.ports.host.trace(flag) {
                Ok(()) => {
                    repl.settings.trace = flag;
                    Next::Go
                }
                Err(host_error) => repl.refuse(&host_error),
            },
            None => unknown(repl, "trace", word),
        },
        [name, ..] if SETTINGS.iter().any(|setting| setting.name == *name) => repl.usage("set"),
        [name, ..] => {
            let hint = match nearest(name, SETTINGS.iter().map(|setting| setting.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => ":set lists them".to_owned(),
            };
            repl.wrong(&format!("there is no setting `{name}`"), &[hint])
        }
    }
}

fn unknown(repl: &Repl, name: &str, word: &str) -> Next {
    let setting = SETTINGS.iter().find(|setting| setting.name == name);
    let values = setting.map_or(String::new(), |setting| setting.values.join(", "));
    repl.wrong(
        &format!("`{name}` cannot be `{word}`"),
        &[format!("use one of {values}")],
    )
}

fn flag(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

impl Settings {
    /// The value of a setting as text.
    fn word(&self, name: &str) -> String {
        let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
        match name {
            "format" => self.look.format.word().to_owned(),
            "rows" => self.look.rows.to_string(),
            "timing" => on(self.timing),
            "pager" => on(self.pager),
            _ => on(self.trace),
        }
    }
}
