#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn tenants_of_a_platform_share_one_circuit_breaker_site() {
    let site = |text: &str| site_of(&Url::parse(text).unwrap());
    assert_eq!(
        site("https://acme-admin.mobsted.com/api"),
        "https://mobsted.com:443"
    );
    assert_eq!(
        site("https://a23-admin.mobsted.com"),
        site("https://acme-admin.mobsted.com")
    );
    assert_ne!(site("https://a.mobsted.com:8443"), site("https://a.mobsted.com"));
    assert_eq!(site("https://jrni.com"), "https://jrni.com:443");
    assert_eq!(site("http://127.0.0.1:81/x"), "http://127.0.0.1:81");
    assert_eq!(site("http://localhost:81/x"), "http://localhost:81");
    assert_eq!(site("http://[::1]:81/x"), "http://[::1]:81");
}
