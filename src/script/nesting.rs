//! How deep values are nested. Rhai drops, copies and compares nested values by recursion, so a script whose values are
//! nested without end is stopped before they exhaust the stack.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use rhai::{Array, Blob, Dynamic, EvalAltResult, EvalContext, FnPtr, Map, Position};

use super::live::Live;
use super::script_error::ScriptError;
use crate::sabotage::Sabotage;

/// So many levels of lists, maps, closures and errors may lie in each other while a script runs.
pub(super) const DEEPEST: usize = 1_000;

/// What a loop begins with in which `this` may be nested deeper, and no variable is read.
pub(super) const LOOK: &str = "__look;";

/// Variables are read at least so often between two looks, and at most so often.
const RARELY: (usize, usize) = (64, 100_000);

/// What a value consists of.
#[derive(Debug, Default)]
pub(super) struct Extent {
    /// How many values lie in each other; counted to one more than [`DEEPEST`].
    pub(super) levels: usize,
    /// How many values there are.
    pub(super) nodes: usize,
    /// Bytes that a copy takes, beside those of the value itself. Texts are shared, not copied.
    pub(super) bytes: usize,
    /// What is shared, by its address: cells of closures, which may hold themselves, and errors.
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
        if level > DEEPEST {
            return;
        }
        if value.is_shared() {
            // Nobody else holds the cell for long; one that is held now is looked at the next time.
            if let Some(cell) = value.read_lock::<Dynamic>()
                && self.cells.insert(std::ptr::from_ref(&*cell).addr())
            {
                self.visit(&cell, level);
            }
        } else if let Some(items) = value.read_lock::<Array>() {
            self.bytes += size_of_val(items.as_slice());
            self.nodes += items.len();
            let inner = items.iter().filter(|item| holds_others(item));
            inner.for_each(|item| self.visit(item, level + 1));
        } else if let Some(fields) = value.read_lock::<Map>() {
            // A node of the tree holds up to eleven fields.
            self.bytes += 512 + fields.len() * 64;
            self.nodes += fields.len();
            let inner = fields.values().filter(|field| holds_others(field));
            inner.for_each(|field| self.visit(field, level + 1));
        } else if let Some(function) = value.read_lock::<FnPtr>() {
            self.bytes += size_of::<FnPtr>() + size_of_val(function.curry());
            function
                .iter_curry()
                .for_each(|captured| self.visit(captured, level + 1));
        } else if let Some(caught) = value.read_lock::<ScriptError>() {
            // Copies share what lies in them, and it may lie there twice.
            if self.cells.insert(caught.address()) {
                caught.held().for_each(|held| self.visit(held, level + 1));
            }
        } else if let Some(blob) = value.read_lock::<Blob>() {
            self.bytes += blob.len();
        }
    }
}

/// Can other values lie in it, or bytes that are not shared?
fn holds_others(value: &Dynamic) -> bool {
    !(value.is_int() || value.is_string() || value.is_bool() || value.is_unit() || value.is_float())
}

/// When a script's values are looked at next.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Variables that are still read until then.
    left: AtomicUsize,
    looks: AtomicUsize,
}

impl Watch {
    /// Is it time for a look? Asked whenever a variable is read.
    fn is_due(&self) -> bool {
        let left = self.left.load(Relaxed);
        self.left.store(left.saturating_sub(1), Relaxed);
        left == 0
    }

    /// A look at so many values was taken; the next one comes when the script has done more than that look took.
    fn looked(&self, nodes: usize) {
        let (least, most) = RARELY;
        // Pauses differ, so that a loop does not always meet them at the same place.
        let some = self.looks.fetch_add(1, Relaxed) % 31;
        self.left.store((nodes / 2).clamp(least, most) + some, Relaxed);
    }
}

/// Looks, now and then, at the variables around one that is read: whatever nests a value deeper reads one first. Stops
/// the script when a value is nested too deeply. Gives the variable that [`LOOK`] reads.
pub(super) fn watch(
    live: &Live,
    name: &str,
    context: &EvalContext,
) -> Result<Option<Dynamic>, Box<EvalAltResult>> {
    let read = LOOK
        .strip_suffix(';')
        .filter(|look| *look == name)
        .map(|_| Dynamic::UNIT);
    if !live.nesting().is_due() {
        return Ok(read);
    }
    let mut nodes = 0;
    let variables = context.scope().iter_raw().map(|(_, _, value)| value);
    for value in variables.chain(context.this_ptr()) {
        let extent = extent(value);
        nodes += extent.nodes;
        if extent.levels > DEEPEST && !Sabotage::NestingUnbounded.is_on() {
            live.nests_too_deeply();
            return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into());
        }
    }
    live.nesting().looked(nodes);
    Ok(read)
}
