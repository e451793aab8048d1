//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use std::collections::BTreeMap;

use super::*;
use crate::client::endpoints::EndpointError;

fn with(key: &str, value: &str) -> Result<Endpoints, EndpointError> {
    Endpoints::with_overrides(&BTreeMap::from([(key.to_owned(), value.to_owned())]))
}

#[test]
fn a_profile_overrides_known_endpoints_with_valid_paths_only() {
    let endpoints = with("create_company", "/company/").unwrap();
    assert_eq!(endpoints.of("create_company", 7), "/company");
    assert_eq!(endpoints.of("login_company", 7), "/login/admin/7");
    let unknown = with("create_compny", "/x").unwrap_err().to_string();
    assert!(unknown.contains("did you mean `create_company`"), "{unknown}");
    for bad in ["company", "/a//b", "/../x", "/{other}", "/a?b", "/"] {
        assert!(with("login", bad).is_err(), "{bad}");
    }
}
