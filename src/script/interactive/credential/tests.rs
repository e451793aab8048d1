//! Tests of the module above.

use super::holds_credential;

/// Inputs that may be in the history of a user in a hurry.
const CREDENTIALS: &[&str] = &[
    // By the name that receives the text.
    "let password = \"hunter2\"",
    "let newPassword = `hunter2`",
    "const API_KEY = \"abc\"",
    "let pin = \"4711\"",
    "client.post(\"/x\", #{ password: \"hunter2\" })",
    "#{ \"api_key\": \"abc\" }",
    "#{ \"X-Api-Key\": \"abc\" }",
    "set_token(\"abc\")",
    "session.password = \"hunter2\"",
    "headers[\"Authorization\"] = \"whatever\"",
    "m.set(\"password\", \"hunterC\")",
    "headers.insert(\"Authorization\", `hunterC`)",
    "m.password += \"hunterC\"",
    "m[\"password\"] += \"hunterC\"",
    "let pw = (\"hunterD\")",
    "let m = #{ password: ((\"hunterD\")) }",
    "set_token((\"hunterD\"))",
    "if given == \"x\" || token == \"abc\" { 1 }",
    "http::get(\"https://a.example\", #{ headers: #{ Cookie: \"sid=1\" } })",
    // By a name inside the text.
    "\"Authorization: Bearer abc\"",
    "let h = \"X-App-Key: 12345\"",
    "http::get(\"https://a.example/x?token=abc123\")",
    "let body = \"login=me&password=hunter2\"",
    "http::get(\"https://me:hunter2@a.example/\")",
    "let url = \"postgres://admin:s3cret@db.example/x\"",
    "let body = `{\"password\": \"hunterA\"}`",
    "let body = `{\"user\":\"ann\",\"pin\":4711}`",
    "let body = `{'password': 'hunterA'}`",
    "\"{\\\"api_token\\\": \\\"hunterB\\\"}\"",
    "client.post(\"/x\", `{\n  \"auth\": {\n    \"password\" : \"h\"\n  }\n}`)",
    // By their form.
    "let x = \"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N\"",
    "f(\"a8f5f167f44f4964e6c998dee827110c\")",
    "f(\"da39a3ee5e6b4b0d3255bfef95601890afd80709\")",
    "\"Basic dXNlcjpwYXNzd29yZA==\"",
    "let x = \"Bearer Zm9vOmJhcg\"",
    "\"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"",
    "\"github_pat_11ABCDEFG0123456789\"",
    "\"glpat-ABCdef123456\"",
    "\"xoxb-123456789-abcdef\"",
    "\"AKIAIOSFODNN7EXAMPLE\"",
    "\"sk_live_4eC39HqLyjWDarjtT1zdp7dc\"",
    "\"SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf\"",
    "\"https://hooks.chat.example/services/T00000000/B00000000/a1B2c3D4e5F6g7H8i9J0k1L2\"",
    "\"-----BEGIN PRIVATE KEY-----\"",
    "\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY12\"",
    // Unquoted.
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "// password: hunter2",
    ":run onboard.rhai --password hunter2",
    ":run onboard.rhai --api-token=abc",
    // While typing.
    "let password = \"hunter2",
    "client.post(\"/x\", #{ password: `hun",
];

/// Inputs that belong in the history.
const INNOCENT: &[&str] = &[
    "let x = 1",
    "partner.ensure_tenant(\"ann@example.com\")",
    "partner.ensure_tenant(\"ann.bob+tag2024@mail.example.com\")",
    "\"https://ann.example/a-long-path-without-any-number\"",
    "\"https://ann.example/onboarding-guide-2024-11-edition?page=2&size=50#top\"",
    "let id = \"6f9619ff-8b86-d011-b42d-00cf4fc964ff\"",
    "http::get(\"https://a.example/tenants/6f9619ff-8b86-d011-b42d-00cf4fc964ff/apps\")",
    "tenant.password",
    "let password = tenant.password",
    "let token = ask_secret(\"Token of the account: \")",
    "let who = ask(\"Who? \")",
    "print(\"the password is secret\")",
    "\"Ann's shop, third floor, Bundesplatz 3, 3011 Bern, opens on 24.12.2024 at 09:00\"",
    "client.ensure_app(\"The bakery at the corner\", \"https://bakery.example\")",
    "let site = \"http://127.0.0.1:8080/\"",
    "#{ token_url: \"https://a.example/oauth\", token_type: \"code\" }",
    "\"Basic subscription\"",
    "\"unterminated",
    "let phone = \"+41791234567890123456\"",
    "\"DE89370400440532013000\"",
    "let order = \"ORD-20241122-0001-AB\"",
    "text.split(\"=\")[1]",
    "import \"lib/passwords\" as lib",
    ":run onboard.rhai --email ann@example.com",
    ":search token",
    "`${tenant.email} ${tenant.password}`",
    "// how to sign in: see the manual",
    "http::get(url, #{ headers: #{ Authorization: `Bearer ${token}` } })",
    "let password = `${first}${second}`",
    "tokens.filter(|t| t.expires > 0)",
    "let body = `{\"password\": \"${tenant.password}\"}`",
    "let body = `{\"password\":${quoted}}`",
    "let body = `{\"password\": \"\", \"token\": null}`",
    "let body = `{\"required\": [\"email\", \"password\"]}`",
    "let body = `{\"user\": \"ann\", \"token_type\": \"code\"}`",
    "m.set(\"email\", \"ann@example.com\")",
    "m.set(\"password\", tenant.password)",
    "show([\"password\", \"email\"])",
    "sort_by(\"password\", \"email\")",
    "m.name += \" and sons\"",
    "let name = (\"Ann\")",
    "let text = (password + \" is what it is\").len()",
    "f(passwords)[0](\"x\")",
];

#[test]
fn inputs_that_contain_credentials_are_detected() {
    assert!(CREDENTIALS.len() >= 25);
    for text in CREDENTIALS {
        assert!(holds_credential(text), "{text}");
    }
}

#[test]
fn harmless_inputs_are_not_detected_as_credentials() {
    assert!(INNOCENT.len() >= 15);
    for text in INNOCENT {
        assert!(!holds_credential(text), "{text}");
    }
}
