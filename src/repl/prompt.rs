//! Reads inputs that a user types at a terminal.

use std::io::ErrorKind;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use rustyline::config::{BellStyle, ColorMode};
use rustyline::error::ReadlineError;
use rustyline::{CompletionType, Config, EditMode, Editor};

use super::helper::{self, Keys, ReplHelper};
use super::history::History;
use super::host::ActiveAccount;
use super::{Next, Repl, SessionExit};
use crate::operation::context::Mode;

impl Repl {
    /// Reads and evaluates inputs until the user leaves.
    pub(super) fn read_eval_loop(&mut self) -> Result<(), SessionExit> {
        let broken = |_| SessionExit::Broken;
        let screen = self.ports.screen.clone();
        let colour = screen.has_colour();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            // The list is never longer than the screen, so rustyline need not ask before showing it.
            .completion_prompt_limit(usize::MAX)
            .edit_mode(EditMode::Emacs)
            .bell_style(BellStyle::None)
            .auto_add_history(false)
            .bracketed_paste(true)
            .color_mode(if colour {
                ColorMode::Enabled
            } else {
                ColorMode::Disabled
            })
            .build();
        let (history, notes) = History::open(self.ports.host.history());
        let mut editor = Editor::with_history(config, history).map_err(broken)?;
        let keys = Keys::default();
        editor.set_helper(Some(ReplHelper::new(&self.space, &self.ports, &keys)));
        helper::bind(&mut editor, &keys);
        if !screen.can_redraw() {
            self.prompt_when_idle();
        }
        self.greet();
        for note in &notes {
            screen.note(note);
        }
        let mut initial_text = String::new();
        loop {
            let place = self.ports.host.place();
            let prompt = (format!("{}> ", place.label()), painted(&place));
            let next = match editor.readline_with_initial(&prompt, (&std::mem::take(&mut initial_text), "")) {
                Ok(text) => self.ended(&mut editor, &keys, &text),
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Next::Go,
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    screen.note("the input is discarded: it is not UTF-8 text; nothing was run");
                    Next::Go
                }
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => {
                    screen.error(&format!("the terminal cannot be read: {error}"), &[]);
                    return Err(SessionExit::Broken);
                }
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

    /// Handles a line that was accepted: with Enter, with Ctrl-C, or for the editor.
    fn ended(&mut self, editor: &mut Editor<ReplHelper, History>, keys: &Keys, text: &str) -> Next {
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
        self.remember(editor, text);
        let next = self.enter(text);
        if next != Next::Paste {
            return next;
        }
        let Some(text) = self.read_paste(editor, keys) else {
            return Next::Go;
        };
        self.remember(editor, &text);
        self.enter(&text)
    }

    /// Adds an input to the history, unless it may contain a secret.
    fn remember(&self, editor: &mut Editor<ReplHelper, History>, text: &str) {
        if !self.space().passes_credential(text) {
            editor.history_mut().remember(text);
        }
    }

    /// Prints a fresh prompt after Ctrl-C if the terminal reads lines itself: it then discards the typed text but still
    /// shows it.
    pub(super) fn prompt_when_idle(&self) {
        let ports = self.ports.clone();
        self.current_input.on_idle(move || {
            let label = ports.host.place().label();
            let message = "the line is cleared; :break abandons the lines before it";
            ports.screen.prompt(&format!("\n{message}\n{label}> "));
        });
    }

    /// Prints one line with the program's version, the account, and where to find help.
    pub(super) fn greet(&self) {
        let (host, screen) = (&self.ports.host, &self.ports.screen);
        let place = host.place();
        let target_text = match (&place.profile, place.mode) {
            (_, Mode::Sandbox) => "sandbox: simulated platforms, nothing real is changed".to_owned(),
            (Some(profile), mode) => format!("profile {profile}, mode {}", mode.name()),
            (None, _) => "no profile".to_owned(),
        };
        screen.note(&format!("provisor {} | {target_text} | :help", host.version()));
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
