#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod connections;
mod credentials;
mod mistakes;
mod trust;

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::operation::context::Mode;
use crate::value::secret::Secret;

/// A home folder with a user's file and a project.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new(user: &str, project: &str) -> Home {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("provisor/config")).unwrap();
        fs::create_dir_all(folder.path().join("work/deep")).unwrap();
        let home = Home { folder };
        for (name, text) in [
            ("provisor/config/config.toml", user),
            ("work/provisor.toml", project),
        ] {
            if !text.is_empty() {
                fs::write(home.path(name), text).unwrap();
            }
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn env(&self, more: &[(&str, &str)]) -> Env {
        let home = self.folder.path().display().to_string();
        let provisor = self.path("provisor").display().to_string();
        let own = [("HOME", home.as_str()), ("PROVISOR_HOME", provisor.as_str())];
        Env::of(
            own.into_iter().chain(more.iter().copied()),
            self.path("work/deep"),
        )
    }

    /// Marks the project's file as trusted.
    fn trusting(self) -> Home {
        use crate::value::digest::sha256;
        let file = fs::canonicalize(self.path("work/provisor.toml")).unwrap();
        let digest = sha256(&fs::read(&file).unwrap());
        let name = file.display().to_string();
        let trusted = Paths::from_env(&self.env(&[])).unwrap().trusted();
        fs::create_dir_all(trusted.parent().unwrap()).unwrap();
        fs::write(
            &trusted,
            serde_json::json!({"version": 1, "files": {name: digest}}).to_string(),
        )
        .unwrap();
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        let env = self.env(&[]);
        Config::load(
            &crate::platforms::catalogue(),
            &Paths::from_env(&env).unwrap(),
            &env,
        )
    }

    /// The error of loading, with the folder's path replaced, and its hint.
    fn error(&self) -> (String, String) {
        let error = self.load().unwrap_err();
        let folder = self.folder.path().display().to_string();
        let clean = |text: String| text.replace(&folder, "~");
        (clean(error.to_string()), clean(error.hint().unwrap_or_default()))
    }
}

const FULL: &str = r#"
default_profile = "acme"

[profiles.acme]
platform = "jrni"
url = "https://acme.example"
login = "ann@example.com"
password = { env = "ACME_PASSWORD" }
mode = "read-only"
settle = "7s"
look_for = "1m 30s"
lands_within = "2m"
remember = "1h"
timeouts = { connect = "5s", reply = "20s", tenant_creation = "3m" }

[profiles.acme.endpoints]
create_app = "/v2/apps"
"#;

#[test]
fn every_profile_setting_is_parsed() {
    let home = Home::new(FULL, "");
    let config = home.load().unwrap();
    let acme = config.choose(None, &home.env(&[])).unwrap();
    let seconds = |key: &str| acme.duration(key).unwrap().as_secs();
    assert_eq!(acme.platform(), &crate::platforms::jrni::PLATFORM);
    assert_eq!(
        (acme.url().unwrap(), acme.text("login").unwrap()),
        ("https://acme.example", "ann@example.com")
    );
    assert_eq!(acme.mode(), Mode::ReadOnly);
    assert_eq!([seconds("settle"), seconds("look_for")], [7, 90]);
    assert_eq!([seconds("lands_within"), seconds("remember")], [120, 3_600]);
    assert_eq!([seconds("timeouts.connect"), seconds("timeouts.reply")], [5, 20]);
    assert_eq!(seconds("timeouts.tenant_creation"), 180);
    assert_eq!(acme.endpoints()["create_app"], "/v2/apps");
    let origin = acme.location("login").unwrap();
    assert_eq!(
        (origin.line, origin.column, &origin.file),
        (7, 9, &home.path("provisor/config/config.toml"))
    );
    let shown = acme.lines().into_iter().map(|line| (line.key, line.value));
    let shown: Vec<String> = shown.map(|(key, value)| format!("{key} = {value}")).collect();
    assert_eq!(
        shown,
        [
            "platform = jrni",
            "url = https://acme.example",
            "login = ann@example.com",
            "password = the environment variable ACME_PASSWORD",
            "mode = read-only",
            "settle = 7s",
            "lands_within = 2m",
            "look_for = 1m 30s",
            "remember = 1h",
            "timeouts.connect = 5s",
            "timeouts.reply = 20s",
            "timeouts.tenant_creation = 3m",
            "endpoints.create_app = /v2/apps",
        ]
    );
    let env = home.env(&[("ACME_PASSWORD", "hunter2")]);
    assert_eq!(acme.read_secret("password", &env), Ok(Secret::new("hunter2")));
}

#[test]
fn project_settings_override_user_settings_key_by_key() {
    let project = "[profiles.acme]\nlogin = \"bob@example.com\"\n[profiles.acme.endpoints]\nlist_apps = \"/l\"\n[profiles.other]\n";
    let home = Home::new(FULL, project).trusting();
    let config = home.load().unwrap();
    let acme = config.named("acme", "test").unwrap();
    assert_eq!(
        (acme.url().unwrap(), acme.text("login").unwrap()),
        ("https://acme.example", "bob@example.com")
    );
    assert_eq!(
        acme.location("login").unwrap().file,
        home.path("work/provisor.toml")
    );
    assert_eq!(acme.endpoints().len(), 2);
    assert_eq!(
        config.files(),
        [
            home.path("provisor/config/config.toml"),
            home.path("work/provisor.toml")
        ]
    );
    let other = config.named("other", "test").unwrap();
    assert_eq!(other.platform(), &crate::platforms::mobsted::PLATFORM);
    let error = other.url().unwrap_err();
    assert_eq!(error.to_string(), "profile `other` has no url");
    assert!(error.hint().unwrap().contains("[profiles.other]"));
}

#[test]
fn a_project_cannot_send_the_users_password_elsewhere() {
    let home = Home::new(FULL, "[profiles.acme]\nurl = \"https://evil.example\"\n");
    let (error, hint) = home.error();
    assert_eq!(
        error,
        "~/work/provisor.toml:2:7: `profiles.acme.url` changes the address of a profile whose password comes from \
         ~/provisor/config/config.toml:8"
    );
    assert!(hint.contains("same file"));
    let both = "[profiles.acme]\nurl = \"https://b.example\"\npassword = {env = \"B\"}\n";
    assert!(Home::new(FULL, both).load().is_ok());
    assert!(
        Home::new(FULL, "[profiles.acme]\nurl = \"https://acme.example\"\n")
            .load()
            .is_ok()
    );
}

#[test]
fn profile_precedence_is_flag_environment_default_then_the_only_profile() {
    let two = "[profiles.a]\n[profiles.b]\n[profiles.c]\n";
    let home = Home::new(&format!("default_profile = \"c\"\n{two}"), "");
    let config = home.load().unwrap();
    let variable = home.env(&[("PROVISOR_PROFILE", "b")]);
    assert_eq!(config.choose(Some("a"), &variable).unwrap().name, "a");
    assert_eq!(config.choose(None, &variable).unwrap().name, "b");
    assert_eq!(config.choose(None, &home.env(&[])).unwrap().name, "c");
    let only = Home::new("[profiles.a]\n", "");
    assert_eq!(
        only.load().unwrap().choose(None, &only.env(&[])).unwrap().name,
        "a"
    );
    let many = Home::new(two, "");
    let error = many.load().unwrap().choose(None, &many.env(&[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are 3 profiles and none is chosen: a, b, c"
    );
}

#[test]
fn an_unknown_profile_name_never_falls_back_to_another_profile() {
    let text = "[profiles.m]\n[profiles.s]\nplatform = \"sparrow\"\n";
    let home = Home::new(text, "");
    let config = home.load().unwrap();
    let nothing = home.env(&[]);
    assert_eq!(config.choose_for("mobsted", None, &nothing).unwrap().name, "m");
    // A profile of another platform does not affect this one.
    assert_eq!(
        config.choose_for("sparrow", Some("m"), &nothing).unwrap().name,
        "s"
    );
    let typo = home.env(&[("PROVISOR_PROFILE", "typo")]);
    let by_default = Home::new(&format!("default_profile = \"typo\"\n{text}"), "");
    let by_default = by_default.load().unwrap();
    for error in [
        config.choose_for("mobsted", Some("typo"), &nothing).unwrap_err(),
        config.choose_for("mobsted", None, &typo).unwrap_err(),
        by_default.choose_for("mobsted", None, &nothing).unwrap_err(),
    ] {
        assert!(
            error.to_string().starts_with("there is no profile `typo`"),
            "{error}"
        );
    }
}

#[test]
fn an_unknown_profile_error_suggests_a_similar_name_or_lists_profiles() {
    let home = Home::new("[profiles.acme]\n[profiles.globex]\n", "");
    let config = home.load().unwrap();
    let error = config.choose(Some("amce"), &home.env(&[])).unwrap_err();
    assert_eq!(error.to_string(), "there is no profile `amce` (--profile)");
    assert_eq!(error.hint().unwrap(), "did you mean `acme`?");
    let error = config.choose(Some("zzz"), &home.env(&[])).unwrap_err();
    assert_eq!(error.hint().unwrap(), "the profiles are acme, globex");
    let empty = Home::new("", "");
    let error = empty.load().unwrap().choose(None, &empty.env(&[])).unwrap_err();
    assert_eq!(
        error,
        ConfigError::NoProfile {
            file: empty.path("provisor/config/config.toml")
        }
    );
    assert!(error.hint().unwrap().contains("[profiles.NAME]"));
}

#[test]
fn project_file_discovery_stops_at_the_home_directory() {
    let home = Home::new("", "");
    fs::create_dir_all(home.path("inner/work")).unwrap();
    fs::write(home.path("provisor.toml"), "[profiles.outside]\n").unwrap();
    let inner = home.path("inner").display().to_string();
    let env = Env::of(
        [("HOME", inner.as_str()), ("PROVISOR_HOME", inner.as_str())],
        home.path("inner/work"),
    );
    let config = Config::load(
        &crate::platforms::catalogue(),
        &Paths::from_env(&env).unwrap(),
        &env,
    )
    .unwrap();
    assert!(config.profiles().is_empty());
}
