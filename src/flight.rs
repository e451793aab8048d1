//! Records whether the request of a change has left: the transport writes it, journal and run read it.
//!
//! ```text
//! waiting ──leave──▶ out ──late──▶ out, and the response is no longer awaited
//!    ▲  │             │
//!    │  └─hold─▶ held └─undone─▶ waiting
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// How long the sender of a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTimeouts {
    /// The time for the connection, including DNS lookup and TLS.
    pub connect: Duration,
    /// The time for the response.
    pub reply: Duration,
}

impl RequestTimeouts {
    /// Returns the longest time that the sender waits after telling the request to leave.
    pub fn whole(self) -> Duration {
        self.connect.saturating_add(self.reply)
    }
}

type Stamping = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Stamper = Arc<dyn Fn(RequestTimeouts) -> Stamping + Send + Sync>;

/// The requests of one call that changes something. Clones share the state.
#[derive(Clone)]
pub struct Flight(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Why the response is late, once it is.
    late: watch::Sender<Option<String>>,
}

#[derive(Default)]
struct State {
    /// The number of requests that left and were not reported as undone.
    out: u32,
    held: bool,
    /// How long the sender of the last request waits.
    patience: Option<RequestTimeouts>,
    stamper: Option<Stamper>,
}

impl Flight {
    /// Creates a flight from which no request has left.
    pub fn new() -> Flight {
        Flight(Arc::new(Inner {
            state: Mutex::default(),
            late: watch::Sender::new(None),
        }))
    }

    /// Prepares for a request. Each time one is about to leave, the future of `stamp` must first succeed; its error, a
    /// sentence without a full stop, keeps the request back.
    pub fn arm<F>(&self, stamp: impl Fn(RequestTimeouts) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let mut state = self.state();
        state.out = 0;
        state.patience = None;
        state.stamper = Some(Arc::new(move |patience| Box::pin(stamp(patience))));
        self.0.late.send_replace(None);
    }

    /// Drops the stamp function given to [`Flight::arm`].
    pub fn disarm(&self) {
        self.state().stamper = None;
    }

    /// Holds back all requests from now on. Returns `false` if one has left and may have been carried out.
    pub fn hold(&self) -> bool {
        let mut state = self.state();
        state.held |= state.out == 0;
        state.held
    }

    /// Whether requests are held back.
    pub fn is_held(&self) -> bool {
        self.state().held
    }

    /// Whether a request has left that may have been carried out. Until then a pending call can be cancelled.
    pub fn has_left(&self) -> bool {
        self.state().out > 0
    }

    /// Returns how long the sender of the last request waits for it.
    pub fn patience(&self) -> Option<RequestTimeouts> {
        self.state().patience
    }

    /// Registers a request that is about to leave, with the time its sender waits. On an error it must not leave.
    pub async fn leave(&self, patience: RequestTimeouts) -> Result<(), String> {
        let stamp = {
            let mut state = self.state();
            if state.held {
                return Err("it was stopped before".to_owned());
            }
            if self.0.late.borrow().is_some() {
                return Err("an earlier request of the same call has not been answered yet".to_owned());
            }
            state.out += 1;
            state.patience = Some(patience);
            state.stamper.clone()
        };
        let stamped = match stamp {
            Some(stamp) => stamp(patience).await,
            None => Ok(()),
        };
        if stamped.is_err() {
            self.undone();
        }
        stamped
    }

    /// Records that the last request to leave was certainly not carried out.
    pub fn undone(&self) {
        let mut state = self.state();
        state.out = state.out.saturating_sub(1);
    }

    /// Records that no response came in time; `reason` is a sentence without a full stop. The connection is still being
    /// read.
    pub fn late(&self, reason: String) {
        self.0.late.send_replace(Some(reason));
    }

    /// Waits until the response is late, and returns the reason.
    pub async fn wait_until_late(&self) -> String {
        let mut receiver = self.0.late.subscribe();
        let reason = match receiver.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone(),
            // Cannot happen: the sender lives in `self`.
            Err(_) => None,
        };
        reason.unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Flight {
    fn default() -> Flight {
        Flight::new()
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flight")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: RequestTimeouts = RequestTimeouts {
        connect: Duration::from_secs(1),
        reply: Duration::from_secs(2),
    };

    #[tokio::test]
    async fn held_requests_stay_unsent_and_sent_requests_cannot_be_held() {
        let held = Flight::new();
        assert!(held.hold() && held.hold());
        assert!(held.leave(PATIENCE).await.is_err() && held.is_held());
        let left = Flight::new();
        assert!(left.leave(PATIENCE).await.is_ok());
        assert!(left.leave(PATIENCE).await.is_ok(), "a request may be repeated");
        assert!(!left.hold() && !left.is_held() && left.has_left());
    }

    #[tokio::test]
    async fn a_request_that_was_not_carried_out_can_be_held_again() {
        let flight = Flight::new();
        assert!(flight.leave(PATIENCE).await.is_ok());
        flight.undone();
        assert!(flight.hold(), "nothing is out");
        assert!(flight.leave(PATIENCE).await.is_err());
    }

    #[tokio::test]
    async fn a_request_is_not_sent_when_recording_its_timestamp_fails() {
        let flight = Flight::new();
        flight.arm(|_| async { Err("the disk is full".to_owned()) });
        assert_eq!(flight.leave(PATIENCE).await, Err("the disk is full".to_owned()));
        assert!(!flight.has_left() && flight.hold());
    }

    #[tokio::test]
    async fn no_request_is_sent_after_the_reply_timeout_until_rearmed() {
        let flight = Flight::new();
        assert!(flight.leave(PATIENCE).await.is_ok());
        flight.late("not within 2 s".to_owned());
        assert_eq!(flight.wait_until_late().await, "not within 2 s");
        assert!(flight.leave(PATIENCE).await.is_err() && flight.has_left());
        flight.arm(|_| async { Ok(()) });
        assert!(
            !flight.has_left() && flight.leave(PATIENCE).await.is_ok(),
            "a new request"
        );
    }
}
