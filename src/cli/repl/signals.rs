//! Ctrl-C while an input is evaluated.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::run::interrupt::Reins;

/// How long an input may go on after it was told to stop at once.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Pulls the reins at each SIGINT from now on. An input that does not stop even so ends the process, and so does a signal
/// while nothing is evaluated, unless somebody types: the journal is consistent at every moment.
pub(super) fn watch(runtime: &Handle, ui: &Ui, reins: &Reins, typed: bool) {
    let (ui, reins) = (ui.clone(), reins.clone());
    // From here on, not only from when the task first runs.
    let entered = runtime.enter();
    let interrupt = signal(SignalKind::interrupt());
    drop(entered);
    let Ok(mut interrupt) = interrupt else { return };
    runtime.spawn(async move {
        while interrupt.recv().await.is_some() {
            match reins.pull() {
                None if !typed => end_process(&ui),
                Some(1) | None => {}
                Some(2) => {
                    let (ui, reins) = (ui.clone(), reins.clone());
                    tokio::spawn(async move {
                        tokio::time::sleep(LAST_MOMENT).await;
                        if reins.is_pulled_twice() {
                            end_process(&ui);
                        }
                    });
                }
                Some(_) => end_process(&ui),
            }
        }
    });
}

#[allow(
    clippy::exit,
    reason = "an input that cannot be stopped must not hold its user"
)]
fn end_process(ui: &Ui) -> ! {
    ui.note("stopped at once; what was sent is looked up by: provisor resume");
    std::process::exit(Exit::Interrupted.code().into())
}
