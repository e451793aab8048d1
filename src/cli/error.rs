//! The error of a failed command: what failed, why, and what to do.

use std::fmt::Display;

use super::exit::Exit;
use crate::config::{ConfigError, StoreError};
use crate::journal::JournalError;
use crate::package::PackageError;
use crate::runtime;
use crate::script::error::Diagnostic;

/// A failed command.
#[derive(Debug)]
pub(super) struct CommandError {
    /// The program's exit code.
    pub(super) exit: Exit,
    /// What failed and why.
    pub(super) message: String,
    /// What to do, one line each.
    pub(super) hints: Vec<String>,
    /// The script error behind it, if any: shown with its location instead of the message.
    pub(super) diagnostic: Option<Box<Diagnostic>>,
}

impl CommandError {
    /// An error with this exit code.
    pub(super) fn new(exit: Exit, message: impl Display) -> CommandError {
        CommandError {
            exit,
            message: message.to_string(),
            hints: Vec::new(),
            diagnostic: None,
        }
    }

    /// An error in the command line or the configuration.
    pub(super) fn usage(message: impl Display) -> CommandError {
        CommandError::new(Exit::Usage, message)
    }

    /// Suggests the name that is nearest to a wrong one, if there is one.
    #[must_use]
    pub(super) fn did_you_mean(self, near: Option<&str>) -> CommandError {
        match near {
            Some(near) => self.hint(format!("did you mean {near}?")),
            None => self,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Display) -> CommandError {
        self.hints.push(hint.to_string());
        self
    }
}

impl From<Exit> for Result<Exit, CommandError> {
    fn from(exit: Exit) -> Result<Exit, CommandError> {
        Ok(exit)
    }
}

impl From<Box<Diagnostic>> for CommandError {
    fn from(diagnostic: Box<Diagnostic>) -> CommandError {
        CommandError {
            exit: diagnostic.code.map_or(Exit::Script, Exit::of),
            message: diagnostic.summary(),
            hints: Vec::new(),
            diagnostic: Some(diagnostic),
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> CommandError {
        let hint = error.hint();
        let exit = match &error {
            ConfigError::Untrusted { .. } => Exit::Permission,
            ConfigError::Unwritable { .. } => Exit::Aborted,
            _ => Exit::Usage,
        };
        let failed = CommandError::new(exit, error);
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> CommandError {
        match error {
            StoreError::Config(error) => error.into(),
            StoreError::Journal(error) => error.into(),
        }
    }
}

impl From<PackageError> for CommandError {
    fn from(error: PackageError) -> CommandError {
        let exit = match &error {
            PackageError::Script(diagnostic) => return diagnostic.clone().into(),
            PackageError::Stale { .. } | PackageError::Changed { .. } | PackageError::Lock { .. } => {
                Exit::Check
            }
            PackageError::Fetch { .. } => Exit::Network,
            PackageError::Unwritable { .. } => Exit::Aborted,
            _ => Exit::Usage,
        };
        let hint = error.hint();
        CommandError {
            hints: hint.into_iter().collect(),
            ..CommandError::new(exit, error)
        }
    }
}

impl From<runtime::Error> for CommandError {
    fn from(error: runtime::Error) -> CommandError {
        match error {
            runtime::Error::Script(diagnostic) => diagnostic.into(),
            runtime::Error::Journal(error) => error.into(),
            error => CommandError::new(Exit::Aborted, error),
        }
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> CommandError {
        let exit = match &error {
            JournalError::RunBusy { .. }
            | JournalError::TakenOver { .. }
            | JournalError::Sealed { .. }
            | JournalError::Source { .. }
            | JournalError::Backup { .. }
            | JournalError::Copy { .. } => Exit::Aborted,
            error if error.is_fatal() => Exit::Aborted,
            _ => Exit::Usage,
        };
        let hint = error.hint();
        CommandError {
            hints: hint.into_iter().collect(),
            ..CommandError::new(exit, error)
        }
    }
}
