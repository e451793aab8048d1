//! One table of a configuration file.

use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::entry::Entry;
use super::{ConfigError, Sourced};
use crate::value::nearest::nearest;

/// A table of a configuration file, with its path.
pub(super) struct Table<'a> {
    pub(super) document: &'a Document,
    pub(super) path: String,
    pub(super) fields: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn root(document: &'a Document, table: &'a DeTable<'a>) -> Table<'a> {
        Table {
            document,
            path: String::new(),
            fields: table,
        }
    }

    pub(super) fn file(&self) -> &Path {
        &self.document.file
    }

    /// Returns an error for the first key that is not in `known`.
    pub(super) fn check_keys(&self, known: &[&str]) -> Result<(), ConfigError> {
        let unknown = self
            .fields
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else {
            return Ok(());
        };
        let known: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
        Err(ConfigError::UnknownKey {
            origin: self.document.origin(key.span().start),
            key: self.path_of(key.get_ref()),
            nearest: nearest(key.get_ref(), known.iter().map(String::as_str)).map(str::to_owned),
            known,
        })
    }

    pub(super) fn get(&self, key: &str) -> Option<Entry<'a>> {
        let value = self.fields.get(key)?;
        Some(self.entry(key, value))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<Sourced<String>>, ConfigError> {
        self.get(key).map(|entry| entry.text()).transpose()
    }

    pub(super) fn duration(&self, key: &str) -> Result<Option<Sourced<Duration>>, ConfigError> {
        self.get(key).map(|entry| entry.duration()).transpose()
    }

    pub(super) fn table(&self, key: &str) -> Result<Option<Table<'a>>, ConfigError> {
        self.get(key).map(|entry| entry.table()).transpose()
    }

    /// Its entries, all of which must be tables, sorted by name.
    pub(super) fn tables(&self) -> Result<Vec<(String, Table<'a>)>, ConfigError> {
        self.entries()
            .map(|(name, entry)| Ok((name.to_owned(), entry.table()?)))
            .collect()
    }

    /// Its entries, sorted by name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Entry<'a>)> {
        self.fields.iter().map(|(key, value)| {
            let name: &'a str = key.get_ref();
            (name, self.entry(name, value))
        })
    }

    fn entry(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Entry<'a> {
        Entry {
            document: self.document,
            key: self.path_of(key),
            value,
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}
