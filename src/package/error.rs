//! Errors of packages, and what to do about them.

use std::path::PathBuf;

use crate::script::error::Diagnostic;

/// A package cannot be declared, fetched, locked or loaded. Contains no secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum PackageError {
    /// Something in a manifest or a bundle is invalid.
    #[error("{place}: {problem}")]
    Invalid {
        /// The file, with line and column if they are known.
        place: String,
        /// The problem, as a sentence without a full stop.
        problem: String,
        /// What to do about it, if known.
        hint: Option<String>,
    },
    /// A lock is damaged, or of a later format.
    #[error("{place}: {problem}")]
    Lock {
        /// The file, with the line if it is known.
        place: String,
        /// The problem, as a sentence without a full stop.
        problem: String,
        /// What to do about it.
        hint: String,
    },
    /// The code needs a later provisor.
    #[error("{who} needs provisor {needs} or later; this is provisor {}", env!("CARGO_PKG_VERSION"))]
    TooOld {
        /// The file or the package.
        who: String,
        /// The lowest version.
        needs: String,
    },
    /// The source of a package cannot be used.
    #[error("`{source_text}`: {problem}")]
    Source {
        /// The source as written.
        source_text: String,
        /// The problem, as a sentence without a full stop.
        problem: String,
        /// What to do about it, if known.
        hint: Option<String>,
    },
    /// A package of this name is not declared.
    #[error("{} declares no package `{name}`", .file.display())]
    Unknown {
        /// The manifest.
        file: PathBuf,
        /// The name.
        name: String,
        /// The declared names.
        known: Vec<String>,
    },
    /// A package of this name is declared already.
    #[error("{} declares a package `{name}` already", .file.display())]
    Exists {
        /// The manifest.
        file: PathBuf,
        /// The name.
        name: String,
    },
    /// The lock does not match the manifest, or does not exist.
    #[error("{problem}")]
    Stale {
        /// What differs.
        problem: String,
        /// The command that makes the lock match.
        command: String,
    },
    /// A file is not the one that the lock names.
    #[error("`{}` is not the file that the lock names for the package `{package}`: it was changed", .file.display())]
    Changed {
        /// The package.
        package: String,
        /// The file.
        file: PathBuf,
        /// What to do about it.
        hint: String,
    },
    /// The program `git` cannot be started.
    #[error("the program `git` is needed to fetch {url}, and it cannot be started: {reason}")]
    NoGit {
        /// What was to be fetched.
        url: String,
        /// The system's error message.
        reason: String,
    },
    /// Git cannot fetch something.
    #[error("cannot fetch {url}: {reason}")]
    Fetch {
        /// What was to be fetched.
        url: String,
        /// The message of git.
        reason: String,
    },
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A file or folder cannot be written.
    #[error("`{}` cannot be written: {reason}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A script or a package has an error of its own.
    #[error("{0}")]
    Script(Box<Diagnostic>),
}

impl PackageError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            PackageError::Invalid { hint, .. } | PackageError::Source { hint, .. } => hint.clone(),
            PackageError::TooOld { .. } => Some("install a later version of provisor".to_owned()),
            PackageError::Unknown { known, .. } if known.is_empty() => {
                Some("it declares none; `provisor add SOURCE` adds one".to_owned())
            }
            PackageError::Unknown { known, .. } => Some(format!("it declares {}", known.join(", "))),
            PackageError::Exists { name, .. } => Some(format!(
                "to change where it comes from: provisor remove {name}; to choose another name: provisor add SOURCE as \
                 NAME"
            )),
            PackageError::Stale { command, .. } => Some(format!("run {command}")),
            PackageError::Changed { hint, .. } | PackageError::Lock { hint, .. } => Some(hint.clone()),
            PackageError::NoGit { .. } => {
                Some("install git, or use a folder or a bundle as the source".to_owned())
            }
            PackageError::Fetch { .. } => {
                Some("check the address, the network and git's credentials; git never asks here".to_owned())
            }
            PackageError::Unreadable { .. } | PackageError::Unwritable { .. } | PackageError::Script(_) => {
                None
            }
        }
    }
}

impl From<Box<Diagnostic>> for PackageError {
    fn from(diagnostic: Box<Diagnostic>) -> PackageError {
        PackageError::Script(diagnostic)
    }
}
