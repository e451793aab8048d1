//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

const HOUR: i64 = 3_600_000;
const DAY: Duration = Duration::from_hours(24);

fn signed_in(at: i64) -> State {
    let mut state = State::default();
    let (email, token) = ("ann@example.com".to_owned(), "t".to_owned());
    state.apply(
        Event::SignedIn(Session {
            email,
            company: 1,
            token,
            ..Session::default()
        }),
        at,
    );
    state
}

#[test]
fn a_token_works_for_a_day_after_its_last_use() {
    let mut state = signed_in(0);
    assert!(state.session("t", 24 * HOUR - 1, DAY).is_some());
    assert!(state.session("t", 24 * HOUR, DAY).is_none());
    state.touch("t", 20 * HOUR, DAY);
    assert!(state.session("t", 43 * HOUR, DAY).is_some());
    assert!(state.session("t", 44 * HOUR, DAY).is_none());
    assert!(state.session("other", 1, DAY).is_none());
}

#[test]
fn token_use_is_logged_about_once_an_hour() {
    let mut state = signed_in(0);
    assert!(!state.touch("t", HOUR, DAY));
    assert!(state.touch("t", HOUR + 1, DAY));
    state.apply(
        Event::Used {
            token: "t".to_owned(),
        },
        HOUR + 1,
    );
    assert!(!state.touch("t", 2 * HOUR, DAY));
}
