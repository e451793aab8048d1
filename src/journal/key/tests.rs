//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn the_same_key_in_hex_and_in_base64() {
    let bytes: Vec<u8> = (0..32).collect();
    let key = from_text(&hex(&bytes)).unwrap();
    assert_eq!(key.as_slice(), bytes);
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        assert_eq!(from_text(&format!(" {}\n", engine.encode(&bytes))).unwrap(), key);
    }
}

#[test]
fn a_passphrase_needs_sixteen_characters() {
    assert!(matches!(from_text("short"), Err(KeyError::BadText)));
    let key = from_text("correct horse battery staple").unwrap();
    assert_eq!(key, from_text("correct horse battery staple ").unwrap());
    assert_ne!(key, from_text("correct horse battery stable").unwrap());
}

#[test]
fn concurrent_creation_of_the_key_file_yields_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/key");
    let keys: Vec<KeyBytes> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| from_file(&path).unwrap()))
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_world_readable_key_file_is_refused_with_a_chmod_hint() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    from_file(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = from_file(&path).unwrap_err();
    assert_eq!(error.hint(), format!("run `chmod 600 {}`", path.display()));
}

#[test]
fn a_damaged_key_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    drop(files::create_private(&path).unwrap());
    assert!(matches!(from_file(&path), Err(KeyError::BadFile { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"");
}
