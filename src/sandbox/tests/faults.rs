//! Tests of each fault as a client sees it, and of what it leaves behind.

use std::io::ErrorKind;

use super::super::Traffic;
use super::super::mobsted::{Event, State};
use super::super::world::World;
use super::*;

/// How long a client waits for a response that never arrives.
const SOON: Duration = Duration::from_millis(150);

/// Creates one sub-account under the fault; returns the result and the number of accounts.
fn creating(fault: &str) -> (io::Result<Answer>, usize) {
    let rig = Rig::with_fault(fault);
    let request = rig.create(&rig.token(), "ann@example.com");
    let answer = if fault.contains("hang") {
        request.send_for(SOON)
    } else {
        request.send()
    };
    (answer, books(&rig.sandbox).tenants.len())
}

fn is_dead(answer: &io::Result<Answer>) -> bool {
    matches!(answer, Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset))
}

fn is_silent(answer: &io::Result<Answer>) -> bool {
    matches!(answer, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

#[test]
fn drop_faults_close_the_connection_before_or_after_the_effect() {
    let (answer, made) = creating("partners:drop-before");
    assert!(is_dead(&answer) && made == 0, "{answer:?} {made}");
    let (answer, made) = creating("partners:drop-after");
    assert!(is_dead(&answer) && made == 1, "{answer:?} {made}");
}

#[test]
fn error_answers_come_before_or_after_the_effect() {
    for (fault, status, made) in [
        ("partners:500", 500, 0),
        ("partners:500-after", 500, 1),
        ("partners:502-html", 502, 0),
        ("partners:429", 429, 0),
    ] {
        let (answer, found) = creating(fault);
        let answer = answer.unwrap();
        assert_eq!((answer.status, found), (status, made), "{fault}");
        assert_eq!(answer.head.contains("retry-after: 1"), status == 429, "{fault}");
        assert_eq!(answer.head.contains("text/html"), status == 502, "{fault}");
    }
}

#[test]
fn hang_faults_send_nothing_and_do_not_delay_shutdown() {
    let (answer, made) = creating("partners:hang");
    assert!(is_silent(&answer) && made == 0, "{answer:?} {made}");
    let rig = Rig::with_fault("partners:hang-after");
    let request = rig.create(&rig.token(), "ann@example.com");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || request.send());
        eventually("the effect", || books(&rig.sandbox).tenants.len() == 1);
        let begin = Instant::now();
        rig.sandbox.shutdown();
        assert!(begin.elapsed() < Duration::from_secs(2));
        assert!(is_dead(&waiting.join().unwrap()));
    });
}

#[test]
fn a_slow_response_is_correct_and_its_effect_survives_client_disconnect() {
    let rig = Rig::with_fault("partners:slow:100");
    let token = rig.token();
    let begin = Instant::now();
    rig.create(&token, "ann@example.com").json(200);
    assert!(begin.elapsed() >= Duration::from_millis(100));
    hang_up_on(&rig, &rig.create(&token, "bob@example.com"));
    eventually("the effect", || books(&rig.sandbox).tenants.len() == 2);
    eventually("the end of the request", || {
        rig.sandbox.snapshot().unwrap().pending == 0
    });
}

#[test]
fn the_empty_yes_late_fault_does_not_override_a_refusal() {
    let rig = Rig::with_fault("partners:empty-yes-late:1");
    let refused = rig.create("no token of ours", "ann@example.com").status();
    assert_eq!(refused, 401);
    assert_eq!(rig.sandbox.snapshot().unwrap().pending, 0);
}

#[test]
fn a_slow_request_is_pending_until_it_has_landed() {
    let rig = Rig::with_fault("partners:slow:600000:x1");
    let token = rig.token();
    assert_eq!(rig.sandbox.snapshot().unwrap().pending, 0);
    hang_up_on(&rig, &rig.create(&token, "ann@example.com"));
    eventually("the request", || rig.sandbox.snapshot().unwrap().pending == 1);
}

#[test]
fn a_truncated_response_is_shorter_than_its_content_length() {
    let (answer, made) = creating("partners:truncate");
    let answer = answer.unwrap();
    let length = answer
        .head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let promised: usize = length.parse().unwrap();
    assert_eq!((answer.status, made), (200, 1));
    assert_eq!(answer.body.len(), promised / 2);
    assert!(answer.body.starts_with(b"{"));
}

#[test]
fn a_garbage_fault_returns_200_with_an_unparsable_body() {
    let (answer, made) = creating("partners:garbage");
    let answer = answer.unwrap();
    assert_eq!((answer.status, made), (200, 1));
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert!(String::from_utf8(answer.body).is_err());
}

#[test]
fn an_expired_token_stays_expired_and_its_refresh_token_works() {
    let rig = Rig::with_fault("partners:expire-token:x1");
    let tokens = rig.sign_in();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(rig.create(token, "ann@example.com").status(), 401);
    assert_eq!(rig.create(token, "ann@example.com").status(), 401);
    let path = format!(
        "/api/v8/refresh?refresh_token={}",
        tokens["refresh_token"].as_str().unwrap()
    );
    let fresh = rig.request("GET", &path).json(200);
    assert_eq!(
        rig.create(fresh["access_token"].as_str().unwrap(), "ann@example.com")
            .status(),
        200
    );
}

#[test]
fn the_drop_late_fault_lands_its_effect_after_the_connection_closes() {
    let rig = Rig::with_fault("partners:drop-late:3600000:x1");
    let token = rig.token();
    assert!(is_dead(&rig.create(&token, "ann@example.com").send()));
    let snapshot = books(&rig.sandbox);
    assert_eq!((snapshot.tenants.len(), snapshot.pending), (0, 1));
    rig.sandbox
        .add_faults(&["partners:drop-late:20:x1".parse().unwrap()])
        .unwrap();
    assert!(is_dead(&rig.create(&token, "bob@example.com").send()));
    eventually("the landing", || books(&rig.sandbox).totals.landed_late == 1);
    let snapshot = books(&rig.sandbox);
    assert_eq!((snapshot.tenants.len(), snapshot.pending), (1, 1));
    assert_eq!(snapshot.tenants[0].email, "bob@example.com");
}

#[test]
fn a_deferred_duplicate_creation_is_refused_when_it_lands() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).unwrap();
    let create = |email: &str| Event::CreateTenant {
        email: email.to_owned(),
    };
    let late = world
        .defer::<State>(&create("ann@example.com"), Duration::from_hours(1))
        .unwrap();
    world.perform::<State>(create("Ann@example.com")).unwrap();
    world.land(late).unwrap();
    world.land(late).unwrap();
    let snapshot = Books::from(world.snapshot(Traffic::default()));
    assert_eq!((snapshot.tenants.len(), snapshot.pending), (1, 0));
    assert_eq!(
        (snapshot.totals.duplicates_refused, snapshot.totals.landed_late),
        (1, 0)
    );
}

#[test]
fn faults_are_added_and_cleared_through_the_admin_api() {
    let rig = Rig::new();
    let token = rig.token();
    let set = rig.request("POST", "/_sandbox/faults");
    assert_eq!(
        set.clone().text("partners:500:x1\nauth:429").json(200)["faults"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let wrong = set.text("{\"faults\":[\"partners:50\"]}").json(400);
    assert!(
        wrong["error"].as_str().unwrap().contains("did you mean 500?"),
        "{wrong}"
    );
    assert_eq!(rig.create(&token, "ann@example.com").status(), 500);
    assert_eq!(rig.create(&token, "ann@example.com").status(), 200);
    assert_eq!(rig.request("GET", "/api/v8/auth").status(), 429);
    assert_eq!(
        rig.request("DELETE", "/_sandbox/faults").json(200)["faults"],
        json!([])
    );
    assert_eq!(rig.request("GET", "/api/v8/auth").status(), 401);
    assert_eq!(rig.sandbox.snapshot().unwrap().traffic.faults, 2);
}

#[test]
fn the_admin_api_expires_tokens_and_changes_first_passwords() {
    let rig = Rig::new();
    let token = rig.token();
    rig.create(&token, "a+b@example.com").json(200);
    let first = books(&rig.sandbox).tenants[0].password.clone();
    let row = || {
        let token = rig.token();
        let list = rig
            .request("GET", "/api/v8/object?applicationId=1")
            .bearer(&token)
            .json(200);
        list["data"][0]["attributes"]["UserPassword"].clone()
    };
    assert_eq!(rig.request("POST", "/_sandbox/expire-tokens").status(), 200);
    assert_eq!(rig.create(&token, "bob@example.com").status(), 401);
    assert_eq!(
        rig.request("POST", "/_sandbox/tenants/a%2Bb%40example.com/password-changed")
            .status(),
        200
    );
    assert_eq!(row(), json!(first), "the row goes on showing the first password");
    assert_ne!(books(&rig.sandbox).tenants[0].password, first);
    assert_eq!(
        rig.request("POST", "/_sandbox/tenants/A+B@example.com/password-gone")
            .status(),
        200
    );
    assert_eq!(row(), Value::Null);
    assert_eq!(
        rig.request("POST", "/_sandbox/tenants/nobody/password-gone")
            .status(),
        404
    );
    let status = rig.request("GET", "/_sandbox/status").send().unwrap();
    assert!(!String::from_utf8(status.body).unwrap().contains(&first));
}
