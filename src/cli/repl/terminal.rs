//! The terminal of a session: its modes, its signals, and the session's output.
//!
//! With line editing, the terminal is in raw mode from the session's start to its end, so that keys typed during an
//! evaluation or between two prompts wait for the next prompt: in line mode the terminal would itself handle Ctrl-D,
//! Ctrl-C and others. Ctrl-C is a signal only while something that can be stopped is in progress: it stops an evaluation.
//! A request to end, or a lost terminal, ends the session.

use std::io::stdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::io::ioctl_fionread;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::ui::{Stream, Ui, printable};
use crate::cli::{interrupt, line_input};
use crate::config::Env;
use crate::repl::host::{Screen, Terminal};
use crate::run::interrupt::CurrentInput;
use crate::script::error::Diagnostic;

/// A terminal in raw mode. Clones share it.
#[derive(Clone)]
pub(super) struct Keyboard {
    /// The terminal's original state.
    before: Arc<Termios>,
    /// Whether Ctrl-C currently is a signal.
    signals: Arc<AtomicBool>,
}

impl Keyboard {
    /// Switches the terminal to raw mode; `None` if stdin is not a terminal.
    pub(super) fn take() -> Option<Keyboard> {
        let keyboard = Keyboard {
            before: Arc::new(tcgetattr(stdin()).ok()?),
            signals: Arc::default(),
        };
        keyboard.signal(false);
        Some(keyboard)
    }

    /// Sets whether Ctrl-C, Ctrl-Z and Ctrl-\ are signals or ordinary keys.
    pub(super) fn signal(&self, signals: bool) {
        let mut modes = (*self.before).clone();
        // The line editor uses the same modes, so nothing changes when it starts and ends.
        modes.input_modes.remove(
            InputModes::BRKINT
                | InputModes::ICRNL
                | InputModes::INPCK
                | InputModes::ISTRIP
                | InputModes::IXON,
        );
        modes
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN | LocalModes::ISIG);
        if signals {
            // `discard_typed_ahead` discards keys typed ahead, because the terminal could not report that it did.
            modes.local_modes.insert(LocalModes::ISIG | LocalModes::NOFLSH);
        }
        self.signals.store(signals, Ordering::SeqCst);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        set(&modes);
    }

    /// Discards keys typed ahead after Ctrl-C, because they must not run now. Returns whether there were any.
    pub(super) fn discard_typed_ahead(&self) -> bool {
        let waits = || ioctl_fionread(stdin()).is_ok_and(|bytes| bytes > 0);
        self.signals.load(Ordering::SeqCst) && waits() && tcflush(stdin(), QueueSelector::IFlush).is_ok()
    }

    /// Calls `to` with the terminal's original state, for a program such as an editor.
    pub(super) fn with_original_state<T>(&self, to: impl FnOnce() -> T) -> T {
        self.restore_original();
        let done = to();
        self.signal(false);
        done
    }

    /// Restores the terminal's original state.
    pub(super) fn restore_original(&self) {
        set(&self.before);
    }
}

fn set(modes: &Termios) {
    // A terminal that is gone need not be restored.
    let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
}

/// How long an input may continue after a request to stop at once.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Cancels the current input at each SIGINT, SIGTERM and SIGHUP from now on. An input that does not stop even then ends
/// the process, and so does a signal while nothing is evaluated, after the farewell: the journal is consistent at all
/// times. A typing user (`typed`) leaves in other ways, so only SIGTERM and SIGHUP end the session. SIGQUIT ends the
/// process at once, with the terminal restored.
pub(super) fn watch(
    runtime: &Handle,
    ui: &Ui,
    current_input: &CurrentInput,
    shut_down: Box<dyn Fn() + Send + Sync>,
    typed: bool,
    keyboard: Option<Keyboard>,
) {
    let watcher = Watcher {
        ui: ui.clone(),
        current_input: current_input.clone(),
        shut_down: shut_down.into(),
        typed,
        keyboard,
    };
    // Signals must be caught from here on, not only once the task runs.
    let entered = runtime.enter();
    let signals = Signals::new();
    drop(entered);
    if let Ok(signals) = signals {
        runtime.spawn(watcher.watch(signals));
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    quit: Signal,
}

/// The request that a signal makes.
enum SignalRequest {
    /// Stop the evaluation.
    Stop,
    /// End the session.
    End,
    /// End the process at once.
    Quit,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Waits for the next signal.
    async fn next(&mut self) -> SignalRequest {
        tokio::select! {
            _ = self.interrupt.recv() => SignalRequest::Stop,
            _ = self.terminate.recv() => SignalRequest::End,
            _ = self.hangup.recv() => SignalRequest::End,
            _ = self.quit.recv() => SignalRequest::Quit,
        }
    }
}

#[derive(Clone)]
struct Watcher {
    ui: Ui,
    current_input: CurrentInput,
    shut_down: Arc<dyn Fn() + Send + Sync>,
    /// Whether a user is typing, rather than a pipe or a file.
    typed: bool,
    /// The terminal, if the session has it in raw mode.
    keyboard: Option<Keyboard>,
}

impl Watcher {
    async fn watch(self, mut signals: Signals) {
        loop {
            let ends = match signals.next().await {
                SignalRequest::Stop => !self.typed,
                SignalRequest::End => true,
                SignalRequest::Quit => self.end_process(),
            };
            if let (false, Some(keyboard)) = (ends, &self.keyboard)
                && keyboard.discard_typed_ahead()
            {
                self.ui.note("keys typed ahead were discarded");
            }
            let cancelled = if ends {
                self.current_input.end()
            } else {
                self.current_input.cancel()
            };
            match cancelled {
                None if ends => self.end_session(),
                Some(1) | None => {}
                Some(2) => {
                    let watcher = self.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(SHUTDOWN_GRACE).await;
                        if watcher.current_input.is_cancelled_twice() {
                            watcher.end_process();
                        }
                    });
                }
                Some(_) => self.end_process(),
            }
        }
    }

    /// Ends the session as if the user had left; nothing is being evaluated.
    fn end_session(&self) -> ! {
        self.restore();
        if self.typed {
            // The cursor is after a prompt.
            self.ui.err("");
        }
        let shut_down = self.shut_down.clone();
        // Closes the journal on a thread that may block.
        drop(std::thread::spawn(move || shut_down()).join());
        interrupt::end_process()
    }

    fn end_process(&self) -> ! {
        self.restore();
        self.ui
            .note("stopped at once; to look up what was sent: provisor resume");
        interrupt::end_process()
    }

    /// Restores the terminal, because the line editor no longer can.
    fn restore(&self) {
        if let Some(keyboard) = &self.keyboard {
            keyboard.restore_original();
        }
    }
}

/// Terminals that cannot redraw lines; the line editor reads plain lines from them.
const DUMB_TERMINALS: [&str; 3] = ["dumb", "cons25", "emacs"];

/// The terminal of a session in which a user is typing, or not.
pub(super) fn terminal(ui: &Ui, env: &Env, typed: bool) -> Terminal {
    let interactive = typed && ui.is_terminal(Stream::Out);
    let term = env.get("TERM").unwrap_or_default();
    let is_dumb = |dumb: &&str| term.eq_ignore_ascii_case(dumb);
    Terminal {
        typed,
        interactive,
        prompts: line_input::has_terminal(),
        colour: ui.has_colour(Stream::Out),
        redraws: interactive && !DUMB_TERMINALS.iter().any(is_dumb),
    }
}

impl Screen for Ui {
    fn width(&self) -> Option<usize> {
        self.width_now().map(usize::from)
    }

    fn is_closed(&self) -> bool {
        Ui::is_closed(self) || Ui::output_error(self).is_some()
    }

    fn output_error(&self) -> Option<String> {
        Ui::output_error(self).map(str::to_owned)
    }

    fn height(&self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        (size.ws_row > 0).then_some(size.ws_row.into())
    }

    fn out(&self, text: &str) {
        // If the reader has gone or data was lost, the session finds out with `is_closed` and ends.
        let _ = Ui::out(self, &printable(text));
    }

    fn prompt(&self, text: &str) {
        let _ = Ui::prompt(self, text);
    }

    fn page(&self, text: &str) {
        let _ = self.out_styled(text);
    }

    fn note(&self, text: &str) {
        Ui::note(self, text);
    }

    fn warn(&self, text: &str) {
        Ui::warn(self, text);
    }

    fn error(&self, message: &str, hints: &[String]) {
        Ui::error(self, message, hints);
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) {
        Ui::diagnostic(self, diagnostic);
    }
}
