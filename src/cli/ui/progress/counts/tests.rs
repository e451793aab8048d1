//! Tests of the module above.

use super::*;

fn counts(rows: u64, failed: u64, total: u64) -> Counts {
    Counts {
        rows: rows.into(),
        failed: failed.into(),
        before: 0.into(),
        total: total.into(),
    }
}

#[test]
fn a_line_tells_count_failures_rate_and_rest() {
    let ten = Duration::from_secs(10);
    assert_eq!(
        counts(120, 2, 300).line(ten),
        "120 of 300 rows, 2 failed, 12.0/s, about 15s left"
    );
    assert_eq!(counts(120, 0, 0).line(ten), "120 rows, 12.0/s");
    assert_eq!(counts(0, 0, 5).line(ten), "0 of 5 rows");
    assert_eq!(counts(5, 0, 5).line(ten), "5 of 5 rows, 0.5/s");
}

#[test]
fn rows_of_earlier_processes_are_counted_and_no_part_of_the_rate() {
    let counts = Counts {
        before: 100.into(),
        ..counts(120, 2, 300)
    };
    assert_eq!(
        counts.line(Duration::from_secs(10)),
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
