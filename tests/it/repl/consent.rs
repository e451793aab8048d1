//! Confirmations: only a user who has seen the question can confirm.

use crate::support::Home;
use crate::support::account::Served;
use crate::support::pty::{Terminal, key};

/// A session in mode prod on a served account, at its first prompt.
fn prod(home: &Home, served: &Served, term: &str) -> Terminal {
    home.configure_acme(served, "prod");
    let mut command = home.command(["repl", "--profile", "acme"]);
    command.env("TERM", term).env("ACME_PASSWORD", &served.password);
    let terminal = Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("acme:prod>");
    terminal.type_line("let p = mobsted::connect()");
    terminal.wait_for_prompt();
    terminal
}

const ASKED: &str = "Type acme to carry it out";

#[test]
fn keys_typed_before_a_confirmation_prompt_do_not_answer_it() {
    let (home, other) = (Home::new(), Home::new());
    let served = Served::start(&other);
    let terminal = prod(&home, &served, "xterm-256color");
    terminal.type_line("print(`${1}-go`); sleep(\"2s\"); p.ensure_tenant(\"ann@example.com\")");
    let _ = terminal.wait_for("\n1-go");
    terminal.type_line("acme");
    let screen = terminal.wait_for(ASKED);
    assert!(screen.contains("typed before this question"), "{screen}");
    terminal.press(key::ENTER);
    let _ = terminal.wait_for("the rest of the input did not run");
    assert_eq!(other.snapshot().totals.tenants_created, 0);
    terminal.wait_for_prompt();
    terminal.type_line("p.ensure_tenant(\"bob@example.com\").outcome");
    let _ = terminal.wait_until("it asks again", |screen| {
        screen.contents().matches(ASKED).count() == 2
    });
    terminal.type_line("acme");
    let _ = terminal.wait_for("\ncreated");
    assert_eq!(other.snapshot().totals.tenants_created, 1);
}

#[test]
fn the_confirmation_prompt_names_the_requests_address_and_profile() {
    let home = Home::new();
    home.configure(
        "[profiles.crm]\nplatform = \"web\"\nurl = \"http://127.0.0.1:9\"\nmode = \"prod\"\n\
         [profiles.other]\nplatform = \"web\"\nurl = \"http://127.0.0.1:8\"\n",
    );
    let terminal = Terminal::start(home.command(["repl", "--profile", "crm"]), 24, 80);
    let _ = terminal.wait_for("crm:prod>");
    terminal.type_line("http::post(\"/ok\", #{ json: 1 })");
    let screen = terminal.wait_for("Type crm to carry it out");
    assert!(
        screen.contains("on http://127.0.0.1:9/ok (profile crm,"),
        "{screen}"
    );
    terminal.press(key::ENTER);
    let _ = terminal.wait_for("the rest of the input did not run");
    terminal.wait_for_prompt();
    terminal.type_line("http::post(\"/ok\", #{ json: 1, profile: \"other\" })");
    let screen = terminal.wait_for("Type other to carry it out");
    assert!(
        screen.contains("on http://127.0.0.1:8/ok (profile other,"),
        "{screen}"
    );
    terminal.press(key::ENTER);
    let _ = terminal.wait_until("it is stopped", |screen| {
        screen.contents().matches("did not run").count() == 2
    });
}

#[test]
fn lines_pasted_into_a_dumb_terminal_do_not_answer_a_question() {
    let (home, other) = (Home::new(), Home::new());
    let served = Served::start(&other);
    let terminal = prod(&home, &served, "dumb");
    terminal.press("p.ensure_tenant(\"ann@example.com\")\nacme\nacme\nacme\n");
    let _ = terminal.wait_for(ASKED);
    terminal.press("\n");
    let _ = terminal.wait_for("the rest of the input did not run");
    assert_eq!(other.snapshot().totals.tenants_created, 0);
}

#[test]
fn reveal_ignores_an_answer_typed_before_its_prompt() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "dumb");
    let terminal = Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let t = mobsted::connect().ensure_tenant(\"ann@example.com\")");
    terminal.wait_for_prompt();
    terminal.press(":reveal t.password\ny\n6 * 7\n");
    let _ = terminal.wait_for("in clear? [y/N]");
    terminal.press("\n");
    let _ = terminal.wait_for("nothing was shown");
}

#[test]
fn a_prod_run_ignores_answers_typed_before_its_confirmation_prompt() {
    let (home, other) = (Home::new(), Home::new());
    let served = Served::start(&other);
    home.configure_acme(&served, "prod");
    home.write(
        "one.rhai",
        "fn main() { mobsted::connect().ensure_tenant(\"ann@example.com\"); }\n",
    );
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_provisor");
    let script = format!("echo ready; read go; exec '{program}' run one.rhai --profile acme");
    let plain = home.command(["version"]);
    command.args(["-c", &script]).current_dir(home.work()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("ACME_PASSWORD", &served.password);
    let mut terminal = Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("ready");
    // The shell reads its line byte by byte, and leaves the rest.
    terminal.press("go\ny\ny\n");
    let _ = terminal.wait_for("Change the prod account `acme` at ");
    terminal.press("\n");
    let (code, screen) = terminal.finish();
    assert!(code != 0 && screen.contains("nothing was done"), "{screen}");
    assert_eq!(other.snapshot().totals.tenants_created, 0);
}

/// Runs the program in a terminal, with a stream that the shell redirects to a file.
fn redirected(home: &Home, words: &str, redirection: &str, password: &str) -> Terminal {
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_provisor");
    let plain = home.command(["version"]);
    command.args(["-c", &format!("exec '{program}' {words} {redirection}")]);
    command.current_dir(home.work()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
        .env("ACME_PASSWORD", password)
        .env("TERM", "xterm-256color");
    Terminal::start(command, 24, 80)
}

#[test]
fn no_confirmation_is_accepted_when_stderr_is_redirected() {
    let (home, other) = (Home::new(), Home::new());
    let served = Served::start(&other);
    home.configure_acme(&served, "prod");
    let mut terminal = redirected(&home, "repl --profile acme", "2> err.txt", &served.password);
    let _ = terminal.wait_for("acme:prod>");
    terminal.type_line("let p = mobsted::connect()");
    terminal.wait_for_prompt();
    terminal.type_line("p.ensure_tenant(\"ann@example.com\")");
    terminal.wait_for_prompt();
    terminal.type_line("acme");
    terminal.wait_for_prompt();
    terminal.type_line(":quit");
    let _ = terminal.finish();
    assert_eq!(other.snapshot().totals.tenants_created, 0);
    let said = home.read("err.txt");
    assert!(
        said.contains("there is no terminal to ask at") && !said.contains(ASKED),
        "{said}"
    );
}

#[test]
fn no_secret_is_revealed_when_stderr_is_redirected() {
    let home = Home::new();
    let mut terminal = redirected(&home, "repl --sandbox", "2> err.txt", "");
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let t = mobsted::connect().ensure_tenant(\"ann@example.com\")");
    terminal.wait_for_prompt();
    terminal.type_line(":reveal t.password");
    terminal.wait_for_prompt();
    terminal.type_line("y");
    terminal.wait_for_prompt();
    terminal.type_line(":quit");
    let _ = terminal.finish();
    let said = home.read("err.txt");
    assert!(
        said.contains("secrets are shown at a terminal only") && !said.contains("in clear?"),
        "{said}"
    );
}

#[test]
fn redirected_stdout_contains_only_results_and_no_secret() {
    let home = Home::new();
    let mut terminal = redirected(&home, "repl --sandbox", "> out.txt", "");
    let _ = terminal.wait_for("sandbox>");
    for line in [
        "[#{ a: 1 }, #{ a: 2 }]",
        "let t = mobsted::connect().ensure_tenant(\"ann@example.com\")",
        "nope()",
        ":reveal t.password",
        "let sum = [",
        "20, 22]",
        "sum[0] + sum[1]",
    ] {
        terminal.press(&format!("{line}\n"));
    }
    let screen = terminal.wait_for("secrets are shown at a terminal only");
    assert!(screen.contains("there is no function `nope`"), "{screen}");
    let _ = terminal.wait_for("waiting for ] from line 1");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(home.read("out.txt"), "[{\"a\":1},{\"a\":2}]\n42\n");
}
