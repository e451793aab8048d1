//! The input history: kept across sessions in a file of the user, without secrets.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustyline::Config;
use rustyline::history::{FileHistory, History as _};

use super::evaluate::is_secret;

/// The maximum number of inputs.
const MAX_ENTRIES: usize = 5_000;

/// Where the history is kept, and which inputs are in it. The line editor holds the entries themselves.
pub(super) struct InputHistory {
    file: Option<PathBuf>,
    known: KnownInputs,
}

/// The inputs in the history, to check whether a text is one of them.
pub(super) type KnownInputs = Arc<Mutex<BTreeSet<String>>>;

impl InputHistory {
    /// Reads the history in `file` and returns it with its entries and a message for the user, if there is one: a file
    /// that others may read is not used.
    pub(super) fn open(file: Option<PathBuf>) -> (InputHistory, FileHistory, Option<String>) {
        let config = Config::builder().max_history_size(MAX_ENTRIES);
        let config = config
            .and_then(|config| config.history_ignore_dups(true))
            .map_or_else(|_| Config::default(), rustyline::config::Builder::build);
        let mut entries = FileHistory::with_config(&config);
        let mut history = InputHistory {
            file: None,
            known: KnownInputs::default(),
        };
        let Some(file) = file else {
            return (history, entries, None);
        };
        let used = make(&file).and_then(|()| match entries.load(&file) {
            Ok(()) => Ok(()),
            Err(error) => Err(io::Error::other(error.to_string())),
        });
        match used {
            Ok(()) => {
                history.file = Some(file);
                history.lock().extend(entries.iter().cloned());
                (history, entries, None)
            }
            Err(error) => {
                let note = format!("no history is kept: `{}`: {error}", file.display());
                (history, entries, Some(note))
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

    /// Adds an input to the entries and the file, unless it may contain a secret.
    pub(super) fn remember(&self, entries: &mut FileHistory, text: &str) {
        let text = text.trim_end();
        if text.trim().is_empty() || is_secret(text) {
            return;
        }
        self.lock().insert(text.to_owned());
        let added = entries.add(text).unwrap_or(false);
        if let (true, Some(file)) = (added, &self.file) {
            // Appended at once, so that a killed session loses nothing and concurrent sessions do not overwrite each
            // other. Write failures are reported when the file is opened.
            if let Err(error) = entries.append(file) {
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
