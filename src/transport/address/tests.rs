//! Tests of the module above.

use super::*;

fn refusal(only_sandbox: bool, url: &str) -> Option<String> {
    AddressRules { only_sandbox }.refusal(&Url::parse(url).unwrap(), None)
}

#[test]
fn plain_http_is_for_loopback_only() {
    for url in [
        "http://127.0.0.1:8080/",
        "http://127.9.9.9/",
        "http://[::1]:8080/",
        "http://localhost:1/",
        "http://a-admin.localhost:1/",
        "https://acme-admin.mobsted.com/",
    ] {
        assert_eq!(refusal(false, url), None, "{url}");
    }
    for url in [
        "http://acme-admin.mobsted.com/",
        "http://10.0.0.1/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://[::ffff:10.0.0.1]/",
        "ftp://localhost/",
        "https://user:word@acme-admin.mobsted.com/",
    ] {
        assert!(refusal(false, url).is_some(), "{url}");
    }
}

#[test]
fn plain_http_that_is_accepted_is_for_that_origin_only() {
    let accepted = Origin::parse("http://api.example").unwrap();
    let refusal = |only_sandbox: bool, url: &str| {
        AddressRules { only_sandbox }.refusal(&Url::parse(url).unwrap(), Some(&accepted))
    };
    for url in [
        "http://api.example/v2/sms/",
        "http://API.example.:80/",
        "https://other.example/",
        "http://127.0.0.1:1/",
    ] {
        assert_eq!(refusal(false, url), None, "{url}");
    }
    for url in [
        "http://other.example/",
        "http://api.example:8080/",
        "http://sub.api.example/",
        "http://api.example.evil.example/",
    ] {
        let reason = refusal(false, url).unwrap();
        assert!(reason.contains(PLAIN_HTTP_CONSENT), "{url}: {reason}");
    }
    let reason = refusal(true, "http://api.example/").unwrap();
    assert!(reason.contains("only sandbox hosts"), "{reason}");
}

#[test]
fn sandbox_mode_reaches_sandbox_hosts_only_and_vice_versa() {
    assert_eq!(refusal(true, "http://acme-admin.mobsted.sandbox/"), None);
    assert_eq!(refusal(true, "https://ACME-admin.Mobsted.Sandbox./"), None);
    assert_eq!(refusal(true, "http://bookings.wabcdef.jrni.sandbox/api/v1"), None);
    assert_eq!(refusal(true, "http://ent-api.wabcdef.sparrow.sandbox/v1"), None);
    assert_eq!(refusal(true, "http://api.wabcdef.sparrow_bulk.sandbox/v2"), None);
    assert_eq!(refusal(true, "http://web.sandbox/"), None);
    for url in [
        "https://acme-admin.mobsted.com/",
        "https://bookings.other.sandbox/",
        "https://xjrni.sandbox/",
        "http://127.0.0.1:1/",
        "https://mobsted.sandbox.example.com/",
        "https://xmobsted.sandbox/",
    ] {
        assert!(refusal(true, url).is_some(), "{url}");
    }
    let text = refusal(false, "http://acme-admin.mobsted.sandbox/").unwrap();
    assert!(text.contains("--sandbox"), "{text}");
}
