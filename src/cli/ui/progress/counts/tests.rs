//! Tests of the module above.

use super::*;

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
