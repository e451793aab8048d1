//! Reads the state of a home, through the program and through the sandbox.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use provisor::sandbox::{
    AppBook, JrniBook, MobstedBook, Snapshot, SparrowBook, SparrowBulkBook, TenantBook, Totals, Traffic,
    WebBook,
};
use serde_json::Value;

use super::Home;

/// The sandbox's state: what each platform holds, those of Mobsted without a prefix.
pub(crate) struct Books {
    pub(crate) tenants: Vec<TenantBook>,
    pub(crate) apps: Vec<AppBook>,
    pub(crate) totals: Totals,
    pub(crate) jrni: JrniBook,
    pub(crate) sparrow: SparrowBook,
    pub(crate) sparrow_bulk: SparrowBulkBook,
    pub(crate) web: WebBook,
    pub(crate) traffic: Traffic,
    pub(crate) pending: u64,
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
            sparrow: snapshot.of(),
            sparrow_bulk: snapshot.of(),
            web: snapshot.of(),
            traffic: snapshot.traffic,
            pending: snapshot.pending,
        }
    }
}

impl Home {
    /// Runs the program, checks that it succeeds, and parses its output as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &str) -> Value {
        let ran = self.run(words).ended(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// The ID of the newest run.
    #[track_caller]
    pub(crate) fn newest(&self) -> String {
        let runs = self.json("runs list --json");
        runs["runs"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The sandbox's state.
    pub(crate) fn snapshot(&self) -> Books {
        let status = provisor::sandbox::status(&self.sandbox());
        status.unwrap().snapshot.unwrap().into()
    }

    /// Triggers an event in the sandbox that is being served: `POST /_sandbox/{path}`.
    pub(crate) fn happen(&self, path: &str) {
        let status = provisor::sandbox::status(&self.sandbox()).unwrap();
        let (address, _) = status.served.unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "POST /_sandbox/{path} HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
