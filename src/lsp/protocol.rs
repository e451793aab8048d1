//! Messages of the Language Server Protocol: JSON-RPC 2.0, each after a header with its length.
//!
//! A message that cannot be understood is answered with an error, and the connection goes on.

use std::io::{self, BufRead, Read as _, Write};

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

/// The longest message that is accepted, in bytes.
const MAX_MESSAGE: u64 = 64 << 20;

/// The longest line of a header, in bytes.
const MAX_HEADER: u64 = 4096;

/// A message from the editor.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message {
    /// A request, which gets one response.
    Request { id: Json, method: String, params: Json },
    /// A notification, which gets none.
    Notification { method: String, params: Json },
    /// A response. The server sends no requests, so it means nothing.
    Response,
    /// What is no message; with the identifier of the request, or null.
    Malformed { id: Json, error: Failure },
}

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// An error code of the protocol.
    pub(super) code: i32,
    /// The reason, for the editor's log.
    pub(super) message: String,
}

/// The error codes of JSON-RPC and of the protocol that the server uses.
pub(super) mod code {
    pub(crate) const PARSE_ERROR: i32 = -32700;
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    pub(crate) const INVALID_PARAMS: i32 = -32602;
    pub(crate) const INTERNAL_ERROR: i32 = -32603;
    pub(crate) const NOT_INITIALIZED: i32 = -32002;
    pub(crate) const REQUEST_CANCELLED: i32 = -32800;
}

impl Failure {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
        }
    }
}

/// Reads the next message; `None` at the end of the input.
pub(super) fn read(input: &mut dyn BufRead) -> io::Result<Option<Message>> {
    let mut length: Option<u64> = None;
    let mut is_header = false;
    loop {
        let mut line = Vec::new();
        (&mut *input).take(MAX_HEADER).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        match (line.split_once(':'), length) {
            (None, Some(length)) if line.is_empty() => return content(input, length).map(Some),
            (None, None) if line.is_empty() && is_header => {
                return Ok(Some(malformed("the header has no Content-Length")));
            }
            (None, None) if line.is_empty() => {}
            (None, _) => return Ok(Some(malformed("this is no header of a message"))),
            (Some((name, value)), _) => {
                is_header = true;
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().ok();
                }
            }
        }
    }
}

fn content(input: &mut dyn BufRead, length: u64) -> io::Result<Message> {
    let mut content = (&mut *input).take(length);
    if length > MAX_MESSAGE {
        io::copy(&mut content, &mut io::sink())?;
        let reason = format!("a message may have at most {MAX_MESSAGE} bytes");
        return Ok(malformed(&reason));
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes)?;
    Ok(match serde_json::from_slice(&bytes) {
        Ok(message) => parse(message),
        Err(error) => malformed(&format!("the message is not JSON: {error}")),
    })
}

fn malformed(reason: &str) -> Message {
    Message::Malformed {
        id: Json::Null,
        error: Failure::new(code::PARSE_ERROR, reason),
    }
}

fn parse(mut message: Json) -> Message {
    let mut take = |key| message.get_mut(key).map_or(Json::Null, Json::take);
    let (id, method, params) = (take("id"), take("method"), take("params"));
    let has_id = id.is_number() || id.is_string();
    match method {
        Json::String(method) if has_id => Message::Request { id, method, params },
        Json::String(method) if id.is_null() => Message::Notification { method, params },
        Json::Null if has_id => Message::Response,
        _ => Message::Malformed {
            id: if has_id { id } else { Json::Null },
            error: Failure::new(code::INVALID_REQUEST, "a message has a `method` and an `id`"),
        },
    }
}

/// Reads parameters.
pub(super) fn params<T: DeserializeOwned>(params: Json) -> Result<T, Failure> {
    serde_json::from_value(params)
        .map_err(|error| Failure::new(code::INVALID_PARAMS, format!("the parameters are wrong: {error}")))
}

/// Writes the response to a request.
pub(super) fn respond(output: &mut dyn Write, id: &Json, result: Result<Json, Failure>) -> io::Result<()> {
    let message = match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Failure { code, message }) => {
            let error = json!({ "code": code, "message": message });
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        }
    };
    write(output, &message)
}

/// Writes a notification.
pub(super) fn notify(output: &mut dyn Write, method: &str, params: &Json) -> io::Result<()> {
    write(
        output,
        &json!({ "jsonrpc": "2.0", "method": method, "params": params }),
    )
}

fn write(output: &mut dyn Write, message: &Json) -> io::Result<()> {
    let text = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn framed(text: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    }

    fn messages(mut input: &[u8]) -> Vec<Message> {
        std::iter::from_fn(|| read(&mut input).unwrap()).collect()
    }

    #[test]
    fn what_is_no_message_is_reported_and_the_next_message_is_read() {
        let next = framed(r#"{"jsonrpc":"2.0","method":"exit"}"#);
        let exit = Message::Notification {
            method: "exit".into(),
            params: Json::Null,
        };
        for wrong in [
            "hello\r\n",
            "Content-Type: x\r\n\r\n",
            "Content-Length: x\r\n\r\n",
            &framed("{"),
            &framed("[1, 2]"),
            &framed("\u{0}"),
            &framed(r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#),
            &framed(&"[".repeat(10_000)),
        ] {
            let found = messages(format!("{wrong}{next}").as_bytes());
            assert_eq!(found.len(), 2, "{wrong:.60}");
            assert!(matches!(found[0], Message::Malformed { .. }), "{wrong:.60}");
            assert_eq!(found[1], exit, "{wrong:.60}");
        }
        let cut = &next.as_bytes()[..next.len() - 3];
        assert!(matches!(messages(cut).as_slice(), [Message::Malformed { .. }]));
        assert_eq!(messages(b""), []);
    }

    #[test]
    fn identifiers_are_numbers_of_any_size_or_texts() {
        let text = [
            framed(r#"{"id":123456789012345,"method":"a"}"#),
            framed(r#"{"id":"x","result":1}"#),
        ]
        .concat();
        let found = messages(text.as_bytes());
        let id = json!(123_456_789_012_345_u64);
        assert!(matches!(&found[0], Message::Request { id: found, .. } if *found == id));
        assert_eq!(found[1], Message::Response);
    }

    #[test]
    fn a_header_counts_bytes() {
        let mut out = Vec::new();
        notify(&mut out, "x", &json!("ä")).unwrap();
        let text = String::from_utf8(out).unwrap();
        let (header, content) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(header, format!("Content-Length: {}", content.len()));
    }
}
