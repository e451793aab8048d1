//! Parses request bodies that are not JSON: URL-encoded forms and multipart.

use serde_json::{Map, Value};
use url::form_urlencoded;

/// The fields of a request or a resource, by name.
pub(super) type Fields = Map<String, Value>;

/// Returns a text among fields; empty if it is missing or no text.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the fields of a JSON object.
pub(super) fn object(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// Returns the fields of a form (`application/x-www-form-urlencoded`).
pub(super) fn urlencoded(body: &[u8]) -> Fields {
    form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::from(value.into_owned())))
        .collect()
}

/// Returns the boundary of a `Content-Type: multipart/form-data; boundary=…`.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, _) = content_type.split_once(';')?;
    let is_multipart = kind.trim().eq_ignore_ascii_case("multipart/form-data");
    let boundary = parameter(content_type, "boundary").filter(|_| is_multipart)?;
    Some(boundary).filter(|value| !value.is_empty())
}

/// Returns a parameter of a header's value, as in `…; name="value"`, without its quotes.
fn parameter<'a>(value: &'a str, wanted: &str) -> Option<&'a str> {
    let mut parts = value.split(';').filter_map(|part| part.split_once('='));
    let (_, value) = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
    Some(value.trim().trim_matches('"'))
}

/// Returns the fields of a form in order.
pub(super) fn pairs(body: &[u8]) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(body);
    pairs
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The field's name.
    pub(super) name: String,
    /// The file's name, if the part is a file.
    pub(super) filename: Option<String>,
    /// The declared content type, as in `text/csv`; empty if there is none.
    pub(super) kind: String,
    pub(super) content: &'a [u8],
}

/// Returns the text fields of a multipart body (RFC 7578), without files; `None` if the body is not multipart.
pub(super) fn multipart(body: &[u8], boundary: &str) -> Option<Fields> {
    let fields = parts(body, boundary)?
        .into_iter()
        .filter(|part| part.filename.is_none());
    fields
        .map(|part| Some((part.name, Value::from(std::str::from_utf8(part.content).ok()?))))
        .collect()
}

/// Returns every named part of a multipart body; `None` if the body is not multipart or is cut short.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let delimiter = format!("--{boundary}");
    let mut rest = after(body, delimiter.as_bytes())?;
    let mut parts = Vec::new();
    // Anything after the closing delimiter is ignored.
    while !rest.starts_with(b"--") {
        let start = rest.strip_prefix(b"\r\n")?;
        let end = find(start, format!("\r\n{delimiter}").as_bytes())
            .or_else(|| find(start, delimiter.as_bytes()))?;
        rest = after(&start[end..], delimiter.as_bytes())?;
        let part = &start[..end];
        let gap = find(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&part[..gap]).ok()?;
        parts.extend(described(head, &part[gap + 4..]));
    }
    Some(parts)
}

fn described<'a>(head: &str, content: &'a [u8]) -> Option<Part<'a>> {
    let header = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
        Some(value.trim())
    };
    let disposition = header("content-disposition")?;
    let parameter = |wanted: &str| parameter(disposition, wanted).map(str::to_owned);
    Some(Part {
        name: parameter("name")?,
        filename: parameter("filename"),
        kind: header("content-type").unwrap_or_default().to_owned(),
        content,
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn after<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    find(text, wanted).map(|at| &text[at + wanted.len()..])
}

#[cfg(test)]
mod tests;
