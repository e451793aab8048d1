//! Formats times for people and for programs.

use jiff::Timestamp;
use serde_json::Value as Json;

/// A time for tables: `2026-01-31 09:30:05`, in UTC, as the headers state.
pub(super) fn shown(millis: i64) -> String {
    timestamp(millis).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The time of day, in UTC: `09:30:05 UTC`.
pub(super) fn time_of_day(millis: i64) -> String {
    timestamp(millis).strftime("%H:%M:%S UTC").to_string()
}

/// A time for JSON: `2026-01-31T09:30:05.125Z`. Such texts sort chronologically.
pub(super) fn json(millis: i64) -> Json {
    format!("{:.3}", timestamp(millis)).into()
}

/// The age in the largest unit that fits: `12s`, `5m`, `3h`, `40d`.
pub(super) fn age(millis: i64, now: i64) -> String {
    let seconds = now.saturating_sub(millis).max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A duration: `85 ms`, `2.4 s`.
pub(super) fn format_elapsed(from: i64, to: i64) -> String {
    match to.saturating_sub(from).max(0) {
        millis @ 0..1000 => format!("{millis} ms"),
        millis => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(shown(1_769_851_805_125), "2026-01-31 09:30:05");
        assert_eq!(json(1_769_851_805_125), "2026-01-31T09:30:05.125Z");
        assert_eq!(shown(i64::MAX), "1970-01-01 00:00:00", "what cannot be a time");
    }

    #[test]
    fn ages_have_one_unit() {
        let ages = [0, 59, 60, 3599, 3600, 86_399, 86_400, 86_400 * 40];
        let shown: Vec<String> = ages.iter().map(|seconds| age(0, seconds * 1000)).collect();
        assert_eq!(shown, ["0s", "59s", "1m", "59m", "1h", "23h", "1d", "40d"]);
        assert_eq!(age(5_000, 0), "0s", "a clock that was set back");
        assert_eq!(
            (format_elapsed(0, 85), format_elapsed(0, 2_450)),
            ("85 ms".into(), "2.4 s".into())
        );
    }
}
