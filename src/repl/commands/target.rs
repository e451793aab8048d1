//! Commands that switch the account and its mode.

use super::Command;
use crate::operation::context::Mode;
use crate::repl::host::Switch;
use crate::repl::shutdown::shut_down;
use crate::repl::{Next, Repl};
use crate::run::interrupt::Interrupt;
use crate::value::nearest::nearest;

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "profile",
        args: "[NAME]",
        summary: "Switch to another profile; without a name, list them",
        run: profile,
    },
    Command {
        name: "mode",
        args: "[dev|prod|read-only|sandbox]",
        summary: "Set a mode that is at least as restrictive as the profile's",
        run: mode,
    },
    Command {
        name: "sandbox",
        args: "[on|off|status|fault FAULT|reset]",
        summary: "Use the simulated platforms instead of real ones",
        run: sandbox,
    },
];

fn profile(repl: &mut Repl, args: &str) -> Next {
    let host = &repl.ports.host;
    if args.is_empty() {
        let now = host.place().profile;
        let names = host.profiles();
        if names.is_empty() {
            repl.ports
                .screen
                .note("there is no profile yet; provisor profile add creates one");
        }
        for name in names {
            let mark = if Some(&name) == now.as_ref() { '*' } else { ' ' };
            repl.ports.screen.out(&format!("{mark} {name}"));
        }
        return Next::Go;
    }
    let next = repl.switch(&Switch::Profile(args.to_owned()));
    let place = repl.ports.host.place();
    if next == Next::Go && place.mode == Mode::Sandbox {
        repl.ports
            .screen
            .note(&format!("the sandbox stays on; :sandbox off switches to {args}"));
    } else if next == Next::Go {
        repl.ports.screen.note(&format!(
            "this applies to this session; `provisor profile use {args}` sets it for later ones"
        ));
    }
    next
}

fn mode(repl: &mut Repl, args: &str) -> Next {
    let mode = match args {
        "" => {
            let place = repl.ports.host.place();
            repl.ports.screen.out(place.mode.name());
            return Next::Go;
        }
        "dev" => Mode::Dev,
        "prod" => Mode::Prod,
        "read-only" | "ro" => Mode::ReadOnly,
        "sandbox" => return repl.switch(&Switch::Sandbox(true)),
        _ => return repl.usage("mode"),
    };
    match repl.ports.host.switch(&Switch::Mode(mode)) {
        Ok(()) => Next::Go,
        Err(host_error) => repl.refuse(&host_error),
    }
}

fn sandbox(repl: &mut Repl, args: &str) -> Next {
    let (word, rest) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
    match (word, rest.trim()) {
        ("on", "") => repl.switch(&Switch::Sandbox(true)),
        ("off", "") => repl.switch(&Switch::Sandbox(false)),
        ("" | "status", "") => {
            let place = repl.ports.host.place();
            let on = if place.mode == Mode::Sandbox { "on" } else { "off" };
            repl.ports.screen.note(&format!(
                "the sandbox is {on} in this session ({})",
                place.label()
            ));
            repl.provisor(&["sandbox".into(), "status".into()])
        }
        ("fault" | "faults", "") => repl.provisor(&["sandbox".into(), "faults".into()]),
        ("fault", fault) => {
            let next = repl.switch(&Switch::Fault(fault.to_owned()));
            if next == Next::Go {
                repl.ports.screen.note(&format!(
                    "the fault {fault} applies from the next operation on; :sandbox on removes all faults"
                ));
            }
            next
        }
        ("reset", "") => reset(repl),
        _ => {
            let words = ["on", "off", "status", "fault", "reset"];
            let hint = nearest(word, words).map(|near| format!("did you mean {near}?"));
            repl.wrong(
                &format!("`:sandbox` does not know `{args}`"),
                &hint.into_iter().collect::<Vec<_>>(),
            )
        }
    }
}

fn reset(repl: &mut Repl) -> Next {
    if let Err(host_error) = repl.ports.host.check(&Switch::Reset) {
        return repl.refuse(&host_error);
    }
    if repl.ports.screen.can_prompt() && !repl.ports.host.place().agreed {
        let interrupt = Interrupt::new();
        repl.current_input.set(&interrupt);
        let question = "Delete everything in the sandbox? [y/N] ";
        let answer = repl.ports.host.ask(question, &interrupt).unwrap_or_default();
        repl.current_input.clear();
        if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            repl.ports.screen.note("nothing was done");
            return Next::Go;
        }
    }
    repl.switch(&Switch::Reset)
}

impl Repl {
    /// Switches the account. The results of the previous account are deleted, and its session ends.
    fn switch(&mut self, to: &Switch) -> Next {
        if let Err(host_error) = self.ports.host.check(to) {
            return self.refuse(&host_error);
        }
        let before = self.ports.host.place();
        // Steps left in doubt are reported; they do not prevent the switch.
        let _ = shut_down(&self.lazy_session, &*self.ports.screen);
        if let Err(host_error) = self.ports.host.switch(to) {
            return self.refuse(&host_error);
        }
        let place = self.ports.host.place();
        if *to == Switch::Reset {
            self.space().forget_values();
            self.ports
                .screen
                .note("the sandbox was reset; earlier variables were deleted");
        } else if place.account() != before.account() {
            self.space().forget_values();
            self.ports.screen.note(&format!(
                "{} from here on; variables of {} were deleted",
                place.label(),
                before.label()
            ));
        }
        Next::Go
    }
}
