//! Tests of the module above.

use super::*;

fn read(host: &str, path: &str) -> (&'static str, String, Style, String) {
    let (simulator, address) = Address::read(host, path);
    (simulator.name, address.account, address.style, address.path)
}

#[test]
fn a_platform_is_known_by_its_host_or_by_its_first_path_segment() {
    let host = "Bookings.wabcdef.jrni.sandbox:81";
    let by_host = read(host, "/api/v1/login");
    let expected = Style::Host(host.to_ascii_lowercase());
    assert_eq!(
        by_host,
        ("jrni", String::new(), expected, "api/v1/login".to_owned())
    );
    let by_path = read("127.0.0.1:81", "/jrni/api/v1/login");
    let expected = Style::Path("127.0.0.1:81".to_owned());
    assert_eq!(
        by_path,
        ("jrni", String::new(), expected, "api/v1/login".to_owned())
    );
}

#[test]
fn a_platform_is_not_taken_for_one_whose_name_it_extends() {
    for (host, path, platform) in [
        ("api.wabcdef.sparrow_bulk.sandbox", "/v2/sms/", "sparrow_bulk"),
        ("127.0.0.1:81", "/sparrow_bulk/v2/sms/", "sparrow_bulk"),
        ("ent-api.wabcdef.sparrow.sandbox", "/v1/x/", "sparrow"),
        ("127.0.0.1:81", "/sparrow/v1/x/", "sparrow"),
    ] {
        let (found, _, _, below) = read(host, path);
        assert_eq!(found, platform, "{host}{path}");
        assert!(below.starts_with('v'), "{below}");
    }
}

#[test]
fn unrecognized_addresses_belong_to_mobsted() {
    let (platform, account, style, path) = read("acme-admin.wabcdef.mobsted.sandbox", "/api/v8/object");
    assert_eq!(
        (platform, account.as_str(), path.as_str()),
        ("mobsted", "acme", "object")
    );
    assert_eq!(style, Style::Host("-admin.wabcdef.mobsted.sandbox".to_owned()));
    let (platform, account, ..) = read("xjrni.sandbox", "/api/v8/auth");
    assert_eq!((platform, account.as_str()), ("mobsted", "ppp"));
    let (_, account, _, path) = read("localhost", "/acme-admin/api/v8/auth");
    assert_eq!((account.as_str(), path.as_str()), ("acme", "auth"));
}
