//! Tests of the module above.

use super::*;

#[test]
fn all_paths_are_below_provisor_home_if_set() {
    let env = Env::of([("PROVISOR_HOME", "here")], "/work");
    let paths = Paths::from_env(&env).unwrap();
    assert_eq!(paths.config_file(), Path::new("/work/here/config/config.toml"));
    assert_eq!(paths.journal(), Path::new("/work/here/state/journal.db"));
    assert_eq!(paths.key(), Path::new("/work/here/state/key"));
    assert_eq!(paths.tokens(), Path::new("/work/here/cache/tokens.db"));
    assert_eq!(paths.sandbox(), Path::new("/work/here/state/sandbox"));
}

#[cfg(unix)]
#[test]
fn created_directories_are_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("a/b");
    make_private_folder(&folder).unwrap();
    make_private_folder(&folder).unwrap();
    for made in [root.path().join("a"), folder] {
        assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
