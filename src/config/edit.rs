//! Edits the user's configuration file; comments, order and blank lines are preserved.

use std::fs::File;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use super::read::ConfigFile;
use super::{Config, ConfigError, SecretSource, make_private_folder, staged_file};
use crate::operation::catalogue::Catalogue;

/// A configuration file that is being changed, locked against other processes. Nothing is written before
/// [`ConfigDraft::save`].
pub(crate) struct ConfigDraft {
    /// The file, with symbolic links resolved.
    file: PathBuf,
    document: DocumentMut,
    catalogue: Catalogue,
    _lock: File,
}

impl ConfigDraft {
    /// Opens a file, which need not exist. Waits while another process changes it.
    pub(crate) fn open(catalogue: &Catalogue, file: &Path) -> Result<ConfigDraft, ConfigError> {
        let folder = file.parent().unwrap_or(Path::new("."));
        make_private_folder(folder)?;
        let unusable = |error: std::io::Error| ConfigError::folder(folder, &error);
        let lock = lock_file(&folder.join(".config.lock")).map_err(unusable)?;
        lock.lock().map_err(unusable)?;
        let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let mut document = DocumentMut::new();
        if let Some(known) = ConfigFile::read(&file)? {
            // Do not edit a file that is already invalid.
            Config::check(catalogue, &known)?;
            document = known
                .text
                .parse()
                .map_err(|error: toml_edit::TomlError| ConfigError::Unreadable {
                    file: file.clone(),
                    reason: error.message().to_owned(),
                })?;
        }
        Ok(ConfigDraft {
            catalogue: catalogue.clone(),
            file,
            document,
            _lock: lock,
        })
    }

    /// The path of the file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether this file defines the profile.
    pub(crate) fn has_profile(&self, name: &str) -> bool {
        self.document
            .get("profiles")
            .and_then(Item::as_table_like)
            .is_some_and(|profiles| profiles.contains_key(name))
    }

    /// Sets a key of a profile, which is added if missing. `path` may lead into tables: `timeouts.reply`.
    pub(crate) fn set(&mut self, profile: &str, path: &str, value: impl Into<Value>) {
        let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mut table = self.profile(profile);
        for step in above.split('.').filter(|step| !step.is_empty()) {
            table = child(table, step);
        }
        put(table, key, value.into());
    }

    /// Removes a key of a profile. Returns whether it existed.
    pub(crate) fn unset(&mut self, profile: &str, path: &str) -> bool {
        if !self.has_profile(profile) {
            return false;
        }
        let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mut table = self.profile(profile);
        for step in above.split('.').filter(|step| !step.is_empty()) {
            match table.get_mut(step) {
                Some(below) => table = below,
                None => return false,
            }
        }
        let table = table.as_table_like_mut();
        table.is_some_and(|table| table.remove(key).is_some())
    }

    /// Removes a profile. Returns whether it existed.
    pub(crate) fn remove_profile(&mut self, name: &str) -> bool {
        let profiles = self
            .document
            .get_mut("profiles")
            .and_then(Item::as_table_like_mut);
        profiles.is_some_and(|profiles| profiles.remove(name).is_some())
    }

    /// The default profile, if set.
    pub(crate) fn default_profile(&self) -> Option<&str> {
        self.document.get("default_profile").and_then(Item::as_str)
    }

    /// Sets or removes the default profile.
    pub(crate) fn set_default(&mut self, name: Option<&str>) {
        match name {
            Some(name) => put(self.document.as_item_mut(), "default_profile", name.into()),
            None => drop(self.document.remove("default_profile")),
        }
    }

    /// Writes the file atomically, readable by its owner only. If a value is invalid, nothing is written and the error
    /// names it.
    pub(crate) fn save(self) -> Result<(), ConfigError> {
        let draft = ConfigFile {
            path: self.file,
            text: self.document.to_string(),
        };
        Config::check(&self.catalogue, &draft).map_err(ConfigError::not_written)?;
        staged_file::replace(&draft.path, &draft.text)
    }

    fn profile(&mut self, name: &str) -> &mut Item {
        if !self.document.contains_key("profiles") {
            // Written as [profiles.NAME], without a separate [profiles].
            let mut profiles = Table::new();
            profiles.set_implicit(true);
            self.document.insert("profiles", Item::Table(profiles));
        }
        child(child(self.document.as_item_mut(), "profiles"), name)
    }
}

impl From<SecretSource> for Value {
    fn from(source: SecretSource) -> Value {
        let kind = source.kind();
        let value: Value = match source {
            SecretSource::Env(name) | SecretSource::Implicit(name) | SecretSource::Keyring(name) => {
                name.into()
            }
            SecretSource::File(path) => path.display().to_string().into(),
            SecretSource::Command { argv, .. } => argv.into_iter().collect::<Array>().into(),
            SecretSource::Sealed => true.into(),
        };
        let mut table = InlineTable::new();
        table.insert(kind, value);
        table.into()
    }
}

/// Opens the lock file that is held while the configuration is changed.
fn lock_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns the table at this key. A missing one is created, inline if the table above it is.
fn child<'a>(above: &'a mut Item, key: &str) -> &'a mut Item {
    let inline = above.is_inline_table();
    let below = &mut above[key];
    if !below.is_table_like() {
        *below = if inline {
            Item::Value(Value::InlineTable(InlineTable::new()))
        } else {
            Item::Table(Table::new())
        };
    }
    below
}

/// Sets a value; a comment after the old one is kept.
fn put(table: &mut Item, key: &str, value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = value;
            *old.decor_mut() = decor;
        }
        None => table[key] = Item::Value(value),
    }
}

#[cfg(test)]
mod tests {
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

        fn change(&self, change: impl FnOnce(&mut ConfigDraft)) -> Result<String, ConfigError> {
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
        let message = error.to_string();
        assert!(
            message.starts_with("`profiles.acme.url` must begin with https://"),
            "{message}"
        );
        assert!(message.ends_with("nothing was written"));
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
}
