//! A script's limits: memory and nesting depth.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::{Diagnostic, Frame};
use super::execution::Execution;
use super::nesting::MAX_DEPTH;
use super::program::ScriptEnd;

/// The memory limit of scripts, and the memory use of the process. Scripts that run at once share the limit.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Returns the bytes allocated now. Called at every step of a script, so it must be cheap.
    pub used: fn() -> usize,
    /// Returns how many bytes may be added while scripts run.
    pub limit: fn() -> usize,
    /// The scripts that share the limit.
    pub scripts: &'static Scripts,
}

/// The scripts that share a memory limit and run now.
#[derive(Debug)]
pub struct Scripts {
    running: Mutex<RunningScripts>,
    /// Bytes reserved for copies of the arguments of pending calls.
    reserved: AtomicUsize,
}

#[derive(Debug)]
struct RunningScripts {
    scripts: usize,
    /// Allocated bytes when the first of them started. If each counted from its own start, what the others held then
    /// would be allowed on top of the limit, and more with each script that starts.
    begun_with: usize,
}

impl Scripts {
    /// No script runs.
    #[allow(clippy::new_without_default, reason = "only statics are made of it")]
    pub const fn new() -> Scripts {
        Scripts {
            running: Mutex::new(RunningScripts {
                scripts: 0,
                begun_with: 0,
            }),
            reserved: AtomicUsize::new(0),
        }
    }

    fn running(&self) -> MutexGuard<'_, RunningScripts> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running script's part in the shared limit, until dropped.
pub(super) struct MemoryShare {
    memory: Memory,
    begun_with: usize,
    is_running: AtomicBool,
}

impl MemoryShare {
    /// Counts the script no longer. A function of it may be kept for a lookup, and with it this share.
    pub(super) fn end(&self) {
        if self.is_running.swap(false, Ordering::Relaxed) {
            self.memory.scripts.running().scripts -= 1;
        }
    }

    /// How many bytes the running scripts have added if `used` are allocated.
    pub(super) fn taken(&self, used: usize) -> usize {
        used.saturating_sub(self.begun_with)
    }

    /// The limit.
    pub(super) fn memory(&self) -> Memory {
        self.memory
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.end();
    }
}

impl Memory {
    /// No limits.
    pub(super) const UNLIMITED: Memory = Memory {
        used: || 0,
        limit: || usize::MAX,
        scripts: &UNLIMITED,
    };

    /// Counts a script that starts now.
    pub(super) fn begin(self) -> MemoryShare {
        let mut running = self.scripts.running();
        if running.scripts == 0 {
            running.begun_with = (self.used)();
        }
        running.scripts += 1;
        let begun_with = running.begun_with;
        MemoryShare {
            memory: self,
            begun_with,
            is_running: AtomicBool::new(true),
        }
    }

    /// The bytes that all scripts have allocated and reserved.
    pub(super) fn needed(self) -> usize {
        (self.used)().saturating_add(self.scripts.reserved.load(Ordering::Relaxed))
    }

    /// Returns a check whether so many more bytes fit, measured from now.
    pub(super) fn room(self) -> impl Fn(usize) -> bool {
        let begun_with = (self.used)();
        move |bytes| self.needed().saturating_add(bytes).saturating_sub(begun_with) <= (self.limit)()
    }
}

/// The scripts without a limit.
static UNLIMITED: Scripts = Scripts::new();

/// The kind of the failure of a script that exceeded the limit.
pub(crate) const OUT_OF_MEMORY: &str = "out_of_memory";

/// How many copies are made of data that leaves a script: the request's body and the journal's record.
const COPIES: usize = 2;

/// Reserves room for the copies of data that leaves a script, until dropped.
pub(super) struct CopyReservation<'a> {
    execution: &'a Execution,
    reserved: Cell<usize>,
}

impl CopyReservation<'_> {
    /// Creates an empty reservation.
    pub(super) fn of(execution: &Execution) -> CopyReservation<'_> {
        let reserved = Cell::new(0);
        CopyReservation { execution, reserved }
    }

    /// Whether there is room for so many more bytes and their copies. Stops the script if not.
    pub(super) fn ensure_room(&self, bytes: usize) -> bool {
        let more = bytes.saturating_mul(COPIES);
        if !self.execution.has_room(bytes.saturating_add(more)) {
            return false;
        }
        let scripts = self.execution.memory().scripts;
        scripts.reserved.fetch_add(more, Ordering::Relaxed);
        self.reserved.set(self.reserved.get() + more);
        true
    }
}

impl Drop for CopyReservation<'_> {
    fn drop(&mut self) {
        let scripts = self.execution.memory().scripts;
        scripts.reserved.fetch_sub(self.reserved.get(), Ordering::Relaxed);
    }
}

/// The label of a function within which a script was stopped, if Rhai has lost where.
pub(super) const SOMEWHERE_BELOW: &str = "in here, or in what is called from here";

/// The limit that stopped a script.
#[derive(Debug, Clone, Copy)]
pub(super) enum Overrun {
    /// It had allocated or requested `taken` bytes, and the limit is `limit`.
    Memory { taken: usize, limit: usize },
    /// Its values are nested too deeply.
    Nesting,
}

impl Overrun {
    /// The result of a stopped script, whatever it did after the stop. The position is from `ended`; Rhai loses it
    /// when functions are left, and then it is `within`.
    pub(super) fn end<T>(self, ended: Result<T, ScriptEnd>, within: Option<Frame>) -> ScriptEnd {
        let mut frames = match ended {
            Err(ScriptEnd::Failed(diagnostic)) => diagnostic.frames,
            _ => Vec::new(),
        };
        if frames.is_empty() {
            frames.extend(within.map(|frame| frame.label(SOMEWHERE_BELOW)));
        }
        let failed = match self {
            Overrun::Memory { taken, limit } => out_of_memory(taken, limit),
            Overrun::Nesting => {
                let title = format!("a value is nested more than {MAX_DEPTH} levels deep");
                Diagnostic::new("script_error", title).hint("keep the items in one flat list")
            }
        };
        ScriptEnd::Failed(Box::new(Diagnostic { frames, ..failed }))
    }
}

fn out_of_memory(taken: usize, limit: usize) -> Diagnostic {
    let title = format!(
        "the script exceeds its memory limit: {} more than at its start; {} are allowed",
        format_size(taken),
        format_size(limit)
    );
    Diagnostic::new(OUT_OF_MEMORY, title)
        .hint("process the data in parts, and drop what you no longer need")
        .hint("or raise the limit: --max-memory 4G")
        .hint("provisor explain out_of_memory")
}

/// Formats a size: `1.5 GiB`, `300 MiB`.
fn format_size(bytes: usize) -> String {
    let mebibytes = bytes / (1024 * 1024);
    if mebibytes < 1024 {
        return format!("{mebibytes} MiB");
    }
    format!("{}.{} GiB", mebibytes / 1024, mebibytes % 1024 * 10 / 1024)
}
