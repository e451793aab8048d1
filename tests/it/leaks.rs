//! Canaries: a distinct secret in every place where a platform can send one or a user can give one, and a search for
//! all of them in all output.
//!
//! A platform is one entry of [`plots`].

pub(crate) mod fake;
mod jrni;
mod mobsted;
mod panics;
mod sparrow;
mod sparrow_bulk;
mod web;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fake::{Answer, Asked};
use serde_json::json;

use crate::support::{Home, Ran, finish};

/// The canaries planted on one platform.
struct Plot {
    /// The platform's name in profiles and scripts.
    platform: &'static str,
    /// The profile's non-secret keys, besides the address.
    profile: &'static str,
    /// The path of the profile's address.
    path: &'static str,
    /// The names of the profile's credentials.
    secrets: &'static [&'static str],
    /// The script, which prints and returns all it can get. `main(email, base, key)`, where `key` is a secret.
    script: &'static str,
    /// The platform's response; the first argument is its own address.
    answer: fn(&str, &Asked) -> Answer,
    /// Whether the platform has tokens to cache.
    signs_in: bool,
    /// A part of the script's output that shows it ran to the end.
    reached: &'static str,
}

/// Every platform.
fn plots() -> Vec<Plot> {
    vec![
        mobsted::plot(),
        jrni::plot(),
        sparrow::plot(),
        sparrow_bulk::plot(),
        web::plot(),
    ]
}

/// The prefix of all canaries. Formats encode the characters after it differently; all forms must be found.
const MARK: &str = "CANARY";

/// A canary, which the search identifies by its name.
fn canary(name: &str) -> String {
    format!("{MARK}{name}9 /+&\"<é'\\")
}

/// The sources of profile credentials, with one profile each.
const SOURCES: [&str; 3] = ["env", "file", "command"];

/// A home in which every profile's credentials are canaries.
fn home(plot: &Plot, url: &str) -> Home {
    let home = Home::new();
    let mut config = String::new();
    for source in SOURCES {
        let Plot {
            platform, profile, ..
        } = plot;
        config.push_str(&format!(
            "[profiles.by-{source}]\nplatform = \"{platform}\"\nurl = \"{url}\"\n{profile}\nsettle = \"1s\"\n"
        ));
        for key in plot.secrets {
            let file = home.write(&format!("given/{source}-{key}"), &given(source, key));
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            let file = file.display();
            config.push_str(&match source {
                "env" => format!("{key} = {{ env = \"GIVEN_{}\" }}\n", key.to_uppercase()),
                "file" => format!("{key} = {{ file = \"{file}\" }}\n"),
                _ => format!("{key} = {{ command = [\"cat\", \"{file}\"] }}\n"),
            });
        }
    }
    fs::create_dir_all(home.provisor().join("config")).unwrap();
    fs::write(home.provisor().join("config/config.toml"), config).unwrap();
    home.write("plot.rhai", plot.script);
    let key = canary("row").replace('"', "\"\"");
    home.write(
        "given/rows.csv",
        &format!("email,base,key\nann@example.com,{url},\"{key}\"\n"),
    );
    home
}

fn given(source: &str, key: &str) -> String {
    canary(&format!("given{source}{}", key.replace('_', "")))
}

/// Runs the program with every variable in which a user may give a secret.
fn run(home: &Home, plot: &Plot, words: &str) -> Ran {
    let mut command = home.command(words.split_whitespace());
    for key in plot.secrets {
        command.env(format!("GIVEN_{}", key.to_uppercase()), given("env", key));
    }
    command.env("PROVISOR_LOG", "trace");
    command.env("HTTPS_PROXY", format!("http://ann:{MARK}proxy9@127.0.0.1:1"));
    finish(command.spawn().unwrap())
}

/// All output and files after the script has run with every profile.
fn harvest(plot: &Plot) -> (Home, Vec<(String, Vec<u8>)>, String) {
    let url = fake::start(plot.answer) + plot.path;
    let home = home(plot, &url);
    let mut found = Vec::new();
    let mut printed = String::new();
    let mut say = |words: &str| {
        let ran = run(&home, plot, words);
        printed.push_str(&ran.stderr);
        printed.push_str(&ran.stdout);
        found.push((
            format!("standard output of `{words}`"),
            ran.stdout.clone().into_bytes(),
        ));
        found.push((
            format!("standard error of `{words}`"),
            ran.stderr.clone().into_bytes(),
        ));
        ran
    };
    for source in SOURCES {
        let profile = format!("--profile by-{source}");
        let _ = say(&format!(
            "-vvv run plot.rhai {profile} --rows given/rows.csv --out {source}.csv"
        ));
    }
    let _ = say("-vvv run plot.rhai --profile by-env --rows given/rows.csv --out env.json");
    let _ = say("-vvv resume");
    let runs: serde_json::Value = serde_json::from_str(&say("runs list --json").stdout).unwrap();
    let runs: Vec<&str> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap())
        .collect();
    assert!(runs.len() >= 4, "{runs:?}");
    for run in runs {
        for words in ["show", "steps"] {
            let _ = say(&format!("runs {words} {run} --json"));
            let _ = say(&format!("runs {words} {run}"));
        }
        let _ = say(&format!("runs export {run} {run}.export"));
        let _ = say(&format!("resume {run} --retry-failed --plan"));
    }
    for words in [
        "audit",
        "audit --json",
        "tenants list --json",
        "apps list --json",
        "tenants export tenants.json",
        "config show --origin",
        "config show --json",
        "profile list --json",
        "profile show by-env",
        "-vvv profile test by-env",
        "-vvv login by-file",
        "-vvv logout by-file",
        "doctor",
        "journal check",
        "journal backup copy.db",
    ] {
        let _ = say(words);
    }
    for folder in [home.provisor(), home.work()] {
        let mut files = Vec::new();
        walk(&folder, &mut files);
        found.extend(
            files
                .into_iter()
                .map(|file| (file.display().to_string(), fs::read(file).unwrap())),
        );
    }
    (home, found, printed)
}

/// Collects every file below a folder, except those in `given`.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("given") {
            walk(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// The names of the canaries in these bytes.
fn canaries(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split(MARK).skip(1);
    let names = parts.map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    names
}

fn status(path: &str) -> u16 {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

/// Repeats the whole request as text within JSON.
fn echo(status: u16, asked: &Asked) -> Answer {
    let detail = format!("you said: {}", asked.all);
    Answer::json(
        status,
        &json!({ "errors": [{ "title": "Refused", "detail": detail }] }),
    )
}

/// Repeats the whole request as a web page.
fn page(status: u16, asked: &Asked) -> Answer {
    let said = asked
        .all
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    Answer::text(
        status,
        "text/html",
        format!("<html><body><h1>No</h1><pre>{said}</pre></body></html>"),
    )
}

#[test]
fn no_canary_secret_appears_in_any_output_or_file() {
    let plots = plots();
    let searches = std::thread::scope(|scope| {
        let started: Vec<_> = plots.iter().map(|plot| scope.spawn(|| search(plot))).collect();
        started
            .into_iter()
            .map(|search| search.join().unwrap())
            .collect::<Vec<_>>()
    });
    let leaks: Vec<String> = searches.into_iter().flatten().collect();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// The leaks found for one platform.
fn search(plot: &Plot) -> Vec<String> {
    let (home, found, printed) = harvest(plot);
    let name = plot.platform;
    let shown: Vec<&str> = printed
        .lines()
        .filter(|line| !line.starts_with("TRACE"))
        .collect();
    assert!(printed.contains(plot.reached), "{name}: {}", shown.join("\n"));
    assert!(printed.contains("***"), "{name}: something was masked");
    for file in ["journal.db", "tokens.db", "command.csv", "env.json"] {
        if file == "tokens.db" && !plot.signs_in {
            continue;
        }
        assert!(
            found.iter().any(|(place, _)| place.ends_with(file)),
            "{name}: {file} was not looked at"
        );
    }
    let leaks = found.iter().filter_map(|(place, bytes)| {
        let names = canaries(bytes);
        (!names.is_empty()).then(|| format!("{name}: {place}: {names:?}\n{}", lines(bytes)))
    });
    let leaks = leaks.collect();
    drop(home);
    leaks
}

/// The lines of a text that contain a canary.
fn lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| line.contains(MARK)).take(5);
    lines
        .map(|line| line.chars().take(600).collect::<String>())
        .map(|line| ["    ", &line, "\n"].concat())
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn the_canary_search_finds_a_secret_in_clear() {
    assert_eq!(canaries(canary("here").as_bytes()), ["here9"]);
    assert!(canaries(b"nothing").is_empty());
    let plot = mobsted::plot();
    let url = fake::start(plot.answer) + plot.path;
    let home = home(&plot, &url);
    // A column requested in clear is written in clear: the canaries do come through.
    let words = "run plot.rhai --profile by-env --rows given/rows.csv --out shown.csv --reveal password";
    let _ = run(&home, &plot, words).ended(0);
    assert!(home.read("shown.csv").contains(MARK));
}

#[test]
fn proxy_credentials_do_not_appear_in_error_messages() {
    let home = Home::new();
    fs::create_dir_all(home.provisor().join("config")).unwrap();
    let config =
        "[profiles.far]\nurl = \"https://acme.example\"\nlogin = \"a@b.c\"\npassword = { env = \"FAR\" }\n";
    fs::write(home.provisor().join("config/config.toml"), config).unwrap();
    home.write("far.rhai", "mobsted::connect().apps()\n");
    let mut command = home.command(["-vvv", "run", "far.rhai"]);
    command.env("HTTPS_PROXY", format!("http://ann:{MARK}proxy9@127.0.0.1:1"));
    command.env("FAR", canary("far"));
    command.env("PROVISOR_LOG", "trace");
    let ran = finish(command.spawn().unwrap()).ended(6);
    let ran = ran.said(&["acme.example through the proxy http://127.0.0.1:1"]);
    assert_eq!(
        canaries(format!("{}{}", ran.stdout, ran.stderr).as_bytes()),
        [""; 0]
    );
}
