//! How much a script may take: memory, and levels of nesting.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::{Diagnostic, Frame};
use super::live::Live;
use super::nesting::DEEPEST;
use super::program::Ended;

/// How much memory a script may take, and how much the process has. Scripts share a process, so what others take
/// meanwhile counts as well.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Bytes that are allocated now. Asked at every step of a script, so it must be cheap.
    pub used: fn() -> usize,
    /// Bytes that may come to that while a script runs.
    pub most: fn() -> usize,
}

impl Memory {
    /// No bounds.
    pub(super) const UNLIMITED: Memory = Memory {
        used: || 0,
        most: || usize::MAX,
    };

    /// Tells whether so many bytes more still fit, as for a script that begins now.
    pub(super) fn room(self) -> impl Fn(usize) -> bool {
        let begun_with = (self.used)();
        move |bytes| needed(self).saturating_add(bytes).saturating_sub(begun_with) <= (self.most)()
    }
}

/// Bytes that calls under way will still take for copies of their arguments.
static PROMISED: AtomicUsize = AtomicUsize::new(0);

/// So many copies are made of what leaves a script: the text of a request, and what the journal keeps.
const COPIES: usize = 2;

/// What all scripts take now and are about to take, in bytes.
pub(super) fn needed(memory: Memory) -> usize {
    (memory.used)().saturating_add(PROMISED.load(Ordering::Relaxed))
}

/// Room for the copies of what leaves a script, until this is dropped.
pub(super) struct Copies<'a> {
    live: &'a Live,
    promised: Cell<usize>,
}

impl Copies<'_> {
    /// Nothing leaves yet.
    pub(super) fn of(live: &Live) -> Copies<'_> {
        let promised = Cell::new(0);
        Copies { live, promised }
    }

    /// Is there room for so many bytes more, and for their copies? Stops the script when there is not.
    pub(super) fn have_room(&self, bytes: usize) -> bool {
        let more = bytes.saturating_mul(COPIES);
        if !self.live.has_room(bytes.saturating_add(more)) {
            return false;
        }
        PROMISED.fetch_add(more, Ordering::Relaxed);
        self.promised.set(self.promised.get() + more);
        true
    }
}

impl Drop for Copies<'_> {
    fn drop(&mut self) {
        PROMISED.fetch_sub(self.promised.get(), Ordering::Relaxed);
    }
}

/// Why a script was stopped for what it takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Overrun {
    /// It had taken, or asked for, so many bytes, and may take so many.
    Memory { taken: usize, most: usize },
    /// Its values lie in each other too deeply.
    Nesting,
}

impl Overrun {
    /// How the script ended, whatever it made of being stopped: `ended` tells where. Rhai forgets that when functions
    /// are left; then it is `within` this one.
    pub(super) fn end<T>(self, ended: Result<T, Ended>, within: Option<Frame>) -> Ended {
        let mut frames = match ended {
            Err(Ended::Failed(diagnostic)) => diagnostic.frames,
            _ => Vec::new(),
        };
        if frames.is_empty() {
            let label = "in here, or in what is called from here";
            frames.extend(within.map(|frame| frame.label(label)));
        }
        let failed = match self {
            Overrun::Memory { taken, most } => out_of_memory(taken, most),
            Overrun::Nesting => {
                let title = format!("a value is nested more than {DEEPEST} levels deep");
                Diagnostic::new("script_error", title).hint("keep the items in one flat list")
            }
        };
        Ended::Failed(Box::new(Diagnostic { frames, ..failed }))
    }
}

fn out_of_memory(taken: usize, most: usize) -> Diagnostic {
    let title = format!(
        "the script exceeds its memory limit: {} more than when it began, and {} are allowed",
        spoken(taken),
        spoken(most)
    );
    Diagnostic::new("out_of_memory", title)
        .hint("process the data in parts, and drop what you no longer need")
        .hint(
            "or raise the limit: --max-memory 4G; rows that run at once share it, so a smaller --jobs helps, too",
        )
        .hint("provisor explain out_of_memory")
}

/// A size as people say it: `1.5 GiB`, `300 MiB`.
fn spoken(bytes: usize) -> String {
    let mebibytes = bytes / (1024 * 1024);
    if mebibytes < 1024 {
        return format!("{mebibytes} MiB");
    }
    format!("{}.{} GiB", mebibytes / 1024, mebibytes % 1024 * 10 / 1024)
}
