#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

/// A file, the start of its error after the file's name, and the start of the hint.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "\n[profiles.a]\nlogn = \"x\"",
        ":3:1: unknown key `profiles.a.logn`",
        "did you mean `login`?",
    ),
    (
        "profile = 1",
        ":1:1: unknown key `profile`",
        "did you mean `profiles`?",
    ),
    (
        "[profiles.a]\nxyz = 1",
        ":2:1: unknown key `profiles.a.xyz`",
        "known here: platform, url",
    ),
    (
        "[profiles.a.timeouts]\nreplay = \"1s\"",
        ":2:1: unknown key `profiles.a.timeouts.replay`",
        "did you mean `reply`?",
    ),
    (
        "[profiles.a]\n\"timeouts.reply\" = \"1s\"",
        ":2:1: unknown key `profiles.a.timeouts.reply`",
        "did you mean `timeouts`?",
    ),
    (
        "[profiles.a]\n\"endpoints.*\" = \"/x\"",
        ":2:1: unknown key `profiles.a.endpoints.*`",
        "",
    ),
    (
        "[profiles.a]\nurl = 5",
        ":2:7: `profiles.a.url` must be of type string, not integer",
        "",
    ),
    (
        "[profiles.a]\nlogin = ' '",
        ":2:9: `profiles.a.login` is empty",
        "",
    ),
    (
        "[profiles.a]\nurl = \"acme.example\"",
        ":2:7: `profiles.a.url` must begin with https://",
        "",
    ),
    (
        "[profiles.a]\nurl = \"ftp://a.example\"",
        ":2:7: `profiles.a.url` must begin with https://",
        "",
    ),
    (
        "[profiles.a]\nurl = \"http://a.example\"",
        ":2:7: `profiles.a.url` must begin with https:// (or http:// on this machine); if the service has no https",
        "",
    ),
    (
        "[profiles.a]\nplain_http = true",
        ":2:14: `profiles.a.plain_http` must be exactly \"I accept that",
        "",
    ),
    (
        "[profiles.a]\nplain_http = \"I accept that.\"",
        ":2:14: `profiles.a.plain_http` must be exactly \"I accept that",
        "",
    ),
    (
        "[profiles.a]\nmode = \"prd\"",
        ":2:8: `profiles.a.mode` must be one of sandbox, dev, prod, read-only, not `prd`",
        "",
    ),
    (
        "[profiles.a]\nplatform = \"x\"",
        ":2:12: `profiles.a.platform` must be one of mobsted, jrni, sparrow",
        "",
    ),
    (
        "[profiles.a]\nsettle = 2",
        ":2:10: `profiles.a.settle` must be a duration",
        "",
    ),
    (
        "[profiles.a]\nsettle = \"0s\"",
        ":2:10: `profiles.a.settle` must be a duration",
        "",
    ),
    (
        "[profiles.a]\npassword = {}",
        ":2:12: `profiles.a.password` must have exactly one of",
        "",
    ),
    (
        "[profiles.a]\npassword = {env=\"A\", file=\"b\"}",
        ":2:12: `profiles.a.password` must have exactly one of",
        "",
    ),
    (
        "[profiles.a]\npassword = {command=\"pass x\"}",
        ":2:21: `profiles.a.password.command` must be a list of strings",
        "",
    ),
    (
        "[profiles.a]\npassword = {command=[]}",
        ":2:21: `profiles.a.password.command` must be a list of strings",
        "",
    ),
    (
        "[profiles.a.endpoints]\nx = \"https://evil.example\"",
        ":2:5: `profiles.a.endpoints.x` must be a path",
        "",
    ),
    (
        "[profiles.a]\nrate = 10",
        ":2:8: `profiles.a.rate` must be a rate such as \"10/s\"",
        "",
    ),
    (
        "[profiles.a]\nrate = \"0/s\"",
        ":2:8: `profiles.a.rate` must be a rate such as",
        "",
    ),
    (
        "[profiles.a]\nconcurrency = 0",
        ":2:15: `profiles.a.concurrency` must be a whole number from 1 to 1000",
        "",
    ),
    (
        "[profiles.a]\nconcurrency = \"4\"",
        ":2:15: `profiles.a.concurrency` must be a whole number from 1 to 1000",
        "",
    ),
    (
        "[profiles.a]\nproxy = \"socks5://p:1\"",
        ":2:9: `profiles.a.proxy` must be an http:// or https:// proxy",
        "",
    ),
    (
        "[profiles.a]\nproxy = \"http://ann:hunter2@p:1\"",
        ":2:9: `profiles.a.proxy` must not contain a user name or a password",
        "",
    ),
    (
        "[profiles.a]\nproxy = {}",
        ":2:9: `profiles.a.proxy` must have exactly one of env, file",
        "",
    ),
    (
        "[profiles.a]\nca = 1",
        ":2:6: `profiles.a.ca` must be of type string, not integer",
        "",
    ),
    (
        "[profiles.a.timeouts]\noutage = \"soon\"",
        ":2:10: `profiles.a.timeouts.outage` must be a duration",
        "",
    ),
    (
        "[profiles.a]\nconcurency = 4",
        ":2:1: unknown key `profiles.a.concurency`",
        "did you mean `concurrency`?",
    ),
    (
        "profiles = 3",
        ":1:12: `profiles` must be of type table, not integer",
        "",
    ),
    ("[profiles.a]\nurl = \"x", ":2:", ""),
];

#[test]
fn config_errors_report_the_line_and_a_hint() {
    for (text, error, hint) in MISTAKES {
        let found = Home::new(text, "").error();
        assert!(
            found
                .0
                .starts_with(&format!("~/provisor/config/config.toml{error}")),
            "{text}: {}",
            found.0
        );
        assert!(found.1.starts_with(*hint), "{text}: {}", found.1);
        let project = Home::new("", text).error();
        assert!(
            project.0.starts_with(&format!("~/work/provisor.toml{error}")),
            "{text}: {}",
            project.0
        );
    }
}
