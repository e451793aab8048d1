//! A session is a run.

use crate::support::{Home, signal, wait_until};

#[test]
fn a_session_is_listed_with_its_inputs_as_rows() {
    let home = Home::new();
    let input = "let secret_free = 1\nlet p = mobsted::connect()\np.ensure_tenant(\"ann@example.com\").outcome\np.ensure_tenant(\"ann@example.com\").outcome\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert_eq!(ran.stdout, "created\nunchanged\n");
    let id = home.newest();
    let _ = ran.said(&[&format!("session {id}: 1 tenant created, 1 tenant unchanged")]);
    let shown = home.json(&format!("runs show {id} --json"));
    assert_eq!(shown["run"]["script"], "repl");
    assert_eq!(shown["run"]["status"], "done");
    assert_eq!(shown["run"]["rows"]["done"], 4);
    let steps = home.json(&format!("runs steps {id} --json"));
    let rows: Vec<u64> = steps["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["operation"] == "mobsted::ensure_tenant")
        .map(|step| step["row"].as_u64().unwrap())
        .collect();
    assert_eq!(rows, [3, 4], "each input is its own row, and asks for itself");
    assert_eq!(home.snapshot().totals.tenants_created, 1);
}

#[test]
fn entering_the_same_line_twice_sends_two_requests() {
    let home = Home::new();
    let input = "let c = mobsted::connect().ensure_tenant(\"ann@example.com\").connect()\nc.post(\"/applications\", #{ Name: \"A\", appWebSiteUrl: \"https://a.example\" });\nc.post(\"/applications\", #{ Name: \"A\", appWebSiteUrl: \"https://a.example\" });\n";
    let _ = home.run_with_input("repl --sandbox", input).ended(0);
    assert_eq!(home.snapshot().totals.apps_created, 2);
}

/// Starts a session in which the response to a tenant's creation never arrives, and kills it there.
fn killed(home: &Home) -> String {
    let mut command = home.command(["repl", "--sandbox", "--fault", "partners:hang-after:x1"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(
        &mut stdin,
        b"print(\"once\");\nmobsted::connect().ensure_tenant(\"ann@example.com\");\nprint(\"never\");\n",
    )
    .unwrap();
    wait_until("the tenant is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| snapshot.tenants.len() == 1)
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    drop(stdin);
    home.newest()
}

#[test]
fn resuming_a_killed_session_settles_its_steps_without_rerunning_inputs() {
    let home = Home::new();
    let id = killed(&home);
    let shown = home.run(&format!("runs show {id}")).ended(0);
    assert!(shown.stdout.contains("killed"), "{}", shown.stdout);
    let _ = shown.said(&["is in doubt", &format!("provisor resume {id}")]);
    let plan = home.run("resume --plan").ended(0);
    let _ = plan.said(&["1 step of session", "nothing would be sent"]);
    let ran = home.run("resume").ended(0);
    assert_eq!(ran.stdout, "", "no input runs anew");
    let _ = ran.said(&["ensure_tenant of input 2 was carried out", "is closed"]);
    assert_eq!(home.snapshot().totals.tenants_created, 1);
    assert_eq!(
        home.json(&format!("runs show {id} --json"))["run"]["status"],
        "done"
    );
    let shown = home.json("tenants show ann@example.com --json");
    assert_eq!(shown["tenant"]["email"], "ann@example.com");
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
}

#[test]
fn an_input_with_many_changes_records_only_the_open_one() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox", "--fault", "partners:hang-after:x1"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(
        &mut stdin,
        b"for i in 0..100 { http::post(\"https://api.web.sandbox/anything\", #{ json: #{ i: i } }); } \
          mobsted::connect().ensure_tenant(\"ann@example.com\");\n",
    )
    .unwrap();
    wait_until("the tenant is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| snapshot.tenants.len() == 1)
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    drop(stdin);
    let journal = rusqlite::Connection::open(home.provisor().join("state/journal.db")).unwrap();
    let recorded: i64 = journal
        .query_row("select max(length(output)) from row", [], |row| row.get(0))
        .unwrap();
    assert!(recorded < 4_000, "{recorded} bytes for one call");
    drop(journal);
    let ran = home.run("resume").ended(0);
    let _ = ran.said(&["ensure_tenant of input 1 was carried out", "is closed"]);
    assert_eq!(home.snapshot().totals.tenants_created, 1);
}

#[test]
fn a_killed_sessions_request_found_absent_is_not_sent_again() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox", "--fault", "partners:hang:x1"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(
        &mut stdin,
        b"mobsted::connect().ensure_tenant(\"ann@example.com\");\n",
    )
    .unwrap();
    wait_until("the request has left", || {
        let runs = home.run("runs list --json");
        let runs: serde_json::Value = serde_json::from_str(&runs.stdout).unwrap();
        let Some(id) = runs["runs"][0]["id"].as_str() else {
            return false;
        };
        let steps = home.json(&format!("runs steps {id} --open --json"));
        steps["steps"].as_array().is_some_and(|steps| !steps.is_empty())
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    let ran = home.run("resume").ended(0);
    let _ = ran.said(&["was not carried out, and is not sent again", "is closed"]);
    assert_eq!(home.snapshot().totals.tenants_created, 0);
}

#[test]
fn resuming_a_session_refuses_with_current() {
    let home = Home::new();
    let id = killed(&home);
    let ran = home.run(&format!("resume {id} --with-current")).ended(2);
    let _ = ran.said(&["its inputs are never run again"]);
}

#[test]
fn the_undo_command_lists_changes_and_how_to_revert_them() {
    let home = Home::new();
    let input = "let c = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\nlet app = c.ensure_app(\"Shop\", \"https://ann.example\");\nc.apps().len();\n:undo\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert!(
        ran.stdout.contains("mobsted::ensure_tenant ann@example.com"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("no operation removes it"), "{}", ran.stdout);
    assert!(ran.stdout.contains(".delete_app("), "{}", ran.stdout);
    let _ = ran.said(&["nothing is undone automatically"]);
    let ran = home.run_with_input("repl --sandbox", "1\n:undo\n").ended(0);
    let _ = ran.said(&["this session has changed nothing"]);
}

#[test]
fn undo_hints_name_the_account_and_its_variable() {
    let home = Home::new();
    let begin = "let p = mobsted::connect();\nlet cl = p.ensure_tenant(\"ann@example.com\").connect();\ncl.ensure_app(\"Shop\", \"https://ann.example\");\nlet later = p;\n";
    let undo = |more: &str| {
        let home = Home::new();
        home.run_with_input("repl --sandbox", &format!("{begin}{more}"))
            .ended(0)
    };
    let ran = undo(":undo\n");
    assert!(
        ran.stdout.contains("undo it with `cl.delete_app(") && ran.stdout.contains(", on http"),
        "{}",
        ran.stdout
    );
    let ran = undo("cl = ();\n:undo\n");
    assert!(
        ran.stdout.contains("only; no variable holds one") && !ran.stdout.contains("p.delete_app"),
        "{}",
        ran.stdout
    );
    let ran = undo("cl.delete_app(cl.apps().filter(|app| app.name == \"Shop\")[0].id);\n:undo\n");
    assert!(
        ran.stdout.contains("it has been removed since") && !ran.stdout.contains("undo it with"),
        "{}",
        ran.stdout
    );
    let ran = undo(":undo 2\n");
    assert!(
        ran.stdout.contains("ann@example.com") && !ran.stdout.contains("ensure_app"),
        "{}",
        ran.stdout
    );
    let _ = undo(":undo 1\n").said(&["input 1 has changed nothing"]);
    let ran = home.run_with_input("repl", "1\n:q x\n2\n").ended(2);
    assert_eq!(ran.stdout, "1\n");
    let _ = ran.said(&["`:quit` takes no arguments, but got `x`"]);
}

#[test]
fn inputs_that_may_hold_a_secret_are_masked_wherever_the_session_is_shown() {
    let home = Home::new();
    let input = "let password = \"hunter2hunter2\";\n let hidden = \"spaced-out\";\nmobsted::connect().tenants().len()\n:history\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert!(
        !ran.stdout.contains("hunter2") && !ran.stdout.contains("spaced-out"),
        "{}",
        ran.stdout
    );
    let id = home.newest();
    let exported = home.run(&format!("runs export {id}"));
    assert!(!exported.stdout.contains("hunter2"), "{}", exported.stdout);
}
