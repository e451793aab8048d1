//! Where the journal keeps its tables: a file, or memory.

use std::path::Path;
use std::sync::mpsc::channel;

use super::apply::{Reply, Write};
use super::error::JournalError;
use super::memory::MemoryStore;
use super::sqlite::{Ack, SqliteStore};
use super::table::{Fault, Look, Res};
use crate::sabotage::Sabotage;
use crate::waiting::Waits;

/// One of the two stores.
pub(super) enum Store {
    Sqlite(SqliteStore),
    Memory(MemoryStore),
}

impl Store {
    /// Writes and waits until it is on disk.
    pub(super) fn write(&self, write: Write) -> Result<Reply, JournalError> {
        self.wait(Some(write))
    }

    /// The same, without blocking the thread.
    pub(super) async fn write_async(&self, write: Write) -> Result<Reply, JournalError> {
        if Sabotage::IntentLater.is_on() && write.lets_a_request_leave() {
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
        receiver.await.unwrap_or_else(|_| Err(self.silent()))
    }

    /// Writes with the next commit, or soon after. An error means that an earlier write has failed.
    pub(super) fn write_later(&self, write: Write) -> Result<(), JournalError> {
        self.submit(Some(write), false, None);
        self.healthy()
    }

    /// Writes with the next commit, or soon after, and says when.
    pub(super) fn write_later_then(&self, write: Write, ack: Ack) {
        self.submit(Some(write), false, Some(ack));
    }

    /// Waits until everything that was written before is on disk.
    pub(super) fn flush(&self) -> Result<(), JournalError> {
        match self {
            // Nothing was written to one that is only read.
            Store::Sqlite(store) if !store.is_writable() => Ok(()),
            Store::Sqlite(store) if store.is_clean() => self.healthy(),
            Store::Sqlite(_) => self.wait(None).map(drop),
            Store::Memory(_) => Ok(()),
        }
    }

    /// Reads; sees everything that was written before. When writing has failed, what is on disk can still be read.
    pub(super) fn read<R>(&self, look: impl FnOnce(&dyn Look) -> Res<R>) -> Result<R, JournalError> {
        let _ = self.flush();
        self.read_committed(look)
    }

    /// Reads; may miss what was written a moment ago.
    pub(super) fn read_committed<R>(
        &self,
        look: impl FnOnce(&dyn Look) -> Res<R>,
    ) -> Result<R, JournalError> {
        match self {
            Store::Sqlite(store) => store.read(look),
            Store::Memory(store) => store.read(look),
        }
        .map_err(|fault| self.error(fault))
    }

    /// What is waited for.
    pub(super) fn waits(&self) -> &Waits {
        match self {
            Store::Sqlite(store) => store.waits(),
            Store::Memory(store) => store.waits(),
        }
    }

    /// Can it still be written?
    pub(super) fn healthy(&self) -> Result<(), JournalError> {
        match self {
            Store::Sqlite(store) => store.poisoned().map_or(Ok(()), Err),
            Store::Memory(_) => Ok(()),
        }
    }

    pub(super) fn error(&self, fault: Fault) -> JournalError {
        match self {
            Store::Sqlite(store) => store.error(fault),
            Store::Memory(_) => JournalError::Unusable {
                path: Path::new("in memory").to_owned(),
                why: fault.to_string(),
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
        receiver.recv().unwrap_or_else(|_| Err(self.silent()))
    }

    /// Why a write was not answered.
    fn silent(&self) -> JournalError {
        match self {
            Store::Sqlite(store) => store.ended(),
            Store::Memory(_) => self.error(Fault::Data("it gave no answer".to_owned())),
        }
    }
}
