//! Typed access to one value of a configuration file.

use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::document::Document;
use super::table::Table;
use super::{ConfigError, Location, Sourced};

/// A value of a configuration file, with its key.
pub(super) struct Entry<'a> {
    pub(super) document: &'a Document,
    pub(super) key: String,
    pub(super) value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Entry<'a> {
    pub(super) fn file(&self) -> &Path {
        &self.document.file
    }

    pub(super) fn origin(&self) -> Location {
        self.document.origin(self.value.span().start)
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.get_ref().is_str()
    }

    pub(super) fn flag(&self) -> Result<Sourced<bool>, ConfigError> {
        let flag = self.value.get_ref().as_bool();
        flag.map(|flag| self.sourced(flag))
            .ok_or_else(|| self.bad("must be true or false"))
    }

    pub(super) fn is_true(&self) -> bool {
        self.value.get_ref().as_bool() == Some(true)
    }

    pub(super) fn text(&self) -> Result<Sourced<String>, ConfigError> {
        let text = self.text_or_empty()?;
        if text.value.is_empty() {
            return Err(self.bad("is empty"));
        }
        Ok(text)
    }

    /// Reads a string, which may be empty.
    pub(super) fn text_or_empty(&self) -> Result<Sourced<String>, ConfigError> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(self.sourced(text.trim().to_owned())),
            other => Err(self.bad(&format!("must be a string, not {}", sort(other)))),
        }
    }

    /// Reads a string, or an integer as its digits.
    pub(super) fn text_or_number(&self) -> Result<Sourced<String>, ConfigError> {
        match self.value.get_ref() {
            DeValue::Integer(number) => Ok(self.sourced(number.to_string())),
            _ => self.text(),
        }
    }

    /// Reads a duration such as `2s`, `1m 30s` or `150s`; zero is invalid.
    pub(super) fn duration(&self) -> Result<Sourced<Duration>, ConfigError> {
        const FORMS: &str = "must be a duration such as \"90s\" or \"2m\"";
        let DeValue::String(text) = self.value.get_ref() else {
            return Err(self.bad(FORMS));
        };
        match humantime::parse_duration(text) {
            Ok(Duration::ZERO) | Err(_) => Err(self.bad(FORMS)),
            Ok(duration) => Ok(self.sourced(duration)),
        }
    }

    /// The value as an integer, if it is one.
    pub(super) fn integer(&self) -> Option<i64> {
        let integer = self.value.get_ref().as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    /// Reads a list of strings, of which the first must exist and not be empty.
    pub(super) fn words(&self) -> Result<Vec<String>, ConfigError> {
        const FORM: &str = "must be a list of strings, the program first";
        let words = self.strings(FORM)?;
        if words.first().is_none_or(String::is_empty) {
            return Err(self.bad(FORM));
        }
        Ok(words)
    }

    /// Reads a list of strings; `form` is the error for anything else.
    pub(super) fn strings(&self, form: &str) -> Result<Vec<String>, ConfigError> {
        let items = self.value.get_ref().as_array().ok_or_else(|| self.bad(form))?;
        let texts = items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned));
        texts
            .collect::<Option<Vec<String>>>()
            .ok_or_else(|| self.bad(form))
    }

    pub(super) fn table(&self) -> Result<Table<'a>, ConfigError> {
        match self.value.get_ref() {
            DeValue::Table(fields) => Ok(Table {
                document: self.document,
                path: self.key.clone(),
                fields,
            }),
            other => Err(self.bad(&format!("must be a table, not {}", sort(other)))),
        }
    }

    pub(super) fn sourced<T>(&self, value: T) -> Sourced<T> {
        Sourced {
            value,
            origin: self.origin(),
        }
    }

    pub(super) fn bad(&self, problem: &str) -> ConfigError {
        ConfigError::BadValue {
            origin: self.origin(),
            key: self.key.clone(),
            problem: problem.to_owned(),
        }
    }
}

fn sort(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
