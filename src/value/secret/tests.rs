//! Tests of the module above.

use super::*;

#[test]
fn a_secret_prints_as_a_mask() {
    let secret = Secret::new("hunter2");
    assert_eq!(format!("{secret} {secret:?}"), "*** ***");
}

#[test]
fn known_secrets_and_tokens_are_scrubbed() {
    let mut scrubber = Scrubber::new();
    scrubber.add_secret(&Secret::new("p+ss word"));
    scrubber.add_secret(&Secret::new(""));
    scrubber.add_secret(&Secret::new("a"));
    assert_eq!(
        scrubber.scrub("at /auth?password=p%2Bss+word: p+ss word, eyJhbGciOiJIUzI1NiJ9.e30.abc"),
        "at /auth?password=***: ***, ***"
    );
    assert_eq!(scrubber.scrub("eyJ and a"), "eyJ and a");
}

#[test]
fn secrets_are_redacted_in_json_url_and_html_encodings() {
    let mut scrubber = Scrubber::new();
    scrubber.add_secret(&Secret::new("p\"a<b & 'c\\d  e"));
    for text in [
        "p\"a<b & 'c\\d  e",
        r#"{"x":"p\"a<b & 'c\\d  e"}"#,
        "p%22a%3Cb+%26+%27c%5Cd++e",
        "p%22a%3Cb%20%26%20%27c%5Cd%20%20e",
        "p&quot;a&lt;b &amp; &#39;c\\d  e",
        "p&quot;a&lt;b &amp; 'c\\d  e",
        "p\"a&lt;b &amp; &#x27;c\\d  e",
    ] {
        let found = scrubber.scrub(text);
        assert!(
            found.contains("***") && !found.contains("a<b") && !found.contains("lt;b"),
            "{found}"
        );
    }
}

#[test]
fn values_with_credential_like_names_are_masked() {
    let scrub = |text: &str| Scrubber::new().scrub(text);
    for (text, scrubbed) in [
        (
            r#"{"UserPassword":"hunter2","a":1}"#,
            r#"{"UserPassword":"***","a":1}"#,
        ),
        (
            r#"{"password": "p\"q r", "b": 2}"#,
            r#"{"password": "***", "b": 2}"#,
        ),
        (
            r#"\"access_token\": \"abc\", x"#,
            r#"\"access_token\": \"***\", x"#,
        ),
        (
            "POST /auth?login=a&password=hunter&x=1",
            "POST /auth?login=a&password=***&x=1",
        ),
        (r#"{"password":"it's","b":1}"#, r#"{"password":"***","b":1}"#),
        (r#"{"tokens":["a","b"],"c":1}"#, r#"{"tokens":***],"c":1}"#),
        ("App-Key: k3y and more", "App-Key: *** and more"),
        ("Authorization: Bearer abcdef123 x", "Authorization: Bearer *** x"),
        (
            "Proxy-Authorization: Basic YW5uOnBhc3M=",
            "Proxy-Authorization: Basic ***",
        ),
        ("the token abc is bad", "the token abc is bad"),
        ("password: is required", "password: is required"),
        (
            "the password field: at least 8 characters",
            "the password field: at least 8 characters",
        ),
        ("token=", "token="),
        ("pin: 1234, ok", "pin: ***, ok"),
        ("opinion: 5 of 6", "opinion: 5 of 6"),
        ("no basic rights", "no basic rights"),
        ("é password=é1", "é password=***"),
    ] {
        assert_eq!(scrub(text), scrubbed);
    }
}

#[test]
fn credential_names_are_distinguished_from_similar_words() {
    for name in [
        "UserPassword",
        "app_key",
        "Auth-Token",
        "tokens",
        "PIN",
        "clientSecret",
        "JWT",
        "Authorization",
    ] {
        assert!(names_a_credential(name), "{name}");
    }
    for name in [
        "token_type",
        "opinion",
        "key",
        "compass",
        "secretary",
        "passport",
        "expires",
    ] {
        assert!(!names_a_credential(name), "{name}");
    }
}

#[test]
fn non_ascii_secrets_are_redacted_in_escaped_json_and_latin1() {
    let mut scrubber = Scrubber::new();
    scrubber.add_secret(&Secret::new("pin+ü9/€😀"));
    let misread: String = "pin+ü9/€😀".bytes().map(char::from).collect();
    for text in [
        format!("the header was {misread}."),
        r#"{"x":"pin+\u00fc9/\u20ac\ud83d\ude00"}"#.to_owned(),
        r#"{"x":"pin+\u00FC9/\u20AC\uD83D\uDE00"}"#.to_owned(),
    ] {
        let found = scrubber.scrub(&text);
        assert!(found.contains("***") && !found.contains("pin"), "{found}");
    }
    let echoed = scrubber.echo(&format!("pre-{misread}"));
    assert!(echoed.is_some(), "an answer that repeats it is a secret, too");
}
