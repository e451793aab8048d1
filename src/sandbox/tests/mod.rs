//! Tests of the sandbox from the client's end of the connection.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod described;
mod durable;
mod faults;
mod in_process;
mod jrni;
mod platform;
mod shared;
mod sparrow_bulk;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    AppBook, JrniAccount, JrniBook, Master, MobstedBook, Options, Sandbox, Snapshot, SparrowBulkAccount,
    SparrowBulkBook, TenantBook, Totals, Traffic, WebBook,
};

const MASTER_HOST: &str = "ppp-admin.mobsted.sandbox";

/// The records of the platforms, those of Mobsted without a prefix.
struct Books {
    tenants: Vec<TenantBook>,
    apps: Vec<AppBook>,
    totals: Totals,
    jrni: JrniBook,
    sparrow_bulk: SparrowBulkBook,
    web: WebBook,
    traffic: Traffic,
    pending: u64,
}

impl From<Snapshot> for Books {
    fn from(snapshot: Snapshot) -> Books {
        let MobstedBook {
            tenants,
            apps,
            totals,
        } = snapshot.of();
        Books {
            tenants,
            apps,
            totals,
            jrni: snapshot.of(),
            sparrow_bulk: snapshot.of(),
            web: snapshot.of(),
            traffic: snapshot.traffic,
            pending: snapshot.pending,
        }
    }
}

fn books(sandbox: &Sandbox) -> Books {
    sandbox.snapshot().unwrap().into()
}

/// A sandbox in its own folder.
struct Rig {
    sandbox: Sandbox,
    dir: tempfile::TempDir,
}

impl Rig {
    fn new() -> Rig {
        Rig::with(|_| {})
    }

    fn with(adjust: impl FnOnce(&mut Options)) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path());
        adjust(&mut options);
        Rig {
            sandbox: Sandbox::start(options).unwrap(),
            dir,
        }
    }

    fn with_fault(fault: &str) -> Rig {
        Rig::with(|options| options.faults = vec![fault.parse().unwrap()])
    }

    /// Ends the sandbox and opens its folder again.
    fn reopened(self) -> Rig {
        let Rig { sandbox, dir } = self;
        sandbox.shutdown();
        Rig {
            sandbox: Sandbox::start(Options::new(dir.path())).unwrap(),
            dir,
        }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.sandbox.address(), method, path)
    }

    /// Returns the reply to signing in to the master account.
    fn sign_in(&self) -> Value {
        let master = self.sandbox.account::<Master>();
        let path = format!("/api/v8/auth?login={}&password={}", master.login, master.password);
        self.request("GET", &path).json(200)
    }

    fn token(&self) -> String {
        self.sign_in()["access_token"].as_str().unwrap().to_owned()
    }

    fn create(&self, token: &str, email: &str) -> Request {
        self.request("POST", "/api/v8/partners")
            .bearer(token)
            .body(&json!({ "email": email }))
    }
}

/// A request on its own connection.
#[derive(Clone)]
struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    host: String,
    headers: String,
    body: String,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn new(address: SocketAddr, method: &str, path: &str) -> Request {
        Request {
            address,
            method: method.into(),
            path: path.into(),
            host: MASTER_HOST.into(),
            headers: String::new(),
            body: String::new(),
        }
    }

    fn host(mut self, host: &str) -> Request {
        self.host = host.into();
        self
    }

    fn header(mut self, name: &str, value: &str) -> Request {
        self.headers = format!("{}{name}: {value}\r\n", self.headers);
        self
    }

    fn bearer(self, token: &str) -> Request {
        self.header("authorization", &format!("Bearer {token}"))
    }

    fn body(mut self, body: &Value) -> Request {
        self.body = body.to_string();
        self
    }

    fn text(mut self, body: &str) -> Request {
        self.body = body.into();
        self
    }

    /// Sends the request and leaves the response unread.
    fn begin(&self) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}Content-Length: {}\r\n\r\n",
            self.method,
            self.path,
            self.host,
            self.headers,
            self.body.len()
        );
        stream.write_all(format!("{head}{}", self.body).as_bytes())?;
        Ok(stream)
    }

    /// Returns the response, or how the connection ended without one. Waits for at most `patience`.
    fn send_for(&self, patience: Duration) -> io::Result<Answer> {
        let mut stream = self.begin()?;
        stream.set_read_timeout(Some(patience))?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Answer {
            status,
            head: head.to_lowercase(),
            body: bytes.split_off(end + 4),
        })
    }

    fn send(&self) -> io::Result<Answer> {
        self.send_for(Duration::from_secs(20))
    }

    fn status(&self) -> u16 {
        self.send().unwrap().status
    }

    /// Returns the JSON of a response, which must have this status.
    fn json(&self, status: u16) -> Value {
        let answer = self.send().unwrap();
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Returns the text of an error in Mobsted's form.
    fn error(&self, status: u16) -> String {
        let body = self.json(status);
        assert_eq!(body["errors"][0]["status"], status.to_string());
        body["errors"][0]["detail"].as_str().unwrap().to_owned()
    }
}

/// Waits, with a limit, for a condition that another thread fulfils.
fn eventually(what: &str, mut happens: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !happens() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn start(dir: &Path) -> Sandbox {
    Sandbox::start(Options::new(dir)).unwrap()
}

/// Sends a creation and disconnects as soon as it has been received.
fn hang_up_on(rig: &Rig, request: &Request) {
    let before = rig.sandbox.snapshot().unwrap().traffic.partners;
    let stream = request.begin().unwrap();
    eventually("the request", || {
        rig.sandbox.snapshot().unwrap().traffic.partners > before
    });
    drop(stream);
}

/// Returns the host of the account named in the reply to its creation.
fn host_of(created: &Value) -> String {
    created["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap()
        .to_owned()
}
