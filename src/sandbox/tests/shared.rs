//! Tests of several sandboxes that share one folder.

use super::super::share::{is_serving, read_address};
use super::super::{Role, SandboxError, Totals, Traffic, reset, status};
use super::*;

#[test]
fn a_second_sandbox_attaches_and_takes_over_when_the_first_ends() {
    let rig = Rig::new();
    let second = start(rig.dir.path());
    assert_eq!(
        (rig.sandbox.role(), second.role()),
        (Role::Serving, Role::Attached)
    );
    assert_eq!(second.address(), rig.sandbox.address());
    assert_eq!(second.account::<Master>(), rig.sandbox.account::<Master>());
    let token = rig.token();
    rig.create(&token, "ann@example.com").json(200);
    let snapshot = books(&rig.sandbox);
    assert_eq!(books(&second).tenants, snapshot.tenants);
    let Rig { sandbox, dir } = rig;
    let address = sandbox.address();
    sandbox.shutdown();
    eventually("the succession", || second.role() == Role::Serving);
    assert_eq!(second.address(), address, "the port stays when it can");
    assert_eq!(books(&second).tenants, snapshot.tenants);
    let rig = Rig { sandbox: second, dir };
    assert_eq!(rig.create(&token, "bob@example.com").status(), 200);
}

#[cfg(unix)]
#[test]
fn sandbox_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let rig = Rig::new();
    let _ = rig.token();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(rig.dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        names.push(entry.file_name());
    }
    assert!(names.iter().any(|name| name == "address"), "{names:?}");
}

#[test]
fn an_attached_sandbox_that_shut_down_does_not_take_over() {
    let rig = Rig::new();
    let second = start(rig.dir.path());
    let begin = Instant::now();
    second.shutdown();
    assert!(
        begin.elapsed() < Duration::from_secs(1),
        "its waiting thread does not hold it up"
    );
    let Rig { sandbox, dir } = rig;
    sandbox.shutdown();
    let next = start(dir.path());
    eventually("serving", || next.role() == Role::Serving);
}

#[test]
fn faults_of_an_attached_sandbox_apply_to_the_serving_one() {
    let rig = Rig::new();
    let token = rig.token();
    let mut options = Options::new(rig.dir.path());
    options.faults = vec!["partners:500:x1".parse().unwrap()];
    let second = Sandbox::start(options).unwrap();
    assert_eq!(rig.create(&token, "ann@example.com").status(), 500);
    second.add_faults(&["partners:429:x1".parse().unwrap()]).unwrap();
    assert_eq!(rig.create(&token, "ann@example.com").status(), 429);
    assert_eq!(rig.create(&token, "ann@example.com").status(), 200);
}

#[test]
fn concurrent_starts_yield_exactly_one_serving_sandbox() {
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<Sandbox> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| start(dir.path()))).collect();
        starts.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(
        all.iter()
            .filter(|sandbox| sandbox.role() == Role::Serving)
            .count(),
        1
    );
    for sandbox in &all {
        assert_eq!(sandbox.account::<Master>(), all[0].account::<Master>());
    }
}

#[test]
fn a_stale_address_file_is_not_trusted() {
    let rig = Rig::new();
    let Rig { sandbox, dir } = rig;
    let path = dir.path().join("address");
    let stale = std::fs::read(&path).unwrap();
    sandbox.shutdown();
    let _serving = start(dir.path());
    assert!(is_serving(&read_address(dir.path()).unwrap()));
    // This process wrote it for the same port, and yet it belongs to another server.
    std::fs::write(&path, stale).unwrap();
    assert!(!is_serving(&read_address(dir.path()).unwrap()));
}

#[test]
fn status_names_the_serving_process_and_reset_refuses_while_in_use() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(status(dir.path()).unwrap().snapshot, None);
    let sandbox = start(dir.path());
    let rig = Rig { sandbox, dir };
    rig.create(&rig.token(), "ann@example.com").json(200);
    let served = status(rig.dir.path()).unwrap();
    assert_eq!(served.served, Some((rig.sandbox.address(), std::process::id())));
    let error = reset(rig.dir.path()).unwrap_err();
    assert!(
        matches!(error, SandboxError::InUse { pid: Some(_), .. }),
        "{error}"
    );
    let Rig { sandbox, dir } = rig;
    sandbox.shutdown();
    let idle = status(dir.path()).unwrap();
    assert_eq!(idle.served, None);
    assert_eq!(
        idle.snapshot.unwrap().tenants(),
        served.snapshot.unwrap().tenants()
    );
    reset(dir.path()).unwrap();
    assert_eq!(status(dir.path()).unwrap().snapshot, None);
    assert_eq!(books(&start(dir.path())).tenants, []);
    reset(&dir.path().join("nowhere")).unwrap();
}

#[test]
fn listen_addresses_must_be_loopback_and_free() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    options.listen = "0.0.0.0:0".parse().unwrap();
    let error = Sandbox::start(options.clone()).unwrap_err();
    assert!(matches!(error, SandboxError::NotLoopback(_)), "{error}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    options.listen = taken.local_addr().unwrap();
    let error = Sandbox::start(options.clone()).unwrap_err();
    assert!(matches!(error, SandboxError::Busy(_)), "{error}");
    drop(taken);
    let sandbox = Sandbox::start(options.clone()).unwrap();
    assert_eq!(sandbox.address(), options.listen);
    sandbox.shutdown();
    assert!(TcpStream::connect(options.listen).is_err(), "the port is closed");
}

#[test]
fn status_waits_for_a_lock_that_is_being_released() {
    let Rig { sandbox, dir } = Rig::new();
    sandbox.shutdown();
    let held = super::super::share::wait_for_lock(dir.path()).unwrap();
    let folder = dir.path().to_owned();
    let (tell, told) = std::sync::mpsc::channel();
    let looking = std::thread::spawn(move || tell.send(status(&folder)).unwrap());
    let early = told.recv_timeout(Duration::from_millis(200));
    assert!(early.is_err(), "it did not wait: {early:?}");
    drop(held);
    let found = told.recv().unwrap().unwrap();
    assert!(found.served.is_none() && found.snapshot.is_some());
    looking.join().unwrap();
}

#[test]
fn a_serving_process_that_ends_during_attach_is_replaced() {
    use std::io::{BufRead as _, BufReader, Write as _};

    let Rig { sandbox, dir } = Rig::new();
    sandbox.shutdown();
    let held = super::super::share::wait_for_lock(dir.path()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let posted = format!(r#"{{"address":"{address}","pid":7,"instance":"it"}}"#);
    std::fs::write(dir.path().join("address"), posted).unwrap();
    // It claims to serve, and ends at the next request.
    let ending = std::thread::spawn(move || {
        let health = "{\"instance\":\"it\",\"pid\":7,\"tenants\":0,\"apps\":0,\"pending\":0,\"faults\":[],\
                      \"totals\":TOTALS,\"traffic\":TRAFFIC}";
        let health = health
            .replace("TOTALS", &serde_json::to_string(&Totals::default()).unwrap())
            .replace("TRAFFIC", &serde_json::to_string(&Traffic::default()).unwrap());
        let mut asked = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            asked += 1;
            if !lines.next().unwrap().contains("/_sandbox/status") {
                break;
            }
            while lines.next().is_some_and(|line| !line.is_empty()) {}
            drop(lines);
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{health}",
                health.len()
            )
            .unwrap();
        }
        drop(held);
        asked
    });
    let next = start(dir.path());
    assert_eq!(next.role(), Role::Serving);
    assert!(
        ending.join().unwrap() > 1,
        "it was asked for more than whether it serves"
    );
}
