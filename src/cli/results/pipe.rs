//! Stdout whose reader may close it early, as `head` does.

use std::io::{self, Write};

/// Forwards everything until the reader is gone, then discards it without an error: the run's results are in the
/// journal.
#[derive(Debug)]
pub(super) struct Pipe<W> {
    sink: W,
    closed: bool,
}

impl<W: Write> Pipe<W> {
    pub(super) fn new(sink: W) -> Pipe<W> {
        Pipe { sink, closed: false }
    }

    /// Returns `instead` if the reader is gone.
    fn unless_closed<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let done = self.sink.write(bytes);
        self.unless_closed(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let done = self.sink.flush();
        self.unless_closed(done, ())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    /// Fails every write with this error, and counts the writes.
    struct Failing(io::ErrorKind, u32);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_broken_pipe_is_ignored_and_further_writes_are_skipped() {
        let mut pipe = Pipe::new(Failing(io::ErrorKind::BrokenPipe, 0));
        pipe.write_all(b"one\n").unwrap();
        pipe.write_all(b"two\n").unwrap();
        pipe.flush().unwrap();
        assert_eq!(pipe.sink.1, 1);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut pipe = Pipe::new(Failing(io::ErrorKind::StorageFull, 0));
        assert!(pipe.write_all(b"one\n").is_err());
    }
}
