//! Unbuffered stdout or stderr. Once the process is stopping, it does not wait for a reader that has stopped reading.

use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Stream;
use crate::value::visible::shown;

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

/// Escapes control characters for a terminal in JSON form, `\u001b`, so that JSON stays JSON; or forwards everything.
#[derive(Debug)]
pub struct Visible<W> {
    sink: W,
    shows: bool,
    /// The first bytes of an incomplete character.
    pending: Vec<u8>,
}

impl<W: Write> Visible<W> {
    pub(in crate::cli) fn new(sink: W, shows: bool) -> Visible<W> {
        Visible {
            sink,
            shows,
            pending: Vec::new(),
        }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.shows {
            return self.sink.write(bytes);
        }
        self.pending.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.pending) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.pending.len(),
        };
        let ready: Vec<u8> = self.pending.drain(..whole).collect();
        let text = String::from_utf8_lossy(&ready);
        let text = shown(&text, |c| format!("\\u{:04x}", u32::from(c)));
        self.sink.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::value::visible::is_control_or_bidi;

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

    const HOSTILE: &str = "a\u{1b}]0;title\u{7}\u{1b}[2Jb\u{9b}31m\u{202e}txt.exe\u{2066}ü\r\n\tend\u{7f}";

    #[test]
    fn control_characters_are_escaped_on_a_terminal_across_split_writes() {
        let json = serde_json::json!({ "a": HOSTILE }).to_string();
        for size in 1..7 {
            let mut visible = Visible::new(Vec::new(), true);
            json.as_bytes()
                .chunks(size)
                .for_each(|part| visible.write_all(part).unwrap());
            let text = String::from_utf8(visible.sink).unwrap();
            assert!(!text.contains(is_control_or_bidi), "{text}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&text).unwrap()["a"],
                HOSTILE
            );
        }
    }

    #[test]
    fn output_to_a_file_is_not_escaped() {
        let mut raw = Visible::new(Vec::new(), false);
        raw.write_all(HOSTILE.as_bytes()).unwrap();
        assert_eq!(raw.sink, HOSTILE.as_bytes());
    }
}
