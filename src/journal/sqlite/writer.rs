//! The writer thread: writes all queued messages in one transaction, commits, then acknowledges them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::apply::{Reply, Submission, Write, apply};
use super::super::error::JournalError;
use super::super::seal::Sealer;
use super::super::table::{Res, StoreError};
use super::count::LedgerCount;
use super::open::{POLL_INTERVAL, connect};
use super::tables::Sql;
use super::{fault_to_error, unusable};
use crate::waiting::{Wait, Waits};

/// Called with the result of a write, after it is on disk.
pub(in super::super) type Ack = Box<dyn FnOnce(Result<Reply, JournalError>) + Send>;

/// One message to the writer.
pub(super) struct Message {
    /// `None` writes nothing: when it is acknowledged, everything sent before is on disk.
    pub(super) write: Option<Submission>,
    pub(super) ack: Option<Ack>,
    /// Whether a caller waits for it. Otherwise it goes with the next commit, or after [`TICK`].
    pub(super) urgent: bool,
}

/// The maximum time that a write without a waiting caller stays in memory.
const TICK: Duration = Duration::from_millis(20);

/// The maximum number of writes, and of rows, per transaction.
const BATCH: usize = 512;
const BATCH_ROWS: usize = 4096;

/// The error of a failed transaction, which every later write returns too.
pub(super) type Poison = Arc<OnceLock<JournalError>>;

/// The error after the writer has panicked.
pub(super) const ENDED: &str = "its writer has ended because of a bug in provisor";

/// The state of the writer thread.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    /// Whether the database is a file, which has the count of the ledger's entries beside it.
    pub(super) has_file: bool,
    pub(super) sealer: Sealer,
    pub(super) max_pages: Option<u32>,
    pub(super) poison: Poison,
    /// Set once the ledger has changed.
    pub(super) changed: Arc<AtomicBool>,
    pub(super) waits: Waits,
}

impl Writer {
    /// Writes until all senders are dropped.
    pub(super) fn work(&self, inbox: &Receiver<Message>) {
        let worked = catch_unwind(AssertUnwindSafe(|| self.write_until_the_end(inbox)));
        if worked.is_err() {
            let _ = self.poison.set(unusable(&self.path, ENDED.to_owned()));
        }
    }

    fn write_until_the_end(&self, inbox: &Receiver<Message>) {
        let connection = self.connect().map_err(|fault| fault_to_error(&self.path, fault));
        let mut waiting = Pending::default();
        loop {
            let received = match waiting.since {
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => inbox.recv_timeout(TICK.saturating_sub(since.elapsed())),
            };
            let ended = matches!(received, Err(RecvTimeoutError::Disconnected));
            let tick = received.is_err();
            if let Ok(first) = received {
                waiting.push(first);
            }
            while !waiting.is_full() {
                match inbox.try_recv() {
                    Ok(next) => waiting.push(next),
                    Err(_) => break,
                }
            }
            if tick || waiting.is_urgent || waiting.is_full() {
                let batch = std::mem::take(&mut waiting);
                match &connection {
                    Ok(connection) => self.commit(connection, batch.messages),
                    Err(error) => self.refuse(error.clone(), batch.messages),
                }
            }
            if ended {
                break;
            }
        }
    }

    /// Opens a connection that waits indefinitely for another process's transaction: nothing is written meanwhile, so
    /// nothing is lost by waiting, while a timeout would end the run.
    fn connect(&self) -> Res<Connection> {
        let mut connection = connect(&self.path, self.max_pages)?;
        let (waits, path) = (self.waits.clone(), self.path.clone());
        let report_threshold = waits.report_threshold().as_millis() / POLL_INTERVAL.as_millis();
        connection.busy_handler(Some(move |tries: i32| {
            if u128::try_from(tries).is_ok_and(|tries| tries == report_threshold) {
                // There is no callback for the end of the wait.
                drop(waits.begin(Wait::for_long(format!(
                    "another process has been writing to {} for a long time; waiting for it",
                    path.display()
                ))));
            }
            std::thread::sleep(POLL_INTERVAL);
            true
        }))?;
        Ok(connection)
    }

    /// Writes these messages in one transaction, and acknowledges them.
    pub(super) fn commit(&self, connection: &Connection, batch: Vec<Message>) {
        if let Some(error) = self.poison.get() {
            return self.refuse(error.clone(), batch);
        }
        let (writes, acks): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|message| (message.write, message.ack))
            .unzip();
        match self.write_all(connection, writes) {
            Ok(replies) => {
                for (ack, reply) in acks.into_iter().zip(replies) {
                    if let Some(ack) = ack {
                        ack(Ok(reply));
                    }
                }
            }
            Err(fault) => {
                // Dropping the connection would roll back too; this unlocks the database for others immediately.
                let _ = connection.execute_batch("rollback");
                let error = fault_to_error(&self.path, fault);
                let _ = self.poison.set(error.clone());
                tracing::error!(%error, "the journal accepts no more writes");
                answer(acks.into_iter().flatten(), &error);
            }
        }
    }

    fn write_all(
        &self,
        connection: &Connection,
        writes: Vec<Option<Submission>>,
    ) -> Result<Vec<Reply>, StoreError> {
        if writes.iter().all(Option::is_none) {
            return Ok(writes.iter().map(|_| Reply::Written).collect());
        }
        connection.prepare_cached("begin immediate")?.execute([])?;
        let mut tables = Sql::new(connection);
        let replies = writes.into_iter().map(|write| match write {
            Some(write) => apply(&mut tables, write),
            None => Ok(Reply::Written),
        });
        let replies: Vec<Reply> = replies.collect::<Result<_, _>>()?;
        let counted = match tables.ledger_change() {
            Some(more) => Some(LedgerCount::advance(connection, &self.sealer, more)?),
            None => None,
        };
        connection.prepare_cached("commit")?.execute([])?;
        if let Some(count) = counted {
            self.changed.store(true, Ordering::SeqCst);
            // The file is only a cross-check: the journal is complete without it.
            if self.has_file
                && let Err(error) = count.write_count_file(&self.path, &self.sealer)
            {
                tracing::warn!(%error, "the count beside the journal was not written");
            }
        }
        Ok(replies)
    }

    fn refuse(&self, error: JournalError, batch: Vec<Message>) {
        let error = self.poison.get_or_init(|| error);
        answer(batch.into_iter().filter_map(|message| message.ack), error);
    }
}

/// The messages received since the last commit.
#[derive(Default)]
struct Pending {
    messages: Vec<Message>,
    rows: usize,
    is_urgent: bool,
    since: Option<Instant>,
}

impl Pending {
    fn push(&mut self, message: Message) {
        if let Some(Submission {
            write: Write::Rows { rows, .. },
            ..
        }) = &message.write
        {
            self.rows += rows.len();
        }
        self.is_urgent |= message.urgent;
        self.since.get_or_insert_with(Instant::now);
        self.messages.push(message);
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= BATCH || self.rows >= BATCH_ROWS
    }
}

fn answer(acks: impl Iterator<Item = Ack>, error: &JournalError) {
    for ack in acks {
        ack(Err(error.clone()));
    }
}
