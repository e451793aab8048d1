//! Evaluates input that is not typed.

use super::lines::{Lines, is_given_up};
use super::{Next, Repl, SessionExit, help};
use crate::script::interactive::Workspace;
use crate::syntax::SourceText;

impl Repl {
    /// Evaluates the input statement by statement until one fails. Input that is available from the start, or arrives
    /// at once, is parsed as a whole first: if a statement cannot be parsed, none runs.
    pub(super) fn read_all(&mut self, mut lines: Lines) -> Result<(), SessionExit> {
        if let Some(text) = lines.whole() {
            self.read_whole(lines.name(), text)?;
        }
        let mut calls_main = false;
        loop {
            let statement = lines.statement().map_err(|reason| self.unreadable(&reason))?;
            let Some((mut first, mut text)) = statement else {
                self.note_uncalled_main(calls_main);
                return Ok(());
            };
            if self.ports.screen.is_closed() {
                // The reader of stdout has gone.
                return Err(SessionExit::Interrupted);
            }
            let before = self.inputs.len();
            let name = lines.name().to_owned();
            let mut next = self.enter_from(&name, first, &text);
            if next == Next::Paste {
                (first, text) = lines.paste().map_err(|reason| self.unreadable(&reason))?;
                next = self.enter_from(&name, first, &text);
            }
            calls_main |= is_call_of_main(&text);
            self.follow(&next)?;
            let evaluated = self.inputs.len() > before && !text.trim_start().starts_with(':');
            if evaluated && self.space().would_exit() {
                // Statements after an `exit` or a `return` are not reached, as in a script that runs.
                return Ok(());
            }
        }
    }

    /// Notes that a `main` was defined but not called, because `provisor run` would call it.
    fn note_uncalled_main(&self, called: bool) {
        let defined = self.space().functions().iter().any(|known| known.name == "main");
        if defined && !called {
            self.note("`main` is defined here and was not called; provisor run FILE calls it");
        }
    }

    fn unreadable(&self, reason: &str) -> SessionExit {
        self.ports
            .screen
            .error(&format!("the input cannot be read: {reason}"), &[]);
        SessionExit::Usage
    }

    /// Parses every statement of a text before the first runs, and defines its functions.
    fn read_whole(&mut self, name: &str, text: String) -> Result<(), SessionExit> {
        let mut lines = Lines::read(name, std::io::Cursor::new(text));
        let mut functions = String::new();
        while let Ok(Some((first, text))) = lines.statement() {
            let text = text.replace("\r\n", "\n");
            let typed = text.trim();
            if typed == ":paste" {
                let (first, text) = lines.paste().map_err(|reason| self.unreadable(&reason))?;
                self.check_source(name, first, &text)?;
                continue;
            }
            if typed.starts_with(':') || help::asked(typed).is_some() || is_given_up(typed) {
                continue;
            }
            self.check_source(name, first, &text)?;
            if is_function(&text) {
                let above = functions.matches('\n').count() + 1;
                functions.push_str(&"\n".repeat(first.saturating_sub(above)));
                functions.push_str(&text);
            }
        }
        let loader = self.ports.host.loader();
        self.space().define(name, &functions, &*loader);
        Ok(())
    }

    fn check_source(&self, name: &str, first: usize, text: &str) -> Result<(), SessionExit> {
        let checked = Workspace::check(name, first, text);
        checked.map_err(|diagnostic| {
            self.ports.screen.diagnostic(&diagnostic);
            self.note("nothing ran, because the whole input is read first");
            SessionExit::Failed(None)
        })
    }
}

/// Whether a statement only defines a function.
fn is_function(text: &str) -> bool {
    ["fn", "private"].contains(&SourceText::read(text).code().word(0))
}

fn is_call_of_main(text: &str) -> bool {
    let source = SourceText::read(text);
    let code = source.code();
    let is_call = |at| code.word(at) == "main" && code.word(at + 1) == "(" && code.before(at, 1) != "fn";
    (0..code.len()).any(is_call)
}
