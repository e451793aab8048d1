//! Edits the user's configuration file; comments, order and blank lines are preserved.

use std::fs::File;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value};

use super::document::Document;
use super::{Config, ConfigError};
use crate::cli::error::CommandError;
use crate::cli::paths::make_private_folder;
use crate::cli::private_file;
use crate::operation::catalogue::Catalogue;

/// A configuration file that is being changed, locked against other processes. Nothing is written before
/// [`Draft::save`].
pub(in crate::cli) struct ConfigDraft {
    /// The file, with symbolic links resolved.
    file: PathBuf,
    document: DocumentMut,
    catalogue: Catalogue,
    _lock: File,
}

impl ConfigDraft {
    /// Opens a file, which need not exist. Waits while another process changes it.
    pub(in crate::cli) fn open(catalogue: &Catalogue, file: &Path) -> Result<ConfigDraft, CommandError> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let unusable =
            |error: std::io::Error| CommandError::usage(format!("`{}`: {error}", folder.display()));
        make_private_folder(folder).map_err(unusable)?;
        let lock = lock_file(&folder.join(".config.lock")).map_err(unusable)?;
        lock.lock().map_err(unusable)?;
        let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let text = match Document::read(&file)? {
            Some(document) => {
                // Do not edit a file that is already invalid.
                Config::check(catalogue, &document)?;
                document.text
            }
            None => String::new(),
        };
        let parsed = text.parse::<DocumentMut>();
        let document = parsed
            .map_err(|error| CommandError::usage(format!("{}: {}", file.display(), error.message())))?;
        Ok(ConfigDraft {
            catalogue: catalogue.clone(),
            file,
            document,
            _lock: lock,
        })
    }

    /// The path of the file.
    pub(in crate::cli) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether this file defines the profile.
    pub(in crate::cli) fn has_profile(&self, name: &str) -> bool {
        self.document
            .get("profiles")
            .and_then(Item::as_table_like)
            .is_some_and(|profiles| profiles.contains_key(name))
    }

    /// Sets a key of a profile, which is added if missing. `path` may lead into tables: `timeouts.reply`.
    pub(in crate::cli) fn set(&mut self, profile: &str, path: &str, value: impl Into<Value>) {
        let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mut table = self.profile(profile);
        for step in above.split('.').filter(|step| !step.is_empty()) {
            table = child(table, step);
        }
        put(table, key, value.into());
    }

    /// Removes a key of a profile. Returns whether it existed.
    pub(in crate::cli) fn unset(&mut self, profile: &str, path: &str) -> bool {
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
    pub(in crate::cli) fn remove_profile(&mut self, name: &str) -> bool {
        let profiles = self
            .document
            .get_mut("profiles")
            .and_then(Item::as_table_like_mut);
        profiles.is_some_and(|profiles| profiles.remove(name).is_some())
    }

    /// The default profile, if set.
    pub(in crate::cli) fn default_profile(&self) -> Option<&str> {
        self.document.get("default_profile").and_then(Item::as_str)
    }

    /// Sets or removes the default profile.
    pub(in crate::cli) fn set_default(&mut self, name: Option<&str>) {
        match name {
            Some(name) => put(self.document.as_item_mut(), "default_profile", name.into()),
            None => drop(self.document.remove("default_profile")),
        }
    }

    /// Writes the file atomically, readable by its owner only. If a value is invalid, nothing is written and the error
    /// names it.
    pub(in crate::cli) fn save(self) -> Result<(), CommandError> {
        let text = self.document.to_string();
        let written = Document::of(&self.file, text);
        Config::check(&self.catalogue, &written).map_err(|error| invalid_value_error(&error))?;
        private_file::write(&self.file, |sink| Ok(sink.write_all(written.text.as_bytes())?))
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
            Item::Value(Value::InlineTable(toml_edit::InlineTable::new()))
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

/// The error for an invalid value, without the line number in a file that was never written.
fn invalid_value_error(error: &ConfigError) -> CommandError {
    let message = match error {
        ConfigError::BadValue { key, problem, .. } => format!("`{key}` {problem}"),
        ConfigError::UnknownKey { key, .. } => format!("unknown key `{key}`"),
        other => other.to_string(),
    };
    let failed = CommandError::usage(format!("{message}; nothing was written"));
    match error.hint() {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

#[cfg(test)]
mod tests;
