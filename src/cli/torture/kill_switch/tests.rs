//! Tests of the module above.

use super::*;

#[test]
fn the_kill_switch_needs_a_valid_moment_and_count() {
    for moment in KillPoint::all() {
        assert_eq!(moment.name().parse(), Ok(moment));
        assert!(read(&format!("{}:7", moment.name())).is_some());
    }
    for text in ["", "after-intent", "after-intent:0", "after-intent:x", "lunch:1"] {
        assert!(read(text).is_none(), "{text}");
    }
}

#[test]
fn a_clock_skew_setting_round_trips_as_text() {
    let after = Duration::from_millis(250);
    for (by_ms, rebooted) in [(3_600_000, false), (-5, true)] {
        let how = ClockSkew {
            by_ms,
            after,
            rebooted,
        };
        assert_eq!(misset(&written(how)), Some(how));
    }
    assert_eq!(misset("soon"), None);
}

#[test]
fn the_kill_switch_ignores_other_moments_and_earlier_passes() {
    let kill_switch = KillSwitch(read("after-send:3").map(Arc::new));
    kill_switch.pass(KillPoint::Step(Boundary::AfterSend));
    kill_switch.pass(KillPoint::Step(Boundary::AfterSend));
    kill_switch.pass(KillPoint::BeforeResults);
    assert_eq!(kill_switch.0.unwrap().remaining.load(Ordering::SeqCst), 1);
}
