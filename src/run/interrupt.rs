//! Cancels one input of a session: gracefully at first, immediately on the second request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio_util::sync::CancellationToken;

/// Cancels one input. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    asked: CancellationToken,
    second_request: CancellationToken,
}

impl Interrupt {
    /// Creates an interrupt that is not requested.
    pub(crate) fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Cancels the input: reads and waits end now, nothing more is sent, and what was sent is settled. A second call
    /// aborts the settling, too, and leaves the step in doubt. Returns how often it was called.
    pub(crate) fn ask(&self) -> u32 {
        if self.second_request.is_cancelled() {
            return 3;
        }
        if self.asked.is_cancelled() {
            self.second_request.cancel();
            return 2;
        }
        self.asked.cancel();
        1
    }

    /// Whether the input is cancelled.
    pub(crate) fn is_requested(&self) -> bool {
        self.asked.is_cancelled()
    }

    /// Returns the signal of the first request.
    pub(super) fn first(&self) -> &CancellationToken {
        &self.asked
    }

    /// Completes on the first request.
    pub(super) async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// Completes on the second request.
    pub(super) async fn second_request(&self) {
        self.second_request.cancelled().await;
    }
}

/// Lets a signal handler reach the input that is under way. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct CurrentInput {
    held: Arc<Mutex<Option<Interrupt>>>,
    ending: Arc<AtomicBool>,
    /// Called on a signal while nothing is under way.
    idle: Arc<OnceLock<Hook<()>>>,
    /// Called when an input starts or ends.
    busy: Arc<OnceLock<Hook<bool>>>,
}

struct Hook<T>(Box<dyn Fn(T) + Send + Sync>);

impl<T> std::fmt::Debug for Hook<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl CurrentInput {
    /// Registers the input that starts now, and cancels it at once if no input may begin any more.
    pub(crate) fn set(&self, interrupt: &Interrupt) {
        *self.lock() = Some(interrupt.clone());
        if self.is_ending() {
            interrupt.ask();
        }
        self.tell(true);
    }

    /// Unregisters the input.
    pub(crate) fn clear(&self) {
        self.tell(false);
        *self.lock() = None;
    }

    /// Sets the hook that is called with `true` in [`CurrentInput::set`] and `false` in [`CurrentInput::clear`]; a
    /// signal reaches an input between the two calls only. Only the first hook is kept.
    pub(crate) fn on_busy(&self, tell: impl Fn(bool) + Send + Sync + 'static) {
        let _ = self.busy.set(Hook(Box::new(tell)));
    }

    fn tell(&self, busy: bool) {
        if let Some(hook) = self.busy.get() {
            (hook.0)(busy);
        }
    }

    /// Cancels the input that is under way and returns how often it was asked; `None` if there is none.
    pub(crate) fn cancel(&self) -> Option<u32> {
        let asked = self.lock().as_ref().map(Interrupt::ask);
        if let (None, false, Some(idle)) = (asked, self.is_ending(), self.idle.get()) {
            (idle.0)(());
        }
        asked
    }

    /// Sets the hook for a signal while nothing is under way. Only the first hook is kept.
    pub(crate) fn on_idle(&self, idle: impl Fn() + Send + Sync + 'static) {
        let _ = self.idle.set(Hook(Box::new(move |()| idle())));
    }

    /// Cancels the input that is under way and lets no other begin. Returns how often it was asked; `None` if there is
    /// none.
    pub(crate) fn end(&self) -> Option<u32> {
        self.ending.store(true, Ordering::SeqCst);
        self.cancel()
    }

    /// Whether no input may begin any more.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Whether an input is under way that was cancelled a second time.
    pub(crate) fn is_cancelled_twice(&self) -> bool {
        self.lock()
            .as_ref()
            .is_some_and(|interrupt| interrupt.second_request.is_cancelled())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Interrupt>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
