//! REPL commands, which start with a colon. Help and completion use the same tables.

mod files;
mod history;
pub(super) mod path;
mod save;
pub(super) mod settings;
mod target;
mod values;
pub(super) mod words;

use super::complete::commands::Complete;
use super::{Next, Repl, SessionExit};
use crate::value::nearest::nearest;

pub(super) use settings::Settings;

/// A command.
pub(super) struct Command {
    /// The name without the colon.
    pub(super) name: &'static str,
    /// The arguments, as shown in help.
    pub(super) args: &'static str,
    /// A one-line description.
    pub(super) summary: &'static str,
    /// Completes its arguments.
    pub(super) complete: Complete,
    /// Runs the command with the text typed after its name.
    pub(super) run: fn(&mut Repl, &str) -> Next,
}

/// The commands of a group.
type Commands = &'static [Command];

/// The groups: a title and its commands, in the order in which users meet them.
pub(super) static GROUPS: &[(&str, &[Commands])] = &[
    ("look", &[super::help::COMMANDS, values::LOOK]),
    ("values", &[values::VALUES, settings::COMMANDS]),
    ("input", &[history::INPUT, files::INPUT]),
    ("files", &[files::FILES, save::COMMANDS]),
    ("account", &[target::COMMANDS]),
    ("runs", &[history::RUN_COMMANDS]),
];

/// All commands.
pub(super) fn commands() -> impl Iterator<Item = &'static Command> {
    GROUPS
        .iter()
        .flat_map(|(_, tables)| tables.iter().copied().flatten())
}

impl Repl {
    /// Runs a command, given its name and arguments. The name may be abbreviated as long as it is unambiguous.
    pub(super) fn command(&mut self, typed: &str) -> Next {
        let typed = typed.trim();
        let (name, args) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let mut begins = commands().filter(|command| command.name.starts_with(name));
        let exact = commands().find(|command| command.name == name);
        let only = match (begins.next(), begins.next()) {
            (Some(only), None) if !name.is_empty() => Some(only),
            _ => None,
        };
        if let Some(command) = exact.or(only) {
            if command.args.is_empty() && !args.trim().is_empty() {
                let message = format!(
                    "`:{}` takes no arguments, but got `{}`",
                    command.name,
                    args.trim()
                );
                return self.wrong(&message, &[]);
            }
            return (command.run)(self, args.trim());
        }
        let hint = match nearest(name, commands().map(|command| command.name)) {
            Some(near) => format!("did you mean :{near}?"),
            None => ":help lists the commands".to_owned(),
        };
        self.wrong(&format!("there is no command `:{name}`"), &[hint])
    }

    /// Shows the syntax of a command.
    pub(super) fn usage(&self, name: &str) -> Next {
        let command = commands().find(|command| command.name == name);
        let args = command.map_or("", |command| command.args);
        self.wrong(&format!("write it as `:{name} {args}`"), &[])
    }

    /// Shows that a word is unknown, and the known one that it is close to.
    fn unknown_word<'a>(&self, message: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> Next {
        let hint = nearest(word, known).map(|near| format!("did you mean {near}?"));
        self.wrong(message, &hint.into_iter().collect::<Vec<_>>())
    }

    /// Shows what is wrong with a command.
    pub(super) fn wrong(&self, message: &str, hints: &[String]) -> Next {
        self.ports.screen.error(message, hints);
        Next::Failed(SessionExit::Usage)
    }
}
