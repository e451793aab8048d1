//! What a request waits for right before it leaves.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

type Opening = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Passed by each try of a request right before it leaves, so that somebody can note when it did, or keep it back.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    open: Box<dyn Fn() -> Opening + Send + Sync>,
    /// Requests that left and did not come back undone.
    out: AtomicU32,
}

impl Gate {
    /// A gate that opens when the future of `open` has ended well. Its error, a sentence without a full stop, keeps
    /// the request back for good.
    pub fn new<F>(open: impl Fn() -> F + Send + Sync + 'static) -> Gate
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Gate(Arc::new(Inner {
            open: Box::new(move || Box::pin(open())),
            out: AtomicU32::new(0),
        }))
    }

    /// Has nothing that passed it been carried out, as far as can be told? Then whatever waits behind it may be given
    /// up: only what is under way, or was answered, must be waited for.
    pub fn is_untouched(&self) -> bool {
        self.0.out.load(Ordering::SeqCst) == 0
    }

    pub(super) async fn pass(&self) -> Result<(), String> {
        self.0.out.fetch_add(1, Ordering::SeqCst);
        let opened = (self.0.open)().await;
        if opened.is_err() {
            self.undone();
        }
        opened
    }

    /// What passed last was certainly not carried out.
    pub(super) fn undone(&self) {
        self.0.out.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
