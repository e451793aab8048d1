//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn a_base_url_is_normalized_and_invalid_ones_are_refused() {
    for (written, full) in [
        (
            "https://acme.bookingbug.com/api/v1",
            "https://acme.bookingbug.com/api/v1",
        ),
        ("acme.bookingbug.com", "https://acme.bookingbug.com/api/v1"),
        (" https://ACME.jrni.com/api/v5/ ", "https://acme.jrni.com/api/v5"),
        ("https://acme.jrni.com/api/v3", "https://acme.jrni.com/api/v3"),
        (
            "http://127.0.0.1:8080/jrni/api/v1",
            "http://127.0.0.1:8080/jrni/api/v1",
        ),
        (
            "bookings.wabcdef.jrni.sandbox",
            "http://bookings.wabcdef.jrni.sandbox/api/v1",
        ),
    ] {
        assert_eq!(BaseUrl::parse(written).unwrap().as_str(), full, "{written}");
    }
    for bad in [
        "",
        "ftp://acme.jrni.com",
        "https://u:p@acme.jrni.com",
        "https://acme.jrni.com/api/v9",
        "https://acme.jrni.com/?x",
    ] {
        assert!(BaseUrl::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn only_urls_below_the_api_on_the_same_origin_are_owned() {
    let base = BaseUrl::parse("https://acme.jrni.com/api/v5").unwrap();
    let owns = |text: &str| base.owns(&Url::parse(text).unwrap());
    assert!(owns("https://acme.jrni.com/api/v5/company/1"));
    assert!(owns("https://acme.jrni.com:443/api/v1/1/people"));
    for stranger in [
        "https://acme.bookingbug.com/api/v1/1/people",
        "http://acme.jrni.com/api/v5/company/1",
        "https://acme.jrni.com:8443/api/v5/company/1",
        "https://acme.jrni.com.evil.example/api/v5/company/1",
        "https://acme.jrni.com/other",
        "https://acme.jrni.com/api/v5/../../other",
    ] {
        assert!(!owns(stranger), "{stranger}");
    }
}
