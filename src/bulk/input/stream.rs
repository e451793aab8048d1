//! Rows that come when they come: read on a thread of their own, which is left alone when nobody wants more.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::bulk::rows::{InputRow, Rows, RowsError};

type Row = Result<InputRow, RowsError>;

/// Rows that are read ahead.
const AHEAD: usize = 256;

/// How long a batch waits for its first row before it is given empty, and for others behind the first.
const PATIENCE: Duration = Duration::from_millis(50);

/// Rows on their way from a slow source.
pub(super) struct Stream {
    /// `None` comes behind the last row: a reader that breaks off without it is no end.
    rows: Receiver<Option<Row>>,
    until: Instant,
}

/// What is there.
pub(super) enum Next {
    /// Nothing more for this batch.
    NotYet,
    /// A row, or the end.
    Read(Option<Row>),
}

impl Stream {
    /// Starts to read. The thread may sit in a read that never returns, so nobody waits for it; it ends with the rows,
    /// or when nobody takes them any more.
    pub(super) fn start(rows: Rows) -> io::Result<Stream> {
        let (sender, receiver) = sync_channel(AHEAD);
        thread::Builder::new().name("rows".into()).spawn(move || {
            for row in rows {
                if sender.send(Some(row)).is_err() {
                    return;
                }
            }
            // Nobody may be left to be told.
            let _ = sender.send(None);
        })?;
        Ok(Stream {
            rows: receiver,
            until: Instant::now(),
        })
    }

    /// Begins to wait for a batch.
    pub(super) fn open_batch(&mut self) {
        self.until = Instant::now() + PATIENCE;
    }

    /// The next row of the batch.
    pub(super) fn next(&mut self) -> Next {
        let left = self.until.saturating_duration_since(Instant::now());
        match self.rows.recv_timeout(left) {
            Ok(row) => Next::Read(row),
            Err(RecvTimeoutError::Timeout) => Next::NotYet,
            Err(RecvTimeoutError::Disconnected) => Next::Read(Some(Err(broken_off()))),
        }
    }

    /// The next row, however long it takes.
    pub(super) fn wait(&mut self) -> Option<Row> {
        self.rows.recv().unwrap_or_else(|_| Some(Err(broken_off())))
    }
}

fn broken_off() -> RowsError {
    RowsError::Unreadable("reading stopped early".into())
}
