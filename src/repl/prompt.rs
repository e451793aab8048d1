//! Reads inputs that a user types at a terminal; as plain lines while stdout is redirected to a file or another program.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use rustyline::config::{BellStyle, ColorMode};
use rustyline::error::ReadlineError;
use rustyline::{CompletionType, Config, EditMode, Editor};

use super::helper::{self, InputEditor, Keys, ReplHelper, begins_function, ends_input};
use super::hint::waiting;
use super::history::InputHistory;
use super::host::ActiveAccount;
use super::{Next, Repl, SessionExit, paste};
use crate::operation::context::Mode;
use crate::script::interactive::find_unclosed;

impl Repl {
    /// Reads and evaluates inputs until the user leaves.
    pub(super) fn read_eval_loop(&mut self, history: Option<PathBuf>) -> Result<(), SessionExit> {
        let broken = |_| SessionExit::Broken;
        let screen = self.ports.screen.clone();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            // The list is never longer than the screen, so rustyline need not ask before showing it.
            .completion_prompt_limit(usize::MAX)
            .edit_mode(EditMode::Emacs)
            .bell_style(BellStyle::None)
            .auto_add_history(false)
            .bracketed_paste(true)
            .color_mode(if self.ports.terminal.colour {
                ColorMode::Enabled
            } else {
                ColorMode::Disabled
            })
            .build();
        let (history, entries, note) = InputHistory::open(history);
        let mut editor = Editor::with_history(config, entries).map_err(broken)?;
        let keys = Keys::default();
        editor.set_helper(Some(ReplHelper::new(&self.space, &self.ports, &keys)));
        helper::bind(&mut editor, &history, &keys);
        if !self.ports.terminal.redraws {
            self.prompt_when_idle();
        }
        self.greet();
        if let Some(note) = note {
            self.note(&note);
        }
        let mut initial_text = String::new();
        loop {
            let place = self.ports.host.place();
            let prompt = (format!("{}> ", place.label()), painted(&place));
            let next = match editor.readline_with_initial(&prompt, (&std::mem::take(&mut initial_text), "")) {
                Ok(text) => self.ended(&mut editor, &history, &keys, &text),
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Next::Go,
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    screen.note("the input is discarded: it is not UTF-8 text; nothing was run");
                    Next::Go
                }
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(self.unreadable_terminal(&error)),
            };
            if self.current_input.is_ending() {
                return Err(SessionExit::Interrupted);
            }
            match next {
                Next::Quit => return Ok(()),
                Next::Offer(text) => initial_text = text,
                Next::Go | Next::Failed(_) | Next::Paste => {}
            }
        }
    }

    fn unreadable_terminal(&self, error: &dyn std::fmt::Display) -> SessionExit {
        let message = format!("the terminal cannot be read: {error}");
        self.ports.screen.error(&message, &[]);
        SessionExit::Broken
    }

    /// Handles a line that was accepted: with Enter, with Ctrl-C, or for the editor.
    fn ended(&mut self, editor: &mut InputEditor, history: &InputHistory, keys: &Keys, text: &str) -> Next {
        let editor_text = keys
            .editor_text
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(text) = editor_text {
            return self.edit_text(&text);
        }
        if keys.interrupted.swap(false, Ordering::SeqCst) {
            return Next::Go;
        }
        self.remember(editor, history, text);
        let next = self.enter(text);
        if next != Next::Paste {
            return next;
        }
        let Some(text) = self.read_paste(editor, keys) else {
            return Next::Go;
        };
        self.remember(editor, history, &text);
        self.enter(&text)
    }

    /// Adds an input to the history, unless it may contain a secret.
    fn remember(&self, editor: &mut InputEditor, history: &InputHistory, text: &str) {
        if !self.space().passes_credential(text) {
            history.remember(editor.history_mut(), text);
        }
    }

    /// Prints a fresh prompt after Ctrl-C if the terminal reads lines itself: it then discards the typed text but still
    /// shows it.
    fn prompt_when_idle(&self) {
        let ports = self.ports.clone();
        self.current_input.on_idle(move || {
            let label = ports.host.place().label();
            let message = "the line is cleared; :break abandons the lines before it";
            ports.screen.prompt(&format!("\n{message}\n{label}> "));
        });
    }

    /// Prints one line with the program's version, the account, and where to find help.
    fn greet(&self) {
        let place = self.ports.host.place();
        let target_text = match (&place.profile, place.mode) {
            (_, Mode::Sandbox) => "sandbox: simulated platforms, nothing real is changed".to_owned(),
            (Some(profile), mode) => format!("profile {profile}, mode {}", mode.name()),
            (None, _) => "no profile".to_owned(),
        };
        let version = env!("CARGO_PKG_VERSION");
        self.note(&format!("provisor {version} | {target_text} | :help"));
    }

    /// Reads and evaluates plain lines until the user leaves. There is no line editor: it would draw into the file.
    pub(super) fn read_eval_plain(&mut self) -> Result<(), SessionExit> {
        self.prompt_when_idle();
        self.greet();
        self.note("results are written to standard output as one line of JSON each; line editing is off");
        loop {
            let label = self.ports.host.place().label();
            let Some(text) = self.read_plainly(&format!("{label}> "), is_ended)? else {
                return Ok(());
            };
            let mut next = self.enter(&text);
            if next == Next::Paste {
                let is_ended = |text: &str| paste::ended(text).is_some();
                next = match self.read_plainly("paste> ", is_ended)? {
                    Some(text) => self.enter(&paste::ended(&text).unwrap_or(text)),
                    None => return Ok(()),
                };
            }
            if self.current_input.is_ending() {
                return Err(SessionExit::Interrupted);
            }
            if self.ports.screen.is_closed() || next == Next::Quit {
                return Ok(());
            }
        }
    }

    /// Reads lines until an input is complete; `None` at the end of the input.
    fn read_plainly(
        &self,
        prompt: &str,
        is_ended: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, SessionExit> {
        let screen = &self.ports.screen;
        let mut text = String::new();
        screen.prompt(prompt);
        loop {
            let mut line = String::new();
            match std::io::stdin().read_line(&mut line) {
                Ok(0) => return Ok((!text.trim().is_empty()).then_some(text)),
                Ok(_) => text.push_str(&line.replace('\r', "")),
                Err(error) => return Err(self.unreadable_terminal(&error)),
            }
            if is_ended(&text) {
                return Ok(Some(text));
            }
            if let Some(open) = find_unclosed(&text) {
                screen.note(&waiting(&text, &open));
            }
        }
    }
}

/// The prompt in the colour of its mode, so that the sandbox is not mistaken for a live account.
fn painted(place: &ActiveAccount) -> String {
    let code = match place.mode {
        Mode::Sandbox => "1;33",
        Mode::Dev => "1;32",
        Mode::Prod => "1;31",
        Mode::ReadOnly => "1;34",
    };
    format!("\u{1b}[{code}m{}>\u{1b}[0m ", place.label())
}

/// Whether an input is complete with the last of these lines.
fn is_ended(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    ends_input(text) && !begins_function(text)
}
