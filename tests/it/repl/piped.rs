//! Sessions without a terminal.

use super::profile;
use crate::support::Home;

#[test]
fn statements_are_evaluated_one_by_one_without_prompt_or_colour() {
    let home = Home::new();
    let ran = home.run_with_input(
        "repl",
        "let x = 20\nx + 1\n_ * 2\nfn f(a) {\n  a + 1\n}\nf(\n  1\n)\n",
    );
    let ran = ran.ended(0);
    assert_eq!(ran.stdout, "21\n42\n2\n");
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_first_failure_ends_a_piped_session_with_its_exit_code() {
    let home = Home::new();
    let ran = home
        .run_with_input("repl", "1\nlet y = [\n  missing,\n];\n2\n")
        .ended(1);
    assert_eq!(ran.stdout, "1\n");
    let ran = ran.said(&["there is no variable `missing` here", "stdin:3:3"]);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    let refused = "let p = mobsted::connect();\np.find_app(1);\nprint(\"not reached\");\n";
    let ran = home.run_with_input("repl --profile none", refused).ended(2);
    let _ = ran.said(&["none"]);
    let ran = home.run_with_input("repl", refused).ended(2);
    assert_eq!(ran.stdout, "", "no profile: {}", ran.stderr);
    let _ = home.run_with_input("repl", ":nonsense\n1\n").ended(2);
    let _ = home.run_with_input("repl", "fn f( {\n").ended(1);
}

#[test]
fn a_script_on_standard_input_behaves_like_run() {
    let home = Home::new();
    let script = r#"
//! Two tenants.
let partner = mobsted::connect();
let emails = [
    "ann@example.com",
    "bob@example.com",
];
for email in emails {
    let tenant = partner.ensure_tenant(email);
    print(`${tenant.email} ${tenant.outcome}`);
}
if emails.len() > 1 { print("many"); }
else { print("one"); }
double(emails
    .len());
fn double(n) { print(n * 2); }
throw "enough";
"#;
    home.write("two.rhai", script);
    let run = home.run("run two.rhai --sandbox").ended(1);
    let other = Home::new();
    let mut command = other.command(["repl", "--sandbox"]);
    let file = std::fs::File::open(home.work().join("two.rhai")).unwrap();
    let repl = crate::support::finish(command.stdin(file).spawn().unwrap()).ended(1);
    assert_eq!(repl.stdout, run.stdout);
    assert_eq!(home.snapshot().totals.tenants_created, 2);
    assert_eq!(other.snapshot().totals.tenants_created, 2);
    let _ = repl.said(&["enough", "stdin:17:1"]);
}

/// Passes a text to `run`, and as a file and through a pipe to `repl`. Each ends with this exit code and output.
#[track_caller]
fn agree(text: &str, code: i32, printed: &str) {
    let home = Home::new();
    home.write("it.rhai", text);
    let run = home.run("run it.rhai").ended(code);
    assert!(run.stdout.starts_with(printed), "run: {}", run.stdout);
    let mut command = home.command(["repl"]);
    let file = std::fs::File::open(home.work().join("it.rhai")).unwrap();
    let repl = crate::support::finish(command.stdin(file).spawn().unwrap()).ended(code);
    assert_eq!(repl.stdout, printed, "as a file");
    let repl = home.run_with_input("repl", text).ended(code);
    assert_eq!(repl.stdout, printed, "through a pipe");
}

#[test]
fn constants_of_earlier_statements_are_seen_in_functions() {
    agree(
        "const K = 3;\nfn k() { global::K }\nprint(k());\nconst L = K + 1;\nfn l() { global::L + global::K }\nprint(l());\n",
        0,
        "3\n7\n",
    );
    agree("let v = 3;\nfn k() { global::v }\nk();\n", 1, "");
}

#[test]
fn statements_after_return_or_exit_do_not_run() {
    agree("print(1);\nreturn;\nprint(2);\n", 0, "1\n");
    agree("print(1);\nif 1 < 2 { return; }\nprint(2);\n", 0, "1\n");
    agree("print(1);\nif 1 > 2 { return; }\nprint(2);\n", 0, "1\n2\n");
    agree("fn f() { return 3; }\nlet x = f();\nprint(x);\n", 0, "3\n");
    agree("print(1);\nexit();\nprint(2);\n", 0, "1\n");
    let home = Home::new();
    let ran = home
        .run_with_input("repl", "return 3;\nprint(\"after\")\n")
        .ended(0);
    assert_eq!(ran.stdout, "3\n");
}

#[test]
fn a_statement_continues_after_blank_lines_and_comments() {
    agree(
        "if 1 > 2 { print(1); }\n\n// otherwise\nelse { print(2); }\n\nprint([1, 2]\n\n  .len());\n",
        0,
        "2\n2\n",
    );
}

#[test]
fn functions_may_be_defined_after_their_use() {
    agree("f(2);\nfn f(n) { print(n); }\n", 0, "2\n");
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_text() {
    agree("\u{feff}print(1);\n", 0, "1\n");
}

#[test]
fn a_main_that_is_not_called_gets_a_hint() {
    let home = Home::new();
    let main = "fn main(name) { }\n";
    let ran = home.run_with_input("repl", main).ended(0);
    let _ = ran.said(&["`main` is defined here and was not called", "provisor run"]);
    let ran = home.run_with_input("repl", &format!("{main}main(1);\n")).ended(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_file_with_a_syntax_error_runs_nothing() {
    let home = Home::new();
    for (script, place) in [
        ("print(\"ran\");\nlet a = 1;\nlet b = 1 2;\n", "stdin:3:11"),
        (":set trace on\nprint(\"ran\")\nfn f() {\n", "stdin:"),
        ("print(\"ran\")\n:paste\nlet a = [1,\n:end\n", "stdin:3:12"),
    ] {
        home.write("broken.rhai", script);
        let mut command = home.command(["repl", "--sandbox"]);
        let file = std::fs::File::open(home.work().join("broken.rhai")).unwrap();
        let ran = crate::support::finish(command.stdin(file).spawn().unwrap()).ended(1);
        assert_eq!(ran.stdout, "", "{script}");
        let _ = ran.said(&[place, "nothing ran"]);
    }
    // Input that arrives through a pipe at once is read like a file.
    let input = "print(\"ran\");\nlet b = 1 2;\n";
    let ran = home.run_with_input("repl", input).ended(1);
    assert_eq!(ran.stdout, "");
    let _ = ran.said(&["nothing ran"]);
}

#[test]
fn statements_arriving_slowly_through_a_pipe_run_one_by_one() {
    use std::io::{Read as _, Write as _};
    let home = Home::new();
    let mut command = home.command(["repl"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"print(\"ran\");\n").unwrap();
    let mut first = [0; 4];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"ran\n");
    stdin.write_all(b"let b = 1 2;\n").unwrap();
    drop(stdin);
    let ran = crate::support::finish(child).ended(1);
    let _ = ran.said(&["stdin:2:11"]);
}

#[test]
fn a_file_may_have_commands_and_statements_without_semicolons() {
    let home = Home::new();
    let script = "let x = 20\n:set format csv\ntwice(x)\n_ + 1\n:paste\nlet y = 1;\n\ny + x\n:end\nfn twice(n) {\n  n * 2\n}\n:history /x$/\n";
    home.write("steps.rhai", script);
    let mut command = home.command(["repl"]);
    let file = std::fs::File::open(home.work().join("steps.rhai")).unwrap();
    let ran = crate::support::finish(command.stdin(file).spawn().unwrap()).ended(0);
    assert_eq!(
        ran.stdout,
        "40\n41\n21\n   4   let y = 1;\n       \n       y + x\n"
    );
}

#[test]
fn crlf_line_endings_are_accepted() {
    let home = Home::new();
    let ran = home
        .run_with_input("repl", "let a = `x\r\ny`;\r\na.len()\r\n1 + 1\r\n")
        .ended(0);
    assert_eq!(ran.stdout, "3\n2\n");
}

#[test]
fn load_and_eval_options_run_at_startup() {
    let home = Home::new();
    home.write("lib.rhai", "fn triple(n) { n * 3 }\nlet seven = 7;\n");
    let ran = home.run_with_words(&[
        "repl",
        "--load",
        "lib.rhai",
        "--eval",
        "triple(seven)",
        "--eval",
        "_ + 1",
    ]);
    let ran = ran.ended(0);
    assert_eq!(ran.stdout, "21\n22\n");
    let ran = home.run("repl --load nowhere.rhai").ended(2);
    let _ = ran.said(&["nowhere.rhai"]);
}

#[test]
fn a_project_rc_file_is_loaded_only_when_trusted() {
    let home = Home::new();
    home.write("repl.rhai", "let greeting = \"hello\";\n");
    let ran = home.run_with_input("repl", "1\n").ended(0);
    let _ = ran.said(&["repl.rhai was not loaded", ":trust"]);
    let ran = home.run_with_input("repl", ":trust\ngreeting\n").ended(0);
    assert_eq!(ran.stdout, "hello\n");
    assert_eq!(ran.stderr.matches("is trusted").count(), 1, "{}", ran.stderr);
    let ran = home.run_with_input("repl", "greeting\n").ended(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("hello\n", ""));
    let _ = home.run_with_input("repl --no-rc", "greeting\n").ended(1);
    home.write("repl.rhai", "let greeting = \"changed\";\n");
    let _ = home
        .run_with_input("repl", "greeting\n")
        .ended(1)
        .said(&["not trusted"]);
    let config = home.provisor().join("config");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("repl.rhai"), "let own = 5;\n").unwrap();
    assert_eq!(home.run_with_input("repl", "own\n").ended(0).stdout, "5\n");
}

#[test]
fn no_journal_or_sandbox_is_opened_before_the_first_operation() {
    let home = Home::new();
    let _ = home
        .run_with_input("repl --sandbox", "1 + 1\n:history\n")
        .ended(0);
    assert!(!home.provisor().join("state/journal.db").exists());
    assert!(!home.sandbox().exists());
}

#[test]
fn a_piped_prod_session_makes_no_changes_without_yes() {
    let home = Home::new();
    profile(&home, "prod");
    let input = "mobsted::connect().ensure_tenant(\"ann@example.com\");\n";
    let ran = home.run_with_input("repl --profile acme", input).ended(2);
    let _ = ran.said(&["acme is a real account", "--yes"]);
    home.write("one.rhai", input);
    let _ = home.run("run one.rhai --profile acme").ended(2);
    profile(&home, "read-only");
    let ran = home.run_with_input("repl --profile acme", input).ended(5);
    let _ = ran.said(&["read-only"]);
}

#[test]
fn trace_and_timing_settings_show_requests_and_durations() {
    let home = Home::new();
    let input = ":set trace on\nlet p = mobsted::connect();\np.ensure_tenant(\"ann@example.com\").outcome\n:set trace off\np.find_tenant(\"ann@example.com\").email\n:time 1 + 1\n:set\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert_eq!(
        ran.stdout,
        "created\nann@example.com\n2\nformat auto\nrows 20\ntiming off\ntrace off\npager off\n"
    );
    let requests: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(" -> ")).collect();
    assert!(
        requests
            .iter()
            .any(|line| line.contains("-> 200 (") && line.ends_with("ms)")),
        "{}",
        ran.stderr
    );
    assert!(
        requests.iter().any(|line| line.starts_with("POST ")),
        "{}",
        ran.stderr
    );
    let password = home.snapshot().tenants[0].password.clone();
    assert!(
        !ran.stderr.contains(&password) && !ran.stderr.contains("password="),
        "{}",
        ran.stderr
    );
    let _ = ran.said(&["took "]);
}

#[test]
fn run_mode_profile_and_sandbox_commands_work_in_a_pipe() {
    let home = Home::new();
    home.write("hello.rhai", "fn main(name) { print(`hello ${name}`); }\n");
    home.write("lib.rhai", "fn one() { 1 }\n");
    let input = ":run hello.rhai --name 'Ann B'\nimport \"./lib\" as lib;\nlib::one()\n:mode\n:profile\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert_eq!(ran.stdout, "hello Ann B\n1\nsandbox\n");
    home.write("later.rhai", "import \"./lib\" as lib;\nlib::one()\n");
    let ran = home
        .run_with_input("repl --sandbox", ":run nowhere.rhai\n")
        .ended(2);
    let _ = ran.said(&["nowhere.rhai"]);
    let ran = home.run_with_input(
        "repl",
        ":sandbox on\nmobsted::connect().ensure_tenant(\"ann@example.com\").outcome\n",
    );
    assert_eq!(ran.ended(0).stdout, "created\n");
    let ran = home.run_with_input("repl", ":sanbox on\n").ended(2);
    let _ = ran.said(&["there is no command `:sanbox`", "did you mean :sandbox?"]);
}

#[test]
fn ask_fails_with_no_terminal_when_input_is_piped() {
    let home = Home::new();
    let ran = home.run_with_input(
        "repl",
        "attempt(|| ask(\"Who? \")).error.kind\nask_secret(\"PIN: \")\nAnn\n",
    );
    let ran = ran.ended(2);
    assert_eq!(ran.stdout, "no_terminal\n");
    let _ = ran.said(&["there is no terminal to ask at", "a parameter of `main`"]);
}

#[test]
fn sigint_sigterm_and_sighup_end_a_piped_session() {
    for sent in ["INT", "TERM", "HUP"] {
        for input in ["print(\"go\")\n", "print(\"go\"); loop {}\n"] {
            let home = Home::new();
            let ran = stopped_by(&home, sent, input);
            assert_eq!(ran.code, 130, "{sent} {input}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_session_ended_by_a_signal_is_closed_in_the_journal() {
    let home = Home::new();
    let input = "mobsted::connect().ensure_tenant(\"ann@example.com\"); print(\"go\")\n";
    for (sent, rest) in [("TERM", ""), ("HUP", "loop {}\n"), ("INT", "sleep(60)\n")] {
        let ran = stopped_by(&home, sent, &format!("{input}{rest}"));
        assert_eq!(ran.code, 130, "{sent}: {}", ran.stderr);
        let id = home.newest();
        let _ = ran.said(&[&format!("session {id}: 1 tenant")]);
        let shown = home.json(&format!("runs show {id} --json"));
        assert_eq!(shown["run"]["status"], "done", "{sent}: {shown}");
    }
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
}

/// Sends a signal once the input has printed `go`, while more input could follow.
fn stopped_by(home: &Home, sent: &str, input: &str) -> crate::support::Ran {
    let mut command = home.command(["repl", "--sandbox"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, input.as_bytes()).unwrap();
    let mut first = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(&first, b"go\n");
    crate::support::signal(child.id(), sent);
    let ran = crate::support::finish(child);
    drop(stdin);
    ran
}

#[test]
fn a_stdout_write_error_ends_the_session_like_a_run() {
    let home = Home::new();
    home.write("five.rhai", "fn main() { print(5); }\n");
    let told = |words: &str, input: &str| {
        let mut command = home.command(words.split_whitespace());
        command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let _ = std::io::Write::write_all(&mut stdin, input.as_bytes());
        drop(stdin);
        let ran = crate::support::finish(child).said(&["cannot write to standard output"]);
        ran.code
    };
    let run = told("run five.rhai --sandbox", "");
    for input in [
        "5\n",
        "print(5)\n",
        "let a = 5;\n:vars\n",
        "loop { print(5) }\n",
        "5\nlet b = 6;\n",
    ] {
        assert_eq!(told("repl --sandbox", input), run, "{input}");
    }
}
