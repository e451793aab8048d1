//! A script's parameters as flags: what they accept, and what they leave to other options.

use crate::support::Home;

const FLAGS: &str = "\
/// @param email string         who
/// @param dry   bool   = false only look
/// @param note  string = \"n\"   a note
/// @param n     int    = 1     how many
fn main(email, dry, note, n) { #{ email: email, dry: dry, note: note, n: n } }
";

fn home() -> Home {
    let home = Home::new();
    home.write("flags.rhai", FLAGS);
    home
}

#[test]
fn a_parameter_without_a_value_does_not_consume_the_next_option() {
    let home = home();
    let ran = home.run("run flags.rhai --email --sandbox").ended(2);
    let _ = ran.said(&["--email"]);
    assert!(!home.provisor().join("state/journal.db").exists(), "nothing ran");
    let ran = home.run("run flags.rhai --email a --note -x").ended(2);
    let _ = ran.said(&["flags.rhai:5", "-x", "after `=`"]);
}

#[test]
fn a_leading_dash_needs_an_equals_sign_except_in_negative_numbers() {
    let home = home();
    let ran = home.run("run flags.rhai --email=-v --note=--x --n -5 --json");
    assert_eq!(
        ran.ended(0).stdout.trim(),
        r#"{"dry":false,"email":"-v","n":-5,"note":"--x"}"#
    );
}

#[test]
fn a_boolean_flag_takes_a_value_only_after_an_equals_sign() {
    let home = home();
    for (words, dry) in [
        ("--dry --email a", true),
        ("--dry=true --email a", true),
        ("--email a --dry=false", false),
        ("--email a", false),
    ] {
        let ran = home.run(&format!("run flags.rhai --json {words}")).ended(0);
        assert!(
            ran.stdout.contains(&format!("\"dry\":{dry},\"email\":\"a\"")),
            "{words}"
        );
    }
    let ran = home.run("run flags.rhai --email a --dry false").ended(2);
    let _ = ran.said(&["`false` is neither a flag", "--flag=false"]);
}

#[test]
fn parameter_names_may_not_clash_with_built_in_options() {
    let home = Home::new();
    home.write(
        "ids.rhai",
        "fn main(script, rest, flags, command, param) { script + rest + flags + command + param }\n",
    );
    let ran = home.run("run ids.rhai --script a --rest b --flags c --command d --param e --json");
    assert_eq!(ran.ended(0).stdout.trim(), r#"{"result":"abcde"}"#);
    for name in ["color", "verbose", "sandbox", "rows", "help", "rows_format"] {
        home.write(
            "own.rhai",
            &format!("// a comment\nfn main(first, {name}) {{ 1 }}\n"),
        );
        let ran = home.run("run own.rhai --first 1").ended(2);
        let _ = ran.said(&[&format!("`{name}` (own.rhai:2)"), "own option"]);
    }
}

#[test]
fn color_and_verbose_options_work_after_the_script_name() {
    let home = home();
    let ran = home
        .run("run flags.rhai --email a --color always --emial b")
        .ended(2);
    assert!(ran.stderr.contains("\u{1b}["), "{}", ran.stderr);
    let ran = home.run("run flags.rhai --email a --color red").ended(2);
    let _ = ran.said(&["red"]);
    home.write(
        "t.rhai",
        "fn main(email) { mobsted::connect().ensure_tenant(email).url }\n",
    );
    let quiet = home.run("run t.rhai --sandbox --email a@example.com").ended(0);
    let loud = home
        .run("run t.rhai --sandbox --email b@example.com -vv -v")
        .ended(0);
    assert!(!quiet.stderr.contains("provisor::"), "{}", quiet.stderr);
    assert!(loud.stderr.contains("provisor::"), "{}", loud.stderr);
}

#[test]
fn standard_input_can_be_used_only_once() {
    let home = Home::new();
    home.write(
        "s.rhai",
        "/// @param pin secret  a secret\nfn main(n, pin) { 1 }\n",
    );
    let ran = home.run_with_input("run s.rhai --rows - --pin -", "n\n1\n");
    let _ = ran
        .ended(2)
        .said(&["--pin and the rows", "standard input", "file:PATH"]);
    let ran = home.run_with_input("run - --n 1 --pin -", "fn main(n, pin) { 1 }\n");
    let _ = ran.ended(0);
    let ran = home.run_with_input(
        "run - --n 1 --pin -",
        "/// @param pin secret  a secret\nfn main(n, pin) { 1 }\n",
    );
    let _ = ran.ended(2).said(&["--pin and the script"]);
}

#[test]
fn control_and_bidi_characters_are_escaped_in_error_messages() {
    let home = Home::new();
    home.write(
        "turn\u{202e}ed.rhai",
        "fn main() {\n  let a = \"\u{202e}\u{1b}[2J\"; throw a\n}\n",
    );
    let mut said = home
        .run_with_words(&["run", "turn\u{202e}ed.rhai"])
        .ended(1)
        .stderr;
    said += &home
        .run_with_words(&["check", "turn\u{202e}ed.rhai", "none\u{2028}.rhai"])
        .stderr;
    said += &home
        .run_with_words(&["runs", "list", "--wrong\u{2066}flag"])
        .ended(2)
        .stderr;
    said += &home.run_with_words(&["runs", "lis\u{202a}t"]).ended(2).stderr;
    let steers = |c: char| matches!(c, '\u{1b}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!said.contains(steers), "{said:?}");
    for shown in [
        "turn\\u{202e}ed.rhai",
        "\\u{1b}[2J",
        "none\\u{2028}",
        "--wrong\\u{2066}flag",
        "lis\\u{202a}t",
    ] {
        assert!(said.contains(shown), "{shown}: {said}");
    }
}
