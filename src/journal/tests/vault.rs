//! The vault of sign-in tokens.

use super::*;

#[test]
fn a_stored_token_is_visible_to_other_processes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/tokens.db");
    let vault = Vault::open(&path, sealer());
    assert!(!path.exists());
    assert_eq!(vault.get("ann").unwrap(), None);
    vault.put("ann", &outcome(1)).unwrap();
    let other = Vault::open(&path, sealer());
    assert_eq!(other.get("ann").unwrap(), Some(outcome(1)));
    other.put("ann", &outcome(2)).unwrap();
    assert_eq!(vault.get("ann").unwrap(), Some(outcome(2)));
    vault.remove("ann").unwrap();
    assert_eq!(other.get("ann").unwrap(), None);
}

#[test]
fn vault_names_and_values_are_encrypted_and_need_the_right_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.db");
    let vault = Vault::open(&path, sealer());
    vault
        .put("ann@example.com", &Secret::new("token-in-clear").into())
        .unwrap();
    let entries = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for file in entries.filter(|path| path.is_file()) {
        let bytes = std::fs::read(file).unwrap();
        for clear in [&b"ann@example.com"[..], b"token-in-clear"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear));
        }
    }
    let other = Vault::open(&path, Sealer::new(&[9; 32]));
    assert_eq!(other.get("ann@example.com").unwrap(), None);
    assert!(vault.get("ann@example.com").unwrap().is_some());
}

#[test]
fn concurrent_vault_writes_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.db");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let vault = Vault::open(path, sealer());
                for at in 0..25 {
                    vault
                        .put(format!("{writer}-{at}").as_str(), &Value::Int(at))
                        .unwrap();
                }
            });
        }
    });
    let vault = Vault::open(&path, sealer());
    assert!((0..4).all(|writer| vault.get(format!("{writer}-24").as_str()).unwrap() == Some(Value::Int(24))));
}
