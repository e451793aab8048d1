//! Signals: Ctrl-C stops an evaluation; a request to end, or a lost terminal, ends the session.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::keyboard::Keyboard;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::run::interrupt::CurrentInput;

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
        exit()
    }

    fn end_process(&self) -> ! {
        self.restore();
        self.ui
            .note("stopped at once; to look up what was sent: provisor resume");
        exit()
    }

    /// Restores the terminal, because the line editor no longer can.
    fn restore(&self) {
        if let Some(keyboard) = &self.keyboard {
            keyboard.restore_original();
        }
    }
}

#[allow(
    clippy::exit,
    reason = "an input that cannot be stopped must not hold its user"
)]
fn exit() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}
