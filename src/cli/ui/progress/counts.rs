//! Counts, as a bar and as a line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::Ui;

/// How many rows have ended, shared by those who count and those who show.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) rows: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Those of them that an earlier process carried out.
    pub(super) before: AtomicU64,
    /// 0 while it is not known.
    pub(super) total: AtomicU64,
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

    /// Brings the bar up to date; makes it the first time.
    pub(super) fn draw(&self, ui: &Ui) {
        let (rows, failed, total) = self.read();
        let mut slot = ui.bar();
        let bar = slot.get_or_insert_with(|| new_bar(self.before.load(Ordering::Relaxed)));
        if bar.length() != total {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_style(style(total.is_some()));
        }
        bar.set_message(if failed > 0 {
            format!(", {failed} failed")
        } else {
            String::new()
        });
        bar.set_position(rows);
        bar.tick();
    }

    /// `120 of 300 rows, 2 failed, 12.0/s, about 15 s left`.
    pub(super) fn line(&self, elapsed: Duration) -> String {
        let (rows, failed, total) = self.read();
        let now = rows.saturating_sub(self.before.load(Ordering::Relaxed));
        let mut parts = vec![match total {
            Some(total) => format!("{rows} of {total} rows"),
            None if rows == 1 => "1 row".to_owned(),
            None => format!("{rows} rows"),
        }];
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = now as f64 / elapsed.as_secs_f64();
        if now > 0 && rate.is_finite() {
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

/// A bar that starts behind the rows that were carried out `before`, which its rate leaves out.
fn new_bar(before: u64) -> ProgressBar {
    let bar = ProgressBar::no_length()
        .with_style(style(false))
        .with_position(before);
    bar.reset_eta();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar
}

/// No colours: the bar is the same for everybody.
fn style(has_length: bool) -> ProgressStyle {
    let template = if has_length {
        "{bar:30} {pos}/{len} rows{msg}, {per_sec}, {eta} left"
    } else {
        "{spinner} {pos} rows{msg}, {per_sec}"
    };
    // The templates are constant and right; were they not, the default is a bar as well.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests;
