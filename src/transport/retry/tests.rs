//! Tests of the module above.

use super::*;

#[test]
fn retry_after_reads_seconds_and_dates() {
    assert_eq!(retry_after(" 7 ", 0), Some(Duration::from_secs(7)));
    let date = "Thu, 01 Jan 1970 00:01:40 GMT";
    assert_eq!(retry_after(date, 40_000), Some(Duration::from_mins(1)));
    assert_eq!(retry_after(date, 900_000), Some(Duration::ZERO));
    assert_eq!(retry_after("soon", 0), None);
}

#[test]
fn retry_backoff_stays_between_its_lower_and_upper_limit() {
    for tries in 1..40 {
        let wait = backoff(Duration::from_secs(1), tries);
        assert!(wait <= MAX_WAIT && wait >= Duration::from_millis(500), "{wait:?}");
    }
}
