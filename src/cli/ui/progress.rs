//! The progress display of a run over rows.

mod counts;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::counts::Counts;
use super::{RowsShown, Ui};
use crate::cli::times;
use crate::waiting::{Wait, Waits};

/// Runs shorter than this show no progress.
const ANIMATION_DELAY: Duration = Duration::from_millis(500);

/// How often a bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

/// How often a line is written where no bar can be shown.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// A running progress display, updated from any thread. Finished when dropped.
pub struct Progress {
    counts: Arc<Counts>,
    ui: Ui,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    pub(super) fn start(ui: Ui, total: Option<u64>, waits: Waits) -> Progress {
        let counts = Arc::new(Counts::default());
        *ui.rows() = Some(RowsShown::default());
        counts.total.store(total.unwrap_or_default(), Ordering::Relaxed);
        let (stop, stopped) = channel::<()>();
        let (shown, view) = (counts.clone(), ui.clone());
        let show = move || {
            let started = Instant::now();
            let mut wait = if view.animated { ANIMATION_DELAY } else { INTERVAL };
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let stalled_by = shown.is_stalled().then(|| waits.longest()).flatten();
                let stalled_by = stalled_by.map(|(wait, count)| waits_text(&wait, count));
                if view.animated {
                    shown.draw(&view, stalled_by.as_deref());
                    wait = REDRAW;
                } else {
                    view.note(&shown.line(shown.rate(started.elapsed()), stalled_by.as_deref()));
                }
            }
        };
        Progress {
            counts,
            ui,
            stop: Some(stop),
            // Without a thread there is no display, but the run continues.
            thread: thread::Builder::new().name("progress".into()).spawn(show).ok(),
        }
    }

    /// Adds rows that an earlier process of the run executed. Call this first.
    pub fn before(&self, rows: u64, failed: u64) {
        self.counts.before.store(rows, Ordering::Relaxed);
        self.counts.rows.store(rows, Ordering::Relaxed);
        self.counts.failed.store(failed, Ordering::Relaxed);
    }

    /// Counts a finished row.
    pub fn row(&self, failed: bool) {
        self.counts.rows.fetch_add(1, Ordering::Relaxed);
        self.counts.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
        self.counts.record_row_finished();
    }

    /// Sets the total number of rows once it is known.
    pub fn set_total(&self, total: u64) {
        self.counts.total.store(total, Ordering::Relaxed);
    }

    /// Removes the display.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // If the display thread failed, there is nothing to end.
            let _ = thread.join();
        }
        *self.ui.rows() = None;
        if let Some(bar) = self.ui.bar().take() {
            bar.finish_and_clear();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.counts.line(0.0, None))
    }
}

/// `until 14:03:20 UTC: waiting for an answer to POST crm.example/items`: the longest of `count` waits. What a narrow
/// terminal may cut off comes last.
fn waits_text(wait: &Wait, count: usize) -> String {
    let until = wait
        .until_ms
        .map(|until| format!("until {}", times::time_of_day(until)));
    let others = (count > 1).then(|| format!("{count} waits"));
    let when: Vec<String> = others.into_iter().chain(until).collect();
    match when.join(" ") {
        when if when.is_empty() => wait.what.clone(),
        when => format!("{when}: {}", wait.what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paths::Env;
    use crate::cli::ui::Colour;

    #[test]
    fn the_progress_wait_text_starts_with_its_deadline() {
        let wait = Wait {
            what: "waiting for an answer to POST crm.example/items".into(),
            until_ms: Some(1_769_851_805_125),
            reason: "not shown".into(),
        };
        let until = "until 09:30:05 UTC: waiting for an answer to POST crm.example/items";
        assert_eq!(waits_text(&wait, 1), until);
        assert_eq!(waits_text(&wait, 3), format!("3 waits {until}"));
        let endless = Wait {
            until_ms: None,
            ..wait
        };
        assert_eq!(waits_text(&endless, 1), endless.what);
    }

    #[test]
    fn a_short_run_shows_no_progress_bar_and_ends_immediately() {
        let ui = Ui::new(&Env::default(), Colour::Never);
        let started = Instant::now();
        let progress = ui.progress(Some(2), Waits::default());
        progress.row(false);
        progress.row(true);
        assert_eq!(progress.counts.read(), (2, 1, Some(2)));
        progress.finish();
        assert!(started.elapsed() < INTERVAL);
        assert!(ui.bar().is_none());
    }
}
