//! Tests of the module above.

use super::*;

#[test]
fn credentials_are_recognised() {
    for text in [
        " let x = 1",
        "let password = \"hunter2\"",
        "client.post(\"/x\", #{ password: \"hunter2\" })",
        "#{ \"api_key\": \"abc\" }",
        "set_token(\"abc\")",
        "let x = \"eyJhbGciOi\"",
        "f(\"a8f5f167f44f4964e6c998dee827110c\")",
        "let newPassword = `hunter2`",
    ] {
        assert!(is_secret(text), "{text}");
    }
}

#[test]
fn other_inputs_are_not() {
    for text in [
        "let x = 1",
        "partner.ensure_tenant(\"ann@example.com\")",
        "\"https://ann.example/a-long-path-without-any-number\"",
        "tenant.password",
        "let id = \"6f9619ff-8b86-d011-b42d-00cf4fc964ff\"",
        "\"unterminated",
        "print(\"the password is secret\")",
    ] {
        assert!(!is_secret(text), "{text}");
    }
}
