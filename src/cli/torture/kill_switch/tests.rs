//! Tests of the module above.

use super::*;

#[test]
fn only_a_moment_and_a_count_arm_it() {
    for moment in Moment::all() {
        assert_eq!(moment.name().parse(), Ok(moment));
        assert!(read(&format!("{}:7", moment.name())).is_some());
    }
    for text in ["", "after-intent", "after-intent:0", "after-intent:x", "lunch:1"] {
        assert!(read(text).is_none(), "{text}");
    }
}

#[test]
fn a_clock_that_is_written_is_read() {
    let after = Duration::from_millis(250);
    for (by_ms, rebooted) in [(3_600_000, false), (-5, true)] {
        let how = Misset {
            by_ms,
            after,
            rebooted,
        };
        assert_eq!(misset(&written(how)), Some(how));
    }
    assert_eq!(misset("soon"), None);
}

#[test]
fn passings_before_the_last_and_other_moments_do_nothing() {
    let trap = KillSwitch(read("after-send:3").map(Arc::new));
    trap.pass(Moment::Step(Boundary::AfterSend));
    trap.pass(Moment::Step(Boundary::AfterSend));
    trap.pass(Moment::BeforeResults);
    assert_eq!(trap.0.unwrap().left.load(Ordering::SeqCst), 1);
}
