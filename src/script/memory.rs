//! A script's limits: memory and nesting depth.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::{Diagnostic, Frame};
use super::execution::Execution;
use super::nesting::DEEPEST;
use super::program::Ended;

/// The memory limit of a script, and the memory use of the process. Scripts share a process, so what others allocate
/// in the meantime counts as well.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Returns the bytes allocated now. Called at every step of a script, so it must be cheap.
    pub used: fn() -> usize,
    /// Returns how many bytes may be added while a script runs.
    pub most: fn() -> usize,
}

impl Memory {
    /// No limits.
    pub(super) const UNLIMITED: Memory = Memory {
        used: || 0,
        most: || usize::MAX,
    };

    /// Returns a check whether so many more bytes fit, measured from now.
    pub(super) fn room(self) -> impl Fn(usize) -> bool {
        let begun_with = (self.used)();
        move |bytes| needed(self).saturating_add(bytes).saturating_sub(begun_with) <= (self.most)()
    }
}

/// The kind of the failure of a script that exceeded the limit.
pub(crate) const OUT_OF_MEMORY: &str = "out_of_memory";

/// Bytes reserved for copies of the arguments of pending calls.
static PROMISED: AtomicUsize = AtomicUsize::new(0);

/// How many copies are made of data that leaves a script: the request's body and the journal's record.
const COPIES: usize = 2;

/// The bytes that all scripts have allocated and reserved.
pub(super) fn needed(memory: Memory) -> usize {
    (memory.used)().saturating_add(PROMISED.load(Ordering::Relaxed))
}

/// Reserves room for the copies of data that leaves a script, until dropped.
pub(super) struct Copies<'a> {
    execution: &'a Execution,
    promised: Cell<usize>,
}

impl Copies<'_> {
    /// Creates an empty reservation.
    pub(super) fn of(execution: &Execution) -> Copies<'_> {
        let promised = Cell::new(0);
        Copies { execution, promised }
    }

    /// Whether there is room for so many more bytes and their copies. Stops the script if not.
    pub(super) fn have_room(&self, bytes: usize) -> bool {
        let more = bytes.saturating_mul(COPIES);
        if !self.execution.has_room(bytes.saturating_add(more)) {
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

/// The limit that stopped a script.
#[derive(Debug, Clone, Copy)]
pub(super) enum Overrun {
    /// It had allocated or requested `taken` bytes, and the limit is `most`.
    Memory { taken: usize, most: usize },
    /// Its values are nested too deeply.
    Nesting,
}

impl Overrun {
    /// The result of a stopped script, whatever it did after the stop. The position is from `ended`; Rhai loses it
    /// when functions are left, and then it is `within`.
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
        "the script exceeds its memory limit: {} more than at its start; {} are allowed",
        spoken(taken),
        spoken(most)
    );
    Diagnostic::new(OUT_OF_MEMORY, title)
        .hint("process the data in parts, and drop what you no longer need")
        .hint("or raise the limit: --max-memory 4G")
        .hint("provisor explain out_of_memory")
}

/// Formats a size: `1.5 GiB`, `300 MiB`.
fn spoken(bytes: usize) -> String {
    let mebibytes = bytes / (1024 * 1024);
    if mebibytes < 1024 {
        return format!("{mebibytes} MiB");
    }
    format!("{}.{} GiB", mebibytes / 1024, mebibytes % 1024 * 10 / 1024)
}
