//! Commands that switch the account and its mode.

use super::Command;
use crate::operation::context::Mode;
use crate::repl::complete::commands as complete;
use crate::repl::host::Switch;
use crate::repl::{Next, Repl};

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "profile",
        args: "[NAME]",
        summary: "Switch to another profile; without a name, list them",
        complete: |args| args.first(complete::profiles),
        run: profile,
    },
    Command {
        name: "mode",
        args: "[dev|prod|read-only|sandbox]",
        summary: "Set a mode that is at least as restrictive as the profile's",
        complete: |args| args.first(complete::modes),
        run: mode,
    },
    Command {
        name: "sandbox",
        args: "[on|off|status|fault FAULT|reset]",
        summary: "Use the simulated platforms instead of real ones",
        complete: complete::sandbox,
        run: sandbox,
    },
];

fn profile(repl: &mut Repl, args: &str) -> Next {
    let host = &repl.ports.host;
    if args.is_empty() {
        let now = host.place().profile;
        let names = host.profiles();
        if names.is_empty() {
            repl.note("there is no profile yet; provisor profile add creates one");
        }
        for name in names {
            let mark = if Some(&name) == now.as_ref() { '*' } else { ' ' };
            repl.out(&format!("{mark} {name}"));
        }
        return Next::Go;
    }
    match repl.switch(&Switch::Profile(args.to_owned())) {
        Next::Go if repl.ports.host.place().mode == Mode::Sandbox => {
            repl.note(&format!("the sandbox stays on; :sandbox off switches to {args}"))
        }
        Next::Go => repl.note(&format!(
            "this applies to this session; `provisor profile use {args}` sets it for later ones"
        )),
        next => next,
    }
}

fn mode(repl: &mut Repl, args: &str) -> Next {
    let mode = match args {
        "" => return repl.out(repl.ports.host.place().mode.name()),
        "dev" => Mode::Dev,
        "prod" => Mode::Prod,
        "read-only" | "ro" => Mode::ReadOnly,
        "sandbox" => return repl.switch(&Switch::Sandbox(true)),
        _ => return repl.usage("mode"),
    };
    let switched = repl.ports.host.switch(&Switch::Mode(mode), &mut || true);
    repl.done(switched.map(drop))
}

fn sandbox(repl: &mut Repl, args: &str) -> Next {
    let (word, rest) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
    match (word, rest.trim()) {
        ("on", "") => repl.switch(&Switch::Sandbox(true)),
        ("off", "") => repl.switch(&Switch::Sandbox(false)),
        ("" | "status", "") => {
            let place = repl.ports.host.place();
            let on = if place.mode == Mode::Sandbox { "on" } else { "off" };
            repl.note(&format!(
                "the sandbox is {on} in this session ({})",
                place.label()
            ));
            repl.provisor(&["sandbox".into(), "status".into()])
        }
        ("fault" | "faults", "") => repl.provisor(&["sandbox".into(), "faults".into()]),
        ("fault", fault) => {
            let next = repl.switch(&Switch::Fault(fault.to_owned()));
            if next == Next::Go {
                repl.note(&format!(
                    "the fault {fault} applies from the next operation on; :sandbox on removes all faults"
                ));
            }
            next
        }
        ("reset", "") => repl.switch(&Switch::Reset),
        _ => {
            let words = ["on", "off", "status", "fault", "reset"];
            repl.unknown_word(&format!("`:sandbox` does not know `{args}`"), word, words)
        }
    }
}

impl Repl {
    /// Switches the account. The results of the previous account are deleted, and its session ends.
    fn switch(&mut self, to: &Switch) -> Next {
        let before = self.ports.host.place();
        let mut proceed = || {
            if *to == Switch::Reset && !self.confirms_reset() {
                return false;
            }
            // Steps left in doubt are reported; they do not prevent the switch.
            let _ = self.lazy_session.shut_down();
            true
        };
        match self.ports.host.switch(to, &mut proceed) {
            Ok(true) => {}
            Ok(false) => return self.note("nothing was done"),
            Err(host_error) => return self.refuse(&host_error),
        }
        let place = self.ports.host.place();
        if *to == Switch::Reset {
            self.space().forget_values();
            self.note("the sandbox was reset; earlier variables were deleted");
        } else if place.account() != before.account() {
            self.space().forget_values();
            self.note(&format!(
                "{} from here on; variables of {} were deleted",
                place.label(),
                before.label()
            ));
        }
        Next::Go
    }

    /// Asks whether everything in the sandbox may be deleted, unless changes were approved in advance.
    fn confirms_reset(&self) -> bool {
        if !self.ports.terminal.prompts || self.ports.host.place().agreed {
            return true;
        }
        let question = "Delete everything in the sandbox? [y/N] ";
        let answer = self.interruptible(|interrupt| self.ports.host.ask(question, interrupt));
        let answer = answer.unwrap_or_default().trim().to_lowercase();
        ["y", "yes"].contains(&answer.as_str())
    }
}
