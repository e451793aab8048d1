//! Terminal output: data on stdout, everything else on stderr.

mod progress;
mod stream;
mod table;

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use clap::error::ContextValue;
use indicatif::ProgressBar;

pub use self::progress::Progress;
pub(crate) use self::stream::UnbufferedStream;
pub use self::stream::Visible;
use super::exit::Exit;
use super::times;
use crate::config::Env;
use crate::report::summary::Summary;
use crate::script::error::Diagnostic;
pub use crate::value::visible::printable;
use crate::value::{Record, Value};
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

/// The largest width of prose, in characters; also used without a terminal.
const PROSE_WIDTH: u16 = 100;

impl Ui {
    /// Detects the capabilities of the process's streams, from them and the environment.
    pub(crate) fn new(env: &Env, colour: Colour) -> Ui {
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

    /// The width of documentation and other prose, in characters.
    pub fn prose_width(&self) -> usize {
        self.width
            .map_or(PROSE_WIDTH, |width| width.min(PROSE_WIDTH))
            .into()
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

    /// Writes an error and its hints to stderr.
    pub(crate) fn error(&self, message: &str, hints: &[String]) {
        let word = self.styled(Stream::Err, Style::Error, "error");
        self.err(&format!("{word}: {}", printable(message)));
        for hint in hints {
            self.hint(hint);
        }
    }

    /// Writes what to do next to stderr.
    pub(crate) fn hint(&self, hint: &str) {
        let word = self.styled(Stream::Err, Style::Good, "hint");
        self.err(&format!("{word}: {}", printable(hint)));
    }

    /// Writes a message that must not be overlooked to stderr.
    pub(crate) fn banner(&self, text: &str) {
        self.err(&self.styled(Stream::Err, Style::Warning, &printable(text)));
    }

    /// Writes a script error with its location to stderr.
    pub(crate) fn diagnostic(&self, diagnostic: &Diagnostic) {
        let width = self.width().unwrap_or(PROSE_WIDTH);
        self.err(
            diagnostic
                .render(self.has_colour(Stream::Err), width.into())
                .trim_end(),
        );
    }

    /// Writes a record to stdout as one line of JSON.
    pub(crate) fn json(&self, record: &Record) -> io::Result<()> {
        self.out(&Value::Record(record.clone()).to_masked_json().to_string())
    }

    /// Writes a record to stdout as text, the names in `first` before the others.
    pub(crate) fn record(&self, record: &Record, first: &[String]) -> io::Result<()> {
        if record.is_empty() {
            return Ok(());
        }
        let others = record.keys().filter(|name| !first.contains(name));
        let names = first
            .iter()
            .filter(|name| record.contains_key(*name))
            .chain(others);
        let rows = names.map(|name| (name.clone(), record[name].clone()));
        self.out(&self.fields(&rows.collect::<Vec<_>>()))
    }

    /// Writes the summary of a run over rows to stderr.
    pub(crate) fn summary(&self, summary: &Summary, run: &str) {
        let mut lines = summary.lines().into_iter();
        if let Some(first) = lines.next() {
            self.err(&format!("run {run}: {}", printable(&first)));
        }
        lines.for_each(|line| self.note(&line));
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

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb`; elsewhere only with `CLICOLOR_FORCE`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The style of a text. It has no effect without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A failure.
    Error,
    /// A warning.
    Warning,
    /// A success.
    Good,
    /// The important part of a line.
    Strong,
    /// The less important part.
    Faint,
}

impl Style {
    /// The terminal's escape code for the style.
    fn code(self) -> &'static str {
        match self {
            Style::Error => "1;31",
            Style::Warning => "1;33",
            Style::Good => "32",
            Style::Strong => "1",
            Style::Faint => "2",
        }
    }
}

/// Whether a stream should be coloured.
fn wants_colour(env: &Env, colour: Colour, terminal: bool) -> bool {
    let forced = env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if env.os("NO_COLOR").is_some() => false,
        Colour::Auto if forced => true,
        Colour::Auto => terminal && env.get("TERM") != Some("dumb"),
    }
}

/// Prints clap's own message: help on stdout, a command-line error on stderr.
pub(super) fn print_clap_error(mut error: clap::Error) -> Exit {
    let context: Vec<_> = error
        .context()
        .map(|(kind, value)| (kind, value.clone()))
        .collect();
    for (kind, value) in context {
        error.insert(kind, visible(value));
    }
    // Without a reader of the stream, the error has no reader either.
    let _ = error.print();
    match error.exit_code() {
        0 => Exit::Ok,
        _ => Exit::Usage,
    }
}

/// The message made safe for a terminal, as clap repeats what was typed.
fn visible(value: ContextValue) -> ContextValue {
    let shown = |text: String| printable(&text).into_owned();
    match value {
        ContextValue::String(text) => ContextValue::String(shown(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.into_iter().map(shown).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_show_only_where_there_are_colours() {
        let env = Env::of([("A", "1")], "/");
        let plain = Ui::for_streams(&env, Colour::Auto, false, false);
        assert_eq!(plain.styled(Stream::Err, Style::Error, "error"), "error");
        let bright = Ui::for_streams(&env, Colour::Auto, false, true);
        assert_eq!(
            bright.styled(Stream::Err, Style::Error, "error"),
            "\u{1b}[1;31merror\u{1b}[0m"
        );
        assert_eq!(bright.styled(Stream::Out, Style::Error, "error"), "error");
    }

    #[test]
    fn a_dumb_terminal_is_not_animated() {
        let dumb = Ui::for_streams(&Env::of([("TERM", "dumb")], "/"), Colour::Auto, true, true);
        assert!(!dumb.animated);
        assert!(dumb.is_terminal(Stream::Err));
    }

    fn colour(variables: &[(&str, &str)], choice: Colour, terminal: bool) -> bool {
        wants_colour(&Env::of(variables.iter().copied(), "/"), choice, terminal)
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_terminal() {
        assert!(colour(&[], Colour::Auto, true));
        assert!(!colour(&[], Colour::Auto, false));
        assert!(!colour(&[("NO_COLOR", "1")], Colour::Auto, true));
        assert!(colour(&[("NO_COLOR", "")], Colour::Auto, true));
        assert!(!colour(&[("TERM", "dumb")], Colour::Auto, true));
        assert!(colour(&[("CLICOLOR_FORCE", "1")], Colour::Auto, false));
        assert!(!colour(&[("CLICOLOR_FORCE", "0")], Colour::Auto, false));
        assert!(!colour(
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            Colour::Auto,
            false
        ));
        assert!(colour(&[("NO_COLOR", "1")], Colour::Always, false));
        assert!(!colour(&[("CLICOLOR_FORCE", "1")], Colour::Never, true));
    }
}
