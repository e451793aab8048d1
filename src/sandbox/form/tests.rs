//! Tests of the module above.

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
fn multipart_boundaries_may_be_quoted_and_files_are_skipped() {
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
fn multipart_files_keep_every_byte() {
    let body = b"--xy\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\nContent-Type: x/y\r\n\r\n\xff\r\n--x\r\n--xy--";
    let parts = parts(body, "xy").unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].content, b"\xff\r\n--x");
    assert_eq!(
        (parts[0].filename.as_deref(), parts[0].kind.as_str()),
        (Some("a.bin"), "x/y")
    );
}

#[test]
fn a_truncated_multipart_body_is_rejected() {
    let cut = BODY.trim_end_matches('-');
    assert_eq!(multipart(cut.as_bytes(), "---011000010111000001101001"), None);
    assert_eq!(multipart(b"email=x", "xy"), None);
}
