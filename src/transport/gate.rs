//! What a request waits for right before it leaves.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

type Opening = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Passed by each try of a request right before it leaves, so that somebody can note when it did, or keep it back.
#[derive(Clone)]
pub struct Gate(Arc<dyn Fn() -> Opening + Send + Sync>);

impl Gate {
    /// A gate that opens when the future of `open` has ended well. Its error, a sentence without a full stop, keeps
    /// the request back for good.
    pub fn new<F>(open: impl Fn() -> F + Send + Sync + 'static) -> Gate
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Gate(Arc::new(move || Box::pin(open())))
    }

    pub(super) async fn pass(&self) -> Result<(), String> {
        (self.0)().await
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
