#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn a_plaintext_password_in_the_config_is_refused_and_redacted() {
    for text in [
        "[profiles.a]\npassword = \"hunter2\"",
        "[profiles.a]\nurl = \"https://ann:hunter2@a.example\"",
    ] {
        let (error, hint) = Home::new(text, "").error();
        assert!(error.contains("config.toml:2"), "{error}");
        assert!(
            !error.contains("hunter2") && !hint.contains("hunter2"),
            "{error} {hint}"
        );
    }
    let (_, hint) = Home::new("[profiles.a]\npassword = \"hunter2\"", "").error();
    assert!(hint.contains("env") && hint.contains("file") && hint.contains("command"));
}

#[cfg(unix)]
#[test]
fn a_password_file_readable_by_other_users_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new(
        "[profiles.a]\npassword = {file = \"secret\"}\n[profiles.b]\npassword = {file = \"~/there\"}\n",
        "",
    );
    let config = home.load().unwrap();
    let profile = config.named("a", "test").unwrap();
    let env = home.env(&[]);
    let missing = profile.read_secret("password", &env).unwrap_err().to_string();
    assert!(
        missing.contains("config/secret") && missing.contains("No such file"),
        "{missing}"
    );
    let file = home.path("provisor/config/secret");
    fs::write(&file, "hunter2 \r\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = profile.read_secret("password", &env).unwrap_err();
    assert!(
        error.to_string().contains("users other than its owner"),
        "{error}"
    );
    assert_eq!(error.hint().unwrap(), format!("chmod 600 {}", file.display()));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(profile.read_secret("password", &env), Ok(Secret::new("hunter2 ")));
    let there = home.path("there");
    fs::write(&there, "swordfish").unwrap();
    fs::set_permissions(&there, fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(
        config.named("b", "test").unwrap().read_secret("password", &env),
        Ok(Secret::new("swordfish"))
    );
}

#[test]
fn an_unset_or_empty_password_variable_is_reported() {
    let home = Home::new("[profiles.a]\npassword = {env = \"NOT_SET\"}\n", "");
    let config = home.load().unwrap();
    let profile = config.named("a", "test").unwrap();
    for env in [home.env(&[]), home.env(&[("NOT_SET", "")])] {
        let error = profile.read_secret("password", &env).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the secret from the environment variable NOT_SET: it is not set"
        );
        assert!(error.hint().is_some());
    }
}
