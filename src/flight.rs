//! One record of whether a change's request has left: the transport keeps it, journal and run read it.
//!
//! ```text
//! waiting ──leave──▶ out ──late──▶ out, and nobody counts on the answer any more
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
pub struct Patience {
    /// For the connection: name look-up and TLS included.
    pub connect: Duration,
    /// For the answer.
    pub reply: Duration,
}

impl Patience {
    /// The longest that anybody waits for the request after it was told to leave.
    pub fn whole(self) -> Duration {
        self.connect.saturating_add(self.reply)
    }
}

type Stamping = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Stamper = Arc<dyn Fn(Patience) -> Stamping + Send + Sync>;

/// The requests of one call that changes something. Clones share it.
#[derive(Clone)]
pub struct Flight(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Why the answer is late, once it is.
    late: watch::Sender<Option<String>>,
}

#[derive(Default)]
struct State {
    /// Requests that left and did not come back undone.
    out: u32,
    held: bool,
    /// How long the sender of the last one waits.
    patience: Option<Patience>,
    stamper: Option<Stamper>,
}

impl Flight {
    /// Nothing has left.
    pub fn new() -> Flight {
        Flight(Arc::new(Inner {
            state: Mutex::default(),
            late: watch::Sender::new(None),
        }))
    }

    /// Prepares for a request. Each time one is about to leave, it waits until the future of `stamp` has ended well; the
    /// error, a sentence without a full stop, keeps it back.
    pub fn arm<F>(&self, stamp: impl Fn(Patience) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let mut state = self.state();
        state.out = 0;
        state.patience = None;
        state.stamper = Some(Arc::new(move |patience| Box::pin(stamp(patience))));
        self.0.late.send_replace(None);
    }

    /// Nobody stamps any more: lets go of what [`Flight::arm`] was given.
    pub fn disarm(&self) {
        self.state().stamper = None;
    }

    /// Keeps every request back from now on; `false` when one has left and may have been carried out.
    pub fn hold(&self) -> bool {
        let mut state = self.state();
        state.held |= state.out == 0;
        state.held
    }

    /// Are requests kept back?
    pub fn is_held(&self) -> bool {
        self.state().held
    }

    /// Has a request left that may have been carried out? Until then whatever waits may be given up.
    pub fn is_out(&self) -> bool {
        self.state().out > 0
    }

    /// How long the sender of the last request waits for it.
    pub fn patience(&self) -> Option<Patience> {
        self.state().patience
    }

    /// A request is about to leave, and is waited for so long. It must not leave on an error.
    pub async fn leave(&self, patience: Patience) -> Result<(), String> {
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

    /// What left last was certainly not carried out.
    pub fn undone(&self) {
        let mut state = self.state();
        state.out = state.out.saturating_sub(1);
    }

    /// No answer came in time: `why`, in a sentence without a full stop. The connection is still read.
    pub fn late(&self, why: String) {
        self.0.late.send_replace(Some(why));
    }

    /// Ends when the answer is late, with the reason.
    pub async fn overdue(&self) -> String {
        let mut told = self.0.late.subscribe();
        let why = match told.wait_for(Option::is_some).await {
            Ok(why) => why.clone(),
            // The sender lives in `self`.
            Err(_) => None,
        };
        why.unwrap_or_default()
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

    const PATIENCE: Patience = Patience {
        connect: Duration::from_secs(1),
        reply: Duration::from_secs(2),
    };

    #[tokio::test]
    async fn a_request_is_held_or_has_left_and_that_stays() {
        let held = Flight::new();
        assert!(held.hold() && held.hold());
        assert!(held.leave(PATIENCE).await.is_err() && held.is_held());
        let left = Flight::new();
        assert!(left.leave(PATIENCE).await.is_ok());
        assert!(left.leave(PATIENCE).await.is_ok(), "a request may be repeated");
        assert!(!left.hold() && !left.is_held() && left.is_out());
    }

    #[tokio::test]
    async fn a_request_that_came_back_undone_can_be_held_again() {
        let flight = Flight::new();
        assert!(flight.leave(PATIENCE).await.is_ok());
        flight.undone();
        assert!(flight.hold(), "nothing is out");
        assert!(flight.leave(PATIENCE).await.is_err());
    }

    #[tokio::test]
    async fn a_request_whose_stamp_fails_has_not_left() {
        let flight = Flight::new();
        flight.arm(|_| async { Err("the disk is full".to_owned()) });
        assert_eq!(flight.leave(PATIENCE).await, Err("the disk is full".to_owned()));
        assert!(!flight.is_out() && flight.hold());
    }

    #[tokio::test]
    async fn nothing_more_leaves_once_an_answer_is_late() {
        let flight = Flight::new();
        assert!(flight.leave(PATIENCE).await.is_ok());
        flight.late("not within 2 s".to_owned());
        assert_eq!(flight.overdue().await, "not within 2 s");
        assert!(flight.leave(PATIENCE).await.is_err() && flight.is_out());
        flight.arm(|_| async { Ok(()) });
        assert!(
            !flight.is_out() && flight.leave(PATIENCE).await.is_ok(),
            "a new request"
        );
    }
}
