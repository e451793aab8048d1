//! Tests of the module above.

use super::*;

#[test]
fn a_base_url_is_normalized_and_invalid_ones_are_refused() {
    for (text, base) in [
        ("acme-admin.mobsted.com", "https://acme-admin.mobsted.com"),
        (
            " https://acme-admin.mobsted.com/ ",
            "https://acme-admin.mobsted.com",
        ),
        (
            "https://ACME-admin.mobsted.com/api/v8/",
            "https://acme-admin.mobsted.com",
        ),
        (
            "http://127.0.0.1:8080/t/acme/api/v8",
            "http://127.0.0.1:8080/t/acme",
        ),
        ("localhost:8080", "http://localhost:8080"),
        ("m-admin.mobsted.sandbox", "http://m-admin.mobsted.sandbox"),
    ] {
        assert_eq!(BaseUrl::parse(text).unwrap().as_str(), base, "{text}");
    }
    for text in [
        "",
        "https://",
        "ftp://a.b",
        "https://me:word@a.b",
        "https://a.b/?x=1",
        "a b",
    ] {
        assert!(BaseUrl::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_tenant_is_the_first_label_without_admin() {
    let tenant = |text: &str| BaseUrl::parse(text).unwrap().tenant().to_owned();
    assert_eq!(tenant("https://a23r56k8-admin.mobsted.com"), "a23r56k8");
    assert_eq!(tenant("https://crm.example.com/x"), "crm");
}
