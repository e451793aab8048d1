//! The progress display of a run over rows.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{RowsShown, Ui};
use crate::cli::times;
use crate::waiting::{REPORT_WAITS_AFTER, Wait, Waits};

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

/// The number of finished rows, shared by counting and displaying threads.
#[derive(Default)]
struct Counts {
    rows: AtomicU64,
    failed: AtomicU64,
    /// The rows among them that an earlier process executed.
    before: AtomicU64,
    /// 0 if unknown.
    total: AtomicU64,
    /// When the last row finished.
    last: Mutex<Option<Instant>>,
}

impl Counts {
    fn read(&self) -> (u64, u64, Option<u64>) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (
            read(&self.rows),
            read(&self.failed),
            Some(read(&self.total)).filter(|total| *total > 0),
        )
    }

    /// Records the time at which a row finished.
    fn record_row_finished(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether no row has finished for a while.
    fn is_stalled(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|last| last.elapsed() >= REPORT_WAITS_AFTER)
    }

    /// Rows per second in this process.
    fn rate(&self, elapsed: Duration) -> f64 {
        let (rows, ..) = self.read();
        let now = rows.saturating_sub(self.before.load(Ordering::Relaxed));
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = now as f64 / elapsed.as_secs_f64();
        rate
    }

    /// Updates the bar, or creates it. `stalled_by` is what all rows wait for.
    fn draw(&self, ui: &Ui, stalled_by: Option<&str>) {
        let (rows, _, total) = self.read();
        let mut slot = ui.bar();
        let bar = slot.get_or_insert_with(|| new_bar(self.before.load(Ordering::Relaxed)));
        if bar.length() != total {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_style(style(total.is_some()));
        }
        bar.set_position(rows);
        bar.set_message(self.line(bar.per_sec(), stalled_by));
        bar.tick();
    }

    /// `120 of 300 rows, 2 failed, 12.0/s, about 15 s left`. While all rows wait, what for replaces the estimate.
    fn line(&self, rate: f64, stalled_by: Option<&str>) -> String {
        let (rows, failed, total) = self.read();
        let mut parts = vec![match total {
            Some(total) => format!("{rows} of {total} rows"),
            None if rows == 1 => "1 row".to_owned(),
            None => format!("{rows} rows"),
        }];
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        if let Some(wait) = stalled_by {
            parts.push(wait.to_owned());
        } else if rate >= MIN_RATE && rate.is_finite() {
            parts.push(format!("{rate:.1}/s"));
            let left = total
                .and_then(|total| total.checked_sub(rows))
                .unwrap_or_default();
            #[allow(clippy::cast_precision_loss, reason = "a time for people")]
            let seconds = Duration::try_from_secs_f64((left as f64 / rate).ceil()).unwrap_or_default();
            if !seconds.is_zero() {
                parts.push(format!("about {} left", humantime::format_duration(seconds)));
            }
        }
        parts.join(", ")
    }
}

/// A rate below this, in rows per second, is not shown.
const MIN_RATE: f64 = 0.05;

/// A bar that starts after the rows executed `before`, which its rate excludes.
fn new_bar(before: u64) -> ProgressBar {
    let bar = ProgressBar::no_length()
        .with_style(style(false))
        .with_position(before);
    bar.reset_eta();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar
}

/// A style without colours, the same on every terminal.
fn style(has_length: bool) -> ProgressStyle {
    let template = if has_length {
        "{bar:30} {wide_msg}"
    } else {
        "{spinner} {wide_msg}"
    };
    // The templates are constant and valid; if not, the default is a bar, too.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ui::Colour;
    use crate::config::Env;

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

    fn counts(rows: u64, failed: u64, total: u64) -> Counts {
        Counts {
            rows: rows.into(),
            failed: failed.into(),
            before: 0.into(),
            total: total.into(),
            last: Mutex::default(),
        }
    }

    #[test]
    fn the_progress_line_shows_count_failures_rate_and_time_left() {
        let line = |counts: Counts| counts.line(counts.rate(Duration::from_secs(10)), None);
        assert_eq!(
            line(counts(120, 2, 300)),
            "120 of 300 rows, 2 failed, 12.0/s, about 15s left"
        );
        assert_eq!(line(counts(120, 0, 0)), "120 rows, 12.0/s");
        assert_eq!(line(counts(0, 0, 5)), "0 of 5 rows");
        assert_eq!(line(counts(5, 0, 5)), "5 of 5 rows, 0.5/s");
        assert_eq!(counts(1, 0, 0).line(0.016, None), "1 row");
    }

    #[test]
    fn a_stalled_progress_line_shows_the_wait_and_no_estimate() {
        let wait = "waiting for an answer to POST crm.example/items until 14:03:20 UTC";
        assert_eq!(
            counts(299, 0, 300).line(5.6, Some(wait)),
            format!("299 of 300 rows, {wait}")
        );
        let counts = counts(1, 0, 300);
        assert!(counts.is_stalled());
        counts.record_row_finished();
        assert!(!counts.is_stalled());
    }

    #[test]
    fn rows_finished_before_a_resume_count_but_not_toward_the_rate() {
        let counts = Counts {
            before: 100.into(),
            ..counts(120, 2, 300)
        };
        assert_eq!(
            counts.line(counts.rate(Duration::from_secs(10)), None),
            "120 of 300 rows, 2 failed, 2.0/s, about 1m 30s left"
        );
    }

    #[test]
    fn the_templates_are_valid() {
        for has_length in [false, true] {
            let bar = ProgressBar::hidden();
            bar.set_style(style(has_length));
            bar.tick();
        }
    }
}
