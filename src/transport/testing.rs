//! A scripted server on this machine that can also misbehave.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A received request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    /// The path and the query.
    pub(crate) target: String,
    /// The header lines, with names in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl ReceivedRequest {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            line.split_once(": ")
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        })
    }
}

/// The server's reaction to a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Responds with these bytes and keeps the connection.
    Say(Vec<u8>),
    /// Responds with these bytes and closes the connection.
    SayAndClose(Vec<u8>),
    /// Closes the connection without a response.
    Close,
    /// Responds with these bytes when notified.
    SayWhen(Arc<Notify>, Vec<u8>),
    /// Never responds.
    Hang,
}

impl Act {
    pub(crate) fn json(status: u16, body: &str) -> Act {
        Act::with(status, &["Content-Type: application/json"], body)
    }

    pub(crate) fn html(status: u16, body: &str) -> Act {
        Act::with(status, &["Content-Type: text/html; charset=utf-8"], body)
    }

    pub(crate) fn with(status: u16, headers: &[&str], body: &str) -> Act {
        let headers = headers.join("\r\n");
        let gap = if headers.is_empty() { "" } else { "\r\n" };
        let length = body.len();
        Act::Say(
            format!("HTTP/1.1 {status} X\r\n{headers}{gap}Content-Length: {length}\r\n\r\n{body}")
                .into_bytes(),
        )
    }
}

/// Decides the reaction to a request, given the number of requests before it.
type Script = dyn Fn(&ReceivedRequest, usize) -> Act + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl Server {
    pub(crate) async fn start(
        script: impl Fn(&ReceivedRequest, usize) -> Act + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
        };
        let (seen, script): (_, Arc<Script>) = (Arc::clone(&server.seen), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&script)));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        url::Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<ReceivedRequest> {
        self.seen.lock().unwrap().clone()
    }
}

/// A server that responds only once it has this many requests, and counts the concurrent ones.
pub(crate) struct BarrierServer {
    server: std::net::SocketAddr,
    /// The current number, and the maximum.
    counts: Arc<Mutex<(usize, usize)>>,
}

impl BarrierServer {
    pub(crate) async fn start(size: usize) -> BarrierServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let counts: Arc<Mutex<(usize, usize)>> = Arc::default();
        let gathering = Arc::new(tokio::sync::Barrier::new(size));
        let (server, shared) = (listener.local_addr().unwrap(), Arc::clone(&counts));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (counts, gathering) = (Arc::clone(&shared), Arc::clone(&gathering));
                tokio::spawn(async move {
                    let mut buffer = Vec::new();
                    while read(&mut stream, &mut buffer).await.is_some() {
                        {
                            let mut counts = counts.lock().unwrap();
                            counts.0 += 1;
                            counts.1 = counts.1.max(counts.0);
                        }
                        gathering.wait().await;
                        counts.lock().unwrap().0 -= 1;
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
                        stream.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        BarrierServer { server, counts }
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        url::Url::parse(&format!("http://{}{path}", self.server)).unwrap()
    }

    pub(crate) fn peak(&self) -> usize {
        self.counts.lock().unwrap().1
    }
}

async fn serve(mut stream: TcpStream, all: Arc<Mutex<Vec<ReceivedRequest>>>, script: Arc<Script>) {
    let mut buffer = Vec::new();
    while let Some(seen) = read(&mut stream, &mut buffer).await {
        let before = {
            let mut all = all.lock().unwrap();
            all.push(seen.clone());
            all.len() - 1
        };
        match script(&seen, before) {
            Act::Say(bytes) => stream.write_all(&bytes).await.unwrap(),
            Act::SayAndClose(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                return;
            }
            Act::Close => return,
            Act::SayWhen(told, bytes) => {
                told.notified().await;
                stream.write_all(&bytes).await.unwrap();
            }
            Act::Hang => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<ReceivedRequest> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..head_end).collect()).unwrap();
    let (line, head) = head.split_once("\r\n").unwrap();
    let mut words = line.split(' ');
    let mut seen = ReceivedRequest {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        head: head.to_owned(),
        body: String::new(),
    };
    let length: usize = seen
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    seen.body = String::from_utf8(buffer.drain(..length).collect()).unwrap();
    Some(seen)
}
