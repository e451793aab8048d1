//! The structural rules of the source code: which module may import which, where a foreign crate may be used, how long
//! files and functions may be, and what is never allowed.

#![allow(clippy::unwrap_used, reason = "tests")]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Source, is_word};

/// A top-level module: its level, and the modules it may import; `*` is all of them. Tests inside a module may also use
/// lower levels, the sandbox, and the platforms.
const LAYERS: &[(&str, u8, &[&str])] = &[
    ("cli", 8, &["*"]),
    ("report", 7, &["value", "run", "bulk"]),
    ("bulk", 6, &["value", "clock", "journal", "script", "run"]),
    (
        "runtime",
        7,
        &[
            "value",
            "clock",
            "transport",
            "journal",
            "client",
            "operation",
            "script",
            "run",
            "bulk",
        ],
    ),
    ("repl", 6, &["value", "clock", "script", "run", "operation"]),
    ("run", 5, &["value", "clock", "journal", "operation", "script"]),
    ("script", 4, &["value", "operation"]),
    (
        "platforms",
        4,
        &[
            "value",
            "clock",
            "flight",
            "transport",
            "journal",
            "client",
            "operation",
        ],
    ),
    ("operation", 3, &["value", "clock", "journal", "client"]),
    ("client", 2, &["value", "clock", "flight", "transport"]),
    ("transport", 1, &["value", "clock", "flight", "waiting"]),
    ("journal", 1, &["value", "clock", "flight", "waiting"]),
    ("value", 0, &["sandbox"]),
    ("clock", 0, &[]),
    ("flight", 0, &[]),
    ("waiting", 0, &[]),
    ("sandbox", 0, &[]),
    // Any module may check for its own fault.
    ("sabotage", 0, &[]),
];

/// Foreign crates that may be used only in these modules or files (without their extension).
const HOMES: &[(&str, &[&str])] = &[
    ("rhai", &["script"]),
    ("ariadne", &["script"]),
    ("reqwest", &["transport"]),
    ("rustls", &["transport"]),
    ("rusqlite", &["journal"]),
    ("chacha20poly1305", &["journal"]),
    ("hmac", &["journal", "sandbox", "value/digest"]),
    ("sha2", &["journal", "sandbox", "value/digest"]),
    ("axum", &["sandbox"]),
    ("iri_string", &["client", "platforms"]),
    ("icu_normalizer", &["value/identity"]),
    ("clap", &["cli"]),
    ("dirs", &["cli"]),
    ("indicatif", &["cli"]),
    ("comfy_table", &["cli"]),
    ("toml", &["cli"]),
    // For the boot-time clock, which all processes of the machine share.
    ("rustix", &["cli", "clock"]),
    ("tracing_subscriber", &["cli"]),
    ("keyring_core", &["cli/keychain"]),
    ("dbus_secret_service_keyring_store", &["cli/keychain"]),
    ("apple_native_keyring_store", &["cli/keychain"]),
    ("toml_edit", &["cli"]),
    ("cap", &["cli/memory"]),
    ("csv", &["bulk", "report", "script"]),
    ("rustyline", &["repl"]),
    ("regex_lite", &["repl"]),
];

/// Crates that test code may use anywhere.
const FREE_IN_TESTS: &[&str] = &["axum"];

/// Foreign crates that any module may use.
const ANYWHERE: &[&str] = &[
    "base64",
    "email_address",
    "fastrand",
    "humantime",
    "jiff",
    "serde",
    "serde_json",
    "strsim",
    "tempfile",
    "thiserror",
    "tokio",
    "tracing",
    "unicode_width",
    "url",
    "uuid",
    "zeroize",
];

/// The files that may expose a secret.
const EXPOSERS: &[&str] = &[
    "transport/request",
    "transport/connect_options",
    "journal/seal",
    "cli/keychain",
    "report/reveal",
    "value/secret",
];

const FILE_LONGEST: usize = 800;
const FUNCTION_USUAL: usize = 40;
const FUNCTION_LONGEST: usize = 100;

#[test]
fn modules_import_only_what_lies_below_them() {
    check(sources().iter().flat_map(import_faults));
}

#[test]
fn modules_form_no_circle() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        for import in imports(&source).into_iter().filter(|import| !import.test) {
            graph
                .entry(source.module().to_owned())
                .or_default()
                .insert(import.name);
        }
    }
    // A module without remaining imports can be removed; those left are on a cycle or depend on one.
    loop {
        let leaves: BTreeSet<String> = graph
            .values()
            .flatten()
            .filter(|name| !graph.contains_key(*name))
            .cloned()
            .collect();
        let before = graph.len();
        for names in graph.values_mut() {
            names.retain(|name| !leaves.contains(name));
        }
        graph.retain(|_, names| !names.is_empty());
        if graph.len() == before {
            break;
        }
    }
    assert!(
        graph.is_empty(),
        "these modules import each other in a circle: {graph:?}"
    );
}

#[test]
fn foreign_crates_stay_in_their_homes() {
    check(sources().iter().flat_map(crate_faults));
}

/// Code elsewhere that names a platform is easily forgotten when a platform is added.
#[test]
fn platforms_are_named_in_their_rooms_alone() {
    let names = ["mobsted", "jrni", "bookingbug", "sparrow"];
    let mut naming: Vec<String> = Vec::new();
    for Source { path, .. } in sources() {
        let is_room = path.starts_with("platforms/") || path.starts_with("sandbox/");
        if is_room || path.ends_with("/tests.rs") || path.contains("/tests/") {
            continue;
        }
        let text = std::fs::read_to_string(root().join("src").join(&path)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (at, line) in code.lines().enumerate() {
            let line = line.to_lowercase();
            if names.iter().any(|name| line.contains(name)) {
                naming.push(format!("src/{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    check(naming.into_iter());
}

/// Making more of the library public requires a change here, where it is reviewed.
#[test]
fn the_public_face_is_small() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let face: Vec<&str> = text.lines().filter(|line| line.starts_with("pub ")).collect();
    assert_eq!(
        face,
        [
            "pub mod cli;",
            "pub mod client;",
            "pub mod clock;",
            "pub mod journal;",
            "pub mod operation;",
            "pub mod platforms;",
            "pub mod runtime;",
            "pub mod sandbox;",
            "pub mod transport;",
            "pub mod value;",
            "pub use operation::context::Profile;",
            "pub use operation::error::OpError;",
            "pub use operation::platform::Platform;",
            "pub use operation::resource::Resource;",
            "pub use operation::spec::OpSpec;",
            "pub use runtime::{Builder, Error, Outcome, Run, Runtime};",
            "pub use script::program::Script;",
            "pub use value::secret::Secret;",
            "pub use value::{Record, Value};",
        ]
    );
}

#[test]
fn every_dependency_has_a_home() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]").nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    let names = section
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_")));
    let names: Vec<String> = names.filter(|name| is_word(name)).collect();
    assert!(names.len() > 10, "the manifest was not understood: {names:?}");
    let has_home = |name: &str| HOMES.iter().any(|(home, _)| *home == name) || ANYWHERE.contains(&name);
    let homeless = names.iter().filter(|name| !has_home(name));
    check(
        homeless.map(|name| {
            format!("Cargo.toml: `{name}` is neither in HOMES nor in ANYWHERE (tests/it/house.rs)")
        }),
    );
}

#[test]
fn files_are_no_longer_than_a_reader_can_hold() {
    let sources = sources();
    let over = sources.iter().filter(|source| source.lines > FILE_LONGEST);
    check(over.map(|source| {
        format!(
            "src/{}: {} lines, and {FILE_LONGEST} are allowed",
            source.path, source.lines
        )
    }));
}

#[test]
fn functions_are_short() {
    let sources = sources();
    let functions: Vec<_> = sources
        .iter()
        .flat_map(|source| {
            source
                .functions()
                .into_iter()
                .map(move |function| (source, function))
        })
        .collect();
    let place = |(source, function): &&(&Source, source::Function)| {
        format!(
            "src/{}:{}: `{}` has {} lines",
            source.path, function.line, function.name, function.lines
        )
    };
    let over = functions
        .iter()
        .filter(|(_, function)| function.lines > FUNCTION_LONGEST);
    check(over.map(|function| format!("{}, and {FUNCTION_LONGEST} are allowed", place(&function))));
    let longer: Vec<String> = functions
        .iter()
        .filter(|(_, function)| function.lines > FUNCTION_USUAL)
        .map(|f| place(&f))
        .collect();
    assert!(
        longer.len() * 10 <= functions.len(),
        "{} of {} functions have more than {FUNCTION_USUAL} lines; a tenth may:\n{}",
        longer.len(),
        functions.len(),
        longer.join("\n")
    );
}

#[test]
fn secrets_leave_their_type_in_few_files() {
    check(sources().iter().flat_map(|source| {
        let allowed = EXPOSERS.iter().any(|home| source.lies_in(home));
        let calls = positions(source, "expose").filter(|at| matches!(source.before(*at), "." | "::"));
        let calls: Vec<usize> = calls.filter(|_| !allowed).collect();
        calls.into_iter().map(|at| {
            fault(
                source,
                at,
                "a secret is exposed; only EXPOSERS may (tests/it/house.rs)",
            )
        })
    }));
}

#[test]
fn below_cli_nothing_reads_the_environment_or_prints() {
    check(
        sources()
            .iter()
            // The tests of a build for `tests/sabotage.sh` select its fault through the environment.
            .filter(|source| !matches!(source.module(), "cli" | "sabotage"))
            .flat_map(|source| {
                let environment = positions(source, "std")
                    .filter(|at| {
                        source.texts(at + 1, 1) == ["::"]
                            && source.names_at(at + 2).iter().any(|name| name.text == "env")
                    })
                    .map(|at| (at, "the environment is read below cli"));
                let printing = ["print", "println", "eprint", "eprintln"]
                    .into_iter()
                    .flat_map(|name| macros(source, name))
                    .map(|at| (at, "something is printed below cli"));
                let faults: Vec<_> = environment
                    .chain(printing)
                    .filter(|(at, _)| !source.tokens[*at].test)
                    .collect();
                faults.into_iter().map(|(at, rule)| fault(source, at, rule))
            }),
    );
}

/// An interrupted run must end without reading all its rows: the final counts are kept while rows finish.
#[test]
fn the_end_of_a_run_reads_no_rows_to_count_them() {
    let ending = |source: &&Source| source.lies_in("cli/execute") || source.lies_in("bulk/schedule");
    let sources = sources();
    let ending: Vec<&Source> = sources.iter().filter(ending).collect();
    assert!(ending.len() > 3, "the files were moved");
    check(ending.into_iter().flat_map(|source| {
        let counts: Vec<_> = positions(source, "row_counts").collect();
        let rule = "rows are counted in the journal at the end of a run";
        counts.into_iter().map(move |at| fault(source, at, rule))
    }));
}

#[test]
fn nothing_is_left_undone() {
    check(sources().iter().flat_map(|source| {
        let names = ["todo", "unimplemented", "dbg"];
        let left: Vec<_> = names.into_iter().flat_map(|name| macros(source, name)).collect();
        left.into_iter().map(|at| fault(source, at, "unfinished code"))
    }));
}

/// An import of a top-level module.
struct Import {
    name: String,
    line: usize,
    test: bool,
}

/// The modules a file names by `crate::…`, or by enough `super::` to reach the crate's root.
fn imports(source: &Source) -> Vec<Import> {
    let mut imports = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        let from_root = match token.text.as_str() {
            "crate" if source.texts(at + 1, 1) == ["::"] => Some(at + 2),
            "super" if source.before(at) != "::" => above_root(source, at),
            _ => None,
        };
        for name in from_root.map(|at| source.names_at(at)).unwrap_or_default() {
            if name.text != source.module() && name.text != "self" {
                imports.push(Import {
                    name: name.text.clone(),
                    line: name.line,
                    test: name.test,
                });
            }
        }
    }
    imports
}

/// The position after a chain of `super::` that reaches the crate's root.
fn above_root(source: &Source, at: usize) -> Option<usize> {
    let steps = source.tokens[at..].chunks(2);
    let steps = steps
        .take_while(|step| matches!(step, [name, path] if name.text == "super" && path.text == "::"))
        .count();
    (steps == source.depth() + source.tokens[at].inline).then_some(at + 2 * steps)
}

fn import_faults(source: &Source) -> Vec<String> {
    let module = source.module();
    if module.is_empty() {
        return Vec::new();
    }
    let Some((_, level, allowed)) = LAYERS.iter().find(|(name, ..)| *name == module) else {
        return vec![format!(
            "src/{}: `{module}` has no place in LAYERS (tests/it/house.rs)",
            source.path
        )];
    };
    let mut faults = Vec::new();
    for import in imports(source) {
        let Some((name, below, _)) = LAYERS.iter().find(|(name, ..)| *name == import.name) else {
            continue;
        };
        let fine = allowed.contains(name) || *allowed == ["*"] || *name == "sabotage";
        if !fine && !(import.test && (below < level || ["sandbox", "platforms"].contains(name))) {
            faults.push(format!(
                "src/{}:{}: `{module}` may not import `{name}`",
                source.path, import.line
            ));
        }
    }
    faults
}

fn crate_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, homes) in HOMES {
        if homes.iter().any(|home| source.lies_in(home)) {
            continue;
        }
        for at in positions(source, name) {
            let named = source.texts(at + 1, 1) == ["::"]
                || source.before(at) == "use"
                || source.before(at) == "crate";
            let own = matches!(source.before(at), "::" | "." | "mod");
            let free = source.tokens[at].test && FREE_IN_TESTS.contains(name);
            if named && !own && !free {
                faults.push(fault(
                    source,
                    at,
                    &format!("`{name}` may be used only in {}", homes.join(", ")),
                ));
            }
        }
    }
    faults
}

/// The positions where a macro with this name is called.
fn macros<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    positions(source, name).filter(|at| source.texts(at + 1, 1) == ["!"])
}

fn positions<'a>(source: &'a Source, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    (0..source.tokens.len()).filter(move |at| source.tokens[*at].text == text)
}

fn fault(source: &Source, at: usize, rule: &str) -> String {
    format!("src/{}:{}: {rule}", source.path, source.tokens[at].line)
}

/// Fails with all faults, one per line.
fn check(faults: impl Iterator<Item = String>) {
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of the library and the program.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path
                    .strip_prefix(root().join("src"))
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                sources.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(sources.len() > 10, "the sources were not found");
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

#[cfg(test)]
mod tests;
