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
        .map(|_| faults.decide(Route::PARTNERS).is_some())
        .collect()
}

fn decided(faults: &Faults, route: Route) -> &'static str {
    faults.decide(route).unwrap().kind.name
}

#[test]
fn fault_decisions_are_deterministic_per_seed_and_follow_the_rate() {
    let text = ["partners:drop-after:0.2"];
    let first = decisions(&faults(7, &text), 10_000);
    assert_eq!(first, decisions(&faults(7, &text), 10_000));
    assert_ne!(first, decisions(&faults(8, &text), 10_000));
    let hits = first.iter().filter(|hit| **hit).count();
    assert!((1_800..2_200).contains(&hits), "{hits}");
}

#[test]
fn a_fault_stops_at_its_limit_and_the_first_match_wins() {
    let faults = faults(1, &["partners:500:x2", "*:429"]);
    assert_eq!(decided(&faults, Route::AUTH), "429");
    let kinds: Vec<_> = (0..3)
        .filter_map(|_| faults.decide(Route::PARTNERS))
        .map(|fault| fault.kind.name)
        .collect();
    assert_eq!(kinds, ["500", "500", "429"]);
    assert_eq!(faults.hits().values().sum::<u32>(), 4);
    faults.clear();
    assert_eq!(faults.hits()["partners:500:x2"], 2, "known when it is taken back");
    assert_eq!(faults.decide(Route::PARTNERS), None);
}

#[test]
fn a_fault_route_covers_its_sub_routes() {
    let faults = faults(1, &["applications-post:500", "applications:429"]);
    assert_eq!(decided(&faults, Route::APPLICATIONS_POST), "500");
    assert_eq!(decided(&faults, Route::APPLICATIONS_GET), "429");
    assert_eq!(decided(&faults, Route::APPLICATIONS), "429");
    assert_eq!(faults.decide(Route::PARTNERS), None);
    let faults = crate::sandbox::fault::tests::faults(1, &["jrni:500"]);
    assert_eq!(decided(&faults, Route::named("jrni-login")), "500");
    assert_eq!(faults.decide(Route::named("jrnix-login")), None);
}
