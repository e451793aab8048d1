//! Commands that read and write files.

use super::Command;
use super::words::{only_word, words};
use crate::repl::complete::commands as complete;
use crate::repl::{Next, Repl, SessionExit};
use crate::value::visible::counted;

pub(super) static FILES: &[Command] = &[
    Command {
        name: "load",
        args: "FILE",
        summary: "Evaluate a file here: its variables and functions stay",
        complete: |args| args.first(complete::files),
        run: |repl, args| match args {
            "" => repl.usage("load"),
            path => match only_word(path) {
                Ok(path) => repl.load(&path),
                Err(reason) => repl.wrong(&reason, &[]),
            },
        },
    },
    Command {
        name: "run",
        args: "FILE [--PARAMETER VALUE]…",
        summary: "Run a script as a separate run, on the account of this session",
        complete: complete::script,
        run,
    },
    Command {
        name: "reload",
        args: "",
        summary: "Read imported files again",
        complete: complete::nothing,
        run: reload,
    },
    Command {
        name: "trust",
        args: "",
        summary: "Trust the project's current repl.rhai, so that it is loaded at the start",
        complete: complete::nothing,
        run: trust,
    },
];

pub(super) static INPUT: &[Command] = &[
    Command {
        name: "edit",
        args: "[N]",
        summary: "Change input N, or the last, in $EDITOR; Enter then evaluates it",
        complete: complete::nothing,
        run: edit,
    },
    Command {
        name: "paste",
        args: "",
        summary: "Read several lines as one input, up to a line `:end` or Ctrl-D",
        complete: complete::nothing,
        run: |_, _| Next::Paste,
    },
    Command {
        name: "break",
        args: "",
        summary: "As the last line of an incomplete input: abandon it",
        complete: complete::nothing,
        run: |repl, _| repl.note("nothing is open; as a line of an incomplete input, :break abandons it"),
    },
    Command {
        name: "quit",
        args: "",
        summary: "Leave",
        complete: complete::nothing,
        run: |_, _| Next::Quit,
    },
];

fn run(repl: &mut Repl, args: &str) -> Next {
    let mut words = match words(args) {
        Ok(words) if !words.is_empty() => words,
        Ok(_) => return repl.usage("run"),
        Err(reason) => return repl.wrong(&reason, &[]),
    };
    // A `--` after the script is optional and has no effect.
    if words.get(1).is_some_and(|word| word == "--") {
        words.remove(1);
    }
    let mut all = vec!["run".to_owned()];
    all.extend(repl.ports.host.account_flags());
    all.extend(words);
    repl.provisor(&all)
}

fn reload(repl: &mut Repl, _: &str) -> Next {
    let statements = repl.space().import_statements();
    let before = repl.space().forget_modules();
    let count = before.count();
    if count == 0 {
        return repl.note("nothing is imported");
    }
    let next = repl.enter(&statements.join("\n"));
    if next == Next::Go {
        repl.note(&format!("read {} again", counted(count, "file")));
    } else {
        repl.space().restore_modules(before);
        repl.note("the earlier imports stay; :reload tries again");
    }
    next
}

fn edit(repl: &mut Repl, args: &str) -> Next {
    let text = if args.is_empty() {
        repl.inputs.last().map(|input| input.text.clone())
    } else {
        let Some(input) = args.parse().ok().and_then(|number| repl.input(number)) else {
            return repl.wrong(
                &format!("there is no input {args}"),
                &[":history lists them".into()],
            );
        };
        Some(input.text.clone())
    };
    repl.edit_text(&text.unwrap_or_default())
}

fn trust(repl: &mut Repl, _: &str) -> Next {
    match repl.ports.host.trust() {
        Ok((name, text)) => {
            let outcome = repl.evaluate_as(&name, 1, &text);
            Repl::next(&outcome)
        }
        Err(host_error) => repl.refuse(&host_error),
    }
}

impl Repl {
    /// Opens a text in the editor and offers the result as the next input.
    pub(in crate::repl) fn edit_text(&self, text: &str) -> Next {
        if !self.ports.terminal.interactive {
            return self.wrong("an editor needs a terminal", &[]);
        }
        match self.ports.host.edit(text) {
            Ok(text) => Next::Offer(text.trim_end().to_owned()),
            Err(host_error) => self.refuse(&host_error),
        }
    }

    /// Runs the program itself on the same home.
    pub(super) fn provisor(&self, words: &[String]) -> Next {
        if let Some(session) = self.lazy_session.session()
            && let Err(error) = session.journal.flush()
        {
            return self.wrong(&format!("the journal cannot be written: {error}"), &[]);
        }
        match self.ports.host.provisor(words) {
            Ok(0) => Next::Go,
            Ok(code) => Next::Failed(SessionExit::Code(code)),
            Err(host_error) => self.refuse(&host_error),
        }
    }
}
