#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const WRITTEN: &str = "\
# My accounts.
default_profile = \"acme\" # the usual one

[profiles.acme] # the big one
url = \"https://acme.example\" # since 2024
login = \"ann@example.com\"
# never in clear
password = { env = \"ACME\" }

[profiles.acme.timeouts]
reply = \"20s\"

# The others.
[profiles.globex]
url = \"https://globex.example\"
";

struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> File {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        File { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn change(&self, change: impl FnOnce(&mut ConfigDraft)) -> Result<String, CommandError> {
        let mut draft = ConfigDraft::open(&crate::platforms::catalogue(), &self.path())?;
        change(&mut draft);
        draft.save()?;
        Ok(std::fs::read_to_string(self.path()).unwrap())
    }
}

#[test]
fn editing_the_config_preserves_comments_and_order() {
    let changed = File::new(WRITTEN).change(|draft| {
        draft.set("acme", "url", "https://new.example");
        draft.set("acme", "timeouts.connect", "3s");
        draft.set_default(Some("globex"));
        draft.set("initech", "url", "https://initech.example");
    });
    let wanted = WRITTEN
        .replace("\"https://acme.example\"", "\"https://new.example\"")
        .replace("reply = \"20s\"\n", "reply = \"20s\"\nconnect = \"3s\"\n")
        .replace("default_profile = \"acme\"", "default_profile = \"globex\"")
        + "\n[profiles.initech]\nurl = \"https://initech.example\"\n";
    assert_eq!(changed.unwrap(), wanted);
}

#[test]
fn a_first_profile_makes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/config.toml");
    let mut draft = ConfigDraft::open(&crate::platforms::catalogue(), &file).unwrap();
    draft.set("acme", "url", "https://acme.example");
    draft.save().unwrap();
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "[profiles.acme]\nurl = \"https://acme.example\"\n"
    );
}

#[test]
fn profiles_and_keys_are_removed_in_every_toml_table_style() {
    let forms = [
        "[profiles.a]\nlogin = \"x\"\nsettle = \"1s\"\n[profiles.b]\n",
        "[profiles]\na = { login = \"x\", settle = \"1s\" }\nb = {}\n",
        "profiles.a.login = \"x\"\nprofiles.a.settle = \"1s\"\nprofiles.b.login = \"y\"\n",
    ];
    for form in forms {
        let changed = File::new(form).change(|draft| {
            assert!(draft.has_profile("a") && !draft.has_profile("c"));
            assert!(draft.unset("a", "settle"));
            assert!(!draft.unset("a", "settle"));
            draft.set("a", "url", "https://a.example");
            assert!(draft.remove_profile("b"));
            assert!(!draft.remove_profile("b"));
        });
        let changed = changed.unwrap();
        assert!(
            changed.contains("https://a.example") && !changed.contains("1s"),
            "{changed}"
        );
    }
}

#[test]
fn an_invalid_config_change_is_rejected_and_not_written() {
    let file = File::new(WRITTEN);
    let error = file
        .change(|draft| draft.set("acme", "url", "acme.example"))
        .unwrap_err();
    assert!(
        error
            .message
            .starts_with("`profiles.acme.url` must begin with https://"),
        "{}",
        error.message
    );
    assert!(error.message.ends_with("nothing was written"));
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), WRITTEN);
    let broken = File::new("[profiles.a]\nlogn = 1\n");
    assert!(broken.change(|draft| draft.set("a", "login", "x")).is_err());
}

#[cfg(unix)]
#[test]
fn saving_the_config_keeps_symlinks_and_sets_permissions_0600() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let file = File::new(WRITTEN);
    let link = file.folder.path().join("link.toml");
    symlink(file.path(), &link).unwrap();
    let mut draft = ConfigDraft::open(&crate::platforms::catalogue(), &link).unwrap();
    draft.set("acme", "login", "bob@example.com");
    draft.save().unwrap();
    assert!(link.is_symlink());
    assert!(
        std::fs::read_to_string(file.path())
            .unwrap()
            .contains("bob@example.com")
    );
    let mode = std::fs::metadata(file.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
