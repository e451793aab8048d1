//! What a session keeps, and when it is discarded.

use super::{profile, sandbox};
use crate::support::Home;

#[test]
fn results_and_the_last_error_are_available_as_variables() {
    let home = Home::new();
    let terminal = sandbox(&home);
    for (line, shown) in [
        ("6 * 7", "\n42"),
        ("_ + 1", "\n43"),
        ("_1 + _2", "\n85"),
        ("oops()", "there is no function `oops`"),
        ("_err.kind", "\nscript_error"),
        ("let _B = 1; _1 + _B + 900", "\n943"),
        (":out 2", "\n43"),
    ] {
        terminal.wait_for_prompt();
        terminal.type_line(line);
        let _ = terminal.wait_for(shown);
    }
}

#[test]
fn load_run_and_reload_commands_read_files() {
    let home = Home::new();
    home.write("lib.rhai", "fn version() { 100 + 1 }\n");
    home.write("begin.rhai", "let begun = 5 * 11;\n");
    home.write("hello.rhai", "fn main(name) { print(`hello ${name}`); }\n");
    let terminal = sandbox(&home);
    for (line, shown) in [
        (":load begin.rhai", ""),
        ("begun", "\n55"),
        ("import \"./lib\" as lib", ""),
        ("lib::version()", "\n101"),
        (":run hello.rhai --name Ann", "\nhello Ann"),
    ] {
        terminal.wait_for_prompt();
        terminal.type_line(line);
        let _ = terminal.wait_for(if shown.is_empty() { line } else { shown });
    }
    home.write("lib.rhai", "fn version() { 100 + 2 }\n");
    for (line, shown) in [
        ("lib::version()", "101\n"),
        (":reload", "read 1 file again"),
        ("lib::version()", "\n102"),
    ] {
        terminal.wait_for_prompt();
        terminal.type_line(line);
        let _ = terminal.wait_for(shown);
    }
}

#[test]
fn switching_the_profile_deletes_session_variables() {
    let home = Home::new();
    profile(&home, "dev");
    let file = home.provisor().join("config/config.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let other = text.replace("[profiles.acme]", "[profiles.other]");
    std::fs::write(&file, format!("{text}\n{other}")).unwrap();
    let terminal = home.terminal("repl --profile acme");
    let _ = terminal.wait_for("acme:dev>");
    terminal.type_line("let kept = 1; fn greet() { 40 + 2 }");
    terminal.type_line(":profile other");
    let _ = terminal.wait_for("variables of acme:dev were deleted");
    let _ = terminal.wait_for("\nother:dev>");
    terminal.type_line("greet()");
    let _ = terminal.wait_for("\n42");
    terminal.type_line("kept");
    let _ = terminal.wait_for("there is no variable `kept` here");
    terminal.type_line(":sandbox on");
    let _ = terminal.wait_for("\nsandbox>");
    // A read: a failing change would be looked up.
    terminal.type_line(":sandbox fault object:500");
    terminal.type_line("mobsted::connect().tenants()");
    let _ = terminal.wait_for("answered with 500");
}

#[test]
fn trace_shows_the_status_and_the_platforms_request_id() {
    use std::io::{BufRead as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            let answer = "HTTP/1.1 404 Not Found\r\nX-Request-Id: abc-123\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let home = Home::new();
    let input = format!(
        ":set trace on\nhttp::get(\"http://127.0.0.1:{port}/x?code=plainly-secret\", #{{ check: true }})\n"
    );
    let ran = home.run_with_input("repl", &input).ended(7);
    let ran = ran.said(&[&format!("GET 127.0.0.1:{port}/x -> 404 ("), "request id abc-123"]);
    let traced = ran.stderr.lines().filter(|line| line.contains(" -> "));
    assert!(
        traced.count() == 1 && !ran.stderr.contains("-> 404 (404"),
        "{}",
        ran.stderr
    );
    // Nothing listens here any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let input = format!(":set trace on\nhttp::get(\"http://127.0.0.1:{closed}/x\")\n");
    let ran = home.run_with_input("repl", &input).ended(6);
    let _ = ran.said(&["-> no response: no connection ("]);
}

#[test]
fn a_failed_reload_keeps_the_imports_and_can_be_retried() {
    let home = Home::new();
    home.write("lib.rhai", "fn version() { 100 + 1 }\n");
    let terminal = sandbox(&home);
    terminal.type_line("import \"./lib\" as lib");
    terminal.wait_for_prompt();
    let texts = [
        ("fn version( { 100 + 2 }\n", "the earlier imports stay", 101),
        (
            "nope();\nfn version() { 100 + 2 }\n",
            "there is no function `nope`",
            101,
        ),
        ("fn version() { 100 + 3 }\n", "read 1 file again", 103),
    ];
    for ((text, shown, version), time) in texts.into_iter().zip([1000, 2000, 3000]) {
        home.write("lib.rhai", text);
        terminal.type_line(":reload");
        let _ = terminal.wait_for(shown);
        terminal.wait_for_prompt();
        terminal.type_line(&format!("900 + {time}"));
        let _ = terminal.wait_for(&format!("\n{}", 900 + time));
        terminal.wait_for_prompt();
        terminal.type_line(&format!("lib::version() + {time}"));
        let _ = terminal.wait_for(&format!("\n{}", version + time));
        terminal.wait_for_prompt();
    }
}

#[test]
fn injected_faults_end_with_their_session() {
    let home = Home::new();
    let mut serving = home.command(["repl", "--sandbox"]);
    let mut serving = serving.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut typed = serving.stdin.take().unwrap();
    std::io::Write::write_all(&mut typed, b"mobsted::connect().tenants().len()\n").unwrap();
    crate::support::wait_until("it is served", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| snapshot.traffic.object_lists > 0)
        })
    });
    let input = "mobsted::connect().tenants().len()\n";
    let ran = home
        .run_with_input("repl --sandbox --fault object:500", input)
        .ended(6);
    let _ = ran
        .said(&["another process serves the sandbox; until this command ends, requests to it are subject to object:500"]);
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert_eq!(ran.stdout, "0\n");
    // A session that is killed leaves none behind either.
    let mut dying = home.command(["repl", "--sandbox", "--fault", "object:hang"]);
    let mut dying = dying.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut into = dying.stdin.take().unwrap();
    let hits = || home.snapshot().traffic.object_lists;
    let before = hits();
    std::io::Write::write_all(&mut into, input.as_bytes()).unwrap();
    crate::support::wait_until("it hangs", || hits() > before);
    let _ = dying.kill();
    let _ = dying.wait();
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert_eq!(ran.stdout, "0\n");
    drop((typed, into));
    let _ = crate::support::finish(serving);
}
