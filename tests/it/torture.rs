//! `provisor torture`: killed and disturbed wherever possible, the main use case ends as if nothing had happened.

use std::path::Path;

use serde_json::Value as Json;

use crate::support::{Home, Ran, clients, csv, finish, script, signal, wait_until};

/// Tortures the main use case with this many rows, and returns the report.
fn torture(rows: usize, more: &str) -> Json {
    let home = Home::new();
    home.write("clients.csv", &clients(rows));
    let words = format!(
        "torture {} --rows clients.csv --json {more}",
        script("onboard.rhai")
    );
    let ran = home.run(&words);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(ran.code, 0, "{:#}\n{}", report["failures"], ran.stderr);
    report
}

/// The lines of the report whose title starts with `begin`.
fn lines<'a>(report: &'a Json, begin: &str) -> Vec<&'a Json> {
    let all = report["lines"].as_array().unwrap();
    let named = all
        .iter()
        .filter(|line| line["injected"].as_str().unwrap().starts_with(begin));
    named.collect()
}

#[test]
fn kills_at_every_boundary_neither_duplicate_nor_lose_anything() {
    let report = torture(8, "--kills 126 --faults none --seed 11 --parallel 8");
    let moments = [
        "before-intent",
        "after-intent",
        "after-send",
        "before-outcome",
        "after-outcome",
        "before-results",
        "after-results",
    ];
    for moment in moments {
        let line = lines(&report, &format!("kill {moment}"))[0];
        assert!(line["kills"].as_u64().unwrap() >= 9, "{line}");
    }
    // A third of the kills, however busy the machine: a world whose child was too quick is followed by another.
    assert_eq!(lines(&report, "kill at any time")[0]["kills"], 42, "{report}");
    assert_eq!(report["total"]["failed"], 0);
}

#[test]
fn every_sandbox_fault_combined_with_kills_is_survived() {
    let report = torture(6, "--kills 200 --faults all --seed 12 --parallel 12");
    assert_eq!(report["total"]["failed"], 0);
    for route in [
        "partners",
        "applications-post",
        "applications-get",
        "object",
        "auth",
        "refresh",
    ] {
        let of_route = lines(&report, &format!("{route}:"));
        assert!(of_route.len() >= 13, "{route}: every kind of fault");
        for line in of_route {
            assert!(line["faults"].as_u64().unwrap() > 0, "not reached: {line}");
        }
    }
    let late = lines(&report, "partners:drop-late:")[0]["injected"]
        .as_str()
        .unwrap();
    assert!(late.rsplit(':').next().unwrap().parse::<u32>().unwrap() > 0);
    let storm = lines(&report, "storm")[0];
    assert!(storm["kills"].as_u64().unwrap() > 20);
    assert!(
        storm["clocks"].as_u64().unwrap() > 0,
        "no child's clock was wrong: {storm}"
    );
    for beyond in ["slow:2600", "hang-late:2600", "empty-yes-late:2600", "429-after"] {
        let line = lines(&report, &format!("applications-post:{beyond}"))[0];
        assert!(line["faults"].as_u64().unwrap() > 0, "not reached: {line}");
    }
}

#[test]
fn every_mobsted_change_with_a_probe_survives_faults_and_kills() {
    let home = Home::new();
    home.write("clients.csv", &clients(4));
    home.write(
        "changes.rhai",
        r#"
        fn main(email, site, name) {
            let partner = mobsted::connect();
            let client = partner.create_tenant(email).connect();
            let app = client.create_app(name, site);
            let old = client.ensure_app("Old " + name, site);
            client.update_app(app.id, #{ Name: name + " 2" });
            client.delete_app(old.id);
            let tenant = partner.ensure_tenant(email);
            #{ password: tenant.password, app: client.find_app(name + " 2").id, at: now(), id: uuid() }
        }"#,
    );
    let faults = "applications-post:drop-late:400,applications-post:truncate,object:hang";
    let words = format!("torture changes.rhai --rows clients.csv --kills 60 --seed 13 --faults {faults}");
    let ran = home.run(&words).ended(0);
    assert!(ran.stdout.contains("survived"), "{}", ran.stdout);
    assert!(ran.stderr.contains("4 credentials"), "{}", ran.stderr);
}

#[test]
fn jrni_resources_are_created_once_despite_faults_and_kills() {
    let home = Home::new();
    let rows = (1..=4).map(|at| format!("s-{at},Shop {at},owner{at}@shops.example\n"));
    let rows: String = rows.collect();
    home.write("shops.csv", &format!("ref,name,email\n{rows}"));
    let posts = ["company", "administrators", "people"].map(|part| {
        let kinds = [
            "drop-after",
            "drop-late:400",
            "500-after",
            "truncate",
            "hang-after",
            "expire-token",
        ];
        let faults = kinds.map(|kind| format!("jrni-{part}-post:{kind}"));
        faults.join(",")
    });
    let words = format!(
        "torture {} --rows shops.csv --json --kills 100 --seed 14 --parallel 8 --faults jrni-login:garbage,{}",
        script("jrni_companies.rhai"),
        posts.join(",")
    );
    let ran = home.run(&words);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(ran.code, 0, "{:#}\n{}", report["failures"], ran.stderr);
    for line in lines(&report, "jrni-") {
        assert!(line["faults"].as_u64().unwrap() > 0, "not reached: {line}");
    }
    assert!(lines(&report, "kill after-send")[0]["kills"].as_u64().unwrap() > 0);
    assert_eq!(report["total"]["for_a_person"], 0, "everything can be looked up");
}

#[test]
fn a_keyed_web_request_is_carried_out_once_despite_faults_and_kills() {
    let home = Home::new();
    home.write("clients.csv", "reference\nA\nB\nC\nD\n");
    home.write(
        "web.rhai",
        r#"
        fn main(reference) {
            let items = "https://api.web.sandbox/items";
            let made = http::post(items, #{
                json: #{ reference: reference, name: "Ann" },
                check: true,
                key: reference,
                probe: |key| {
                    let found = http::get(items, #{ query: #{ reference: key }, check: true }).body.items;
                    if found.is_empty() { () } else { found[0] }
                },
            });
            #{ reference: reference }
        }"#,
    );
    let faults = "web-items-post:drop-after,web-items-post:drop-late:400,web-items-post:500-after,web-items-get:502-html";
    let words = format!("torture web.rhai --rows clients.csv --kills 60 --seed 15 --json --faults {faults}");
    let ran = home.run(&words);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(ran.code, 0, "{:#}\n{}", report["failures"], ran.stderr);
    assert!(
        lines(&report, "web-items-post:drop-late")[0]["faults"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert_eq!(report["total"]["for_a_person"], 0, "the probe tells");
}

#[test]
fn torture_waits_for_resources_that_appear_late() {
    let home = Home::new();
    let script = "fn main() { mobsted::connect().create_tenant(\"ann@example.com\"); #{ made: true } }\n";
    home.write("one.rhai", script);
    let ran = home.run("torture one.rhai --kills 0 --json --faults partners:empty-yes-late:8000:x1");
    let report: Json = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(ran.code, 0, "{:#}\n{}", report["failures"], ran.stderr);
    assert!(report["total"]["parked"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn a_message_is_never_sent_twice_and_lost_responses_need_a_person() {
    let home = Home::new();
    home.write(
        "clients.csv",
        "email,site,phone\n\
         ann@one.example,https://one.example,+4915112345678\n\
         bob@two.example,https://two.example,+4915112345679\n\
         eve@three.example,https://three.example,+4915112345670\n",
    );
    let words = format!(
        "torture {} --rows clients.csv --kills 60 --seed 16 --json --faults \
         sparrow-sms:drop-after,sparrow-sms:drop-late:400,sparrow-sms:truncate,sparrow-login:500",
        script("onboard_and_notify.rhai")
    );
    let ran = home.run(&words);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(ran.code, 0, "{:#}\n{}", report["failures"], ran.stderr);
    let lost = lines(&report, "sparrow-sms:drop-after")[0];
    assert!(lost["for_a_person"].as_u64().unwrap() > 0, "{lost}");
    assert_eq!(lines(&report, "sparrow-login:500")[0]["failed"], 0);
}

#[test]
fn torture_detects_a_too_short_settle_time_with_a_reproducing_command() {
    let home = Home::new();
    home.write("clients.csv", &clients(4));
    // The project's configuration takes precedence over the torture's own.
    home.write(
        "provisor.toml",
        "[profiles.sandbox]\nsettle = \"1ms\"\nlands_within = \"1ms\"\nlook_for = \"1ms\"\n",
    );
    let words = format!(
        "torture {} --rows clients.csv --kills 0 --faults applications-post:drop-late:400",
        script("onboard.rhai")
    );
    let found = home.run(&words).ended(3).said(&["created twice: app Client"]);
    let again = found
        .stderr
        .lines()
        .find_map(|line| line.split_once("again: provisor ").map(|(_, words)| words));
    let shown = home.run(again.unwrap()).ended(3);
    let _ = shown.said(&["created twice: app Client"]);
}

#[test]
fn resources_with_random_names_are_compared_by_count() {
    let home = Home::new();
    home.write(
        "named.rhai",
        r#"
        let client = mobsted::connect().ensure_tenant("ann@example.com").connect();
        client.create_app("App " + uuid(), "https://ann.example").name"#,
    );
    let ran = home.run("torture named.rhai --kills 14 --faults none").ended(0);
    assert!(ran.stdout.contains("survived"), "{}", ran.stdout);
    let refused = home.run("torture named.rhai --kills 14 --faults none --only lunch/1");
    let _ = refused.ended(2).said(&["no world `lunch/1`"]);
}

#[test]
fn ctrl_c_kills_the_child_and_removes_temporary_files() {
    let home = Home::new();
    home.write("clients.csv", &clients(50));
    let temporary = home.work().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let words = ["torture", &script("onboard.rhai"), "--rows", "clients.csv"];
    let mut command = home.command(words);
    let child = command.env("TMPDIR", &temporary).spawn().unwrap();
    wait_until("a world is made", || worlds(&temporary) > 0);
    signal(child.id(), "INT");
    let _: Ran = finish(child).ended(130).said(&["interrupted"]);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

fn worlds(temporary: &Path) -> usize {
    let roots = std::fs::read_dir(temporary).unwrap();
    roots
        .filter_map(|root| std::fs::read_dir(root.unwrap().path()).ok())
        .map(Iterator::count)
        .sum()
}

#[test]
fn a_kill_before_the_first_request_does_not_adopt_an_existing_tenant() {
    let home = Home::new();
    home.write("clients.csv", &clients(2));
    let words = format!(
        "run {} --sandbox --rows clients.csv --out results.csv",
        script("onboard.rhai")
    );
    let _ = home.run(&words).ended(0);
    // With the journal gone, the platform's tenants are unknown to it.
    std::fs::remove_dir_all(home.provisor().join("cache")).unwrap();
    for file in std::fs::read_dir(home.provisor().join("state")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::remove_file(home.work().join("results.csv")).unwrap();
    let mut command = home.command(words.split_whitespace());
    command.env("PROVISOR_TORTURE_KILL", "after-intent:1");
    let first = finish(command.spawn().unwrap());
    // Refused before there is an intent, so the moment of the kill never comes.
    let _ = first.ended(8);
    for row in csv(&home.read("results.csv")) {
        assert_eq!(row["_status"], "failed");
        assert!(row["_error"].contains("not in the ledger"), "{row:?}");
    }
}

#[test]
fn resume_prints_the_result_of_a_killed_single_run() {
    let home = Home::new();
    let words = format!("run {} --name Ann", script("hello.rhai"));
    let mut command = home.command(words.split_whitespace());
    let child = command
        .env("PROVISOR_TORTURE_KILL", "before-results:1")
        .spawn()
        .unwrap();
    let killed = finish(child).ended(-1);
    assert_eq!(killed.stdout, "");
    let resumed = home.run("resume").ended(0);
    assert!(resumed.stdout.contains("Hello, Ann!"), "{resumed:?}");
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
}
