//! Multipart bodies (RFC 7578).

use std::borrow::Cow;

use super::append;
use crate::value::Value;

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, if the part is a file.
    pub filename: Option<String>,
    /// The content type. By default text has none, and a file is `application/octet-stream`.
    pub kind: Option<String>,
    /// The content.
    pub content: PartContent,
}

/// The content of a part.
#[derive(Debug, Clone, PartialEq)]
pub enum PartContent {
    /// A string, a secret, or a value that is written as JSON text.
    Value(Value),
    /// A file as it is.
    Bytes(Vec<u8>),
}

impl PartContent {
    /// Returns the content as a value: bytes as text, without what is no text.
    pub fn as_value(&self) -> Cow<'_, Value> {
        match self {
            PartContent::Value(value) => Cow::Borrowed(value),
            PartContent::Bytes(bytes) => Cow::Owned(String::from_utf8_lossy(bytes).as_ref().into()),
        }
    }
}

/// The body's type and bytes, in clear: for the wire only.
pub(super) fn to_wire_bytes(parts: &[Part]) -> (String, Vec<u8>) {
    let contents: Vec<Vec<u8>> = parts.iter().map(|part| bytes(&part.content)).collect();
    let boundary = boundary(&contents);
    let mut body = Vec::new();
    for (part, content) in parts.iter().zip(&contents) {
        body.extend_from_slice(head(part, &boundary).as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

fn head(part: &Part, boundary: &str) -> String {
    let mut head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
        quoted(&part.name)
    );
    if let Some(filename) = &part.filename {
        head.extend(["; filename=\"", &quoted(filename), "\""]);
    }
    let default_type = part.filename.as_ref().map(|_| "application/octet-stream");
    if let Some(kind) = part.kind.as_deref().or(default_type) {
        let plain: String = kind.chars().filter(|c| !c.is_control()).collect();
        head.extend(["\r\nContent-Type: ", &plain]);
    }
    head.push_str("\r\n\r\n");
    head
}

/// Escapes quotes and line ends, which would end the name, as WHATWG's form submission does.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn bytes(content: &PartContent) -> Vec<u8> {
    let content = match content {
        PartContent::Value(content) => content,
        PartContent::Bytes(bytes) => return bytes.clone(),
    };
    let mut bytes = Vec::new();
    append("", content, &mut |_, text| {
        bytes.extend_from_slice(text.as_bytes());
    });
    bytes
}

/// Returns a boundary that occurs in none of the contents.
fn boundary(contents: &[Vec<u8>]) -> String {
    loop {
        let boundary = format!("provisor-{}", uuid::Uuid::new_v4().simple());
        let holds = |content: &Vec<u8>| {
            content
                .windows(boundary.len())
                .any(|window| window == boundary.as_bytes())
        };
        if !contents.iter().any(holds) {
            return boundary;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::secret::Secret;

    #[test]
    fn multipart_parts_keep_their_order_and_escape_their_names() {
        let part = |name: &str, filename: Option<&str>, content: Value| Part {
            name: name.to_owned(),
            filename: filename.map(str::to_owned),
            kind: None,
            content: PartContent::Value(content),
        };
        let parts = [
            part("a\"\r\nX: y", None, "one".into()),
            part("f", Some("a.csv"), Secret::new("1,2").into()),
            Part {
                content: PartContent::Bytes(b"7".into()),
                ..part("n", None, Value::Null)
            },
        ];
        let (kind, body) = to_wire_bytes(&parts);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a%22%0D%0AX: y\"\r\n\r\none\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.csv\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n1,2\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n7\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
