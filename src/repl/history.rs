//! The input history: kept across sessions in a file of the user, without secrets.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustyline::Config;
use rustyline::history::{FileHistory, History as _, SearchDirection, SearchResult};

use super::redaction;

/// The maximum number of inputs.
const MAX_ENTRIES: usize = 5_000;

/// The history of this and earlier sessions.
pub(super) struct History {
    entries: FileHistory,
    file: Option<PathBuf>,
    known: KnownInputs,
}

/// The inputs in the history, to check whether a text is one of them.
pub(super) type KnownInputs = Arc<Mutex<BTreeSet<String>>>;

impl History {
    /// Reads the history in `file` and returns it with messages for the user: a file that others may read is not used.
    pub(super) fn open(file: Option<PathBuf>) -> (History, Vec<String>) {
        let config = Config::builder().max_history_size(MAX_ENTRIES);
        let config = config
            .and_then(|config| config.history_ignore_dups(true))
            .map_or_else(|_| Config::default(), rustyline::config::Builder::build);
        let mut history = History {
            entries: FileHistory::with_config(&config),
            file: None,
            known: KnownInputs::default(),
        };
        let Some(file) = file else {
            return (history, Vec::new());
        };
        let used = make(&file).and_then(|()| match history.entries.load(&file) {
            Ok(()) => Ok(()),
            Err(error) => Err(io::Error::other(error.to_string())),
        });
        match used {
            Ok(()) => {
                history.file = Some(file);
                let entries = history.entries.iter().cloned();
                history.lock().extend(entries);
                (history, Vec::new())
            }
            Err(error) => {
                let note = format!("no history is kept: `{}`: {error}", file.display());
                (history, vec![note])
            }
        }
    }

    /// The inputs in the history; shared.
    pub(super) fn known(&self) -> KnownInputs {
        self.known.clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an input, unless it may contain a secret.
    pub(super) fn remember(&mut self, text: &str) {
        let text = text.trim_end();
        if text.trim().is_empty() || redaction::is_secret(text) {
            return;
        }
        self.lock().insert(text.to_owned());
        let added = self.entries.add(text).unwrap_or(false);
        if let (true, Some(file)) = (added, &self.file) {
            // Appended at once, so that a killed session loses nothing and concurrent sessions do not overwrite each
            // other. Write failures are reported when the file is opened.
            if let Err(error) = self.entries.append(file) {
                tracing::warn!(%error, "the history cannot be written");
            }
        }
    }
}

/// Creates the file if necessary, and makes it accessible to its owner only. The permissions of a link's target are not
/// changed: it is not used if others may read it.
fn make(file: &Path) -> io::Result<()> {
    if fs::symlink_metadata(file).is_ok_and(|data| data.is_symlink()) {
        return check_link_target(file);
    }
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(file)?;
    #[cfg(unix)]
    opened.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(opened);
    Ok(())
}

fn check_link_target(file: &Path) -> io::Result<()> {
    let data = fs::metadata(file)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o077 != 0 {
        return Err(io::Error::other(
            "it is a link to a file that other users may read; change its permissions, or set PROVISOR_HISTORY to \
             another file",
        ));
    }
    if data.is_file() {
        Ok(())
    } else {
        Err(io::Error::other("it is a link to something other than a file"))
    }
}

impl rustyline::history::History for History {
    fn get(&self, index: usize, dir: SearchDirection) -> rustyline::Result<Option<SearchResult<'_>>> {
        self.entries.get(index, dir)
    }

    fn add(&mut self, line: &str) -> rustyline::Result<bool> {
        self.entries.add(line)
    }

    fn add_owned(&mut self, line: String) -> rustyline::Result<bool> {
        self.entries.add_owned(line)
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn set_max_len(&mut self, len: usize) -> rustyline::Result<()> {
        self.entries.set_max_len(len)
    }

    fn ignore_dups(&mut self, yes: bool) -> rustyline::Result<()> {
        self.entries.ignore_dups(yes)
    }

    fn ignore_space(&mut self, yes: bool) {
        self.entries.ignore_space(yes);
    }

    fn save(&mut self, path: &Path) -> rustyline::Result<()> {
        self.entries.save(path)
    }

    fn append(&mut self, path: &Path) -> rustyline::Result<()> {
        self.entries.append(path)
    }

    fn load(&mut self, path: &Path) -> rustyline::Result<()> {
        self.entries.load(path)
    }

    fn clear(&mut self) -> rustyline::Result<()> {
        self.entries.clear()
    }

    fn search(
        &self,
        term: &str,
        start: usize,
        dir: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        self.entries.search(term, start, dir)
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        dir: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        self.entries.starts_with(term, start, dir)
    }
}
