//! How far a run of rows has come.

mod counts;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::counts::Counts;
use super::Ui;

/// Shorter runs show nothing.
const QUIET: Duration = Duration::from_millis(500);

/// How often a bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

/// How often a line is written where no bar can be.
const INTERVAL: Duration = Duration::from_secs(10);

/// A running display, fed from any thread. Finished when dropped.
pub struct Progress {
    counts: Arc<Counts>,
    ui: Ui,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    pub(super) fn start(ui: Ui, total: Option<u64>) -> Progress {
        let counts = Arc::new(Counts::default());
        counts.total.store(total.unwrap_or_default(), Ordering::Relaxed);
        let (stop, stopped) = channel::<()>();
        let (shown, view) = (counts.clone(), ui.clone());
        let show = move || {
            let started = Instant::now();
            let mut wait = if view.animated { QUIET } else { INTERVAL };
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                if view.animated {
                    shown.draw(&view);
                    wait = REDRAW;
                } else {
                    view.note(&shown.line(started.elapsed()));
                }
            }
        };
        Progress {
            counts,
            ui,
            stop: Some(stop),
            // Without a thread there is no display; the run is what matters.
            thread: thread::Builder::new().name("progress".into()).spawn(show).ok(),
        }
    }

    /// Counts rows that an earlier process of the run carried out. Before any other.
    pub fn before(&self, rows: u64, failed: u64) {
        self.counts.before.store(rows, Ordering::Relaxed);
        self.counts.rows.store(rows, Ordering::Relaxed);
        self.counts.failed.store(failed, Ordering::Relaxed);
    }

    /// Counts a row that has ended.
    pub fn row(&self, failed: bool) {
        self.counts.rows.fetch_add(1, Ordering::Relaxed);
        self.counts.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
    }

    /// Sets the number of rows once it is known.
    pub fn set_total(&self, total: u64) {
        self.counts.total.store(total, Ordering::Relaxed);
    }

    /// Takes the display away.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A display that failed is gone already.
            let _ = thread.join();
        }
        if let Some(bar) = self.ui.bar().take() {
            bar.finish_and_clear();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.counts.line(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paths::Env;
    use crate::cli::ui::Colour;

    #[test]
    fn a_short_run_ends_at_once_and_shows_nothing() {
        let ui = Ui::new(&Env::default(), Colour::Never);
        let started = Instant::now();
        let progress = ui.progress(Some(2));
        progress.row(false);
        progress.row(true);
        assert_eq!(progress.counts.read(), (2, 1, Some(2)));
        progress.finish();
        assert!(started.elapsed() < INTERVAL);
        assert!(ui.bar().is_none());
    }
}
