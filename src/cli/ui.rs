//! Terminal output: data on stdout, everything else on stderr.

mod colour;
mod progress;
mod say;
mod table;
mod unbuffered_stream;
mod visible;

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use indicatif::ProgressBar;

use self::colour::wants_colour;
pub use self::colour::{Colour, Style};
pub use self::progress::Progress;
pub(super) use self::say::print_clap_error;
pub(crate) use self::unbuffered_stream::UnbufferedStream;
pub use self::visible::Visible;
use super::paths::Env;
use super::times;
use crate::value::Value;
pub use crate::value::visible::printable;
use crate::waiting::{Wait, Waits};

/// An output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The terminal, or the file or pipe in its place. Clones share the progress bar, so that lines do not break it.
#[derive(Debug, Clone)]
pub struct Ui {
    out: StreamCapabilities,
    err: StreamCapabilities,
    /// Whether lines on stderr may be redrawn.
    animated: bool,
    width: Option<u16>,
    /// Whether the width is set by the environment.
    fixed: bool,
    closed: Arc<AtomicBool>,
    /// The error of a failed write of data.
    output_error: Arc<OnceLock<String>>,
    /// Whether the platforms are simulated.
    sandboxed: Arc<AtomicBool>,
    /// Whether the process is stopping and no longer waits for readers.
    stopping: Arc<AtomicBool>,
    bar: Arc<Mutex<Option<ProgressBar>>>,
    /// Present while row progress is shown.
    rows: Arc<Mutex<Option<RowsShown>>>,
}

/// The state of the row progress display.
#[derive(Debug, Default)]
struct RowsShown {
    /// When a line last reported what the rows wait for.
    last_report: Option<Instant>,
}

/// The capabilities of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
struct StreamCapabilities {
    terminal: bool,
    colour: bool,
}

/// The smallest usable width, in characters; no table fits into less.
const MIN_WIDTH: u16 = 20;

impl Ui {
    /// Detects the capabilities of the process's streams, from them and the environment.
    pub fn new(env: &Env, colour: Colour) -> Ui {
        Ui::for_streams(
            env,
            colour,
            io::stdout().is_terminal(),
            io::stderr().is_terminal(),
        )
    }

    fn for_streams(env: &Env, colour: Colour, out: bool, err: bool) -> Ui {
        let dumb = env.get("TERM") == Some("dumb");
        let sight = |terminal| StreamCapabilities {
            terminal,
            colour: wants_colour(env, colour, terminal),
        };
        let columns = env.get("COLUMNS").and_then(|text| text.parse().ok());
        let width = columns.or_else(|| table::terminal_width().filter(|_| out));
        // Some terminals do not know their width and report 0.
        let width = width.filter(|width| *width >= MIN_WIDTH);
        Ui {
            out: sight(out),
            err: sight(err),
            animated: err && !dumb,
            width,
            fixed: columns.is_some(),
            closed: Arc::default(),
            output_error: Arc::default(),
            sandboxed: Arc::default(),
            stopping: Arc::default(),
            bar: Arc::default(),
            rows: Arc::default(),
        }
    }

    /// Whether the stream is a terminal.
    pub fn is_terminal(&self, stream: Stream) -> bool {
        self.sight(stream).terminal
    }

    /// Whether the stream takes colours.
    pub fn has_colour(&self, stream: Stream) -> bool {
        self.sight(stream).colour
    }

    /// The width of stdout in characters; `None` without a limit.
    pub fn width(&self) -> Option<u16> {
        self.width
    }

    /// The current width, if the terminal may have been resized since the start.
    pub fn width_now(&self) -> Option<u16> {
        let now = || table::terminal_width().filter(|width| *width >= MIN_WIDTH);
        match self.width {
            Some(width) if !self.fixed && self.out.terminal => now().or(Some(width)),
            width => width,
        }
    }

    /// Whether the reader of stdout is gone, so that nothing more need be written there.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The error of a failed write to stdout, unless only its reader was gone.
    pub fn output_error(&self) -> Option<&str> {
        self.output_error.get().map(String::as_str)
    }

    /// Marks the process as stopping: from now on, a reader that does not read counts as gone.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// An unbuffered writer to a stream.
    fn outlet(&self, stream: Stream) -> UnbufferedStream {
        UnbufferedStream::new(stream, &self.stopping)
    }

    /// Stdout for data: unchanged for a file or a pipe, made safe for a terminal.
    pub(crate) fn data(&self) -> Visible<UnbufferedStream> {
        Visible::new(self.outlet(Stream::Out), self.out.terminal)
    }

    /// Marks everything from now on as simulated; prompts and failures mention it.
    pub fn enter_sandbox(&self) {
        self.sandboxed.store(true, Ordering::Relaxed);
    }

    /// Whether the platforms are simulated.
    pub fn is_sandboxed(&self) -> bool {
        self.sandboxed.load(Ordering::Relaxed)
    }

    /// The text, marked if the sandbox is in use.
    pub fn marked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_sandboxed() {
            format!("(sandbox) {text}").into()
        } else {
            text.into()
        }
    }

    /// Writes a prompt without a line end: to stdout if it is a terminal, else to stderr if that is one.
    pub fn prompt(&self, text: &str) -> io::Result<()> {
        let mut to: Box<dyn Write> = match (self.out.terminal, self.err.terminal) {
            (true, _) => Box::new(io::stdout()),
            (false, true) => Box::new(io::stderr()),
            (false, false) => return Ok(()),
        };
        self.with_bar_hidden(|| write!(to, "{text}").and_then(|()| to.flush()))
    }

    /// Writes data to stdout, with a line end if it lacks one. On a terminal, control characters are escaped; a file or
    /// a pipe gets the data unchanged. A reader that is gone is no error; any other failure is.
    pub fn out(&self, text: &str) -> io::Result<()> {
        if self.out.terminal {
            self.out_styled(&printable(text))
        } else {
            self.out_styled(text)
        }
    }

    /// The same for text that provisor styled itself: the styles are kept.
    pub fn out_styled(&self, text: &str) -> io::Result<()> {
        let line_end = if text.ends_with('\n') { "" } else { "\n" };
        let written = self.with_bar_hidden(|| {
            // Lines of several threads must not mix.
            let _lock = io::stdout().lock();
            let mut out = self.outlet(Stream::Out);
            out.write_all(format!("{text}{line_end}").as_bytes())
        });
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                self.output_error.get_or_init(|| error.to_string());
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Writes a line to stderr unchanged, with its styles. A failure is ignored, as there is nowhere to report it.
    pub fn err(&self, line: &str) {
        self.with_bar_hidden(|| {
            let _lock = io::stderr().lock();
            let _ = self.outlet(Stream::Err).write_all(format!("{line}\n").as_bytes());
        });
    }

    /// Writes a message to stderr. Control characters are escaped.
    pub fn note(&self, text: &str) {
        self.err(&printable(text));
    }

    /// Writes a warning to stderr.
    pub fn warn(&self, text: &str) {
        let word = self.styled(Stream::Err, Style::Warning, "warning");
        self.err(&format!("{word}: {}", printable(text)));
    }

    /// Reports a wait on stderr. While a progress display shows waits as well, not every wait is reported.
    pub(super) fn wait(&self, wait: &Wait) {
        if let Some(rows) = self.rows().as_mut() {
            let is_shown = self.animated && self.bar().is_some();
            if is_shown
                || rows
                    .last_report
                    .is_some_and(|last_report| last_report.elapsed() < progress::INTERVAL)
            {
                return;
            }
            rows.last_report = Some(Instant::now());
        }
        self.note(&waited_for(wait));
    }

    /// The text in a style, if the stream takes colours.
    pub fn styled(&self, stream: Stream, style: Style, text: &str) -> String {
        if !self.has_colour(stream) {
            return text.to_owned();
        }
        let code = style.code();
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A table with a header, at most as wide as the terminal. Without a terminal, columns are as wide as they need to
    /// be.
    pub fn table(&self, header: &[&str], rows: &[Vec<String>]) -> String {
        table::with_header(header, rows, self.width)
    }

    /// Formats a value: a map with a line per name, a list of maps as a table, anything else as text. Secrets are
    /// masked.
    pub fn value(&self, value: &Value) -> String {
        table::format_value(value, self.width)
    }

    /// Formats named values, one per line, in the given order. Secrets are masked.
    pub fn fields(&self, fields: &[(String, Value)]) -> String {
        table::format_fields(fields, self.width)
    }

    /// Shows the progress of a run over rows until the handle is finished or dropped: after half a second as a bar on a
    /// terminal, else as a line every ten seconds. `total` is the number of rows, if known; `waits` is what they wait
    /// for.
    pub fn progress(&self, total: Option<u64>, waits: Waits) -> Progress {
        Progress::start(self.clone(), total, waits)
    }

    fn sight(&self, stream: Stream) -> StreamCapabilities {
        match stream {
            Stream::Out => self.out,
            Stream::Err => self.err,
        }
    }

    /// Writes while the progress bar, if any, is hidden.
    fn with_bar_hidden<R>(&self, write: impl FnOnce() -> R) -> R {
        match self.bar().as_ref() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn rows(&self) -> MutexGuard<'_, Option<RowsShown>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `waiting for an answer to POST crm.example/items until 14:03:20 UTC`, and the reason.
fn waited_for(wait: &Wait) -> String {
    let until = wait.until_ms.map_or_else(String::new, |until| {
        format!(" until {}", times::time_of_day(until))
    });
    let reason = if wait.reason.is_empty() { "" } else { ": " };
    format!("{}{until}{reason}{}", wait.what, wait.reason)
}

#[cfg(test)]
mod tests;
