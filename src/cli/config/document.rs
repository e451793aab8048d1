//! One configuration file: its text and its line numbers.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use super::{ConfigError, Location};

/// A configuration file with its text.
pub(super) struct Document {
    pub(super) file: PathBuf,
    pub(super) text: String,
}

impl Document {
    /// Creates a document from a text that is yet to be written to the file.
    pub(super) fn of(file: &Path, text: String) -> Document {
        Document {
            file: file.to_owned(),
            text,
        }
    }

    /// Reads a file; `None` if it does not exist.
    pub(super) fn read(file: &Path) -> Result<Option<Document>, ConfigError> {
        match std::fs::read_to_string(file) {
            Ok(text) => Ok(Some(Document {
                file: file.to_owned(),
                text,
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ConfigError::Unreadable {
                file: file.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        DeTable::parse(&self.text).map_err(|error| ConfigError::Syntax {
            origin: self.origin(error.span().map_or(0, |span| span.start)),
            problem: error.message().replace('\n', ", "),
        })
    }

    pub(super) fn origin(&self, offset: usize) -> Location {
        let before = self.text.get(..offset).unwrap_or_default();
        Location {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
        }
    }
}
