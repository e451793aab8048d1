//! Ctrl-C: the first asks the run to stop, the second ends the process at once.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::ui::Ui;

/// Watches for SIGINT and SIGTERM until the returned guard is dropped. The second signal ends the process: the journal
/// is consistent at every moment, so nothing is lost. `resume` is the command that continues the run.
pub(super) fn watch(runtime: &Handle, ui: &Ui, cancel: &CancellationToken, resume: String) -> Watch {
    let (ui, cancel) = (ui.clone(), cancel.clone());
    // Register now, not when the task first runs.
    let entered = runtime.enter();
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    drop(entered);
    let task = runtime.spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            return;
        };
        for count in 1.. {
            let again = tokio::select! {
                _ = interrupt.recv() => "Ctrl-C again",
                _ = terminate.recv() => "a second signal",
            };
            if count > 1 {
                ui.note(&format!("stopped at once; to continue: {resume}"));
                end_process();
            }
            // Before any output, which may have no reader.
            cancel.cancel();
            ui.stop();
            ui.note(&format!(
                "stopping: finishing requests in progress ({again} stops now)"
            ));
        }
    });
    Watch(task)
}

/// Stops watching when dropped.
pub(super) struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends the process at once, as interrupted.
#[allow(
    clippy::exit,
    reason = "what cannot be stopped in time must not hold its user"
)]
pub(super) fn end_process() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}

/// Catches SIGINT and SIGTERM, which then no longer end the process.
pub(super) struct SignalHandlers {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl SignalHandlers {
    /// Starts catching now, not only when `wait` is called.
    pub(super) fn new() -> io::Result<SignalHandlers> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        drop(entered);
        Ok(SignalHandlers {
            runtime,
            interrupt,
            terminate,
        })
    }

    /// Waits for the first signal.
    pub(super) fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        });
    }
}
