//! One running script: its door, and whether it must stop.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, Engine, NativeCallContext};
use tokio::sync::watch;

use super::door::{Door, Stop};
use super::function::Engines;
use super::memory::{Memory, Overrun};

/// What a running script carries into every function, closure and module. Travels in Rhai's tag.
#[derive(Clone)]
pub(super) struct Live(Arc<Inner>);

struct Inner {
    door: Arc<dyn Door>,
    stop: OnceLock<Stop>,
    overrun: OnceLock<Overrun>,
    engines: OnceLock<Engines>,
}

impl Live {
    pub(super) fn new(door: Arc<dyn Door>) -> Live {
        Live(Arc::new(Inner {
            door,
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
        let looking = Live::new(self.0.door.looking(waited_for));
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

    /// Has it come to take more memory than it may, from what was taken when it began? Sticky, like [`Live::must_stop`].
    pub(super) fn takes_too_much(&self, memory: Memory, begun_with: usize) -> bool {
        let (taken, most) = ((memory.used)().saturating_sub(begun_with), (memory.most)());
        if taken > most {
            // Refused only when it was told before.
            let _ = self.0.overrun.set(Overrun { taken, most });
        }
        taken > most || self.0.overrun.get().is_some()
    }

    /// What the script had taken when it was stopped for it, if it was.
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
