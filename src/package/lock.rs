//! The lock: which commit and which files each package is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::PackageError;
use super::manifest::version;
use super::source::{is_commit, is_inner_path, is_name};
use crate::config;

/// The version of the format.
const VERSION: u32 = 1;

const HEADER: &str =
    "# Written by provisor: which files each package is. Keep it beside the file that names the packages.\n";

/// The packages of a manifest, and what they need themselves, each as it was when it was taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lock {
    /// The packages by key: `steps`, and `steps/dates` for what `steps` imports as `dates`.
    pub(crate) packages: BTreeMap<String, LockedPackage>,
}

/// A package as it was when it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedPackage {
    /// The source, as the manifest names it.
    pub(crate) source: String,
    /// The commit, if it comes from a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// The lowest version of provisor that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) needs: Option<String>,
    /// The file that its importers get.
    pub(crate) main: String,
    /// The SHA-256 of that file and of each file that it imports, by path.
    pub(crate) files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Format {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, rename = "use")]
    packages: BTreeMap<String, LockedPackage>,
}

impl Lock {
    /// Reads a lock; `None` if there is no such file. `command` writes a new one; the hint of an error names it.
    pub(super) fn read(file: &Path, command: &str) -> Result<Option<Lock>, PackageError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(PackageError::Unreadable {
                    path: file.to_owned(),
                    reason: error.to_string(),
                });
            }
        };
        Lock::parse(&file.display().to_string(), &text, command).map(Some)
    }

    fn parse(name: &str, text: &str, command: &str) -> Result<Lock, PackageError> {
        let damaged = |place: String, problem: String| {
            let hint = if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
                format!("take the lock of one side of the merge from version control, and run {command}")
            } else {
                format!(
                    "restore it from version control; without a copy, delete it and run {command}, which takes the packages \
                     as they are now"
                )
            };
            PackageError::Lock { place, problem, hint }
        };
        let invalid = |error: toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            let line = text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
            damaged(format!("{name}:{line}"), error.message().replace('\n', ", "))
        };
        // A later format may have other keys.
        let Format { version } = toml::from_str(text).map_err(invalid)?;
        if version != VERSION {
            return Err(PackageError::Lock {
                place: name.to_owned(),
                problem: format!("it has the format {version}, and this provisor reads the format {VERSION}"),
                hint: "install a later version of provisor".to_owned(),
            });
        }
        let document: Document = toml::from_str(text).map_err(invalid)?;
        if let Some((key, _)) = document
            .packages
            .iter()
            .find(|(key, package)| !is_valid(key, package))
        {
            let problem = format!("the entry of `{key}` is not one that provisor writes");
            return Err(damaged(name.to_owned(), problem));
        }
        Ok(Lock {
            packages: document.packages,
        })
    }

    /// Writes the lock with the permissions of `like`, or removes it if nothing is locked.
    pub(super) fn write(&self, file: &Path, like: &Path) -> Result<(), PackageError> {
        let unwritable = |reason: String| PackageError::Unwritable {
            path: file.to_owned(),
            reason,
        };
        if self.packages.is_empty() {
            return match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(error.to_string())),
                _ => Ok(()),
            };
        }
        let document = Document {
            version: VERSION,
            packages: self.packages.clone(),
        };
        let text = toml::to_string(&document).map_err(|error| unwritable(error.to_string()))?;
        config::rewrite(file, &format!("{HEADER}{text}"), like).map_err(|error| unwritable(error.to_string()))
    }

    /// The package of this name with all that it needs itself.
    pub(super) fn below<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a LockedPackage)> {
        let is_below = move |key: &str| {
            let rest = key.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.packages.iter().filter(move |(key, _)| is_below(key))
    }

    /// The folder of a vendored package in the folder of all of them.
    pub(super) fn vendored(folder: &Path, key: &str) -> PathBuf {
        folder.join(key.replace('/', "."))
    }
}

/// Whether an entry leads to no place outside of its package, and its digests are digests.
pub(super) fn is_valid(key: &str, package: &LockedPackage) -> bool {
    let is_digest = |text: &str| text.len() == 64 && is_commit(text);
    key.split('/').all(is_name)
        && package.commit.as_deref().is_none_or(is_commit)
        && package
            .needs
            .as_deref()
            .is_none_or(|needs| version(needs).is_some())
        && package.files.contains_key(&package.main)
        && package
            .files
            .iter()
            .all(|(path, digest)| is_inner_path(path) && is_digest(digest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn lock() -> Lock {
        let package = |commit: Option<&str>| LockedPackage {
            source: "../steps".to_owned(),
            commit: commit.map(str::to_owned),
            needs: commit.map(|_| "0.1".to_owned()),
            main: "lib.rhai".to_owned(),
            files: [
                ("lib.rhai".to_owned(), "ab".repeat(32)),
                ("a b/c.d.rhai".to_owned(), "01".repeat(32)),
            ]
            .into(),
        };
        let commit = "c0".repeat(20);
        Lock {
            packages: [
                ("steps".to_owned(), package(None)),
                ("steps/dates".to_owned(), package(Some(&commit))),
                ("steps-more".to_owned(), package(None)),
            ]
            .into(),
        }
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("provisor.lock");
        assert_eq!(Lock::read(&file, "x").unwrap(), None);
        lock().write(&file, folder.path()).unwrap();
        assert_eq!(Lock::read(&file, "x").unwrap(), Some(lock()));
        Lock::default().write(&file, folder.path()).unwrap();
        assert!(!file.exists());
        let lock = lock();
        let below: Vec<&String> = lock.below("steps").map(|(key, _)| key).collect();
        assert_eq!(below, ["steps", "steps/dates"]);
    }

    #[test]
    fn a_lock_with_anything_unknown_or_dangerous_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("provisor.lock");
        lock().write(&file, folder.path()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        for (from, to, problem) in [
            (
                "main = \"lib.rhai\"",
                "main = \"lib.rhai\"\nextra = 1",
                "unknown field `extra`",
            ),
            ("version = 1", "", "missing field `version`"),
            (
                "\"a b/c.d.rhai\"",
                "\"../c.rhai\"",
                "not one that provisor writes",
            ),
            ("\"a b/c.d.rhai\"", "\"/c.rhai\"", "not one that provisor writes"),
            (
                "main = \"lib.rhai\"",
                "main = \"other.rhai\"",
                "not one that provisor writes",
            ),
            ("abab", "abaX", "not one that provisor writes"),
            ("steps/dates", "steps/../dates", "not one that provisor writes"),
            ("c0c0", "--c0", "not one that provisor writes"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            let error = Lock::parse("provisor.lock", &changed, "`provisor lock`").unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
            let hint = "restore it from version control; without a copy, delete it and run `provisor lock`, which takes the \
                        packages as they are now";
            assert_eq!(error.hint().as_deref(), Some(hint));
        }
    }

    #[test]
    fn the_locks_of_later_versions_and_of_conflicts_are_not_to_be_deleted() {
        let hint = |text: &str| {
            let error = Lock::parse("provisor.lock", text, "`provisor lock`").unwrap_err();
            (error.to_string(), error.hint().unwrap())
        };
        assert_eq!(
            hint("version = 2\n[extra]\nkey = 1\n"),
            (
                "provisor.lock: it has the format 2, and this provisor reads the format 1".to_owned(),
                "install a later version of provisor".to_owned()
            )
        );
        let (problem, hint) = hint("version = 1\n<<<<<<< ours\n=======\n>>>>>>> theirs\n");
        assert!(problem.starts_with("provisor.lock:2: "), "{problem}");
        assert_eq!(
            hint,
            "take the lock of one side of the merge from version control, and run `provisor lock`"
        );
    }
}
