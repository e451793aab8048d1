//! `provisor fmt`.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Home, script};

const UNFORMATTED: &str =
    "#!/usr/bin/env provisor\nfn  main( a,b ){\n  let x=a+b ;   // sum\n\n\n\nif x>1{\nprint(`${ x }`)\n}\n}";
const FORMATTED: &str = "#!/usr/bin/env provisor\nfn main(a, b) {\n    let x = a + b;   // sum\n\n    if x > 1 {\n        print(`${ x }`)\n    }\n}\n";

#[test]
fn the_scripts_of_the_repository_are_formatted() {
    let home = Home::new();
    let folder = script("hello.rhai").replace("hello.rhai", "");
    let ran = home.run_with_words(&["fmt", "--check", &folder]).ended(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_script_is_formatted_in_place_and_keeps_its_permissions() {
    let home = Home::new();
    let path = home.write("s.rhai", UNFORMATTED);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
    let ran = home.run("fmt s.rhai").ended(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.trim()), ("", "formatted s.rhai"));
    assert_eq!(home.read("s.rhai"), FORMATTED);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o750
    );
    let ran = home.run("fmt s.rhai").ended(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn check_names_the_scripts_that_are_not_formatted_and_changes_nothing() {
    let home = Home::new();
    home.write("steps/b.rhai", UNFORMATTED);
    home.write("steps/inner/a.rhai", UNFORMATTED);
    home.write("steps/c.rhai", FORMATTED);
    home.write("steps/.hidden/d.rhai", UNFORMATTED);
    home.write("steps/notes.txt", "not a script");
    let ran = home.run("fmt --check steps").ended(3);
    let expected = "steps/b.rhai is not formatted\nsteps/inner/a.rhai is not formatted";
    assert_eq!((ran.stdout.as_str(), ran.stderr.trim()), ("", expected));
    assert_eq!(home.read("steps/b.rhai"), UNFORMATTED);
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let home = Home::new();
    let ran = home.run_with_input("fmt -", UNFORMATTED).ended(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (FORMATTED, ""));
    let ran = home.run_with_input("fmt -", FORMATTED).ended(0);
    assert_eq!(ran.stdout, FORMATTED);
}

#[test]
fn a_script_with_a_syntax_error_is_reported_and_left_as_it_is() {
    let home = Home::new();
    home.write("s.rhai", "fn main( {\n");
    home.write("t.rhai", UNFORMATTED);
    let _ = home
        .run("fmt s.rhai t.rhai")
        .ended(3)
        .said(&["s.rhai:1", "formatted t.rhai"]);
    assert_eq!(home.read("s.rhai"), "fn main( {\n");
    let _ = home
        .run("fmt nowhere.rhai")
        .ended(2)
        .said(&["script `nowhere.rhai` cannot be read"]);
}
