//! Tests of the module above.

use proptest::prelude::*;

use uuid::Uuid;

use super::*;

/// A point in time in one of two boots.
fn moment() -> impl Strategy<Value = Stamp> {
    (0..400i64, 1..3u128, 0..400i64).prop_map(|(wall_ms, boot, boot_ms)| Stamp {
        wall_ms,
        boot: Uuid::from_u128(boot),
        boot_ms,
    })
}

fn window() -> impl Strategy<Value = Window> {
    (moment(), 0..40i64, 1..50i64).prop_map(|(sent, waits_ms, settle_ms)| Window {
        sent,
        waits_ms: Some(waits_ms),
        settle_ms,
    })
}

fn event() -> impl Strategy<Value = StepEvent> {
    prop_oneof![
        window().prop_map(|window| StepEvent::Intend { window }),
        (moment(), 0..40i64).prop_map(|(sent, waits_ms)| StepEvent::Leaves { sent, waits_ms }),
        Just(StepEvent::Known),
        Just(StepEvent::KnownRefused),
        Just(StepEvent::Answered),
        Just(StepEvent::Refused),
        Just(StepEvent::NotCarriedOut),
        (moment(), prop::sample::select(&Loss::ALL[..]), 0..40i64)
            .prop_map(|(at, loss, waits_ms)| { StepEvent::AnswerLost { at, loss, waits_ms } }),
        Just(StepEvent::Found),
        (moment(), window())
            .prop_map(|(looked_up_at, window)| StepEvent::LookedInVain { looked_up_at, window }),
        moment().prop_map(|looked_up_at| StepEvent::GivenUp { looked_up_at }),
        Just(StepEvent::ResolvedDone),
        Just(StepEvent::ResolvedAbsent),
    ]
}

fn any_window() -> Window {
    Window {
        sent: at(1),
        waits_ms: Some(1),
        settle_ms: 2,
    }
}

fn at(boot_ms: i64) -> Stamp {
    Stamp {
        wall_ms: 1_000_000,
        boot: Uuid::from_u128(1),
        boot_ms,
    }
}

/// Replays the events, skipping those that the machine rejects.
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
fn a_half_done_step_is_retried_only_after_manual_resolution() {
    let window = any_window();
    let intended = StepState::Intended { window };
    let half = intended.next(StepEvent::HalfDone).unwrap();
    assert_eq!(half, StepState::HalfDone);
    assert!(half.is_final() && !half.is_open() && half.is_resolvable_by_person());
    assert!(half.next(StepEvent::RetryWanted).is_err());
    assert!(half.next(StepEvent::Intend { window }).is_err());
    assert_eq!(half.next(StepEvent::ResolvedAbsent), Ok(StepState::Absent));
    assert_eq!(half.next(StepEvent::ResolvedDone), Ok(StepState::Done));
}

#[test]
fn only_a_done_step_can_be_corrected() {
    use StepEvent::{CorrectedAbsent, CorrectedDone};
    assert_eq!(StepState::Done.next(CorrectedDone), Ok(StepState::Done));
    assert_eq!(StepState::Done.next(CorrectedAbsent), Ok(StepState::Absent));
    let doubt = StepState::InDoubt {
        window: any_window(),
        loss: Loss::Broken,
    };
    for state in [StepState::Absent, doubt, StepState::Refused, StepState::HalfDone] {
        assert!(state.next(CorrectedDone).is_err() && state.next(CorrectedAbsent).is_err());
    }
}

proptest! {
    #[test]
    fn no_event_sequence_reaches_a_final_state_twice(events in prop::collection::vec(event(), 0..200)) {
        let ends = history(events).iter().filter(|(_, _, next)| next.is_final()).count();
        prop_assert!(ends <= 1);
    }

    #[test]
    fn an_intent_is_dropped_only_when_its_request_cannot_take_effect(
        events in prop::collection::vec(event(), 0..200),
    ) {
        for (state, event, next) in history(events) {
            if !state.is_open() || next.is_open() || next.is_final() {
                continue;
            }
            let window = state.window().unwrap();
            match event {
                StepEvent::NotCarriedOut => {
                    let answered_by_the_sender = matches!(state, StepState::Intended { .. });
                    prop_assert!(answered_by_the_sender);
                }
                StepEvent::ResolvedAbsent => {}
                StepEvent::GivenUp { looked_up_at } => prop_assert!(window.is_over(looked_up_at)),
                other => prop_assert!(false, "{other:?} lost an intent"),
            }
        }
    }

    #[test]
    fn no_request_is_resent_before_its_settle_window_is_over(events in prop::collection::vec(event(), 0..200)) {
        let mut may_land: Option<Window> = None;
        for (state, event, next) in history(events) {
            if let StepEvent::LookedInVain { looked_up_at, .. } = event {
                let before = may_land.unwrap();
                let passed = looked_up_at.since(before.sent);
                prop_assert!(passed.is_some_and(|passed| passed >= before.waits_ms.unwrap() + before.settle_ms));
                prop_assert_ne!(state.loss(), Some(Loss::Yes));
            }
            if matches!(event, StepEvent::Intend { .. }) {
                prop_assert_eq!(state, StepState::Absent);
                prop_assert_eq!(may_land, None);
            }
            may_land = next.window();
        }
    }

    #[test]
    fn in_doubt_ends_only_by_lookup_late_response_or_manual_resolution(events in prop::collection::vec(event(), 0..200)) {
        for (state, event, next) in history(events) {
            if matches!(state, StepState::InDoubt { .. }) && !matches!(next, StepState::InDoubt { .. }) {
                let settles = matches!(
                    event,
                    StepEvent::Found
                        | StepEvent::Answered
                        | StepEvent::Refused
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

fn lost(at: Stamp, loss: Loss, waits_ms: i64) -> StepEvent {
    StepEvent::AnswerLost { at, loss, waits_ms }
}

#[test]
fn the_settle_window_assumes_the_full_timeout_when_the_sender_died() {
    let window = Window {
        sent: at(1_000),
        waits_ms: Some(40),
        settle_ms: 90,
    };
    let intended = StepState::Intended { window };
    let length = |loss| {
        intended
            .next(lost(at(1_005), loss, 5))
            .unwrap()
            .window()
            .unwrap()
            .length_ms()
    };
    assert_eq!(
        (length(Loss::Broken), length(Loss::Late), length(Loss::Gone)),
        (95, 95, 130)
    );
    // For version 1, only the caller's value is known.
    let old = StepState::Intended {
        window: Window {
            waits_ms: None,
            ..window
        },
    };
    assert!(!old.window().unwrap().is_over(at(i64::MAX)));
    assert_eq!(
        old.next(lost(at(1_005), Loss::Gone, 7))
            .unwrap()
            .window()
            .unwrap()
            .length_ms(),
        97
    );
}

#[test]
fn a_timestamp_of_another_boot_or_the_future_counts_from_now() {
    for sent in [
        at(1_000_000),
        Stamp::from_wall_clock(1),
        Stamp {
            boot: Uuid::from_u128(2),
            ..at(1)
        },
    ] {
        let window = Window {
            sent,
            waits_ms: Some(0),
            settle_ms: 90,
        };
        let doubt = StepState::Intended { window }
            .next(lost(at(500), Loss::Gone, 0))
            .unwrap();
        assert!(
            doubt
                .next(StepEvent::GivenUp {
                    looked_up_at: at(589)
                })
                .is_err()
        );
        assert!(
            doubt
                .next(StepEvent::GivenUp {
                    looked_up_at: at(590)
                })
                .is_ok()
        );
    }
}

#[test]
fn the_worst_loss_reason_is_kept_and_success_is_never_resent() {
    let window = any_window();
    let doubt = StepState::Intended { window }
        .next(lost(at(9), Loss::Late, 1))
        .unwrap();
    assert_eq!(
        doubt.next(lost(at(9), Loss::Gone, 1)).unwrap().loss(),
        Some(Loss::Late)
    );
    let yes = doubt.next(lost(at(9), Loss::Yes, 1)).unwrap();
    let looked_up_at = at(1_000);
    assert!(
        doubt
            .next(StepEvent::LookedInVain { looked_up_at, window })
            .is_ok()
    );
    assert!(
        yes.next(StepEvent::LookedInVain { looked_up_at, window })
            .is_err()
    );
    assert!(yes.next(StepEvent::GivenUp { looked_up_at }).is_err());
    assert_eq!(yes.next(StepEvent::Found), Ok(StepState::Done));
    assert_eq!(doubt.next(StepEvent::Answered), Ok(StepState::Done));
}
