//! One running script: its door, and whether it must stop.

use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, Engine, NativeCallContext, Position};
use tokio::sync::watch;

use super::function::Engines;
use super::host_calls::{Operations, Stop};
use super::memory::{Memory, MemoryShare, Overrun};
use super::nesting::Watch;
use crate::sabotage::Sabotage;

/// The divisor of the memory limit: a script below that share is not considered the one that exceeded it.
const SMALL_SHARE: usize = 8;

/// The context of a running script in every function, closure and module. Passed in Rhai's tag.
#[derive(Clone)]
pub(super) struct Execution {
    inner: Arc<Inner>,
    authority: Authority,
}

/// What the running code may do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    /// Everything that the user's mode and profiles allow.
    Workflow,
    /// Compute, and call methods of the objects it is given.
    Library,
}

struct Inner {
    host_operations: Arc<dyn Operations>,
    share: Arc<MemoryShare>,
    /// Allocated bytes at its last statement, and an estimate of its own share.
    last_used: AtomicUsize,
    own: AtomicIsize,
    nesting: Watch,
    stop: OnceLock<Stop>,
    /// The source and position of the call that stopped it.
    stopped_at: OnceLock<(String, Position)>,
    overrun: OnceLock<Overrun>,
    engines: OnceLock<Engines>,
}

impl Execution {
    /// Creates the context of a script that starts now.
    pub(super) fn new(host_operations: Arc<dyn Operations>, memory: Memory) -> Execution {
        Execution::with_share(host_operations, Arc::new(memory.begin()))
    }

    fn with_share(host_operations: Arc<dyn Operations>, share: Arc<MemoryShare>) -> Execution {
        let inner = Inner {
            host_operations,
            last_used: AtomicUsize::new((share.memory().used)()),
            share,
            own: AtomicIsize::new(0),
            nesting: Watch::default(),
            stop: OnceLock::new(),
            stopped_at: OnceLock::new(),
            overrun: OnceLock::new(),
            engines: OnceLock::new(),
        };
        Execution {
            inner: Arc::new(inner),
            authority: Authority::Workflow,
        }
    }

    /// The same running script, for code with this authority.
    pub(super) fn with_authority(&self, authority: Authority) -> Execution {
        Execution {
            inner: Arc::clone(&self.inner),
            authority,
        }
    }

    /// What the code that it is passed to may do by itself.
    pub(super) fn authority(&self) -> Authority {
        self.authority
    }

    /// Sets the constructor of this script's engines.
    pub(super) fn runs_on(&self, engines: Engines) {
        // If it is set already, it is the same.
        let _ = self.inner.engines.set(engines);
    }

    /// Creates another engine of this script, for one of its functions.
    pub(super) fn engine(&self) -> Option<Engine> {
        self.inner.engines.get().map(|engines| engines(self))
    }

    /// The context of a function of this script that looks something up while an operation runs.
    pub(super) fn read_only(&self, caller_alive: watch::Receiver<()>) -> Execution {
        let host_operations = self.inner.host_operations.read_only(caller_alive);
        let read_only = Execution::with_share(host_operations, Arc::clone(&self.inner.share));
        if let Some(engines) = self.inner.engines.get() {
            read_only.runs_on(Arc::clone(engines));
        }
        read_only.with_authority(self.authority)
    }

    /// Returns the running script that calls a native function.
    pub(super) fn of(context: &NativeCallContext) -> Option<Execution> {
        let tag = context.tag()?;
        tag.read_lock::<Execution>().map(|execution| execution.clone())
    }

    pub(super) fn host_operations(&self) -> &dyn Operations {
        &*self.inner.host_operations
    }

    /// Whether the script must stop. Called at every statement. Sticky: Rhai lets a script catch an error that passed
    /// through `array.map`, and the statement after the `catch` must stop it again.
    pub(super) fn must_stop(&self) -> bool {
        if self.inner.stop.get().is_some() {
            return true;
        }
        match self.inner.host_operations.stopping() {
            Some(stop) => {
                self.stop(stop);
                true
            }
            None => false,
        }
    }

    /// Stops the script, for this reason unless it is stopping already.
    pub(super) fn stop(&self, reason: Stop) {
        // Fails only if there is a reason already, which is kept.
        let _ = self.inner.stop.set(reason);
    }

    /// Stops the script in the call at this position; Rhai loses it when functions are left.
    pub(super) fn stop_at(&self, reason: Stop, source: &str, position: Position) {
        self.stop(reason);
        let _ = self.inner.stopped_at.set((source.to_owned(), position));
    }

    /// Returns the source and position of the call that stopped it, if a call did.
    pub(super) fn stopped_at(&self) -> Option<&(String, Position)> {
        self.inner.stopped_at.get()
    }

    /// Why the script stopped, if it did.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.inner.stop.get().cloned()
    }

    /// Ends the script's part in the memory limit.
    pub(super) fn end(&self) {
        self.inner.share.end();
    }

    /// The limit that it shares.
    pub(super) fn memory(&self) -> Memory {
        self.inner.share.memory()
    }

    /// Whether memory use has grown past the limit. Sticky, like [`Execution::must_stop`].
    pub(super) fn takes_too_much(&self) -> bool {
        let used = (self.memory().used)();
        let before = self.inner.last_used.swap(used, Ordering::Relaxed);
        let growth = used.cast_signed().wrapping_sub(before.cast_signed());
        self.inner.own.fetch_add(growth, Ordering::Relaxed);
        !self.fits(used, 0) || self.inner.overrun.get().is_some()
    }

    /// Attributes all memory since the last statement to others: the script was waiting for an operation.
    pub(super) fn waited(&self) {
        self.inner
            .last_used
            .store((self.memory().used)(), Ordering::Relaxed);
    }

    /// Whether there is room for so many more bytes. Called before a native function allocates them, as it cannot be
    /// interrupted. If not, the script is stopped, whatever it does with the result.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.fits(self.memory().needed(), bytes)
    }

    /// Whether `more` bytes fit on top of `used`. At the limit, the scripts that took much of it are stopped; at twice
    /// the limit, all of them.
    fn fits(&self, used: usize, more: usize) -> bool {
        let taken = self.inner.share.taken(used.saturating_add(more));
        let limit = (self.memory().limit)();
        if taken <= limit || Sabotage::MemoryUnbounded.is_on() {
            return true;
        }
        let own = usize::try_from(self.inner.own.load(Ordering::Relaxed)).unwrap_or_default();
        if own.saturating_add(more) < limit / SMALL_SHARE && taken <= limit.saturating_mul(2) {
            return true;
        }
        // Fails only if it is set already.
        let _ = self.inner.overrun.set(Overrun::Memory { taken, limit });
        false
    }

    /// The schedule of its nesting checks.
    pub(super) fn nesting(&self) -> &Watch {
        &self.inner.nesting
    }

    /// Stops the script because its values are nested too deeply.
    pub(super) fn nests_too_deeply(&self) {
        // Fails only if it is stopping already.
        let _ = self.inner.overrun.set(Overrun::Nesting);
    }

    /// The limit that stopped the script, if any.
    pub(super) fn overrun(&self) -> Option<Overrun> {
        self.inner.overrun.get().copied()
    }

    pub(super) fn tag(&self) -> Dynamic {
        Dynamic::from(self.clone())
    }
}

thread_local! {
    /// How many nested module bodies are running on this thread.
    static LOADING: Cell<usize> = const { Cell::new(0) };
}

/// Whether the body of an imported module is running on this thread. It may run more than once, so it must not change
/// anything.
pub(super) fn is_loading_module() -> bool {
    LOADING.get() > 0
}

/// A guard held while a module body runs.
pub(super) struct ModuleLoadGuard(());

impl ModuleLoadGuard {
    pub(super) fn begin() -> ModuleLoadGuard {
        LOADING.set(LOADING.get() + 1);
        ModuleLoadGuard(())
    }
}

impl Drop for ModuleLoadGuard {
    fn drop(&mut self) {
        LOADING.set(LOADING.get().saturating_sub(1));
    }
}
