#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::transport::connect_options::{ConnectOptions, PLAIN_HTTP_CONSENT, Proxy, ProxyChoice};
use crate::transport::rate_limit::Rate;
use crate::value::origin::Origin as Place;

/// A self-signed certificate and its key.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["acme.example".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

impl Home {
    /// Writes a file to the folder of the user's configuration.
    fn put(&self, name: &str, text: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.path(&format!("provisor/config/{name}"));
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn connect_options(&self, variables: &[(&str, &str)]) -> Result<ConnectOptions, String> {
        let config = self.load().map_err(|error| error.to_string())?;
        let line = config
            .named("a", "test")
            .unwrap()
            .connect_options(&self.env(variables));
        let folder = self.folder.path().display().to_string();
        line.map_err(|error| error.to_string().replace(&folder, "~"))
    }
}

#[test]
fn every_connection_setting_is_parsed() {
    let text = "[profiles.a]\nproxy = \"http://proxy.example:3128\"\nca = \"ca.pem\"\nclient_cert = \"~/mine.pem\"\n\
                client_key = \"mine.key\"\nrate = \"90/min\"\nconcurrency = 16\n\
                timeouts = { connect = \"3s\", outage = \"10m\" }\n";
    let home = Home::new(text, "");
    let (cert, key) = certificate();
    home.put("ca.pem", &cert, 0o644);
    fs::write(home.path("mine.pem"), &cert).unwrap();
    home.put("mine.key", &key, 0o600);
    let line = home.connect_options(&[]).unwrap();
    assert_eq!(line.name, "a");
    assert_eq!(
        line.proxy,
        ProxyChoice::Proxy(Proxy::parse("proxy.example:3128").unwrap())
    );
    assert!(line.ca.is_some() && line.identity.is_some());
    assert_eq!((line.rate, line.concurrency), (Rate::parse("90/min"), Some(16)));
    assert_eq!(line.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(line.outage, Some(Duration::from_mins(10)));
    let none = Home::new("[profiles.a]\nproxy = \"none\"\n", "")
        .connect_options(&[])
        .unwrap();
    assert_eq!(none.proxy, ProxyChoice::Direct);
    let nothing = Home::new("[profiles.a]\n", "").connect_options(&[]).unwrap();
    assert_eq!(
        nothing,
        ConnectOptions {
            name: "a".into(),
            ..ConnectOptions::default()
        }
    );
}

/// A user's profile at this address, with the consent to plain http.
fn accepting(url: &str) -> String {
    format!("[profiles.a]\nurl = \"{url}\"\nplain_http = \"{PLAIN_HTTP_CONSENT}\"\n")
}

#[test]
fn plain_http_is_accepted_for_the_address_of_the_profile_only() {
    let accepted = |url: &str| Home::new(&accepting(url), "").connect_options(&[]).unwrap();
    assert_eq!(
        accepted("http://api.example/v2").plain_http,
        Place::parse("http://api.example")
    );
    // Nothing is unencrypted there, or leaves this machine.
    for url in ["https://api.example", "http://127.0.0.1:81"] {
        assert_eq!(accepted(url).plain_http, None, "{url}");
    }
    assert_eq!(accepted("http://api.example").for_other_hosts().plain_http, None);
    assert_eq!(accepted("http://api.example").rate_only().plain_http, None);
}

#[test]
fn a_project_neither_accepts_plain_http_nor_moves_what_the_user_accepted() {
    let user = accepting("http://api.example");
    let theirs = format!("[profiles.a]\nplain_http = \"{PLAIN_HTTP_CONSENT}\"\n");
    let refused = "~/work/provisor.toml:2:14: `profiles.a.plain_http` accepts that secrets travel unencrypted: only \
                   ~/provisor/config/config.toml may do that";
    for user in ["", "[profiles.a]\nurl = \"https://api.example\"\n", &user] {
        assert_eq!(Home::new(user, &theirs).error().0, refused);
        assert_eq!(Home::new(user, &theirs).trusting().error().0, refused, "trusted");
    }
    let moved = "[profiles.a]\nurl = \"http://evil.example\"\n";
    let alone = format!("[profiles.a]\nplain_http = \"{PLAIN_HTTP_CONSENT}\"\n");
    for user in [&user, &alone] {
        let (error, _) = Home::new(user, moved).trusting().error();
        assert!(
            error.starts_with("~/work/provisor.toml:2:7: `profiles.a.url` must begin with https://"),
            "{error}"
        );
    }
    let proxy = "[profiles.a]\nproxy = \"http://proxy.example:3128\"\n";
    let (error, _) = Home::new(&user, proxy).trusting().error();
    assert!(
        error.starts_with("~/work/provisor.toml:2:9: `profiles.a.proxy` would read what"),
        "{error}"
    );
    // What the project repeats or sets besides changes nothing.
    for project in [
        "[profiles.a]\nurl = \"http://api.example\"\n",
        "[profiles.a]\nrate = \"1/s\"\n",
    ] {
        let options = Home::new(&user, project).connect_options(&[]).unwrap();
        assert_eq!(
            options.plain_http,
            Place::parse("http://api.example"),
            "{project}"
        );
    }
}

#[test]
fn a_proxy_url_from_the_environment_is_used_and_redacted() {
    let home = Home::new("[profiles.a]\nproxy = { env = \"ACME_PROXY\" }\n", "");
    let line = home
        .connect_options(&[("ACME_PROXY", "http://ann:hunter2@p:1")])
        .unwrap();
    assert_eq!(
        line.proxy,
        ProxyChoice::Proxy(Proxy::parse("http://ann:hunter2@p:1").unwrap())
    );
    assert!(!format!("{line:?}").contains("hunter2"));
    let place = "~/provisor/config/config.toml:2:9: `profiles.a.proxy` is kept in the environment variable ACME_PROXY, and";
    assert_eq!(
        home.connect_options(&[]).unwrap_err(),
        format!("{place} it is not set")
    );
    let error = home
        .connect_options(&[("ACME_PROXY", "socks5://ann:hunter2@p:1")])
        .unwrap_err();
    assert!(error.starts_with(place) && !error.contains("hunter2"), "{error}");
}

#[test]
fn unusable_ca_and_client_certificate_files_are_reported_with_location() {
    let (cert, key) = certificate();
    let (_, other) = certificate();
    let both = "[profiles.a]\nclient_cert = \"c\"\nclient_key = \"k\"\n";
    for (text, files, error) in [
        (
            "[profiles.a]\nca = \"x\"\n",
            vec![],
            ":2:6: `profiles.a.ca` names the file ~/provisor/config/x, which cannot be read: No such file",
        ),
        (
            "[profiles.a]\nca = \"x\"\n",
            vec![("x", key.as_str(), 0o644)],
            ":2:6: `profiles.a.ca` names the file ~/provisor/config/x, which holds no PEM certificate",
        ),
        (
            "[profiles.a]\nclient_cert = \"c\"\n",
            vec![],
            ":2:15: `profiles.a.client_cert` needs `client_key` as well",
        ),
        (
            "[profiles.a]\nclient_key = \"k\"\n",
            vec![],
            ":2:14: `profiles.a.client_key` needs `client_cert` as well",
        ),
        (
            both,
            vec![("c", &cert, 0o644), ("k", &key, 0o640)],
            ":3:14: `profiles.a.client_key` names the file ~/provisor/config/k, which users other than its owner can read: chmod 600 ~/provisor/config/k",
        ),
        (
            both,
            vec![("c", &cert, 0o644), ("k", &other, 0o600)],
            ":2:15: `profiles.a.client_cert` cannot be used: the key does not belong to the certificate",
        ),
        (
            both,
            vec![("c", &cert, 0o644), ("k", "s3cret", 0o600)],
            ":2:15: `profiles.a.client_cert` cannot be used: the key's file holds no PEM key",
        ),
    ] {
        let home = Home::new(text, "");
        for (name, text, mode) in files {
            home.put(name, text, mode);
        }
        let found = home.connect_options(&[]).unwrap_err();
        assert!(
            found.starts_with(&format!("~/provisor/config/config.toml{error}")),
            "{found}"
        );
        assert!(!found.contains("s3cret"), "{found}");
    }
}

#[test]
fn a_project_ca_is_refused_when_the_password_is_the_users() {
    let user = "[profiles.a]\npassword = { env = \"A\" }\n";
    let home = Home::new(user, "[profiles.a]\nca = \"theirs.pem\"\n");
    let (error, hint) = home.error();
    assert_eq!(
        error,
        "~/work/provisor.toml:2:6: `profiles.a.ca` adds a CA for a profile whose password comes from \
         ~/provisor/config/config.toml:2"
    );
    assert!(hint.contains("write `ca`"), "{hint}");
    let own = "[profiles.a]\nca = \"theirs.pem\"\npassword = { env = \"B\" }\n";
    assert!(Home::new(user, own).load().is_ok());
    assert!(
        Home::new(user, "[profiles.a]\nrate = \"1/s\"\nproxy = \"p:1\"\n")
            .load()
            .is_ok()
    );
}

#[test]
fn project_proxy_and_tls_settings_require_a_trusted_project() {
    for (text, what) in [
        (
            "proxy = \"p.example:1\"",
            "it connects to profile `a` through the proxy http://p.example:1",
        ),
        (
            "proxy = { command = [\"evil\", \"x\"] }",
            "it connects to profile `a` through the proxy that `evil x` names",
        ),
        (
            "ca = \"theirs.pem\"",
            "it trusts the certificates in ~/work/theirs.pem for profile `a`",
        ),
        (
            "client_cert = \"c\"\nclient_key = \"k\"",
            "it uses the key in ~/work/k for profile `a`",
        ),
    ] {
        let home = Home::new("[profiles.a]\n", &format!("[profiles.a]\n{text}\n"));
        let error = home.connect_options(&[]).unwrap_err();
        assert!(error.contains(what), "{error}");
        let asked =
            Config::trust_reasons(&crate::platforms::catalogue(), &home.path("work/provisor.toml")).unwrap();
        let folder = home.folder.path().display().to_string();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].replace(&folder, "~"), what);
    }
    let home = Home::new(
        "[profiles.a]\n",
        "[profiles.a]\nrate = \"1/s\"\nconcurrency = 2\n",
    );
    assert!(home.connect_options(&[]).is_ok());
}

#[test]
fn project_connection_settings_override_user_settings_key_by_key() {
    let user = "[profiles.a]\nrate = \"1/s\"\nconcurrency = 4\ntimeouts = { outage = \"1m\" }\n";
    let line = Home::new(user, "[profiles.a]\nrate = \"2/s\"\n")
        .connect_options(&[])
        .unwrap();
    assert_eq!((line.rate, line.concurrency), (Rate::parse("2/s"), Some(4)));
    assert_eq!(line.outage, Some(Duration::from_mins(1)));
}
