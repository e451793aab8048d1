//! One running script: its door, and whether it must stop.

use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, Engine, NativeCallContext};
use tokio::sync::watch;

use super::door::{Door, Stop};
use super::function::Engines;
use super::memory::{self, Memory, Overrun};
use super::nesting::Watch;
use crate::sabotage::Sabotage;

/// A script that took less than this part of what all may take is not the one that took too much.
const MUCH: usize = 8;

/// What a running script carries into every function, closure and module. Travels in Rhai's tag.
#[derive(Clone)]
pub(super) struct Live(Arc<Inner>);

struct Inner {
    door: Arc<dyn Door>,
    memory: Memory,
    /// Bytes that were allocated when the script began.
    begun_with: usize,
    /// Bytes that were allocated at its last statement, and what it took itself, as far as that can be told.
    seen: AtomicUsize,
    own: AtomicIsize,
    nesting: Watch,
    stop: OnceLock<Stop>,
    overrun: OnceLock<Overrun>,
    engines: OnceLock<Engines>,
}

impl Live {
    /// A script that begins now.
    pub(super) fn new(door: Arc<dyn Door>, memory: Memory) -> Live {
        Live::begun(door, memory, (memory.used)())
    }

    fn begun(door: Arc<dyn Door>, memory: Memory, begun_with: usize) -> Live {
        Live(Arc::new(Inner {
            door,
            memory,
            begun_with,
            seen: AtomicUsize::new((memory.used)()),
            own: AtomicIsize::new(0),
            nesting: Watch::default(),
            stop: OnceLock::new(),
            overrun: OnceLock::new(),
            engines: OnceLock::new(),
        }))
    }

    /// Learns how engines for this script are made.
    pub(super) fn runs_on(&self, engines: Engines) {
        // Those that it knows already are the same.
        let _ = self.0.engines.set(engines);
    }

    /// Another engine of this script, for one of its functions.
    pub(super) fn engine(&self) -> Option<Engine> {
        self.0.engines.get().map(|engines| engines(self))
    }

    /// What a function of this script runs with that looks something up while an operation is carried out.
    pub(super) fn looking(&self, waited_for: watch::Receiver<()>) -> Live {
        let door = self.0.door.looking(waited_for);
        let looking = Live::begun(door, self.0.memory, self.0.begun_with);
        if let Some(engines) = self.0.engines.get() {
            looking.runs_on(Arc::clone(engines));
        }
        looking
    }

    /// The running script that calls a native function.
    pub(super) fn of(context: &NativeCallContext) -> Option<Live> {
        let tag = context.tag()?;
        tag.read_lock::<Live>().map(|live| live.clone())
    }

    pub(super) fn door(&self) -> &dyn Door {
        &*self.0.door
    }

    /// Must the script stop? Asked at every statement. Sticky: Rhai lets a script catch an error that passed through
    /// `array.map`, and the statement after the `catch` must stop it again.
    pub(super) fn must_stop(&self) -> bool {
        if self.0.stop.get().is_some() {
            return true;
        }
        match self.0.door.stopping() {
            Some(stop) => {
                self.stop(stop);
                true
            }
            None => false,
        }
    }

    /// Stops the script, for this reason unless it is stopping already.
    pub(super) fn stop(&self, reason: Stop) {
        // Refused only when there is a reason already, which stays.
        let _ = self.0.stop.set(reason);
    }

    /// Why the script stopped, if it did.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.0.stop.get().cloned()
    }

    /// Has it come to take more than it may, from what was taken when it began? Sticky, like [`Live::must_stop`].
    pub(super) fn takes_too_much(&self) -> bool {
        let used = (self.0.memory.used)();
        let before = self.0.seen.swap(used, Ordering::Relaxed);
        let grown = used.cast_signed().wrapping_sub(before.cast_signed());
        self.0.own.fetch_add(grown, Ordering::Relaxed);
        !self.fits(used, 0) || self.0.overrun.get().is_some()
    }

    /// What was taken since the last statement was taken by others: the script waited for an operation.
    pub(super) fn waited(&self) {
        self.0.seen.store((self.0.memory.used)(), Ordering::Relaxed);
    }

    /// Is there room for so many bytes more? Asked before a native function makes them: it cannot be stopped in between.
    /// When there is not, the script is stopped, whatever it makes of the answer.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.fits(memory::needed(self.0.memory), bytes)
    }

    /// May it take so many bytes more when so many are taken? When the bound is reached, those scripts are stopped that
    /// took much of it, and all of them when that does not help.
    fn fits(&self, used: usize, more: usize) -> bool {
        let taken = used.saturating_add(more).saturating_sub(self.0.begun_with);
        let most = (self.0.memory.most)();
        if taken <= most || Sabotage::MemoryUnbounded.is_on() {
            return true;
        }
        let own = usize::try_from(self.0.own.load(Ordering::Relaxed)).unwrap_or_default();
        if own.saturating_add(more) < most / MUCH && taken <= most.saturating_mul(2) {
            return true;
        }
        // Refused only when it was told before.
        let _ = self.0.overrun.set(Overrun::Memory { taken, most });
        false
    }

    /// When its values are looked at.
    pub(super) fn nesting(&self) -> &Watch {
        &self.0.nesting
    }

    /// Stops the script: its values lie in each other too deeply.
    pub(super) fn nests_too_deeply(&self) {
        // Refused only when it is stopping already.
        let _ = self.0.overrun.set(Overrun::Nesting);
    }

    /// Why the script was stopped for what it takes, if it was.
    pub(super) fn overrun(&self) -> Option<Overrun> {
        self.0.overrun.get().copied()
    }

    pub(super) fn tag(&self) -> Dynamic {
        Dynamic::from(self.clone())
    }
}

thread_local! {
    /// How many module bodies are running on this thread, one inside the other.
    static LOADING: Cell<usize> = const { Cell::new(0) };
}

/// Is the body of an imported module running on this thread? It may run more than once, so it may change nothing.
pub(super) fn loading() -> bool {
    LOADING.get() > 0
}

/// Held while a module body runs.
pub(super) struct Loading(());

impl Loading {
    pub(super) fn begin() -> Loading {
        LOADING.set(LOADING.get() + 1);
        Loading(())
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        LOADING.set(LOADING.get().saturating_sub(1));
    }
}
