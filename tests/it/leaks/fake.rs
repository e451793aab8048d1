//! A platform on this machine that responds as the test defines, and repeats whatever it receives.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A received request.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path without the query.
    pub(crate) path: String,
    /// The whole request, with query, headers and body.
    pub(crate) all: String,
}

/// The response.
pub(crate) struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Answer {
        Answer::text(status, "application/json", body.to_string())
    }

    pub(crate) fn text(status: u16, kind: &str, body: String) -> Answer {
        let headers = format!("Content-Type: {kind}\r\n");
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

type Script = dyn Fn(&str, &Asked) -> Answer + Send + Sync;

/// Starts the platform and returns its address, which `answer` also receives.
pub(crate) fn start(answer: impl Fn(&str, &Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (script, own): (Arc<Script>, _) = (Arc::new(answer), url.clone());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let (script, own) = (Arc::clone(&script), own.clone());
            std::thread::spawn(move || serve(stream, &own, &*script));
        }
    });
    url
}

/// Serves one request per connection, which is simple and fast enough.
fn serve(mut stream: TcpStream, own: &str, script: &Script) {
    let Some(asked) = read(&mut stream) else { return };
    let Answer {
        status,
        headers,
        body,
    } = script(own, &asked);
    let length = body.len();
    let _ = stream.write_all(
        format!(
            "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .as_bytes(),
    );
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length: usize = length.map_or(0, |rest| rest.lines().next().unwrap().trim().parse().unwrap());
    while bytes.len() < end + length {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
    let all = String::from_utf8_lossy(&bytes).into_owned();
    let mut words = all.split(' ');
    let method = words.next()?.to_owned();
    let path = words.next()?.split('?').next()?.to_owned();
    Some(Asked { method, path, all })
}
