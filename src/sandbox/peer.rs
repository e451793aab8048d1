//! A minimal HTTP client for the routes of the process that serves a sandbox.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::error::SandboxError;

/// The timeout. The serving process is on this machine and takes this long only if it hangs.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests `/_sandbox/{path}` and parses the JSON body of a 200.
pub(super) fn ask<T: DeserializeOwned>(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> Result<T, SandboxError> {
    let failed = |reason: String| SandboxError::Peer { address, reason };
    let path = format!("/_sandbox/{path}");
    let (status, body) = exchange(address, method, &path, body)
        .map_err(|reason| SandboxError::Unanswered { address, reason })?;
    if status != 200 {
        return Err(failed(format!("{status} {}", String::from_utf8_lossy(&body))));
    }
    serde_json::from_slice(&body).map_err(|error| failed(error.to_string()))
}

/// Sends one request on its own connection; returns the status and body of the response.
fn exchange(address: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&address, PEER_TIMEOUT)?;
    stream.set_read_timeout(Some(PEER_TIMEOUT))?;
    stream.set_write_timeout(Some(PEER_TIMEOUT))?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "the response is not HTTP");
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or_else(unreadable)?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(unreadable)?;
    Ok((status, answer.split_off(end + 4)))
}
