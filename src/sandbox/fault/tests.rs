//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
use super::*;

fn faults(seed: u64, texts: &[&str]) -> Faults {
    Faults::new(
        seed,
        &texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>(),
    )
}

fn decisions(faults: &Faults, count: usize) -> Vec<bool> {
    (0..count)
        .map(|_| faults.decide(Route::Partners).is_some())
        .collect()
}

#[test]
fn decisions_repeat_for_a_seed_and_follow_the_rate() {
    let text = ["partners:drop-after:0.2"];
    let first = decisions(&faults(7, &text), 10_000);
    assert_eq!(first, decisions(&faults(7, &text), 10_000));
    assert_ne!(first, decisions(&faults(8, &text), 10_000));
    let hits = first.iter().filter(|hit| **hit).count();
    assert!((1_800..2_200).contains(&hits), "{hits}");
}

#[test]
fn a_limit_ends_it_and_the_first_matching_fault_wins() {
    let faults = faults(1, &["partners:500:x2", "*:429"]);
    assert_eq!(faults.decide(Route::Auth), Some(Kind::TooMany429));
    let kinds: Vec<_> = (0..3).filter_map(|_| faults.decide(Route::Partners)).collect();
    assert_eq!(kinds, [Kind::Error500, Kind::Error500, Kind::TooMany429]);
    assert_eq!(faults.hits().values().sum::<u32>(), 4);
    faults.clear();
    assert_eq!(faults.hits()["partners:500:x2"], 2, "known when it is taken back");
    assert_eq!(faults.decide(Route::Partners), None);
}

#[test]
fn applications_covers_both_of_its_narrower_routes() {
    let faults = faults(1, &["applications-post:500", "applications:429"]);
    assert_eq!(faults.decide(Route::ApplicationsPost), Some(Kind::Error500));
    assert_eq!(faults.decide(Route::ApplicationsGet), Some(Kind::TooMany429));
    assert_eq!(faults.decide(Route::Applications), Some(Kind::TooMany429));
    assert_eq!(faults.decide(Route::Partners), None);
}
