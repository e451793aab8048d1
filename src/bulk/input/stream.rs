//! Rows from a slow source, read on a separate thread, which is abandoned when no more rows are wanted.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::bulk::rows::{InputRow, Rows, RowsError};

type Row = Result<InputRow, RowsError>;

/// The number of rows read ahead.
const LOOK_AHEAD: usize = 256;

/// How long a batch waits for its rows, before it is returned empty or with those that have arrived.
const MAX_BATCH_WAIT: Duration = Duration::from_millis(50);

/// Rows arriving from a slow source.
pub(super) struct Stream {
    /// `None` marks the end of the rows: a reader that stops without it has failed.
    rows: Receiver<Option<Row>>,
    deadline: Instant,
}

/// The result of polling the stream.
pub(super) enum Next {
    /// Nothing more for this batch.
    NotYet,
    /// A row, or the end.
    Read(Option<Row>),
}

impl Stream {
    /// Starts reading. The thread may block in a read that never returns, so it is never joined; it ends with the rows,
    /// or when the receiver is dropped.
    pub(super) fn start(rows: Rows) -> io::Result<Stream> {
        let (sender, receiver) = sync_channel(LOOK_AHEAD);
        thread::Builder::new().name("rows".into()).spawn(move || {
            for row in rows {
                if sender.send(Some(row)).is_err() {
                    return;
                }
            }
            // The receiver may already be gone.
            let _ = sender.send(None);
        })?;
        Ok(Stream {
            rows: receiver,
            deadline: Instant::now(),
        })
    }

    /// Starts the waiting time of a batch.
    pub(super) fn open_batch(&mut self) {
        self.deadline = Instant::now() + MAX_BATCH_WAIT;
    }

    /// Returns the next row of the batch.
    pub(super) fn next(&mut self) -> Next {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        match self.rows.recv_timeout(remaining) {
            Ok(row) => Next::Read(row),
            Err(RecvTimeoutError::Timeout) => Next::NotYet,
            Err(RecvTimeoutError::Disconnected) => Next::Read(Some(Err(stopped_early_error()))),
        }
    }

    /// Returns the next row, waiting as long as it takes.
    pub(super) fn wait(&mut self) -> Option<Row> {
        self.rows
            .recv()
            .unwrap_or_else(|_| Some(Err(stopped_early_error())))
    }
}

fn stopped_early_error() -> RowsError {
    RowsError::Unreadable("reading stopped early".into())
}
