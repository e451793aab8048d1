//! Requests that take effect late: a slow platform, an empty response, a kill or a changed clock create nothing twice.
//!
//! A separate process serves the sandbox, so that what it has begun continues when the program ends.

use crate::support::account::Served;
use crate::support::{Home, finish, script, signal, wait_until};

/// A home with this configuration of the sandbox profile, and its sandbox being served.
fn home(config: &str) -> (Home, Served) {
    let home = Home::new();
    home.configure(&format!("[profiles.sandbox]\n{config}\n"));
    let served = Served::start(&home);
    (home, served)
}

/// As on real platforms, the settle time is shorter than the response timeout.
const QUICK: &str =
    "settle = \"300ms\"\ntimeouts = { connect = \"200ms\", reply = \"500ms\", tenant_creation = \"500ms\" }";

fn onboard(fault: &str) -> String {
    format!(
        "run {} --sandbox --email ann@example.com --site https://ann.example --fault {fault}",
        script("onboard.rhai")
    )
}

fn apps(home: &Home) -> u64 {
    home.snapshot().totals.apps_created
}

fn wait_for_app(home: &Home) {
    wait_until("the app is there", || {
        home.snapshot().pending == 0 && apps(home) > 0
    });
}

#[test]
fn an_app_whose_response_exceeds_the_timeout_is_created_once() {
    let (home, _served) = home(QUICK);
    let ran = home.run(&onboard("applications-post:slow:600:x1")).ended(0);
    assert!(ran.stdout.contains("created"), "{}", ran.stdout);
    assert_eq!(apps(&home), 1);
}

#[test]
fn an_app_that_outlasts_the_settle_time_parks_and_is_found_later() {
    let (home, _served) = home(QUICK);
    let ran = home.run(&onboard("applications-post:slow:3000:x1")).ended(10);
    let _ = ran.said(&["was not answered within 0.5 s, and it was not found, but may still appear"]);
    let plan = home.json("resume --plan --json");
    assert_eq!(plan["rows"][0]["next"]["how"], "look-up");
    wait_for_app(&home);
    let _ = home.run("resume").ended(0);
    assert_eq!(apps(&home), 1);
}

#[test]
fn a_lost_request_is_resent_after_resolve_or_with_lands_within() {
    let (home, _served) = home(QUICK);
    let lost = onboard("applications-post:hang:x1");
    let _ = home.run(&lost).ended(10);
    let _ = home.run("resume").ended(10).said(&["may still appear"]);
    let id = home.newest();
    let _ = home
        .run(&format!("resolve {id} ensure_app --as absent --yes"))
        .ended(0);
    let _ = home.run("resume").ended(0);
    assert_eq!(apps(&home), 1);

    let second = lost.replace("ann", "bob");
    let _ = home.run(&second).ended(10);
    home.configure(&format!(
        "[profiles.sandbox]\nlands_within = \"400ms\"\n{QUICK}\n"
    ));
    let _ = home.run("resume").ended(0);
    assert_eq!(apps(&home), 2);
    let third = lost.replace("ann", "eve");
    let _ = home.run(&third).ended(0);
    assert_eq!(apps(&home), 3);
}

#[test]
fn a_lost_tenant_request_is_resent_because_duplicates_are_refused() {
    let (home, _served) = home(QUICK);
    let _ = home.run(&onboard("partners:hang:x1")).ended(0);
    let late = onboard("partners:slow:1200:x1").replace("ann", "bob");
    let _ = home.run(&late).ended(0);
    let tenants = home.snapshot().tenants;
    assert_eq!((tenants.len(), tenants[1].created), (2, 1));
}

#[test]
fn a_request_with_an_empty_success_response_is_never_resent() {
    let (home, _served) = home(QUICK);
    let _ = home.run(&onboard("applications-post:empty-yes:x1")).ended(0);
    let lagging = onboard("applications-post:empty-yes-late:2500:x1").replace("ann", "bob");
    let _ = home
        .run(&lagging)
        .ended(10)
        .said(&["it contains no app id, and it was not found, but may still appear"]);
    let _ = home.run("resume").ended(10);
    wait_until("the app is there", || apps(&home) == 2);
    let _ = home.run("resume").ended(0);
    assert_eq!(apps(&home), 2);
}

#[test]
fn a_long_wait_reports_its_reason_and_deadline() {
    let (home, _served) = home("settle = \"4500ms\"\ntimeouts = { connect = \"200ms\", reply = \"500ms\" }");
    let _ = home.run(&onboard("applications-post:hang:x1")).ended(10).said(&[
        "looking for app ann@example.com @ ann.example until ",
        " UTC: POST ",
        " was not answered within 0.5 s",
    ]);
    home.configure("[profiles.sandbox]\n");
    let slow = onboard("applications-post:slow:3500:x1").replace("ann", "bob");
    let ran = home.run(&slow).ended(0);
    let told = "waiting for a response to POST ";
    assert_eq!(ran.stderr.matches(told).count(), 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("looking for"), "{}", ran.stderr);
}

/// Creates an app whose response takes `ms`, is killed once the platform has the request, and resumes at once, with
/// this clock.
fn killed(config: &str, ms: u32, clock: Option<&str>) -> Home {
    let (home, served) = home(config);
    let words = onboard(&format!("applications-post:slow:{ms}:x1"));
    let mut child = home.command(words.split_whitespace()).spawn().unwrap();
    wait_until("the request has come", || {
        home.snapshot().traffic.hits.values().sum::<u32>() > 0
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    let mut command = home.command(["resume"]);
    if let Some(clock) = clock {
        command.env("PROVISOR_TORTURE_CLOCK", clock);
    }
    let _ = finish(command.spawn().unwrap()).ended(0);
    wait_for_app(&home);
    drop(served);
    home
}

const PATIENT: &str = "settle = \"300ms\"\ntimeouts = { connect = \"500ms\", reply = \"3s\" }";

#[test]
fn after_a_kill_resume_waits_for_the_requests_full_timeout() {
    let home = killed(PATIENT, 2_500, None);
    assert_eq!(apps(&home), 1);
}

#[test]
fn a_clock_change_between_kill_and_resume_creates_no_duplicate() {
    for clock in ["3600000:0", "-3600000:0", "0:0:boot", "3600000:0:boot"] {
        let home = killed(PATIENT, 1_500, Some(clock));
        assert_eq!(apps(&home), 1, "{clock}");
    }
}

#[test]
fn a_clock_change_during_a_lookup_creates_no_duplicate() {
    let config = "settle = \"6s\"\ntimeouts = { connect = \"200ms\", reply = \"1s\" }";
    for by in ["3600000", "-3600000"] {
        let (home, _served) = home(config);
        let words = onboard("applications-post:drop-late:5000:x1");
        let mut command = home.command(words.split_whitespace());
        // By then the response is lost, and the request has not taken effect.
        command.env("PROVISOR_TORTURE_CLOCK", format!("{by}:1500"));
        let _ = finish(command.spawn().unwrap()).ended(0);
        wait_for_app(&home);
        assert_eq!(apps(&home), 1, "{by}");
    }
}

#[test]
fn the_timeout_option_of_a_call_extends_its_settle_window() {
    let (home, _served) = home("settle = \"200ms\"");
    home.write(
        "web.rhai",
        r#"
fn main(key) {
    let items = "https://api.web.sandbox/items";
    http::post(items, #{
        json: #{reference: key}, key: key, timeout: "400ms",
        probe: |key| {
            let found = http::get(items, #{query: #{reference: key}, check: true}).body.items;
            if found.is_empty() { () } else { found[0] }
        },
    }).outcome
}
"#,
    );
    let words = "run web.rhai --sandbox --key A-17 --fault web-items-post:slow:700:x1";
    let ran = home.run(words).ended(0);
    assert!(ran.stdout.contains("created"), "{}", ran.stdout);
    assert_eq!(home.snapshot().web.items.len(), 1);
}

#[test]
fn a_request_answered_429_but_carried_out_is_not_resent() {
    // A rate limit behind a gateway that counts requests it has let through: the response is 429, and the app exists.
    let (home, _served) = home(QUICK);
    let _ = home.run(&onboard("applications-post:429-after:x1")).ended(0);
    let _ = home
        .run(&onboard("applications-post:429:x2").replace("ann", "bob"))
        .ended(0);
    assert_eq!(apps(&home), 2);
}

#[test]
fn settle_time_is_at_least_5s_and_a_project_cannot_shorten_it() {
    let home = Home::new();
    let acme = "[profiles.acme]\nurl = \"https://acme.example\"\n";
    home.configure(&format!("{acme}settle = \"4s\"\n"));
    let _ = home
        .run("config show")
        .ended(2)
        .said(&["config.toml:3:10: `profiles.acme.settle` must be 5s or more"]);
    home.configure(&format!("{acme}settle = \"5s\"\n"));
    let _ = home.run("config show").ended(0);
    home.write("provisor.toml", "[profiles.acme]\nsettle = \"4s\"\n");
    let refused = home.run("config show").ended(2);
    let _ = refused.said(&[
        "provisor.toml:2:10: `profiles.acme.settle` is shorter than 5s",
        "config.toml may do that",
    ]);
    home.write("provisor.toml", "[profiles.acme]\nsettle = \"2m\"\n");
    let _ = home.run("config show").ended(0);
    home.write("provisor.toml", "[profiles.acme]\nlands_within = \"2m\"\n");
    let _ = home
        .run("config show")
        .ended(2)
        .said(&["lands_within` promises how soon"]);
    home.write(
        "provisor.toml",
        "[profiles.new]\nurl = \"https://b.example\"\nsettle = \"80s\"\n",
    );
    let _ = home.run("config show").ended(2).said(&["is shorter than 1m 30s"]);
}
