//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::client::error::ApiErrorKind;

#[test]
fn a_base_url_is_normalized_and_invalid_ones_are_refused() {
    for text in [
        "ent-api.sparrowsms.com",
        " https://ent-api.sparrowsms.com/ ",
        "https://ent-api.sparrowsms.com",
    ] {
        assert_eq!(
            BaseUrl::parse(text).unwrap().as_str(),
            "https://ent-api.sparrowsms.com"
        );
    }
    assert_eq!(
        BaseUrl::parse("127.0.0.1:81/sparrow").unwrap().as_str(),
        "http://127.0.0.1:81/sparrow"
    );
    for text in ["", "ftp://x", "https://a:b@x.example", "https://x.example/?a=1"] {
        assert_eq!(
            BaseUrl::parse(text).unwrap_err().kind,
            ApiErrorKind::Address,
            "{text}"
        );
    }
}
