#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn proxies_are_read_and_shown_without_their_credentials() {
    for (text, shown, credentials) in [
        ("http://proxy.example:3128", "http://proxy.example:3128", false),
        ("proxy.example:3128", "http://proxy.example:3128", false),
        (" https://proxy.example/ ", "https://proxy.example", false),
        (
            "http://ann:s3cret-pw@proxy.example:3128",
            "http://proxy.example:3128",
            true,
        ),
        ("ann:s3cret-pw@10.0.0.1:3128", "http://10.0.0.1:3128", true),
    ] {
        let proxy = Proxy::parse(text).unwrap();
        assert_eq!(
            (proxy.to_string(), proxy.has_credentials()),
            (shown.to_owned(), credentials)
        );
        assert!(!format!("{proxy} {proxy:?}").contains("s3cret"), "{proxy:?}");
    }
    for text in [
        "",
        "socks5://ann:s3cret-pw@p:1",
        "http://ann:s3cret-pw@p/x",
        "http://",
        "http://p?q",
        "a b",
    ] {
        let reason = Proxy::parse(text).unwrap_err();
        assert!(reason.starts_with("must be a"), "{text}: {reason}");
        assert!(!reason.contains("s3cret"), "{reason}");
    }
}

#[test]
fn no_proxy_hosts_bypass_the_proxy() {
    let proxies = |except: &str| Proxies {
        https: Proxy::parse("http://p:1").ok(),
        http: None,
        except: except.to_owned(),
        unusable: None,
    };
    let has = |except: &str, host: &str| proxies(except).https_for(host).is_some();
    assert!(has("", "acme.example"));
    assert!(!has("acme.example", "acme.example"));
    assert!(!has("x, .example", "acme.example"));
    assert!(!has("example", "acme.example"));
    assert!(has("me.example", "acme.example"));
    assert!(!has("*", "acme.example"));
}
