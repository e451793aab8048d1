//! Ctrl-C and Ctrl-D.

use std::time::{Duration, Instant};

use super::sandbox;
use crate::support::Home;
use crate::support::pty::key;

/// Evaluations end within 200 ms of Ctrl-C. The terminal, the test thread and a busy machine add their own delays: this
/// is how long a try may take, and the fastest of a few must keep the promise.
const SLOWEST: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_millis(200);
const TRIES: usize = 5;

/// What an input printed before it was stopped shows that it was running.
#[track_caller]
fn stops(input: &str) {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let kept = 40");
    let took: Vec<Duration> = (1..=TRIES)
        .map(|number| {
            terminal.wait_for_prompt();
            terminal.type_line(&format!("print(`${{{number}}}-go`); {input}; kept = 0"));
            let _ = terminal.wait_for(&format!("\n{number}-go"));
            let started = Instant::now();
            terminal.press(key::CTRL_C);
            let _ = terminal.wait_until("it is stopped", |screen| {
                let stopped = screen
                    .contents()
                    .matches("the rest of the input did not run")
                    .count();
                stopped == number
            });
            started.elapsed()
        })
        .collect();
    let (fastest, slowest) = (took.iter().min().unwrap(), took.iter().max().unwrap());
    assert!(*fastest < SOON && *slowest < SLOWEST, "{input} took {took:?}");
    terminal.wait_for_prompt();
    terminal.type_line("kept + 2");
    let _ = terminal.wait_for("\n42");
}

#[test]
fn ctrl_c_stops_a_loop_and_keeps_variables() {
    stops("loop {}");
}

#[test]
fn ctrl_c_stops_a_sleep_in_the_host() {
    stops("sleep(60)");
}

#[test]
fn a_script_cannot_catch_ctrl_c() {
    stops("loop { try { [1].map(|x| sleep(60)) } catch (err) {} }");
}

#[test]
fn ctrl_c_stops_a_hanging_read_request() {
    let home = Home::new();
    let terminal = home.terminal("repl --sandbox --fault object:hang");
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let p = mobsted::connect()");
    let mut took = Vec::new();
    for number in 1..=TRIES {
        terminal.wait_for_prompt();
        terminal.type_line(&format!("print(`${{{number}}}-go`); p.tenants()"));
        let _ = terminal.wait_for(&format!("\n{number}-go"));
        let started = Instant::now();
        terminal.press(key::CTRL_C);
        let _ = terminal.wait_until("it is stopped", |screen| {
            let stopped = screen
                .contents()
                .matches("the rest of the input did not run")
                .count();
            stopped == number
        });
        took.push(started.elapsed());
    }
    let (fastest, slowest) = (took.iter().min().unwrap(), took.iter().max().unwrap());
    assert!(*fastest < SOON && *slowest < SLOWEST, "it took {took:?}");
}

#[test]
fn input_typed_after_ctrl_c_is_kept() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.press("print(`${1}-never`)\x03print(`${2}-kept`)\rlet m = #{ a: [\r1,\x0340 + 2\r");
    let screen = terminal.wait_for("\n42");
    assert!(
        screen.contains("\n2-kept") && !screen.contains("\n1-never"),
        "{screen}"
    );
}

#[test]
fn ctrl_c_while_typing_clears_the_line_and_runs_nothing() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.press("print(`${1}-never`)");
    let _ = terminal.wait_for("-never");
    terminal.press(key::CTRL_C);
    terminal.wait_for_prompt();
    terminal.type_line("print(`${2}-after`)");
    let screen = terminal.wait_for("\n2-after");
    assert!(!screen.contains("\n1-never"), "{screen}");
}

#[test]
fn ctrl_c_leaves_an_incomplete_input() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let m = #{ a: [");
    let _ = terminal.wait_for("waiting for ] from line 1");
    terminal.press(key::CTRL_C);
    terminal.wait_for_prompt();
    terminal.type_line("6 * 7");
    let _ = terminal.wait_for("\n42");
}

#[test]
fn ctrl_c_settles_a_change_that_was_sent() {
    let home = Home::new();
    let terminal = home.terminal("repl --sandbox --fault partners:slow:1500");
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let t = mobsted::connect().ensure_tenant(\"ann@example.com\"); print(`${1}-never`)");
    crate::support::wait_until("the request has left", || {
        let steps = home.run("runs list --json");
        let runs: serde_json::Value = serde_json::from_str(&steps.stdout).unwrap_or_default();
        let Some(id) = runs["runs"][0]["id"].as_str() else {
            return false;
        };
        let steps = home.json(&format!("runs steps {id} --open --json"));
        steps["steps"].as_array().is_some_and(|steps| !steps.is_empty())
    });
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("request already sent; looking up its outcome");
    let screen = terminal.wait_for("the rest of the input did not run");
    assert!(!screen.contains("\n1-never"), "{screen}");
    terminal.type_line("mobsted::connect().ensure_tenant(\"ann@example.com\").outcome");
    let _ = terminal.wait_for("unchanged");
    assert_eq!(home.snapshot().totals.tenants_created, 1);
}

/// Makes lookups hang while this lives, by a second process whose fault the sandbox also applies. Its input stays open
/// meanwhile.
struct Hanging(
    std::process::Child,
    #[expect(dead_code, reason = "open as long as this lives")] std::process::ChildStdin,
);

impl Hanging {
    fn begin(home: &Home) -> Hanging {
        let looked = || {
            let status = provisor::sandbox::status(&home.sandbox());
            let snapshot = status
                .ok()
                .and_then(|status| status.snapshot)
                .map(crate::support::Books::from);
            snapshot.map_or(0, |snapshot| snapshot.traffic.object_lists)
        };
        let before = looked();
        let mut command = home.command(["repl", "--sandbox", "--fault", "object:hang"]);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut typed = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut typed, b"mobsted::connect().tenants()\n").unwrap();
        crate::support::wait_until("a look-up hangs", || looked() > before);
        Hanging(child, typed)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_ctrl_c_leaves_the_change_in_doubt() {
    let home = Home::new();
    let mut terminal = home.terminal("repl --sandbox --fault partners:hang-after:x1");
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let t = mobsted::connect().ensure_tenant(\"ann@example.com\")");
    crate::support::wait_until("the tenant is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| snapshot.tenants.len() == 1)
        })
    });
    let hanging = Hanging::begin(&home);
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("request already sent; looking up its outcome");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("left in doubt");
    drop(hanging);
    terminal.type_line("1 + 1");
    let _ = terminal.wait_for("\n2");
    terminal.type_line(":resume");
    let _ = terminal.wait_for("was carried out; it is on record");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    assert_eq!(terminal.finish().0, 0);
    assert_eq!(home.snapshot().totals.tenants_created, 1);
}

/// A session in which a change was sent and got no response; it exists if the fault applies it.
fn sent(home: &Home, fault: &str, applied: bool) -> crate::support::pty::Terminal {
    let terminal = home.terminal(&format!("repl --sandbox --fault partners:{fault}:x1"));
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let p = mobsted::connect(); 0");
    terminal.wait_for_prompt();
    terminal.type_line("p.ensure_tenant(\"ann@example.com\"); print(`${1}-never`)");
    crate::support::wait_until("the request has left", || {
        let status = provisor::sandbox::status(&home.sandbox());
        let snapshot = status
            .ok()
            .and_then(|status| status.snapshot)
            .map(crate::support::Books::from);
        snapshot.is_some_and(|snapshot| {
            if applied {
                snapshot.tenants.len() == 1
            } else {
                snapshot.traffic.partners > 0
            }
        })
    });
    terminal
}

/// Requests the change again, which exists; leaving shows both inputs as they were.
#[track_caller]
fn asks_again_and_leaves(terminal: &mut crate::support::pty::Terminal) {
    terminal.type_line("p.ensure_tenant(\"ann@example.com\").outcome");
    let _ = terminal.wait_for("\nunchanged");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("1 tenant created, 1 tenant unchanged"),
        "{screen}"
    );
}

#[test]
fn ctrl_c_looks_up_an_unanswered_change_at_once() {
    let home = Home::new();
    let mut terminal = sent(&home, "hang-after", true);
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("request already sent; looking up its outcome");
    let _ = terminal.wait_for("it was carried out; it is on record");
    let screen = terminal.wait_for("the rest of the input did not run");
    assert!(!screen.contains("\n1-never"), "{screen}");
    terminal.wait_for_prompt();
    asks_again_and_leaves(&mut terminal);
    assert_eq!(home.snapshot().totals.tenants_created, 1);
}

#[test]
fn after_ctrl_c_an_absent_change_is_reported_and_not_resent() {
    let home = Home::new();
    let terminal = sent(&home, "hang", false);
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("it was not carried out, and is not sent again");
    terminal.wait_for_prompt();
    assert_eq!(home.snapshot().totals.tenants_created, 0);
    terminal.type_line("p.ensure_tenant(\"ann@example.com\").outcome");
    let _ = terminal.wait_for("\ncreated");
    assert_eq!(home.snapshot().totals.tenants_created, 1);
}

#[test]
fn a_step_settled_by_a_later_input_is_no_longer_parked() {
    let home = Home::new();
    let mut terminal = sent(&home, "hang-after", true);
    let id = home.newest();
    let hanging = Hanging::begin(&home);
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("request already sent; looking up its outcome");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("left in doubt");
    drop(hanging);
    terminal.wait_for_prompt();
    asks_again_and_leaves(&mut terminal);
    let run = home.json(&format!("runs show {id} --json"));
    assert_eq!(run["run"]["status"], "done", "{run}");
    assert_eq!(run["run"]["rows"]["parked"], 0, "{run}");
    assert_eq!(home.snapshot().totals.tenants_created, 1);
}

/// Enters a request that has no response yet, and waits until it is sent.
fn posted(home: &Home, fault: &str, options: &str) -> crate::support::pty::Terminal {
    let terminal = home.terminal(&format!("repl --sandbox --fault web-items-post:{fault}:x1"));
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let items = \"https://api.web.sandbox/items\"; 0");
    terminal.wait_for_prompt();
    terminal.type_line(&format!(
        "let r = http::post(items, #{{json: #{{reference: \"A-17\"}}{options}}}); print(`${{1}}-never`)"
    ));
    crate::support::wait_until("the request has left", || {
        let runs = home.run("runs list --json");
        let runs: serde_json::Value = serde_json::from_str(&runs.stdout).unwrap_or_default();
        let Some(id) = runs["runs"][0]["id"].as_str() else {
            return false;
        };
        let steps = home.json(&format!("runs steps {id} --open --json"));
        steps["steps"].as_array().is_some_and(|steps| !steps.is_empty())
    });
    terminal
}

#[test]
fn a_response_that_arrives_after_ctrl_c_is_reported() {
    let home = Home::new();
    let terminal = posted(&home, "slow:3000", "");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("request already sent; looking up its outcome");
    let _ = terminal.wait_for("`http::post`: answered with 201; the response is on record");
    let screen = terminal.wait_for("the rest of the input did not run");
    assert!(!screen.contains("\n1-never"), "{screen}");
    assert_eq!(home.snapshot().web.totals.created, 1);
}

#[test]
fn the_session_that_left_a_keyed_request_in_doubt_can_look_it_up() {
    let home = Home::new();
    let mut terminal = posted(
        &home,
        "slow:4000",
        ", key: \"A-17\", probe: |key| { let all = http::get(items).body.items; if all.is_empty() { () } else { all[0] } }",
    );
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("request already sent; looking up its outcome");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("left in doubt: :resume looks it up, in this session only");
    terminal.wait_for_prompt();
    terminal.type_line(":resume");
    let _ = terminal.wait_for("was carried out; it is on record");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    assert_eq!(terminal.finish().0, 0);
    assert_eq!(home.snapshot().web.totals.created, 1);
}

#[test]
fn no_lookup_is_offered_for_a_request_without_a_probe() {
    let home = Home::new();
    let mut terminal = posted(&home, "hang", "");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("request already sent; looking up its outcome");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("left in doubt: provisor cannot look it up");
    let screen = terminal.wait_for("provisor cannot look it up; once you know the outcome");
    assert!(!screen.contains(":resume looks"), "{screen}");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 10, "{screen}");
    assert!(
        screen.contains("once you know the outcome, record it: provisor runs show"),
        "{screen}"
    );
}

#[test]
fn leaving_a_session_prints_a_summary_of_changes() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    terminal.type_line("mobsted::connect().ensure_tenant(\"ann@example.com\").outcome");
    let _ = terminal.wait_for("created");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    let _ = terminal.wait_for("1 tenant created");
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn the_bare_words_exit_and_help_get_a_hint() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    terminal.type_line("exit");
    let _ = terminal.wait_for(":quit or Ctrl-D leaves");
    terminal.type_line("help");
    let _ = terminal.wait_for(":help lists everything");
    terminal.type_line(":quit");
    assert_eq!(terminal.finish().0, 0);
}
