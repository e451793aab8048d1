//! Tests of what survives the end of the serving process.

use super::super::SandboxError;
use super::super::mobsted::State;
use super::super::world::LOG_FILE;
use super::*;

#[test]
fn reopening_the_sandbox_restores_all_state() {
    let rig = Rig::new();
    let (token, master) = (rig.token(), rig.sandbox.account::<Master>());
    for n in 0..3 {
        rig.create(&token, &format!("u{n}@example.com")).json(200);
    }
    let wrapper = json!({ "Name": "Own", "appWebSiteUrl": "https://own.example" });
    rig.request("POST", "/api/v8/applications")
        .bearer(&token)
        .body(&wrapper)
        .json(200);
    let before = books(&rig.sandbox);
    let rig = rig.reopened();
    let after = books(&rig.sandbox);
    assert_eq!(after.tenants, before.tenants);
    assert_eq!(after.apps, before.apps);
    assert_eq!(after.totals, before.totals);
    assert_eq!(after.traffic.requests, 0);
    assert_eq!(rig.sandbox.account::<Master>().password, master.password);
    assert_eq!(
        rig.create(&token, "U1@example.com").status(),
        400,
        "the old token works, the address is taken"
    );
}

#[test]
fn a_creation_is_logged_before_its_response_is_sent() {
    let rig = Rig::new();
    let token = rig.token();
    for n in 0..20 {
        let created = rig.create(&token, &format!("u{n}@example.com")).json(200);
        let log = std::fs::read_to_string(rig.dir.path().join(LOG_FILE)).unwrap();
        assert!(log.contains(created["authentication"]["password"].as_str().unwrap()));
    }
}

#[test]
fn a_torn_last_log_line_is_dropped_and_corrupt_ones_reported() {
    let rig = Rig::new();
    rig.create(&rig.token(), "ann@example.com").json(200);
    let Rig { sandbox, dir } = rig;
    sandbox.shutdown();
    let path = dir.path().join(LOG_FILE);
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}{{\"at\":17")).unwrap();
    let sandbox = start(dir.path());
    assert_eq!(books(&sandbox).tenants.len(), 1);
    sandbox.shutdown();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
    std::fs::write(
        &path,
        whole.replacen("\"at\"", "\"at", 2).replacen("\"at", "\"at\"", 1),
    )
    .unwrap();
    let error = Sandbox::start(Options::new(dir.path())).unwrap_err();
    assert!(matches!(error, SandboxError::Corrupt { line: 2, .. }), "{error}");
}

#[test]
fn every_prefix_of_the_log_opens() {
    let rig = Rig::with_fault("partners:drop-late:0:0.5");
    let token = rig.token();
    for n in 0..6 {
        let _ = rig.create(&token, &format!("u{n}@example.com")).send();
    }
    eventually("the landings", || books(&rig.sandbox).tenants.len() == 6);
    let Rig { sandbox, dir } = rig;
    sandbox.shutdown();
    let path = dir.path().join(LOG_FILE);
    let whole = std::fs::read(&path).unwrap();
    for end in (0..whole.len()).step_by(61) {
        std::fs::write(&path, &whole[..end]).unwrap();
        let world = super::super::world::World::open(dir.path()).unwrap();
        assert!(world.read(|state: &State| state.master().is_some()), "{end}");
        assert!(world.deferred().is_empty(), "{end}");
    }
}

#[test]
fn a_deferred_effect_lands_when_the_sandbox_is_reopened() {
    let rig = Rig::with_fault("partners:drop-late:1");
    let token = rig.token();
    assert!(rig.create(&token, "ann@example.com").send().is_err());
    rig.sandbox
        .add_faults(&["applications-post:drop-late:3600000".parse().unwrap()])
        .unwrap();
    let wrapper = json!({ "Name": "Own", "appWebSiteUrl": "https://own.example" });
    let make = rig
        .request("POST", "/api/v8/applications")
        .bearer(&token)
        .body(&wrapper);
    assert!(make.send().is_err());
    let Rig { sandbox, dir } = rig;
    eventually("the first landing", || books(&sandbox).tenants.len() == 1);
    assert_eq!(sandbox.snapshot().unwrap().pending, 1);
    sandbox.shutdown();
    // Time passes while no process serves.
    let path = dir.path().join(LOG_FILE);
    let log = std::fs::read_to_string(&path).unwrap();
    let due = log.rsplit_once("\"due\":").unwrap().1.split(',').next().unwrap();
    std::fs::write(&path, log.replace(due, "1")).unwrap();
    let snapshot = books(&start(dir.path()));
    assert_eq!(
        (snapshot.apps.len(), snapshot.pending, snapshot.totals.landed_late),
        (1, 0, 2)
    );
}

#[test]
fn sandbox_state_of_format_1_is_read_and_gets_all_platforms() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(LOG_FILE);
    let old = [
        json!({ "at": 1, "what": { "world": { "format": 1, "secret": "s" } } }),
        json!({ "at": 2, "what": { "mobsted": { "master": {
            "name": "ppp", "email": "partner@example.com", "password": "p", "user": "u" } } } }),
        json!({ "at": 3, "what": { "deferred": {
            "id": 1, "due": 4, "command": { "create_tenant": { "email": "ann@example.com" } } } } }),
    ];
    let old = old.map(|line| line.to_string()).join("\n") + "\n";
    std::fs::write(&path, &old).unwrap();
    let sandbox = start(dir.path());
    assert_eq!(sandbox.account::<Master>().password, "p");
    assert_eq!(books(&sandbox).tenants[0].email, "ann@example.com");
    let jrni = sandbox.account::<JrniAccount>();
    sandbox.shutdown();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with(&old));
    assert_eq!(start(dir.path()).account::<JrniAccount>().password, jrni.password);
}

#[test]
fn sandbox_state_of_a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let line = json!({ "at": 1, "what": { "world": { "format": 7, "more": true } } });
    std::fs::write(dir.path().join(LOG_FILE), format!("{line}\nwhatever\n")).unwrap();
    let error = Sandbox::start(Options::new(dir.path())).unwrap_err();
    assert!(
        matches!(
            error,
            SandboxError::NewerFormat {
                found: 7,
                known: 6,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_log_without_a_sandbox_header_is_reported_as_corrupt() {
    let dir = tempfile::tempdir().unwrap();
    let line = json!({ "at": 1, "what": { "mobsted": "all_expired" } });
    std::fs::write(dir.path().join(LOG_FILE), format!("{line}\n")).unwrap();
    let error = Sandbox::start(Options::new(dir.path())).unwrap_err();
    assert!(matches!(error, SandboxError::Corrupt { line: 1, .. }), "{error}");
}
