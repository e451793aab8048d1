//! How one input of a session is asked to stop: first kindly, then at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::journal::Cancel;

/// Asks one input to stop. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    asked: Cancel,
    insisted: Cancel,
}

impl Interrupt {
    /// Nothing is asked yet.
    pub(crate) fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Asks: reads and waits end now, nothing more is sent, and what was sent is settled. Asked again, that is given up,
    /// too, and stays in doubt. Gives how often it was asked.
    pub(crate) fn ask(&self) -> u32 {
        if self.insisted.is_cancelled() {
            return 3;
        }
        if self.asked.is_cancelled() {
            self.insisted.cancel();
            return 2;
        }
        self.asked.cancel();
        1
    }

    /// Was it asked?
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.is_cancelled()
    }

    /// What ends when it is first asked.
    pub(super) fn first(&self) -> &Cancel {
        &self.asked
    }

    /// Ends when it is asked.
    pub(super) async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// Ends when it is asked a second time.
    pub(super) async fn insisted(&self) {
        self.insisted.cancelled().await;
    }
}

/// Where a signal finds what is under way. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reins {
    held: Arc<Mutex<Option<Interrupt>>>,
    ending: Arc<AtomicBool>,
    /// What is done when they are pulled and nothing is under way.
    idle: Arc<OnceLock<Hook<()>>>,
    /// Who is told whether something is under way.
    busy: Arc<OnceLock<Hook<bool>>>,
}

struct Hook<T>(Box<dyn Fn(T) + Send + Sync>);

impl<T> std::fmt::Debug for Hook<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl Reins {
    /// Takes what starts now. When nothing is to begin any more, it is asked to stop at once.
    pub(crate) fn take(&self, interrupt: &Interrupt) {
        *self.lock() = Some(interrupt.clone());
        if self.is_ending() {
            interrupt.ask();
        }
        self.tell(true);
    }

    /// Nothing is under way any more.
    pub(crate) fn let_go(&self) {
        self.tell(false);
        *self.lock() = None;
    }

    /// Tells whether something is under way, each time that changes from now on: between the two calls, and not outside
    /// of them, the reins can be pulled. Only the first is taken.
    pub(crate) fn when_busy(&self, tell: impl Fn(bool) + Send + Sync + 'static) {
        let _ = self.busy.set(Hook(Box::new(tell)));
    }

    fn tell(&self, busy: bool) {
        if let Some(hook) = self.busy.get() {
            (hook.0)(busy);
        }
    }

    /// Asks what is under way to stop, and gives how often it was asked; `None` when there is nothing.
    pub(crate) fn pull(&self) -> Option<u32> {
        let asked = self.lock().as_ref().map(Interrupt::ask);
        if let (None, false, Some(idle)) = (asked, self.is_ending(), self.idle.get()) {
            (idle.0)(());
        }
        asked
    }

    /// Does this from now on when they are pulled and nothing is under way. Only the first is taken.
    pub(crate) fn when_idle(&self, idle: impl Fn() + Send + Sync + 'static) {
        let _ = self.idle.set(Hook(Box::new(move |()| idle())));
    }

    /// Asks what is under way to stop, and that nothing begins after it. Gives how often it was asked; `None` when there is
    /// nothing.
    pub(crate) fn end(&self) -> Option<u32> {
        self.ending.store(true, Ordering::SeqCst);
        self.pull()
    }

    /// Is nothing to begin any more?
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Is something under way that was asked to stop a second time?
    pub(crate) fn is_pulled_twice(&self) -> bool {
        self.lock()
            .as_ref()
            .is_some_and(|interrupt| interrupt.insisted.is_cancelled())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Interrupt>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
