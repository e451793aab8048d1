//! Limits the nesting of values. Rhai drops, copies and compares nested values recursively, so a script that keeps
//! nesting values is stopped before they exhaust the stack.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use rhai::{Array, Blob, Dynamic, EvalAltResult, EvalContext, FnPtr, Map, Position};

use super::execution::Execution;
use super::realm;
use super::script_error::ScriptError;
use crate::sabotage::Sabotage;

/// The most levels of nested lists, maps, closures and errors while a script runs.
pub(super) const MAX_DEPTH: usize = 1_000;

/// Inserted at the start of a loop in which `this` may be nested deeper and no variable is read.
pub(super) const LOOK: &str = "__look;";

/// The least and the most variable reads between two checks.
const CHECK_INTERVALS: (usize, usize) = (64, 100_000);

/// The size of a value.
#[derive(Debug, Default)]
pub(super) struct Extent {
    /// The nesting depth, counted up to one more than [`MAX_DEPTH`].
    pub(super) levels: usize,
    /// The number of values.
    pub(super) nodes: usize,
    /// The bytes of a copy, beyond those of the value itself. Strings are shared, not copied.
    pub(super) bytes: usize,
    /// Addresses of shared parts: cells of closures, which may contain themselves, and errors.
    cells: BTreeSet<usize>,
}

/// Measures a value.
pub(super) fn extent(value: &Dynamic) -> Extent {
    let mut extent = Extent::default();
    extent.visit(value, 1);
    extent
}

impl Extent {
    fn visit(&mut self, value: &Dynamic, level: usize) {
        self.nodes += 1;
        self.levels = self.levels.max(level);
        if level > MAX_DEPTH {
            return;
        }
        if value.is_shared() {
            // The cell is never locked for long; one that is locked now is checked the next time.
            if let Some(cell) = value.read_lock::<Dynamic>()
                && self.cells.insert(std::ptr::from_ref(&*cell).addr())
            {
                self.visit(&cell, level);
            }
        } else if let Some(items) = value.read_lock::<Array>() {
            self.bytes += size_of_val(items.as_slice());
            self.nodes += items.len();
            let inner = items.iter().filter(|item| is_container(item));
            inner.for_each(|item| self.visit(item, level + 1));
        } else if let Some(fields) = value.read_lock::<Map>() {
            // A node of the B-tree holds up to eleven fields.
            self.bytes += 512 + fields.len() * 64;
            self.nodes += fields.len();
            let inner = fields.values().filter(|field| is_container(field));
            inner.for_each(|field| self.visit(field, level + 1));
        } else if let Some(function) = value.read_lock::<FnPtr>() {
            self.bytes += size_of::<FnPtr>() + size_of_val(function.curry());
            self.levels = self.levels.max(level + realm::hidden_levels(&function));
            function
                .iter_curry()
                .for_each(|captured| self.visit(captured, level + 1));
        } else if let Some(caught) = value.read_lock::<ScriptError>() {
            // Copies share their contents, which may occur twice.
            if self.cells.insert(caught.address()) {
                caught.held().for_each(|held| self.visit(held, level + 1));
            }
        } else if let Some(blob) = value.read_lock::<Blob>() {
            self.bytes += blob.len();
        }
    }
}

/// Whether it can contain other values, or bytes that are not shared.
fn is_container(value: &Dynamic) -> bool {
    !(value.is_int() || value.is_string() || value.is_bool() || value.is_unit() || value.is_float())
}

/// Schedules the checks of a script's values.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Variable reads left until the next check.
    remaining: AtomicUsize,
    checks: AtomicUsize,
}

impl Watch {
    /// Whether a check is due. Called whenever a variable is read.
    fn is_due(&self) -> bool {
        let remaining = self.remaining.load(Relaxed);
        self.remaining.store(remaining.saturating_sub(1), Relaxed);
        remaining == 0
    }

    /// Records a check of so many values; the next one follows once the script has done more work than the check took.
    fn record_check(&self, nodes: usize) {
        let (least, most) = CHECK_INTERVALS;
        // Intervals vary, so that a loop does not always hit a check at the same place.
        let some = self.checks.fetch_add(1, Relaxed) % 31;
        self.remaining
            .store((nodes / 2).clamp(least, most) + some, Relaxed);
    }
}

/// Periodically checks the variables in scope when one is read: any code that nests a value deeper reads one first.
/// Stops the script if a value is nested too deeply. Returns the value of the variable in [`LOOK`].
pub(super) fn watch(
    execution: &Execution,
    name: &str,
    context: &EvalContext,
) -> Result<Option<Dynamic>, Box<EvalAltResult>> {
    let read = LOOK
        .strip_suffix(';')
        .filter(|look| *look == name)
        .map(|_| Dynamic::UNIT);
    if !execution.nesting().is_due() {
        return Ok(read);
    }
    let mut nodes = 0;
    let variables = context.scope().iter_raw().map(|(_, _, value)| value);
    for value in variables.chain(context.this_ptr()) {
        let extent = extent(value);
        nodes += extent.nodes;
        if extent.levels > MAX_DEPTH && !Sabotage::NestingUnbounded.is_on() {
            execution.nests_too_deeply();
            return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into());
        }
    }
    execution.nesting().record_check(nodes);
    Ok(read)
}
