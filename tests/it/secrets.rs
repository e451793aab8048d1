//! No password and no token in any output or file, apart from the sandbox's own state.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Home, clients, script};

/// Collects every file below a folder, except the sandbox's.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("state/sandbox") {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// The secrets of the simulated platform: all tenants' passwords, the master's, and the first part of every token, which
/// is long enough not to occur by chance in what is encrypted.
fn secrets(home: &Home) -> Vec<String> {
    let snapshot = home.snapshot();
    let mut secrets: Vec<String> = snapshot
        .tenants
        .into_iter()
        .map(|tenant| tenant.password)
        .collect();
    let log = fs::read_to_string(home.sandbox().join("world.jsonl")).unwrap();
    let passwords = log.split("\"password\":\"").skip(1);
    secrets.extend(passwords.map(|rest| rest.split('"').next().unwrap().to_owned()));
    secrets.push("eyJ0eXAiOiJKV1Qi".into());
    assert!(secrets.len() > 20, "there is something to look for");
    secrets
}

#[track_caller]
fn assert_clean(place: &str, bytes: &[u8], secrets: &[String]) {
    for secret in secrets {
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{place} holds a secret");
    }
}

#[test]
fn outputs_logs_results_and_files_hold_no_secret() {
    let home = Home::new();
    home.write("clients.csv", &clients(20));
    home.write(
        "leaky.rhai",
        "let p = mobsted::connect();\nlet t = p.ensure_tenant(\"client0@example.com\");\nprint(t); print(t.password); \
         print(`${t.password} ${t}`); debug(t); print(\"\" + t.password); print(p.tenants());\n\
         print(p.get(\"/object\", #{applicationId: 1}));\nprint(to_json(#{a: t.password}));\n\
         try { mobsted::connect(#{url: t.url, login: t.login, password: \"wrong-horse-1\"}).apps() } catch (e) { print(e.message) }\n\
         throw `no: ${t.password}`\n",
    );
    let runs = [
        format!(
            "-vvv run {} --sandbox --rows clients.csv --out results.csv --jobs 4 --seed 7 \
             --fault partners:drop-after:0.2 --fault *:429:0.05 --fault auth:500:0.1 --fault applications:garbage:x1",
            script("onboard.rhai")
        ),
        format!(
            "-vvv run {} --sandbox --rows clients.csv --out results.json",
            script("onboard.rhai")
        ),
        "-vvv run leaky.rhai --sandbox".to_owned(),
        "-vvv resume".to_owned(),
        "sandbox status --json".to_owned(),
    ];
    let said: Vec<_> = runs.iter().map(|words| (words, home.run(words))).collect();
    let secrets = secrets(&home);
    for (words, ran) in &said {
        assert_clean(
            &format!("standard output of `{words}`"),
            ran.stdout.as_bytes(),
            &secrets,
        );
        assert_clean(
            &format!("standard error of `{words}`"),
            ran.stderr.as_bytes(),
            &secrets,
        );
    }
    assert!(said[2].1.stdout.contains("***"), "{}", said[2].1.stdout);
    let mut kept = Vec::new();
    files(&home.provisor(), &mut kept);
    files(&home.work(), &mut kept);
    assert!(kept.iter().any(|path| path.ends_with("journal.db")));
    assert!(kept.iter().any(|path| path.ends_with("tokens.db")));
    for path in kept.iter().filter(|path| !path.ends_with("leaky.rhai")) {
        assert_clean(&path.display().to_string(), &fs::read(path).unwrap(), &secrets);
    }
}

#[test]
fn revealed_results_and_state_files_have_private_file_modes() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.write("clients.csv", &clients(2));
    let words = format!(
        "run {} --sandbox --rows clients.csv --out results.csv --reveal password",
        script("onboard.rhai")
    );
    let _ = home.run(&words).ended(0);
    let mode = |name: &str| fs::metadata(home.work().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("results.csv"), 0o600);
    assert!(!home.read("results.csv").contains("***"));
    let mut kept = Vec::new();
    files(&home.provisor(), &mut kept);
    for path in kept {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{} is open to others", path.display());
    }
}

#[test]
fn a_wrong_encryption_key_is_refused_and_the_journal_unchanged() {
    let home = Home::new();
    home.write("hello.rhai", "1 + 1\n");
    let _ = home.run("run hello.rhai").ended(0);
    let mut command = home.command(["run", "hello.rhai"]);
    command.env("PROVISOR_KEY", "ab".repeat(32));
    let before = fs::read(home.provisor().join("state/journal.db")).unwrap();
    let ran = crate::support::finish(command.spawn().unwrap());
    let _ = ran.ended(2).said(&["sealed with another key"]);
    assert_eq!(
        fs::read(home.provisor().join("state/journal.db")).unwrap(),
        before
    );
}
