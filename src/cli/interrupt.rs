//! Ctrl-C: the first asks the run to stop, the second stops at once.

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use super::ui::Ui;
use crate::run::cancel::Cancel;

/// Watches for SIGINT and SIGTERM until the returned guard is dropped. The second one ends the process: the journal is
/// consistent at every moment, so nothing is lost by it. `resume` is the command that goes on.
pub(super) fn watch(runtime: &Handle, ui: &Ui, cancel: &Cancel, resume: String) -> Watch {
    let (ui, cancel) = (ui.clone(), cancel.clone());
    // From here on, not only from when the task first runs.
    let entered = runtime.enter();
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    drop(entered);
    let task = runtime.spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            return;
        };
        for count in 1.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if count > 1 {
                ui.note(&format!("stopped at once; go on with: {resume}"));
                end_process();
            }
            ui.note("stopping: what is under way ends first (Ctrl-C again stops at once)");
            cancel.request();
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

#[allow(clippy::exit, reason = "the second Ctrl-C must not wait for anything")]
fn end_process() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}

/// Waits for the first SIGINT or SIGTERM.
pub(super) fn wait() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done,
            _ = terminate.recv() => Ok(()),
        }
    })
}
