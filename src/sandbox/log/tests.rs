//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
use super::*;

fn collect(path: &Path) -> (Vec<u32>, Log) {
    let mut seen = Vec::new();
    let (log, lines) = Log::open(path, |n: u32| {
        seen.push(n);
        Ok(())
    })
    .unwrap();
    assert_eq!(lines, seen.len());
    (seen, log)
}

#[test]
fn entries_come_back_in_order_and_a_torn_last_line_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let (seen, mut log) = collect(&path);
    assert!(seen.is_empty());
    for n in 1..=3 {
        log.append(&n).unwrap();
    }
    drop(log);
    std::fs::write(&path, b"1\n2\n3\n45").unwrap();
    let (seen, mut log) = collect(&path);
    assert_eq!(seen, [1, 2, 3]);
    log.append(&6).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n3\n6\n");
}

#[test]
fn a_corrupt_line_in_the_middle_of_the_log_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    std::fs::write(&path, b"1\nx\n3\n").unwrap();
    let error = Log::open(&path, |_: u32| Ok(())).unwrap_err();
    assert!(matches!(error, SandboxError::Corrupt { line: 2, .. }), "{error}");
    assert!(error.to_string().contains("log:2"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_log_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    collect(&path);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}
