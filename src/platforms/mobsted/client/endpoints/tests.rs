//! Tests of the module above.

use super::*;
use crate::client::endpoints::EndpointError;

fn with(key: &str, value: &str) -> Result<Endpoints, EndpointError> {
    Endpoints::with_overrides(&[(key.to_owned(), value.to_owned())].into())
}

#[test]
fn a_profile_overrides_single_endpoints() {
    let endpoints = with("applications", "/wrapper/apps/").unwrap();
    assert_eq!(endpoints.get("applications"), "/wrapper/apps");
    assert_eq!(endpoints.get("partners"), "/partners");
    assert_eq!(with("app_type_field", "").unwrap().get("app_type_field"), "");
    let creating = |key: &str, value: &str| with(key, value).unwrap().get("create_application").to_owned();
    assert_eq!(creating("applications", "/wrapper/apps"), "/wrapper/apps");
    assert_eq!(creating("create_application", ""), "/applications");
    assert_eq!(creating("create_application", "/pwa/wrapper"), "/pwa/wrapper");
}

#[test]
fn invalid_endpoint_overrides_are_refused_with_the_nearest_key() {
    let error = with("aplications", "/x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no endpoint setting `aplications`; did you mean `applications`?"
    );
    assert!(matches!(
        with("colour", "x"),
        Err(EndpointError::UnknownKey { nearest: None, .. })
    ));
    for value in [
        "applications",
        "https://x/y",
        "/a/../b",
        "/a?b=1",
        "/a%2fb",
        "//a",
        "/",
    ] {
        assert!(
            matches!(with("applications", value), Err(EndpointError::BadValue { .. })),
            "{value}"
        );
    }
    assert!(with("app_name_field", "").is_err());
    for value in [
        "/applications/1",
        "/app-delete",
        "/x/01",
        "/1",
        "/object",
        "/Events/new",
    ] {
        let error = with("partners", value).unwrap_err();
        assert!(matches!(error, EndpointError::BadValue { .. }), "{value}");
    }
    assert!(with("partners", "/partners/create.json").is_ok());
}
