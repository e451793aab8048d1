//! Unbuffered stdout or stderr. Once the process is stopping, it does not wait for a reader that has stopped reading.

use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Stream;

/// The most bytes per write: no more than a stream takes that reports itself writable.
const MAX_WRITE_BYTES: usize = 512;

/// How long a reader may pause once the process is stopping; also how often this is checked.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// An unbuffered stream. A reader that does not read while the process is stopping counts as gone.
#[derive(Debug)]
pub(crate) struct UnbufferedStream {
    stream: Stream,
    stopping: Arc<AtomicBool>,
}

impl UnbufferedStream {
    pub(super) fn new(stream: Stream, stopping: &Arc<AtomicBool>) -> UnbufferedStream {
        UnbufferedStream {
            stream,
            stopping: Arc::clone(stopping),
        }
    }

    fn write_to(&self, to: &impl std::os::fd::AsFd, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut streams = [PollFd::new(to, PollFlags::OUT)];
            match poll(&mut streams, Some(&PAUSE)) {
                Ok(0) if self.stopping.load(Ordering::Relaxed) => {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(rustix::io::write(to, bytes)?),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Write for UnbufferedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = &bytes[..bytes.len().min(MAX_WRITE_BYTES)];
        match self.stream {
            Stream::Out => self.write_to(&io::stdout().as_fd(), part),
            Stream::Err => self.write_to(&io::stderr().as_fd(), part),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_stalled_stdout_reader_does_not_block_shutdown() {
        let (reader, writer) = io::pipe().unwrap();
        let stopping = Arc::new(AtomicBool::new(true));
        let outlet = UnbufferedStream::new(Stream::Out, &stopping);
        let mut written = 0;
        let error = loop {
            match outlet.write_to(&writer, &[b'x'; MAX_WRITE_BYTES]) {
                Ok(count) => written += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(written >= 4096, "what there is room for is written: {written}");
        drop(reader);
        let gone = outlet.write_to(&writer, b"x").unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    }
}
