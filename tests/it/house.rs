//! The structure of the source code, as far as neither Cargo nor clippy enforces it: what each module may import and how
//! large it may grow, where a foreign crate may be used, and what the library makes public.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

/// The top-level modules, highest first: the most lines without tests, in hundreds, and what each may import of the
/// modules below it. Growth beyond that changes this table in the same commit.
const ROOMS: &[(&str, usize, &str)] = &[
    ("cli", 186, "*"),
    ("package", 35, "value script config"),
    ("config", 32, "value journal transport client operation"),
    ("report", 11, "value run bulk"),
    ("import", 39, "value operation script syntax"),
    (
        "runtime",
        11,
        "value clock transport journal client operation script syntax run bulk",
    ),
    ("repl", 56, "value clock script syntax run operation"),
    ("lsp", 14, "operation script syntax"),
    ("bulk", 25, "value clock journal script run"),
    ("run", 17, "value clock journal operation script"),
    ("script", 129, "value syntax operation"),
    ("syntax", 14, ""),
    (
        "platforms",
        112,
        "value clock flight transport journal client operation",
    ),
    ("operation", 80, "value clock journal client"),
    ("client", 23, "value clock flight transport"),
    ("transport", 38, "value clock flight waiting"),
    ("journal", 106, "value clock flight waiting"),
    ("value", 14, "sandbox"),
    ("clock", 3, ""),
    ("flight", 2, ""),
    ("waiting", 2, ""),
    ("sandbox", 102, ""),
    // Any module may check for its own fault.
    ("sabotage", 2, ""),
];

/// The modules and files where a foreign crate may be used; all others may be used anywhere.
const HOMES: &[(&str, &str)] = &[
    ("rhai", "script/ syntax/"),
    ("ariadne", "script/"),
    ("reqwest rustls", "transport/"),
    ("rusqlite chacha20poly1305", "journal/"),
    ("hmac sha2", "journal/ sandbox/ value/digest"),
    ("axum", "sandbox/"),
    ("iri_string", "client/ platforms/"),
    ("icu_normalizer", "value/identity"),
    ("clap indicatif comfy_table tracing_subscriber", "cli/"),
    ("toml", "config/ package/"),
    ("dirs", "config/"),
    ("toml_edit", "config/ package/ cli/profile/"),
    ("similar", "cli/package"),
    // The boot-time clock, which all processes of the machine share.
    ("rustix", "cli/ config/ clock"),
    (
        "keyring_core dbus_secret_service_keyring_store apple_native_keyring_store",
        "config/keychain",
    ),
    ("cap", "cli/memory"),
    ("csv", "bulk/ report/ operation/files"),
    ("rustyline regex_lite", "repl/"),
];

/// What these files may not do, and why.
const FORBIDDEN: &[(&str, &str, &str)] = &[(
    "cli/execute bulk/schedule",
    ".row_counts(",
    "a run that is interrupted ends without reading its rows to count them",
)];

/// The platforms of this crate, which no module names but these: whoever adds one would forget the others. In the
/// sandbox, besides the simulator of each, only its list and the names of its hosts.
const PLATFORMS: (&[&str], &str) = (
    &["mobsted", "jrni", "bookingbug", "sparrow"],
    "platforms/ sandbox/mobsted/ sandbox/jrni/ sandbox/sparrow sandbox/web/ sandbox/mod.rs sandbox/hosts.rs",
);

/// A source file below `src`: its path, and its lines without tests.
struct Source {
    path: String,
    lines: Vec<String>,
}

impl Source {
    fn room(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    /// Whether the file is one of these, or below one of these folders.
    fn is_in(&self, homes: &str) -> bool {
        homes.split(' ').any(|home| self.path.starts_with(home))
    }

    /// The lines that fulfil a condition, as faults.
    fn faults(&self, rule: &str, has: impl Fn(&str) -> bool) -> Vec<String> {
        let found = self.lines.iter().zip(1..).filter(|(line, _)| has(line));
        found
            .map(|(line, at)| format!("src/{}:{at}: {rule}: {}", self.path, line.trim()))
            .collect()
    }
}

#[test]
fn modules_import_only_the_modules_that_the_table_allows() {
    let names: Vec<&str> = ROOMS.iter().map(|(name, ..)| *name).collect();
    for (at, (name, _, imports)) in ROOMS.iter().enumerate() {
        let below = |import: &str| import == "*" || import.is_empty() || names[at + 1..].contains(&import);
        assert!(
            imports.split(' ').all(below),
            "{name} imports a module that is not below it"
        );
    }
    check(sources().iter().flat_map(|source| {
        let found = ROOMS.iter().find(|(name, ..)| *name == source.room());
        let Some((room, _, imports)) = found else {
            return vec![format!("src/{}: it has no line in ROOMS", source.path)];
        };
        let depth = source.path.trim_end_matches("/mod.rs").matches('/').count() + 1;
        let strangers = names.iter().filter(|name| {
            let is_allowed = |import: &str| import == "*" || import == **name;
            **name != *room && **name != "sabotage" && !imports.split(' ').any(is_allowed)
        });
        let faults = strangers.flat_map(|name| {
            let (whole, chain) = (
                format!("crate::{name}"),
                format!("{}{name}", "super::".repeat(depth)),
            );
            source.faults(&format!("`{room}` may not import `{name}`"), |line| {
                holds(line, &whole) || holds(line, &chain)
            })
        });
        faults.collect()
    }));
}

#[test]
fn modules_stay_within_their_lines() {
    let sources = sources();
    check(ROOMS.iter().filter_map(|(name, hundreds, _)| {
        let own = sources.iter().filter(|source| source.room() == *name);
        let lines: usize = own.map(|source| source.lines.len()).sum();
        let over = lines > hundreds * 100;
        over.then(|| format!("src/{name}: {lines} lines, and {hundreds}00 are allowed"))
    }));
}

#[test]
fn foreign_crates_and_platforms_are_named_only_where_they_belong() {
    check(sources().iter().flat_map(|source| {
        let away = HOMES.iter().filter(|(_, homes)| !source.is_in(homes));
        let mut faults: Vec<String> = away
            .flat_map(|(crates, homes)| crates.split(' ').map(move |name| (name, homes)))
            .flat_map(|(name, homes)| {
                let (path, whole) = (format!("{name}::"), format!("use {name};"));
                source.faults(&format!("`{name}` belongs in {homes}"), |line| {
                    holds(line, &path) || line.contains(&whole)
                })
            })
            .collect();
        let own = FORBIDDEN.iter().filter(|(files, ..)| source.is_in(files));
        faults.extend(own.flat_map(|(_, text, reason)| source.faults(reason, |line| line.contains(text))));
        if !source.is_in(PLATFORMS.1) {
            faults.extend(source.faults("a platform is named", |line| {
                let line = line.to_lowercase();
                PLATFORMS.0.iter().any(|name| line.contains(name))
            }));
        }
        faults
    }));
}

/// Making more of the library public requires a change here, where it is reviewed.
#[test]
fn the_public_api_has_only_the_listed_items() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let shown = text.replace("#[doc(hidden)]\npub ", "hidden ");
    let face: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("pub "))
        .collect();
    assert_eq!(
        face,
        [
            "mod cli;",
            "mod operation;",
            "mod platforms;",
            "mod runtime;",
            "mod sandbox;",
            "use clock::Clock;",
            "use journal::{Journal, RowStatus, RunStatus};",
            "use operation::context::Profile;",
            "use operation::error::OpError;",
            "use operation::platform::Platform;",
            "use operation::resource::Resource;",
            "use operation::spec::OpSpec;",
            "use runtime::{Builder, Error, Outcome, Run, Runtime, Session};",
            "use script::bundle::{Loader, Source};",
            "use script::program::Script;",
            "use value::secret::Secret;",
            "use value::{Object, Record, Value};",
        ]
    );
}

/// Whether a line of code has this path, not as part of a longer name or path.
fn holds(line: &str, path: &str) -> bool {
    let is_comment = line.trim_start().starts_with("//");
    !is_comment
        && line.match_indices(path).any(|(at, _)| {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let ends =
                path.ends_with(':') || !line[at + path.len()..].starts_with(|c: char| is_part(c) && c != ':');
            ends && !line[..at].ends_with(is_part)
        })
}

/// Fails with all faults, one per line.
fn check(faults: impl Iterator<Item = String>) {
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of the library but its root; a file of tests has no lines.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let path = file
                .strip_prefix(root().join("src"))
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
            let is_rust = file.extension().is_some_and(|ending| ending == "rs");
            if is_test || !is_rust || path == "lib.rs" || path == "main.rs" {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = text.lines().map(str::to_owned).collect();
            sources.push(Source { path, lines });
        }
    }
    assert!(sources.len() > 100, "the sources were not found");
    sources
}
