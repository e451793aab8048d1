//! Bodies that are no JSON: forms and multipart, with text fields only.

use serde_json::{Map, Value};
use url::form_urlencoded;

/// The fields of a form (`application/x-www-form-urlencoded`).
pub(super) fn urlencoded(body: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::from(value.into_owned())))
        .collect()
}

/// The boundary in a `Content-Type: multipart/form-data; boundary=…`.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut parameters = parameters.split(';').filter_map(|part| part.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

/// The text fields of a multipart body (RFC 7578); `None` when it is none. Files are left out.
pub(super) fn multipart(body: &[u8], boundary: &str) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(body).ok()?;
    let delimiter = format!("--{boundary}");
    let mut parts = text.split(delimiter.as_str());
    parts.next()?;
    let mut fields = Map::new();
    for part in parts {
        // What follows the closing delimiter does not count.
        if part.starts_with("--") {
            return Some(fields);
        }
        let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let value = value.strip_suffix("\r\n").unwrap_or(value);
        if let Some(name) = field_name(head) {
            fields.insert(name, Value::from(value));
        }
    }
    None
}

/// The name of a part that is no file.
fn field_name(head: &str) -> Option<String> {
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let parameter = |wanted: &str| {
        let mut parts = disposition.split(';').filter_map(|part| part.split_once('='));
        let (_, value) = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
        Some(value.trim().trim_matches('"').to_owned())
    };
    if parameter("filename").is_some() {
        return None;
    }
    parameter("name")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const BODY: &str = "-----011000010111000001101001\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n\
        ann@example.com\r\n-----011000010111000001101001\r\nContent-Disposition:form-data; name=\"password\"\r\n\r\n\
        a=b&c\r\n-----011000010111000001101001--";

    #[test]
    fn a_multipart_body_gives_its_fields() {
        let boundary = boundary("multipart/form-data; boundary=---011000010111000001101001").unwrap();
        let fields = multipart(BODY.as_bytes(), boundary).unwrap();
        assert_eq!(fields["email"], "ann@example.com");
        assert_eq!(fields["password"], "a=b&c");
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn boundaries_may_be_quoted_and_files_are_left_out() {
        assert_eq!(
            boundary("Multipart/Form-Data; charset=utf-8; boundary=\"xy\""),
            Some("xy")
        );
        assert_eq!(boundary("application/json"), None);
        assert_eq!(boundary("multipart/form-data; boundary="), None);
        let body =
            "--xy\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nno\r\n--xy--\r\n";
        assert!(multipart(body.as_bytes(), "xy").unwrap().is_empty());
    }

    #[test]
    fn a_body_that_is_cut_short_is_none() {
        let cut = BODY.trim_end_matches('-');
        assert_eq!(multipart(cut.as_bytes(), "---011000010111000001101001"), None);
        assert_eq!(multipart(b"email=x", "xy"), None);
    }
}
