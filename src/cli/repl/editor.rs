//! The user's editor, and the text in it. It may contain a credential, so no trace of it outlives the session.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::host::lock;

/// The prefix of the folders' names; the process ID follows.
const PREFIX: &str = "edit-";

/// How often to check whether the editor has ended.
const MOMENT: Duration = Duration::from_millis(10);

/// How long an editor may take to terminate.
const STARTUP_GRACE: Duration = Duration::from_millis(500);

/// A separate folder, so that files that the editor creates beside the text are removed with it.
pub(super) struct EditorDraft {
    folder: tempfile::TempDir,
}

impl EditorDraft {
    /// Writes the text to a file readable by its owner only.
    pub(super) fn make(state: &Path, text: &str) -> io::Result<EditorDraft> {
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(state)?;
        let draft = EditorDraft { folder };
        fs::write(draft.file(), text)?;
        Ok(draft)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("input.rhai")
    }
}

/// The editor in progress, if any. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Editing(Arc<Mutex<Option<Open>>>);

struct Open {
    editor: Child,
    draft: EditorDraft,
}

impl Editing {
    /// Runs the editor to its end. Returns its exit status and the edited text.
    pub(super) fn run(
        &self,
        command: &mut Command,
        draft: EditorDraft,
    ) -> io::Result<(ExitStatus, io::Result<String>)> {
        let editor = command.spawn()?;
        *lock(&self.0) = Some(Open { editor, draft });
        loop {
            let mut open = lock(&self.0);
            let Some(Open { editor, draft }) = open.as_mut() else {
                return Err(io::Error::other("the session ends"));
            };
            if let Some(status) = editor.try_wait()? {
                let text = fs::read_to_string(draft.file());
                *open = None;
                return Ok((status, text));
            }
            drop(open);
            std::thread::sleep(MOMENT);
        }
    }

    /// Terminates the editor, kills it if necessary, and removes the text.
    pub(super) fn end(&self) {
        let mut open = lock(&self.0);
        let Some(Open { editor, .. }) = open.as_mut() else {
            return;
        };
        let opened_at = Instant::now();
        let _ = kill_process(Pid::from_child(editor), Signal::TERM);
        while opened_at.elapsed() < STARTUP_GRACE && matches!(editor.try_wait(), Ok(None)) {
            std::thread::sleep(MOMENT);
        }
        let _ = editor.kill();
        let _ = editor.wait();
        *open = None;
    }
}

/// Removes the folders of sessions that were killed.
pub(super) fn remove_stale(state: &Path) {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let owner = name.to_str().and_then(owner);
        if owner.is_some_and(|owner| test_kill_process(owner).is_err()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process that a folder with this name belongs to.
fn owner(name: &str) -> Option<Pid> {
    let (number, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    Pid::from_raw(number.parse().ok()?)
}
