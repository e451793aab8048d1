//! Errors of the journal.

use std::path::PathBuf;
use std::time::Duration;

use super::files;
use super::key::KeyError;
use super::run::RunId;
use super::seal::SealError;
use super::sqlite::count_file_path;

/// An error of the journal. After a [fatal](JournalError::is_fatal) one, nothing more can be recorded, so no further
/// request may be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The disk is full.
    #[error("the disk that holds the journal {} is full", path.display())]
    Full {
        /// The journal.
        path: PathBuf,
    },
    /// It cannot be opened, read or written.
    #[error("the journal {} cannot be used: {reason}", path.display())]
    Unusable {
        /// The journal.
        path: PathBuf,
        /// The message of the system or the database.
        reason: String,
    },
    /// It can be read but not written.
    #[error("the journal {} is read-only: {reason}", path.display())]
    ReadOnly {
        /// The journal.
        path: PathBuf,
        /// Why it cannot be written.
        reason: String,
    },
    /// The file is missing, and its ledger had entries or their count cannot be opened.
    #[error("the journal {} is missing, and the ledger in it had entries", path.display())]
    Gone {
        /// The journal.
        path: PathBuf,
    },
    /// The file is missing. Nothing indicates that its ledger had entries.
    #[error("the journal {} is missing", path.display())]
    Missing {
        /// The journal.
        path: PathBuf,
    },
    /// The file is older than the last recorded change.
    #[error(
        "the journal {} is missing the last {lost} change{} to its ledger: its log is missing or damaged, or an older copy was put in its place",
        path.display(),
        if *lost == 1 { "" } else { "s" }
    )]
    Incomplete {
        /// The journal.
        path: PathBuf,
        /// The number of missing transactions.
        lost: i64,
    },
    /// Another process held the database for too long.
    #[error("the journal {} is held by another process", path.display())]
    Busy {
        /// The journal.
        path: PathBuf,
    },
    /// The file is damaged or not a journal.
    #[error("the journal {} is damaged: {reason}", path.display())]
    Corrupt {
        /// The journal.
        path: PathBuf,
        /// The message of the database.
        reason: String,
    },
    /// A file of sealed values next to the journal is damaged.
    #[error("{} is damaged: {reason}", path.display())]
    Vault {
        /// The file.
        path: PathBuf,
        /// The message of the database.
        reason: String,
        /// Whether it holds values that cannot be obtained again.
        durable: bool,
    },
    /// It was written by an earlier version, and a process of that version may be writing to it. It can be read.
    #[error(
        "the journal {} is of an earlier version and cannot be migrated now: run {run} is in progress in process {}",
        path.display(),
        pid.map_or("?".to_owned(), |pid| pid.to_string())
    )]
    MigrationBusy {
        /// The journal.
        path: PathBuf,
        /// The run.
        run: RunId,
        /// The process id, if it could be read.
        pid: Option<u32>,
    },
    /// It was written by an earlier version, and there is no room to migrate it. It can be read.
    #[error("the journal {} is of an earlier version and cannot be migrated: {reason}", path.display())]
    NoRoomToMigrate {
        /// The journal.
        path: PathBuf,
        /// What cannot be written, and why.
        reason: String,
        /// The free space that a migration needs, in bytes, as an upper limit.
        needs: u64,
    },
    /// It was written by a newer version of provisor.
    #[error("the journal {} was written by a newer version (its format is {found}, this version knows {known})", path.display())]
    Newer {
        /// The journal.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The newest format that this version supports.
        known: i64,
    },
    /// It was sealed with another key.
    #[error("the journal {} was sealed with another key", path.display())]
    WrongKey {
        /// The journal.
        path: PathBuf,
    },
    /// A backup is damaged or not a backup.
    #[error("the backup {} cannot be used: {reason}", path.display())]
    Backup {
        /// The backup.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A backup was sealed with another key.
    #[error("the backup {} was sealed with another key", path.display())]
    BackupKey {
        /// The backup.
        path: PathBuf,
        /// The file of an earlier key that opens it.
        key: Option<PathBuf>,
    },
    /// No key is available.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A recorded value cannot be opened.
    #[error("what is recorded for {place} cannot be read: {reason}")]
    Sealed {
        /// The run and step, row, or ledger entry.
        place: String,
        /// Why.
        reason: SealError,
    },
    /// The text of a script, or of a module it imports, differs from the recorded one.
    #[error("the text that is recorded of `{name}` is damaged: its digest differs")]
    Source {
        /// Its name in the script.
        name: String,
    },
    /// Another process, or another part of this one, is executing the run.
    #[error("run {run} is in progress in process {}", pid.map_or("?".to_owned(), |pid| pid.to_string()))]
    RunBusy {
        /// The run.
        run: RunId,
        /// The process id, if it could be read.
        pid: Option<u32>,
    },
    /// Another process has become the owner of the run. Nothing more is recorded for it here.
    #[error("run {run} was taken over by process {}", pid.map_or("?".to_owned(), |pid| pid.to_string()))]
    TakenOver {
        /// The run.
        run: RunId,
        /// The process id of its owner, if it is known.
        pid: Option<u32>,
    },
    /// There is no such run.
    #[error("there is no run {0}")]
    NoSuchRun(RunId),
    /// There is no such step.
    #[error("run {run} has no step {step}")]
    NoSuchStep {
        /// The run.
        run: RunId,
        /// The step's key.
        step: String,
    },
    /// The step is not in doubt, so there is nothing to resolve.
    #[error("step {step} is {state}, not in doubt")]
    NotInDoubt {
        /// The step's key.
        step: String,
        /// Its state, in one word.
        state: &'static str,
    },
    /// A step that this process is carrying out was changed by another one meanwhile.
    #[error("step {step} was changed by another process while it was carried out")]
    Moved {
        /// The step's key.
        step: String,
    },
    /// The disk is too slow to record a request's time right before it leaves. The request was not sent.
    #[error("recording takes longer than {limit:?}, so the request was not sent")]
    Slow {
        /// The maximum age of a recorded time.
        limit: Duration,
    },
    /// A copy of the journal cannot be written.
    #[error("the copy {} cannot be written: {reason}", path.display())]
    Copy {
        /// The copy.
        path: PathBuf,
        /// The message of the system or the database.
        reason: String,
    },
    /// The target of a backup already exists.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl JournalError {
    /// Returns what to do about it, as a sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            JournalError::Full { .. } => {
                "free some space, then run `provisor resume`; nothing is lost or sent twice".to_owned()
            }
            JournalError::Unusable { path, .. } => {
                format!("check the owner and permissions of {}", path.display())
            }
            JournalError::ReadOnly { path, .. } => format!(
                "make its disk and folder writable, or copy {} to another disk and set PROVISOR_HOME",
                files::folder_of(path).display()
            ),
            JournalError::Gone { path } => format!(
                "put it back, or restore a backup: provisor journal restore FILE; to start over, remove {}",
                count_file_path(path).display()
            ),
            JournalError::Missing { .. } => {
                "put it back, or restore a backup: provisor journal restore FILE; the next run creates a new one"
                    .to_owned()
            }
            JournalError::Incomplete { path, .. } => format!(
                "put {}-wal back as it was, or restore a newer backup: provisor journal restore FILE; to continue without the missing changes, remove {}",
                path.display(),
                count_file_path(path).display()
            ),
            JournalError::Busy { .. } => "try again when the other process has ended".to_owned(),
            JournalError::Corrupt { path, .. } => format!(
                "keep a copy of {} and of the -wal file beside it, then restore a backup made with `provisor journal backup`",
                path.display()
            ),
            JournalError::Vault {
                path, durable: false, ..
            } => {
                format!("move {} away: its contents are fetched again", path.display())
            }
            JournalError::Vault { path, .. } => format!(
                "put a copy of {} back, or move it away and enter the profiles' secrets again: provisor profile edit",
                path.display()
            ),
            JournalError::MigrationBusy { run, .. } => {
                format!("wait for run {run} or stop it, then run the command again; until then the journal can only be read")
            }
            JournalError::NoRoomToMigrate { path, needs, .. } => format!(
                "{} must be writable and have {} MB of free space; until then the journal can only be read",
                files::folder_of(path).display(),
                needs.div_ceil(1 << 20)
            ),
            JournalError::Newer { .. } => "use that version, or another PROVISOR_HOME".to_owned(),
            JournalError::WrongKey { path } => format!(
                "set PROVISOR_KEY to the key it was made with, or put the key file back; to start over, move {} away",
                path.display()
            ),
            JournalError::Backup { .. } => "choose another backup; the journal is unchanged".to_owned(),
            JournalError::BackupKey { key: Some(key), .. } => format!(
                "{} opens it: set PROVISOR_KEY to the text in that file, and restore again",
                key.display()
            ),
            JournalError::BackupKey { .. } => {
                "set PROVISOR_KEY to the key that was in use when it was made, and restore again".to_owned()
            }
            JournalError::Key(key) => key.hint(),
            JournalError::Sealed { .. } | JournalError::Source { .. } => {
                "list all damage with `provisor journal check`; restore a backup with `provisor journal restore`"
                    .to_owned()
            }
            JournalError::RunBusy { .. } => "wait for it, or end that process first".to_owned(),
            JournalError::TakenOver { run, .. } => format!("see what it does: provisor runs show {run}"),
            JournalError::NoSuchRun(_) => "see `provisor runs list`".to_owned(),
            JournalError::NoSuchStep { run, .. } => format!("see `provisor runs steps {run}`"),
            JournalError::NotInDoubt { .. } | JournalError::Moved { .. } => return None,
            JournalError::Slow { .. } => "try again when the disk is less busy".to_owned(),
            JournalError::Copy { .. } => "free some space there, or choose another place".to_owned(),
            JournalError::Exists { .. } => "choose another name".to_owned(),
        })
    }

    /// Whether the journal accepts no more writes for the lifetime of this process.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self,
            JournalError::Full { .. }
                | JournalError::Unusable { .. }
                | JournalError::ReadOnly { .. }
                | JournalError::MigrationBusy { .. }
                | JournalError::NoRoomToMigrate { .. }
                | JournalError::Gone { .. }
                | JournalError::Incomplete { .. }
                | JournalError::Busy { .. }
                | JournalError::Corrupt { .. }
                | JournalError::Vault { .. }
        )
    }
}
