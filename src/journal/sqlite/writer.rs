//! The one thread that writes: it takes what is waiting, writes it in one transaction, commits, and then tells everyone.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::apply::{Reply, Write, apply};
use super::super::error::JournalError;
use super::super::table::{Fault, Repeats};
use super::tables::Sql;
use super::{connect, fault_to_error};

/// Called with what became of a write, after it is on disk.
pub(in super::super) type Ack = Box<dyn FnOnce(Result<Reply, JournalError>) + Send>;

/// One message to the writer.
pub(super) struct Message {
    /// Nothing to write: everything sent before is on disk when this is acknowledged.
    pub(super) write: Option<Write>,
    pub(super) ack: Option<Ack>,
    /// Does somebody wait for it? Otherwise it rides with the next commit, or goes after [`TICK`].
    pub(super) urgent: bool,
}

/// The longest that a write which nobody waits for stays in memory.
const TICK: Duration = Duration::from_millis(20);

/// The most writes, and rows, in one transaction.
const BATCH: usize = 512;
const BATCH_ROWS: usize = 4096;

/// Once a transaction has failed this holds why, and every later write gets the same answer.
pub(super) type Poison = Arc<OnceLock<JournalError>>;

/// Writes until every sender is gone.
pub(super) fn work(path: &Path, max_pages: Option<u32>, inbox: &Receiver<Message>, poison: &Poison) {
    let mut connection = connect(path, max_pages).map_err(|fault| fault_to_error(path, fault));
    let mut repeats = Repeats::new();
    let mut waiting = Waiting::default();
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
            match &mut connection {
                Ok(connection) => commit(connection, path, poison, &mut repeats, batch.messages),
                Err(error) => refuse(poison, error.clone(), batch.messages),
            }
        }
        if ended {
            break;
        }
    }
}

/// What has come in since the last commit.
#[derive(Default)]
struct Waiting {
    messages: Vec<Message>,
    rows: usize,
    is_urgent: bool,
    since: Option<Instant>,
}

impl Waiting {
    fn push(&mut self, message: Message) {
        if let Some(Write::Rows { rows, .. }) = &message.write {
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

fn commit(connection: &Connection, path: &Path, poison: &Poison, repeats: &mut Repeats, batch: Vec<Message>) {
    if let Some(error) = poison.get() {
        return refuse(poison, error.clone(), batch);
    }
    let (writes, acks): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|message| (message.write, message.ack))
        .unzip();
    match write_all(connection, repeats, writes) {
        Ok(replies) => {
            for (ack, reply) in acks.into_iter().zip(replies) {
                if let Some(ack) = ack {
                    ack(Ok(reply));
                }
            }
        }
        Err(fault) => {
            // Dropping the connection would roll back as well; this frees the database for other processes now.
            let _ = connection.execute_batch("rollback");
            let error = fault_to_error(path, fault);
            let _ = poison.set(error.clone());
            tracing::error!(%error, "the journal takes no more writes");
            answer(acks.into_iter().flatten(), &error);
        }
    }
}

fn write_all(
    connection: &Connection,
    repeats: &mut Repeats,
    writes: Vec<Option<Write>>,
) -> Result<Vec<Reply>, Fault> {
    if writes.iter().all(Option::is_none) {
        return Ok(writes.iter().map(|_| Reply::Written).collect());
    }
    connection.prepare_cached("begin immediate")?.execute([])?;
    let replies = writes.into_iter().map(|write| match write {
        Some(write) => apply(&mut Sql(connection), repeats, write),
        None => Ok(Reply::Written),
    });
    let replies: Vec<Reply> = replies.collect::<Result<_, _>>()?;
    connection.prepare_cached("commit")?.execute([])?;
    Ok(replies)
}

fn refuse(poison: &Poison, error: JournalError, batch: Vec<Message>) {
    let error = poison.get_or_init(|| error);
    answer(batch.into_iter().filter_map(|message| message.ack), error);
}

fn answer(acks: impl Iterator<Item = Ack>, error: &JournalError) {
    for ack in acks {
        ack(Err(error.clone()));
    }
}
