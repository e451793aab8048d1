//! Unreachable platforms, and accounts with a rate limit.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Home, Talking, clients, finish, script};

fn configured(config: &str) -> Home {
    let home = Home::new();
    let home_config = home.provisor().join("config");
    fs::create_dir_all(&home_config).unwrap();
    fs::write(home_config.join("config.toml"), config).unwrap();
    home
}

/// An account at an address where nothing listens.
const NOWHERE: &str = "[profiles.acme]\nurl = \"http://127.0.0.1:1\"\nlogin = \"a@example.com\"\n\
                       password = { command = [\"echo\", \"pw-123456\"] }\n";

#[test]
fn a_single_call_to_an_unreachable_platform_fails_at_once() {
    let home = configured(NOWHERE);
    home.write("apps.rhai", "mobsted::connect().apps()\n");
    let ran = home.run("run apps.rhai --profile acme").ended(6);
    let ran = ran.said(&["no connection to 127.0.0.1:1"]);
    assert!(!ran.stderr.contains("waits"), "{}", ran.stderr);
}

#[test]
fn rows_wait_for_an_unreachable_platform_until_ctrl_c() {
    let home = configured(NOWHERE);
    home.write("clients.csv", &clients(5));
    let words = format!(
        "run {} --profile acme --rows clients.csv --out done.csv --jobs 3",
        script("onboard.rhai")
    );
    let mut run = Talking::start(&home, &words);
    run.wait_for("the run waits and tries again in 1 s; Ctrl-C stops it");
    let asked = Instant::now();
    let (code, said) = run.interrupt();
    assert!(asked.elapsed() < Duration::from_secs(8), "{said}");
    assert_eq!(code, 130, "{said}");
    assert_eq!(said.matches("the run waits").count(), 1, "{said}");
    assert!(said.contains("to continue: provisor resume"), "{said}");
    let runs = home.run("runs list --json").ended(0).stdout;
    assert!(!runs.contains("\"failed\":1"), "{runs}");
}

#[test]
fn rows_fail_after_the_outage_timeout_and_can_be_retried() {
    let home = configured(&format!("{NOWHERE}timeouts = {{ outage = \"1s\" }}\n"));
    home.write("clients.csv", &clients(3));
    let words = format!(
        "run {} --profile acme --rows clients.csv --out done.csv",
        script("onboard.rhai")
    );
    let ran = home.run(&words).ended(8);
    let ran = ran.said(&[
        "the run waits and tries again",
        "has been unreachable for 1 s",
        "--retry-failed",
    ]);
    assert_eq!(ran.stderr.matches("the run waits").count(), 1, "{}", ran.stderr);
    assert!(home.read("done.csv").contains("no connection to 127.0.0.1:1"));
}

#[test]
fn ctrl_c_ends_a_rate_limit_wait_without_sending() {
    let home = configured("[profiles.sandbox]\nrate = \"1/h\"\n");
    let words = format!(
        "-vv run {} --sandbox --email ann@example.com --site https://ann.example",
        script("onboard.rhai")
    );
    let mut run = Talking::start(&home, &words);
    // The first request is sent at once, the second in an hour.
    run.wait_for("answered");
    let (code, said) = run.interrupt();
    assert_eq!(code, 130, "{said}");
    fs::write(
        home.provisor().join("config/config.toml"),
        "[profiles.sandbox]\nrate = \"100/s\"\n",
    )
    .unwrap();
    let _ = home.run("resume").ended(0);
    let snapshot = home.snapshot();
    assert_eq!(snapshot.tenants.len(), 1);
}

#[test]
fn the_sandbox_and_localhost_bypass_the_proxy() {
    let home = Home::new();
    let words = format!(
        "run {} --sandbox --email ann@example.com --site https://ann.example",
        script("onboard.rhai")
    );
    let mut command = home.command(words.split_whitespace());
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
    ] {
        command.env(name, "http://127.0.0.1:1");
    }
    let _ = finish(command.spawn().unwrap()).ended(0);
}

#[test]
fn invalid_proxy_and_ca_settings_are_reported_with_their_location() {
    let far = "[profiles.far]\nurl = \"https://acme.example\"\nlogin = \"a@b.c\"\npassword = { command = [\"echo\", \"pw-1\"] }\n";
    let home = configured(far);
    home.write("apps.rhai", "mobsted::connect().apps()\n");
    let mut command = home.command(["run", "apps.rhai"]);
    command.env("HTTPS_PROXY", "socks5://ann:s3cret-pw@127.0.0.1:1");
    let ran = finish(command.spawn().unwrap()).ended(2);
    let ran = ran.said(&["HTTPS_PROXY must be an http:// or https:// proxy"]);
    assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);

    let home = configured(&format!("{far}ca = \"missing.pem\"\n"));
    home.write("apps.rhai", "mobsted::connect().apps()\n");
    let ran = home.run("run apps.rhai").ended(2);
    let _ = ran.said(&[
        "config.toml:5:6: `profiles.far.ca` names the file",
        "missing.pem, which cannot be read",
    ]);
}

#[test]
fn config_show_lists_proxy_and_limits_without_the_proxy_password() {
    let home = configured(
        "[profiles.acme]\nurl = \"https://acme.example\"\nproxy = { env = \"ACME_PROXY\" }\nrate = \"90/min\"\nconcurrency = 4\n\
         timeouts = { outage = \"2m\" }\n",
    );
    let mut command = home.command(["config", "show", "--origin"]);
    command.env("ACME_PROXY", "http://ann:s3cret-pw@p:1");
    let shown = finish(command.spawn().unwrap()).ended(0).stdout;
    for text in [
        "the environment variable ACME_PROXY",
        "90/min",
        "timeouts.outage",
        "2m",
        "config.toml:4",
    ] {
        assert!(shown.contains(text), "`{text}`: {shown}");
    }
    assert!(!shown.contains("s3cret"), "{shown}");
}
