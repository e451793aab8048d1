//! `provisor doctor`: passed checks, problems, and suggested fixes.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::support::account::Served;
use crate::support::{Home, Ran, finish};

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The JSON document, and the exit code.
fn doctor(home: &Home, words: &str, variables: &[(&str, &str)]) -> (Value, i32) {
    let words = format!("doctor --json {words}");
    let mut command = home.command(words.split_whitespace());
    command.envs(variables.iter().copied());
    let Ran { code, stdout, stderr } = finish(command.spawn().unwrap());
    let document = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
    (document, code)
}

/// The check in this area whose subject contains this text.
#[track_caller]
fn find<'a>(document: &'a Value, area: &str, subject: &str) -> &'a Value {
    let checks = document["checks"].as_array().unwrap();
    let found = checks
        .iter()
        .find(|check| check["area"] == area && check["subject"].as_str().unwrap().contains(subject));
    found.unwrap_or_else(|| panic!("no check of {area} {subject} in {document:#}"))
}

#[test]
fn a_fresh_installation_has_no_problems_and_creates_no_files() {
    let home = Home::new();
    let (document, code) = doctor(&home, "", &[]);
    assert_eq!((&document["ok"], code), (&Value::Bool(true), 0), "{document:#}");
    assert_eq!(find(&document, "configuration", "")["state"], "warning");
    assert!(!home.provisor().exists(), "something was made");
}

#[test]
fn an_unreadable_state_folder_is_not_reported_as_a_missing_key() {
    let home = Home::new();
    fs::create_dir_all(home.provisor()).unwrap();
    // A file in place of the folder: permissions would not stop root.
    fs::write(home.provisor().join("state"), "").unwrap();
    let (document, code) = doctor(&home, "", &[]);
    assert_eq!(code, 3, "{document:#}");
    let key = find(&document, "files", "key");
    assert_eq!(key["state"], "problem", "{key}");
    assert!(
        key["found"].as_str().unwrap().contains("cannot check it"),
        "{key}"
    );
    assert_eq!(find(&document, "journal", "")["state"], "problem");
}

#[test]
fn a_passphrase_key_is_a_warning_but_a_hex_key_is_ok() {
    let random = "0123456789abcdef".repeat(4);
    for (key, state) in [("correct horse battery", "warning"), (&random, "ok")] {
        let (document, code) = doctor(&Home::new(), "", &[("PROVISOR_KEY", key)]);
        assert_eq!(
            (&find(&document, "files", "key")["state"], code),
            (&Value::from(state), 0),
            "{document:#}"
        );
    }
}

#[test]
fn a_working_profile_and_journal_have_no_problems() {
    let (platform, home) = (Home::new(), Home::new());
    let served = Served::start(&platform);
    home.configure_acme(&served, "dev");
    home.write("look.rhai", "mobsted::connect().tenants().len()\n");
    let _ = home.run_as(&served, "run look.rhai").ended(0);
    let (document, code) = doctor(&home, "", &[("ACME_PASSWORD", &served.password)]);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(find(&document, "network", "acme")["state"], "ok");
    let tokens = find(&document, "profile", "acme tokens");
    assert!(
        tokens["found"].as_str().unwrap().contains("signed in until"),
        "{tokens}"
    );
    assert_eq!(find(&document, "journal", "")["found"], "sound");
    assert!(!document.to_string().contains(&served.password));
    // As text, too.
    let ran = home.run_as(&served, "doctor").ended(0);
    assert!(ran.stdout.contains("no problems"), "{}", ran.stdout);
}

#[test]
fn each_problem_is_reported_with_a_suggested_fix() {
    let home = Home::new();
    home.configure(
        "[profiles.a]\nurl = \"http://127.0.0.1:1\"\nlogin = \"x\"\npassword = { env = \"NOT_SET\" }\n\
         [profiles.b]\nlogin = \"x\"\n\
         [profiles.c]\nurl = \"http://127.0.0.1:1\"\nlogin = \"x\"\npassword = { command = [\"no-such-program-here\"] }\n",
    );
    home.write("hello.rhai", "1 + 1\n");
    let _ = home.run("run hello.rhai").ended(0);
    open_to_all(&home.provisor().join("state"), 0o755);
    open_to_all(&home.provisor().join("state/key"), 0o644);
    let (document, code) = doctor(&home, "", &[]);
    assert_eq!(code, 3);
    assert_eq!(document["ok"], false);
    for (area, subject, fix) in [
        ("files", "state folder", "chmod 700"),
        ("files", "key", "chmod 600"),
        ("profile", "a password", "NOT_SET"),
        ("profile", "b", "profile edit b"),
        ("profile", "c password", "profile edit"),
        ("network", "a", "proxy"),
    ] {
        let checks = document["checks"].as_array().unwrap();
        let found = checks.iter().any(|check| {
            check["area"] == area
                && check["subject"].as_str().unwrap().contains(subject)
                && check["state"] == "problem"
                && check["fix"].as_str().is_some_and(|said| said.contains(fix))
        });
        assert!(found, "{area} {subject} {fix} is not in {document:#}");
    }
    let text = home.run("doctor --offline").ended(3).stdout;
    assert!(text.contains("problem") && text.contains("chmod 600"), "{text}");
}

#[test]
fn offline_sends_no_requests_and_profile_limits_the_checks() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    home.configure(&format!(
        "[profiles.a]\nurl = \"http://{}\"\nlogin = \"x\"\npassword = {{ env = \"A\" }}\n[profiles.b]\n",
        listener.local_addr().unwrap()
    ));
    let (document, code) = doctor(&home, "--offline --profile a", &[("A", "secret-enough")]);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(find(&document, "network", "")["state"], "skipped");
    assert!(listener.accept().is_err(), "somebody called");
    let _ = home
        .run("doctor --profile zzz")
        .ended(2)
        .said(&["there is no profile `zzz`"]);
}

#[test]
fn clock_skew_is_reported_as_a_problem() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    home.configure(&format!(
        "[profiles.a]\nurl = \"http://{}\"\nlogin = \"x\"\npassword = {{ env = \"A\" }}\n",
        listener.local_addr().unwrap()
    ));
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
        let answer = "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let (document, code) = doctor(&home, "", &[("A", "secret-enough")]);
    answering.join().unwrap();
    assert_eq!(code, 3);
    assert_eq!(
        find(&document, "network", "a")["state"],
        "ok",
        "a 404 is an answer"
    );
    let clock = find(&document, "clock", "");
    assert_eq!(clock["state"], "problem");
    assert!(clock["found"].as_str().unwrap().contains("ahead of"), "{clock}");
}

#[test]
fn a_broken_configuration_does_not_hide_the_rest() {
    let home = Home::new();
    home.configure("[profiles.a]\nlogn = \"x\"\n");
    let (document, code) = doctor(&home, "--offline", &[]);
    assert_eq!(code, 3);
    let configuration = find(&document, "configuration", "");
    assert!(configuration["found"].as_str().unwrap().contains("unknown key"));
    assert_eq!(find(&document, "journal", "")["state"], "ok");
}

#[test]
fn unknown_profiles_endpoints_and_a_damaged_token_cache_are_reported() {
    let home = Home::new();
    let profile =
        "[profiles.acme]\nurl = \"http://127.0.0.1:9\"\nlogin = \"a\"\npassword = { env = \"A\" }\n";
    let told = |area: &str, subject: &str, said: &str| {
        let (document, code) = doctor(&home, "--offline", &[("A", "secret")]);
        assert_eq!(code, 3, "{document:#}");
        let check = find(&document, area, subject);
        assert_eq!(check["state"], "problem", "{check}");
        assert!(check["found"].as_str().unwrap().contains(said), "{check}");
    };
    home.configure(&format!("default_profile = \"nope\"\n{profile}"));
    told("configuration", "", "there is no profile `nope`");
    home.configure(&format!(
        "{profile}[profiles.acme.endpoints]\ncreate_tenat = \"/x\"\n"
    ));
    told("profile", "acme", "there is no endpoint setting `create_tenat`");
    home.configure(profile);
    let tokens = home.provisor().join("cache/tokens.db");
    fs::create_dir_all(tokens.parent().unwrap()).unwrap();
    fs::write(
        &tokens,
        "no database at all, and long enough to be looked at. ".repeat(20),
    )
    .unwrap();
    open_to_all(&tokens, 0o600);
    told("profile", "acme tokens", "tokens.db is damaged");
}

#[test]
fn unfinished_runs_and_a_missing_key_are_reported() {
    let home = Home::new();
    home.write(
        "acts.rhai",
        "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
         client.post(\"/applications\", #{ Name: \"Ann\", appWebSiteUrl: \"https://ann.example\" });\n",
    );
    let _ = home
        .run("run acts.rhai --sandbox --fault applications-post:drop-after:x1")
        .ended(10);
    let (document, code) = doctor(&home, "--offline", &[]);
    assert_eq!(code, 0, "{document:#}");
    let runs = find(&document, "journal", "runs");
    assert_eq!(runs["state"], "warning");
    assert_eq!(runs["fix"], format!("provisor resume {}", home.newest()));

    fs::remove_file(home.provisor().join("state/key")).unwrap();
    let (document, code) = doctor(&home, "--offline", &[]);
    assert_eq!(code, 3);
    let key = find(&document, "files", "key");
    assert!(
        key["found"].as_str().unwrap().contains("key that is missing"),
        "{key}"
    );
    assert!(key["fix"].as_str().unwrap().contains("PROVISOR_KEY"));
    assert!(
        !home.provisor().join("state/key").exists(),
        "no new key hides that"
    );
}
