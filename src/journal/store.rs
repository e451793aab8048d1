//! The storage of the journal's tables: a file or memory.

use std::path::Path;
use std::sync::mpsc::channel;

use super::apply::{Reply, Write};
use super::error::JournalError;
use super::memory::MemoryStore;
use super::sqlite::{Ack, SqliteStore};
use super::table::{ReadTables, Res, StoreError};
use crate::sabotage::Sabotage;
use crate::waiting::Waits;

/// One of the two stores.
pub(super) enum Store {
    Sqlite(SqliteStore),
    Memory(MemoryStore),
}

impl Store {
    /// Writes, and waits until the write is on disk.
    pub(super) fn write(&self, write: Write) -> Result<Reply, JournalError> {
        self.wait(Some(write))
    }

    /// The same as [`Store::write`], without blocking the thread.
    pub(super) async fn write_async(&self, write: Write) -> Result<Reply, JournalError> {
        if Sabotage::IntentLater.is_on() && write.precedes_request() {
            return self.write_later(write).map(|()| Reply::Written);
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.submit(
            Some(write),
            true,
            Some(Box::new(move |reply| {
                let _ = sender.send(reply);
            })),
        );
        receiver.await.unwrap_or_else(|_| Err(self.no_reply_error()))
    }

    /// Writes with the next commit, or shortly after. An error means that an earlier write has failed.
    pub(super) fn write_later(&self, write: Write) -> Result<(), JournalError> {
        self.submit(Some(write), false, None);
        self.check_writable()
    }

    /// Writes with the next commit, or shortly after, and acknowledges it.
    pub(super) fn write_later_then(&self, write: Write, ack: Ack) {
        self.submit(Some(write), false, Some(ack));
    }

    /// Waits until everything written before is on disk.
    pub(super) fn flush(&self) -> Result<(), JournalError> {
        match self {
            // Nothing was written to a read-only file.
            Store::Sqlite(store) if !store.is_writable() => Ok(()),
            Store::Sqlite(store) if store.is_clean() => self.check_writable(),
            Store::Sqlite(_) => self.wait(None).map(drop),
            Store::Memory(_) => Ok(()),
        }
    }

    /// Reads, including everything written before. If writing has failed, the data on disk can still be read.
    pub(super) fn read<R>(&self, look: impl FnOnce(&dyn ReadTables) -> Res<R>) -> Result<R, JournalError> {
        let _ = self.flush();
        self.read_committed(look)
    }

    /// Reads committed data; may miss the latest writes.
    pub(super) fn read_committed<R>(
        &self,
        look: impl FnOnce(&dyn ReadTables) -> Res<R>,
    ) -> Result<R, JournalError> {
        match self {
            Store::Sqlite(store) => store.read(look),
            Store::Memory(store) => store.read(look),
        }
        .map_err(|fault| self.error(fault))
    }

    /// Returns the long waits of this store.
    pub(super) fn waits(&self) -> &Waits {
        match self {
            Store::Sqlite(store) => store.waits(),
            Store::Memory(store) => store.waits(),
        }
    }

    /// Checks that it can still be written.
    pub(super) fn check_writable(&self) -> Result<(), JournalError> {
        match self {
            Store::Sqlite(store) => store.poisoned().map_or(Ok(()), Err),
            Store::Memory(_) => Ok(()),
        }
    }

    pub(super) fn error(&self, fault: StoreError) -> JournalError {
        match self {
            Store::Sqlite(store) => store.error(fault),
            Store::Memory(_) => JournalError::Unusable {
                path: Path::new("in memory").to_owned(),
                reason: fault.to_string(),
            },
        }
    }

    fn submit(&self, write: Option<Write>, urgent: bool, ack: Option<Ack>) {
        match self {
            Store::Sqlite(store) => store.submit(write, urgent, ack),
            Store::Memory(store) => {
                let reply = write.map_or(Ok(Reply::Written), |write| store.write(write));
                if let Some(ack) = ack {
                    ack(reply.map_err(|fault| self.error(fault)));
                }
            }
        }
    }

    fn wait(&self, write: Option<Write>) -> Result<Reply, JournalError> {
        let (sender, receiver) = channel();
        self.submit(
            write,
            true,
            Some(Box::new(move |reply| {
                let _ = sender.send(reply);
            })),
        );
        receiver.recv().unwrap_or_else(|_| Err(self.no_reply_error()))
    }

    /// Returns the error for a write without a reply.
    fn no_reply_error(&self) -> JournalError {
        match self {
            Store::Sqlite(store) => store.ended(),
            Store::Memory(_) => self.error(StoreError::Data("it did not respond".to_owned())),
        }
    }
}
