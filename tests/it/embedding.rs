//! Host programs that embed the runtime: `examples/embed.rs` and `examples/in_axum.rs`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// An example program, built by `cargo test`.
fn example(name: &str) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_provisor")).with_file_name(format!("examples/{name}"));
    assert!(program.exists(), "build it: cargo build --example {name}");
    let mut command = Command::new(program);
    command.env_clear();
    command
}

#[test]
fn an_embedding_program_runs_scripts_with_its_own_operation() {
    let ran = example("embed").output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{said}");
    assert_eq!(
        said,
        "{\"name\":\"Ann\",\"ticket\":1}\n{\"name\":\"Bob\",\"ticket\":2}\n"
    );
}

/// The service, with its journal on disk.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(journal: &std::path::Path) -> Service {
        let mut child = example("in_axum")
            .env("JOURNAL", journal)
            .env("PROVISOR_KEY", "a passphrase of some length")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        Service { child, address }
    }

    fn post(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let status = reply.split(' ').nth(1).unwrap().parse().unwrap();
        (status, reply.split_once("\r\n\r\n").unwrap().1.to_owned())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_killed_service_resumes_its_runs_after_a_restart() {
    let journal = tempfile::tempdir().unwrap();
    let first = Service::start(journal.path());
    let (status, begun) = first.post("/runs?name=Ann");
    assert_eq!(status, 200, "{begun}");
    assert!(begun.contains("Hello, Ann"), "{begun}");
    assert_eq!(first.post("/runs?nam=Ann").0, 422);
    drop(first);
    let run: serde_json::Value = serde_json::from_str(&begun).unwrap();
    let second = Service::start(journal.path());
    // The recorded time is returned with it.
    let path = format!("/runs/{}", run["run"].as_str().unwrap());
    assert_eq!(second.post(&path), (200, begun));
    assert_eq!(second.post("/runs/rnone").0, 422);
}
