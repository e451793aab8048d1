//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
use super::*;

#[test]
fn fault_specs_round_trip_through_parsing_and_display() {
    for kind in KINDS {
        let delay = if kind.has_delay() { ":1500" } else { "" };
        let kind = kind.name;
        for route in Route::all() {
            for tail in ["", ":0.2", ":x3", ":0.2:x3"] {
                let text = format!("{route}:{kind}{delay}{tail}");
                assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
            }
        }
    }
}

#[test]
fn a_fault_parse_error_names_the_part_and_suggests_a_word() {
    let routes = Route::all().map(Route::name).collect::<Vec<_>>().join(", ");
    let unknown_route =
        format!("\"partner:500\": route \"partner\" is not known; allowed: {routes}; did you mean partners?");
    let kinds = kinds().join(", ");
    let unknown_kind = format!(
        "\"auth:drop-afer\": kind \"drop-afer\" is not known; allowed: {kinds}; did you mean drop-after?"
    );
    let cases = [
        ("partner:500", unknown_route.as_str()),
        ("auth:drop-afer", unknown_kind.as_str()),
        (
            "auth:slow",
            "\"auth:slow\" has no delay; allowed: a whole number of milliseconds up to a day, as in 1500",
        ),
        (
            "auth:slow:0.2",
            "\"auth:slow:0.2\": delay \"0.2\" is not a whole number of milliseconds up to a day, as in 1500",
        ),
        (
            "auth:500:20",
            "\"auth:500:20\": rate \"20\" is not a share from 0 to 1, as in 0.2, or a limit, as in x3",
        ),
        (
            "auth:500:x0",
            "\"auth:500:x0\": limit \"x0\" is not x and a count from 1, as in x3",
        ),
        (
            "auth:500:1:1",
            "\"auth:500:1:1\": part \"1\" is not expected: ROUTE:KIND[:MS][:RATE][:xN]",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(text.parse::<Fault>().unwrap_err().to_string(), message);
    }
    assert!(matches!(
        "auth".parse::<Fault>(),
        Err(FaultError::Missing { part: "kind", .. })
    ));
    assert!(matches!(
        "".parse::<Fault>(),
        Err(FaultError::Missing { part: "route", .. })
    ));
    assert!(matches!(
        "a:NaN".parse::<Fault>(),
        Err(FaultError::Unknown { .. })
    ));
    assert!(matches!(
        "*:500:NaN".parse::<Fault>(),
        Err(FaultError::Number { .. })
    ));
}
