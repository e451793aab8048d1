//! Commands that change the session's settings.

use super::Command;
use crate::repl::complete::commands as complete;
use crate::repl::show::{DisplayOptions, FORMATS};
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

/// A setting.
pub(in crate::repl) struct Setting {
    pub(in crate::repl) name: &'static str,
    /// The possible or suggested values.
    pub(in crate::repl) values: fn() -> Vec<&'static str>,
    /// A one-line description.
    pub(in crate::repl) about: &'static str,
    /// Its value as text.
    get: fn(&Settings) -> String,
    /// Sets it; `None` if it cannot have this value.
    set: fn(&mut Repl, &str) -> Option<Next>,
}

/// All settings.
pub(in crate::repl) static SETTINGS: &[Setting] = &[
    Setting {
        name: "format",
        values: || FORMATS.iter().map(|format| format.name).collect(),
        about: "how values are shown",
        get: |settings| settings.look.format.name.to_owned(),
        set: |repl, word| {
            repl.settings.look.format = *FORMATS.iter().find(|format| format.name == word)?;
            Some(Next::Go)
        },
    },
    Setting {
        name: "rows",
        values: || vec!["20", "100", "1000"],
        about: "how many rows of a value are shown at a terminal",
        get: |settings| settings.look.rows.to_string(),
        set: |repl, word| match word.parse::<usize>() {
            Ok(rows) if rows > 0 => {
                repl.settings.look.rows = rows;
                Some(Next::Go)
            }
            _ => Some(repl.wrong("`rows` must be a number above 0", &[])),
        },
    },
    Setting {
        name: "timing",
        values: || vec!["on", "off"],
        about: "show how long each input took",
        get: |settings| word(settings.timing),
        set: |repl, word| {
            repl.settings.timing = flag(word)?;
            Some(Next::Go)
        },
    },
    Setting {
        name: "trace",
        values: || vec!["on", "off"],
        about: "show each request",
        get: |settings| word(settings.trace),
        set: |repl, word| {
            let on = flag(word)?;
            if let Err(host_error) = repl.ports.host.trace(on) {
                return Some(repl.refuse(&host_error));
            }
            repl.settings.trace = on;
            Some(Next::Go)
        },
    },
    Setting {
        name: "pager",
        values: || vec!["on", "off"],
        about: "show output longer than the screen in $PAGER",
        get: |settings| word(settings.pager),
        set: |repl, word| {
            let on = flag(word)?;
            if on && !repl.ports.terminal.interactive {
                return Some(repl.wrong("a pager needs a terminal", &[]));
            }
            repl.settings.pager = on;
            Some(Next::Go)
        },
    },
];

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "set",
        args: "[NAME VALUE]",
        summary: "Change a setting: format, rows, timing, trace, pager",
        complete: complete::setting,
        run: set,
    },
    Command {
        name: "time",
        args: "INPUT",
        summary: "Evaluate it and show how long it took",
        complete: complete::expression,
        run: time,
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
    let mut words = args.split_whitespace();
    let Some(name) = words.next() else {
        for setting in SETTINGS {
            repl.out(&format!("{} {}", setting.name, (setting.get)(&repl.settings)));
        }
        return Next::Go;
    };
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        let hint = match nearest(name, SETTINGS.iter().map(|setting| setting.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => ":set lists them".to_owned(),
        };
        return repl.wrong(&format!("there is no setting `{name}`"), &[hint]);
    };
    let (Some(word), None) = (words.next(), words.next()) else {
        return repl.usage("set");
    };
    (setting.set)(repl, word).unwrap_or_else(|| {
        let message = format!("`{name}` cannot be `{word}`");
        repl.wrong(
            &message,
            &[format!("use one of {}", (setting.values)().join(", "))],
        )
    })
}

/// A switch as it is typed.
fn word(flag: bool) -> String {
    if flag { "on" } else { "off" }.to_owned()
}

fn flag(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}
