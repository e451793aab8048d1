//! Reads the state of a home, through the program and through the sandbox.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use super::Home;

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
    pub(crate) fn snapshot(&self) -> provisor::sandbox::Snapshot {
        provisor::sandbox::status(&self.sandbox())
            .unwrap()
            .snapshot
            .unwrap()
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
