//! Row counts, shown as a bar or as a line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::Ui;
use crate::waiting::REPORT_WAITS_AFTER;

/// The number of finished rows, shared by counting and displaying threads.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) rows: AtomicU64,
    pub(super) failed: AtomicU64,
    /// The rows among them that an earlier process executed.
    pub(super) before: AtomicU64,
    /// 0 if unknown.
    pub(super) total: AtomicU64,
    /// When the last row finished.
    pub(super) last: Mutex<Option<Instant>>,
}

impl Counts {
    pub(super) fn read(&self) -> (u64, u64, Option<u64>) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (
            read(&self.rows),
            read(&self.failed),
            Some(read(&self.total)).filter(|total| *total > 0),
        )
    }

    /// Records the time at which a row finished.
    pub(super) fn record_row_finished(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether no row has finished for a while.
    pub(super) fn is_stalled(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|last| last.elapsed() >= REPORT_WAITS_AFTER)
    }

    /// Rows per second in this process.
    pub(super) fn rate(&self, elapsed: Duration) -> f64 {
        let (rows, ..) = self.read();
        let now = rows.saturating_sub(self.before.load(Ordering::Relaxed));
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = now as f64 / elapsed.as_secs_f64();
        rate
    }

    /// Updates the bar, or creates it. `stalled_by` is what all rows wait for.
    pub(super) fn draw(&self, ui: &Ui, stalled_by: Option<&str>) {
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
    pub(super) fn line(&self, rate: f64, stalled_by: Option<&str>) -> String {
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
mod tests;
