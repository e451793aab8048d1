//! The system keyring as a source of secrets.

use std::process::Command;

use crate::support::account::Served;
use crate::support::pty::{Terminal, key};
use crate::support::{Home, finish};

/// A session bus that does not exist, and has no fallback.
const NO_BUS: (&str, &str) = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");

#[test]
fn a_missing_system_keyring_is_reported() {
    let home = Home::new();
    let run = |words: &str| {
        let mut command = home.command(words.split(' '));
        finish(command.env(NO_BUS.0, NO_BUS.1).spawn().unwrap())
    };
    let ran = run("profile add acme --url http://127.0.0.1:1 --login a --secret password=keyring");
    let _ = ran
        .ended(2)
        .said(&["this system has no keyring to use", "--secret password=sealed"]);
    home.configure(
        "[profiles.a]\nurl = \"http://127.0.0.1:1\"\nlogin = \"a\"\npassword = { keyring = \"mine\" }\n",
    );
    let told = ["the keyring's entry `mine`", "this system has no keyring to use"];
    let _ = run("profile test").ended(2).said(&told);
}

#[test]
fn the_keyring_keeps_a_typed_secret_until_its_profile_is_removed() {
    let Ok(()) = there("dbus-run-session").and_then(|()| there("gnome-keyring-daemon")) else {
        eprintln!(
            "SKIPPED: the keyring was not tried: there is no dbus-run-session or no gnome-keyring-daemon"
        );
        return;
    };
    let (platform, home) = (Home::new(), Home::new());
    let served = Served::start(&platform);
    let (url, login) = (&served.url, &served.login);
    let add = format!("profile add acme --platform mobsted --url {url} --login {login} --mode dev");
    let runs = [
        format!("{add} --json"),
        "profile show acme".into(),
        "profile test acme".into(),
        "profile remove acme --yes".into(),
        // The name of its entry.
        format!("{add} --secret 'password=keyring:acme password {url}' --no-input"),
        "profile test acme || echo it is gone".into(),
    ];
    let mut terminal = within_a_keyring(&home, &runs);
    terminal.wait_for_hidden("Password (not shown");
    terminal.type_line(&served.password);
    let _ = terminal.wait_for("Keep it in the system's keyring?");
    terminal.press(key::ENTER);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    for said in [
        format!("the keyring's entry `acme password {url}`"),
        "signed in to".into(),
        "it is gone".into(),
    ] {
        assert!(screen.contains(&said), "{said} is not in:\n{screen}");
    }
    assert!(!String::from_utf8_lossy(&terminal.bytes()).contains(&served.password));
}

fn there(program: &str) -> Result<(), std::io::Error> {
    Command::new(program).arg("--version").output().map(drop)
}

/// Runs the program with each of these command lines in turn, in a terminal with an unlocked keyring of its own.
fn within_a_keyring(home: &Home, runs: &[String]) -> Terminal {
    let program = env!("CARGO_BIN_EXE_provisor");
    let runs: Vec<String> = runs.iter().map(|words| format!("{program} {words}")).collect();
    let script = format!(
        "printf open | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 && {}",
        runs.join(" && ")
    );
    let mut command = Command::new("dbus-run-session");
    command
        .args(["--", "sh", "-c", &script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.work())
        .env("PROVISOR_HOME", home.provisor())
        .env("TERM", "xterm")
        .current_dir(home.work());
    Terminal::start(command, 60, 160)
}
