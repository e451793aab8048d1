//! Commands that switch the account and its mode.

use super::Command;
use crate::repl::host::{Mode, Switch};
use crate::repl::shutdown::farewell;
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
    let around = &repl.outside.around;
    if args.is_empty() {
        let now = around.place().profile;
        let names = around.profiles();
        if names.is_empty() {
            repl.outside
                .screen
                .note("there is no profile yet; provisor profile add creates one");
        }
        for name in names {
            let mark = if Some(&name) == now.as_ref() { '*' } else { ' ' };
            repl.outside.screen.out(&format!("{mark} {name}"));
        }
        return Next::Go;
    }
    let next = repl.switch(&Switch::Profile(args.to_owned()));
    let place = repl.outside.around.place();
    if next == Next::Go && place.mode == Mode::Sandbox {
        repl.outside
            .screen
            .note(&format!("the sandbox stays on; :sandbox off switches to {args}"));
    } else if next == Next::Go {
        repl.outside.screen.note(&format!(
            "this applies to this session; `provisor profile use {args}` sets it for later ones"
        ));
    }
    next
}

fn mode(repl: &mut Repl, args: &str) -> Next {
    let mode = match args {
        "" => {
            let place = repl.outside.around.place();
            repl.outside.screen.out(place.mode.word());
            return Next::Go;
        }
        "dev" => Mode::Dev,
        "prod" => Mode::Prod,
        "read-only" | "ro" => Mode::ReadOnly,
        "sandbox" => return repl.switch(&Switch::Sandbox(true)),
        _ => return repl.usage("mode"),
    };
    match repl.outside.around.switch(&Switch::Mode(mode)) {
        Ok(()) => Next::Go,
        Err(trouble) => repl.refuse(&trouble),
    }
}

fn sandbox(repl: &mut Repl, args: &str) -> Next {
    let (word, rest) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
    match (word, rest.trim()) {
        ("on", "") => repl.switch(&Switch::Sandbox(true)),
        ("off", "") => repl.switch(&Switch::Sandbox(false)),
        ("" | "status", "") => {
            let place = repl.outside.around.place();
            let on = if place.mode == Mode::Sandbox { "on" } else { "off" };
            repl.outside.screen.note(&format!(
                "the sandbox is {on} in this session ({})",
                place.label()
            ));
            repl.provisor(&["sandbox".into(), "status".into()])
        }
        ("fault" | "faults", "") => repl.provisor(&["sandbox".into(), "faults".into()]),
        ("fault", fault) => {
            let next = repl.switch(&Switch::Fault(fault.to_owned()));
            if next == Next::Go {
                repl.outside.screen.note(&format!(
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
    if let Err(trouble) = repl.outside.around.check(&Switch::Reset) {
        return repl.refuse(&trouble);
    }
    if repl.outside.screen.can_ask() && !repl.outside.around.place().agreed {
        let interrupt = Interrupt::new();
        repl.reins.take(&interrupt);
        let question = "Delete everything in the sandbox? [y/N] ";
        let answer = repl.outside.around.ask(question, &interrupt).unwrap_or_default();
        repl.reins.let_go();
        if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            repl.outside.screen.note("nothing was done");
            return Next::Go;
        }
    }
    repl.switch(&Switch::Reset)
}

impl Repl {
    /// Switches the account. The results of the previous account are deleted, and its session ends.
    fn switch(&mut self, to: &Switch) -> Next {
        if let Err(trouble) = self.outside.around.check(to) {
            return self.refuse(&trouble);
        }
        let before = self.outside.around.place();
        // Steps left in doubt are reported; they do not prevent the switch.
        let _ = farewell(&self.desk, &*self.outside.screen);
        if let Err(trouble) = self.outside.around.switch(to) {
            return self.refuse(&trouble);
        }
        let place = self.outside.around.place();
        if *to == Switch::Reset {
            self.space().forget_values();
            self.outside
                .screen
                .note("the sandbox was reset; earlier variables were deleted");
        } else if place.account() != before.account() {
            self.space().forget_values();
            self.outside.screen.note(&format!(
                "{} from here on; variables of {} were deleted",
                place.label(),
                before.label()
            ));
        }
        Next::Go
    }
}
