//! All forms of the operations' documentation come from the operation table and agree.

mod definitions;

use std::collections::BTreeSet;
use std::fs;

use provisor::operation as ops;
use provisor::operation::spec::Type;
use serde_json::Value as Json;

use crate::support::Home;

fn all() -> Vec<ops::platform::Operation> {
    provisor::platforms::catalogue().operations().to_vec()
}

#[test]
fn every_operation_is_listed_and_fully_documented() {
    let home = Home::new();
    let listed = home.run("ops list").ended(0).stdout;
    for op in all() {
        let start = format!("  {}", op.signature());
        assert!(listed.lines().any(|line| line.starts_with(&start)), "{}", op.id());
        let told = home.run_with_words(&["ops", "show", &op.id()]).ended(0).stdout;
        let flat: String = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in [
            op.summary,
            op.doc,
            op.result,
            op.effect.name(),
            op.permission().name(),
        ] {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(&text), "{}: no `{text}` in\n{told}", op.id());
        }
        for param in op.params {
            assert!(
                flat.contains(param.name) && flat.contains(param.doc),
                "{}",
                op.id()
            );
            if let Type::Options(keys) = param.ty {
                assert!(keys.iter().all(|key| flat.contains(key.doc)), "{}", op.id());
            }
        }
        for (code, when) in op.errors {
            let hint = ops::explain::remedy(&provisor::platforms::catalogue(), code.as_str());
            assert!(
                flat.contains(&format!("{} {when} -> {hint}", code.as_str())),
                "{}:\n{told}",
                op.id()
            );
        }
        for line in op.example.lines() {
            assert!(told.contains(line), "{}: {line}", op.id());
        }
    }
}

#[test]
fn operations_json_contains_the_full_documentation() {
    let home = Home::new();
    let json: Json = serde_json::from_str(&home.run("ops list --json").ended(0).stdout).unwrap();
    assert_eq!(json["version"], 1);
    let listed = json["operations"].as_array().unwrap();
    let names: BTreeSet<String> = all().into_iter().map(|op| op.id()).collect();
    let told: BTreeSet<String> = listed
        .iter()
        .map(|op| op["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, names);
    let one: Json = serde_json::from_str(&home.run("ops show ensure_app --json").ended(0).stdout).unwrap();
    let op = &one["operations"][0];
    assert_eq!(op["name"], "mobsted::ensure_app");
    assert_eq!(op["params"][2]["keys"][0]["name"], "adopt");
    assert_eq!(op["errors"][0]["code"], "already_exists");
    assert!(!op["errors"][0]["hint"].as_str().unwrap().is_empty());
    assert_eq!(op["effect"]["name"], "ensure");
    assert_eq!(op["permission"]["name"], "change");
    assert_eq!(op["result"]["properties"][0]["name"], "id");
    let kind: Json =
        serde_json::from_str(&home.run("ops show mobsted::Tenant --json").ended(0).stdout).unwrap();
    assert_eq!(kind["objects"][0]["methods"][0], "mobsted::Tenant.connect");
}

#[test]
fn ops_search_finds_operations_and_no_match_is_not_an_error() {
    let home = Home::new();
    let found = home.run("ops search tenant ensure").ended(0).stdout;
    assert!(
        found.starts_with("  session.ensure_tenant(email, [options])"),
        "{found}"
    );
    let none = home.run("ops search ensure_tennant").ended(0);
    assert_eq!(none.stdout, "");
    let _ = none.said(&["no operation has `ensure_tennant`", "mobsted::ensure_tenant"]);
}

#[test]
fn an_unknown_operation_suggests_the_nearest_name() {
    let home = Home::new();
    let refused = home.run("ops show ensure_tennant").ended(2);
    let refused = refused.said(&[
        "there is no operation `ensure_tennant`",
        "did you mean mobsted::ensure_tenant?",
    ]);
    assert_eq!(refused.stdout, "");
    let _ = home
        .run("ops list mobstd")
        .ended(2)
        .said(&["did you mean mobsted?"]);
}

#[test]
fn operation_help_wraps_to_the_terminal_width() {
    let home = Home::new();
    let mut command = home.command(["ops", "show", "ensure_tenant"]);
    command.env("COLUMNS", "40");
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let example = told.split("Example").next().unwrap();
    let long: Vec<&str> = example.lines().filter(|line| line.chars().count() > 40).collect();
    // To a terminal, a signature is one word and is not broken.
    assert!(
        long.iter().all(|line| line.contains("ensure_tenant(")),
        "{long:?}"
    );
}

#[test]
fn the_book_has_a_page_for_each_module_and_no_dead_link() {
    let home = Home::new();
    let _ = home.run("ops book book").ended(0).said(&["files are in"]);
    let folder = home.work().join("book");
    let pages: Vec<(String, String)> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    let page = |name: &str| {
        pages
            .iter()
            .find(|(page, _)| page == name)
            .map(|(_, text)| text.as_str())
    };
    for op in all() {
        let file = if op.module.is_empty() {
            "global.md".to_owned()
        } else {
            format!("{}.md", op.module)
        };
        let text = page(&file).unwrap();
        assert!(text.contains(&format!("## `{}`", op.id())), "{}", op.id());
        assert!(text.contains(op.example), "{}", op.id());
    }
    for (name, text) in &pages {
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                text
            } else {
                page(file).unwrap_or_else(|| panic!("{name}: {link}"))
            };
            let found = target
                .lines()
                .filter(|line| line.starts_with('#'))
                .any(|line| anchor(line) == fragment);
            assert!(fragment.is_empty() || found, "{name}: nothing is at {link}");
        }
    }
    // Writing again replaces its own files, and nothing else.
    let _ = home.run("ops book book").ended(0);
    home.write("book/mobsted.md", "my notes");
    let _ = home
        .run("ops book book")
        .ended(2)
        .said(&["mobsted.md", "provisor did not write it", "--force"]);
    assert_eq!(home.read("book/mobsted.md"), "my notes");
    let _ = home.run("ops book book --force").ended(0);
    assert_ne!(home.read("book/mobsted.md"), "my notes");
}

/// The anchor of a heading, as Markdown renderers create it.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_".contains(*c));
    kept.flat_map(char::to_lowercase).collect()
}
