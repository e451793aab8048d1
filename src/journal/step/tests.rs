//! Tests of the module above.

use proptest::prelude::*;

use super::*;

fn event() -> impl Strategy<Value = StepEvent> {
    let time = 0..400i64;
    let settle = 1..90i64;
    prop_oneof![
        (time.clone(), settle.clone()).prop_map(|(at_ms, settle_ms)| StepEvent::Intend { at_ms, settle_ms }),
        time.clone().prop_map(|at_ms| StepEvent::Leaves { at_ms }),
        Just(StepEvent::Known),
        Just(StepEvent::KnownRefused),
        Just(StepEvent::Answered),
        Just(StepEvent::Refused),
        Just(StepEvent::NotCarriedOut),
        time.clone().prop_map(|at_ms| StepEvent::AnswerLost { at_ms }),
        Just(StepEvent::Found),
        (time.clone(), time.clone(), settle).prop_map(|(looked_ms, at_ms, settle_ms)| {
            StepEvent::LookedInVain {
                looked_ms,
                at_ms,
                settle_ms,
            }
        }),
        time.prop_map(|looked_ms| StepEvent::GivenUp { looked_ms }),
        Just(StepEvent::ResolvedDone),
        Just(StepEvent::ResolvedAbsent),
    ]
}

/// Plays the events, leaving out those the machine refuses.
fn history(events: Vec<StepEvent>) -> Vec<(StepState, StepEvent, StepState)> {
    let mut state = StepState::Absent;
    let mut moves = Vec::new();
    for event in events {
        if let Ok(next) = state.next(event) {
            moves.push((state, event, next));
            state = next;
        }
    }
    moves
}

#[test]
fn what_is_half_done_is_not_tried_again_until_a_person_says_so() {
    let intended = StepState::Intended {
        sent_ms: 1,
        settle_ms: 2,
    };
    let half = intended.next(StepEvent::HalfDone).unwrap();
    assert_eq!(half, StepState::HalfDone);
    assert!(half.is_final() && !half.is_open() && half.is_for_a_person());
    assert!(half.next(StepEvent::RetryWanted).is_err());
    assert!(
        half.next(StepEvent::Intend {
            at_ms: 9,
            settle_ms: 2
        })
        .is_err()
    );
    assert_eq!(half.next(StepEvent::ResolvedAbsent), Ok(StepState::Absent));
    assert_eq!(half.next(StepEvent::ResolvedDone), Ok(StepState::Done));
}

#[test]
fn only_what_is_done_is_corrected() {
    use StepEvent::{CorrectedAbsent, CorrectedDone};
    assert_eq!(StepState::Done.next(CorrectedDone), Ok(StepState::Done));
    assert_eq!(StepState::Done.next(CorrectedAbsent), Ok(StepState::Absent));
    let doubt = StepState::InDoubt {
        sent_ms: 1,
        settle_ms: 2,
    };
    for state in [StepState::Absent, doubt, StepState::Refused, StepState::HalfDone] {
        assert!(state.next(CorrectedDone).is_err() && state.next(CorrectedAbsent).is_err());
    }
}

proptest! {
    #[test]
    fn no_sequence_reaches_an_end_twice(events in prop::collection::vec(event(), 0..200)) {
        let ends = history(events).iter().filter(|(_, _, next)| next.is_final()).count();
        prop_assert!(ends <= 1);
    }

    #[test]
    fn an_intent_is_lost_only_when_it_is_known_not_to_have_been_carried_out(
        events in prop::collection::vec(event(), 0..200),
    ) {
        for (state, event, next) in history(events) {
            if !state.is_open() || next.is_open() || next.is_final() {
                continue;
            }
            let (sent_ms, settle_ms) = state.window().unwrap();
            match event {
                StepEvent::NotCarriedOut => {
                    let answered_by_the_sender = matches!(state, StepState::Intended { .. });
                    prop_assert!(answered_by_the_sender);
                }
                StepEvent::ResolvedAbsent => {}
                StepEvent::GivenUp { looked_ms } => prop_assert!(looked_ms >= sent_ms + settle_ms),
                other => prop_assert!(false, "{other:?} lost an intent"),
            }
        }
    }

    #[test]
    fn nothing_is_sent_again_before_absence_was_concluded_after_the_settle_time(
        events in prop::collection::vec(event(), 0..200),
    ) {
        let mut may_land_until: Option<i64> = None;
        for (state, event, next) in history(events) {
            if let StepEvent::LookedInVain { looked_ms, .. } = event {
                prop_assert!(may_land_until.is_none_or(|until| looked_ms >= until));
            }
            if matches!(event, StepEvent::Intend { .. }) {
                prop_assert_eq!(state, StepState::Absent);
                prop_assert_eq!(may_land_until, None);
            }
            may_land_until = next.window().map(|(sent_ms, settle_ms)| sent_ms + settle_ms);
        }
    }

    #[test]
    fn doubt_ends_only_by_a_look_up_or_a_person(events in prop::collection::vec(event(), 0..200)) {
        for (state, event, next) in history(events) {
            if matches!(state, StepState::InDoubt { .. }) && !matches!(next, StepState::InDoubt { .. }) {
                let settles = matches!(
                    event,
                    StepEvent::Found
                        | StepEvent::LookedInVain { .. }
                        | StepEvent::GivenUp { .. }
                        | StepEvent::ResolvedDone
                        | StepEvent::ResolvedAbsent
                );
                prop_assert!(settles, "{event:?}");
            }
        }
    }
}

#[test]
fn a_clock_that_was_set_back_restarts_the_window_from_now() {
    let intended = StepState::Intended {
        sent_ms: 1_000_000,
        settle_ms: 90,
    };
    let doubt = intended.next(StepEvent::AnswerLost { at_ms: 500 }).unwrap();
    assert_eq!(doubt.window(), Some((500, 90)));
    assert!(doubt.next(StepEvent::GivenUp { looked_ms: 589 }).is_err());
    assert!(doubt.next(StepEvent::GivenUp { looked_ms: 590 }).is_ok());
}
