//! The life cycle of a changing step as a pure state machine: no storage, no clock, no platform.
//!
//! ```text
//!                       ┌─Leaves (a new stamp)
//! Absent ──Intend──▶ Intended ──Answered──▶ Done
//!    ▲                │  │ └─────Refused──▶ Refused ──RetryWanted──▶ Absent
//!    └─NotCarriedOut──┘  └──AnswerLost──▶ InDoubt ──Found, Answered (late), ResolvedDone──▶ Done
//!                                          │  └────LookedInVain──▶ Intended (sent again)
//!                                          └─GivenUp, ResolvedAbsent──▶ Absent
//! ```
//!
//! A late response may be a refusal. An intent can end as `HalfDone`, which only a person moves: to `Done`, or to
//! `Absent` to retry it. A person's decision that a step is done can be corrected: `CorrectedDone`, `CorrectedAbsent`.

use crate::clock::Stamp;
use crate::sabotage::Sabotage;

/// The time span in which a request may still take effect, counted from its stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it was sent.
    pub sent: Stamp,
    /// The maximum time its sender waits for a connection and a response, or the time it did wait, in milliseconds.
    /// `None` if recorded by version 1 of the file.
    pub waits_ms: Option<i64>,
    /// How long it may still take effect after its sender has stopped waiting, in milliseconds.
    pub settle_ms: i64,
}

impl Window {
    /// Returns its length from the stamp, in milliseconds.
    pub fn length_ms(self) -> i64 {
        // If the waiting time is not known, [`StepEvent::AnswerLost`] sets it first.
        let length_ms = self
            .waits_ms
            .map_or(i64::MAX, |waits_ms| waits_ms.saturating_add(self.settle_ms));
        if Sabotage::WindowHalved.is_on() {
            return length_ms / 2;
        }
        length_ms
    }

    /// Returns how long the request may still take effect after `now`, in milliseconds; the whole window if it is
    /// unknown how long ago it was sent.
    pub fn left_ms(self, now: Stamp) -> i64 {
        let passed = now.since(self.sent).unwrap_or_default();
        self.length_ms().saturating_sub(passed).max(0)
    }

    /// Whether the request can no longer take effect at this time.
    pub fn is_over(self, now: Stamp) -> bool {
        self.left_ms(now) == 0
    }

    /// Returns the window by a clock that can tell when it is over. The wall clock cannot: anyone can set it. So a
    /// stamp of another boot, or one in the future, counts from now.
    fn adjusted_to(self, now: Stamp) -> Window {
        match now.since(self.sent) {
            Some(_) => self,
            None => Window { sent: now, ..self },
        }
    }
}

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// It is no longer awaited: the process was killed, or the step was abandoned.
    Gone,
    /// The connection broke, or the platform failed.
    Broken,
    /// It did not arrive in time: the platform is slow, and may process the request for longer than any timeout.
    Late,
    /// A success response without usable content. The request is never sent again.
    Yes,
}

impl Loss {
    /// All reasons.
    pub(super) const ALL: [Loss; 4] = [Loss::Gone, Loss::Broken, Loss::Late, Loss::Yes];

    /// Returns its recorded name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Loss::Gone => "gone",
            Loss::Broken => "broken",
            Loss::Late => "late",
            Loss::Yes => "yes",
        }
    }
}

/// The known state of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepState {
    /// Nothing was sent, or the request is known not to have been carried out.
    #[default]
    Absent,
    /// A request is about to be sent or was sent, and no response is recorded.
    Intended {
        /// When the request may take effect.
        window: Window,
    },
    /// The response was lost. Only a lookup, a late response or a person ends this state.
    InDoubt {
        /// When the request may take effect.
        window: Window,
        /// Why there is no response.
        loss: Loss,
    },
    /// Carried out, and the outcome is recorded.
    Done,
    /// Refused for a lasting reason; the refusal is recorded.
    Refused,
    /// Refused, and the refusal is recorded, but something was left behind that a second attempt would duplicate. Only
    /// a person ends this state.
    HalfDone,
}

/// An event in the life of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEvent {
    /// A request is about to be sent.
    Intend {
        /// The window, starting now.
        window: Window,
    },
    /// The request is sent only now, or again because it certainly had not been carried out.
    Leaves {
        /// The new stamp: now.
        sent: Stamp,
        /// How long its sender waits for a response, in milliseconds.
        waits_ms: i64,
    },
    /// The outcome is known without sending: a read, or a resource that the ledger already has.
    Known,
    /// A refusal is known without sending.
    KnownRefused,
    /// The platform responded that it was carried out.
    Answered,
    /// The platform refused.
    Refused,
    /// The platform refused but left something behind.
    HalfDone,
    /// The request was certainly not carried out and may succeed later.
    NotCarriedOut,
    /// No response arrived.
    AnswerLost {
        /// The time: now.
        at: Stamp,
        /// Why. If the sender is gone, an earlier reason is kept.
        loss: Loss,
        /// How long the sender waited, in milliseconds. If it is gone: how long it would have waited, used only if that
        /// is not recorded.
        waits_ms: i64,
    },
    /// A lookup found the resource.
    Found,
    /// A lookup after the window found nothing; the request is sent again.
    LookedInVain {
        /// When that lookup started.
        looked_up_at: Stamp,
        /// The new window, starting now.
        window: Window,
    },
    /// A lookup after the window found nothing; nothing is sent.
    GivenUp {
        /// When that lookup started.
        looked_up_at: Stamp,
    },
    /// A person states that it was carried out. No response is awaited any more.
    ResolvedDone,
    /// A person states that it was not carried out.
    ResolvedAbsent,
    /// A person corrects the outcome. Only for a step that is done by a person's decision.
    CorrectedDone,
    /// A person corrects the decision: it was not carried out. Only for a step that is done by a person's decision.
    CorrectedAbsent,
    /// A person wants a refused step to be retried.
    RetryWanted,
}

/// An error: the event is impossible in this state, because something else moved the step or the caller is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a step that is {state:?} cannot take {event:?}")]
pub struct Illegal {
    /// The current state.
    pub state: StepState,
    /// The rejected event.
    pub event: StepEvent,
}

impl StepState {
    /// Returns the state after `event`, or an error if the event is impossible in this state.
    pub fn next(self, event: StepEvent) -> Result<StepState, Box<Illegal>> {
        use StepEvent as E;
        use StepState as S;
        Ok(match (self, event) {
            (S::Absent, E::Intend { window }) => S::Intended { window },
            (S::Intended { window }, E::Leaves { sent, waits_ms }) => S::Intended {
                window: Window {
                    sent,
                    waits_ms: Some(waits_ms),
                    ..window
                },
            },
            (S::Absent, E::Known)
            | (S::Intended { .. } | S::InDoubt { .. }, E::Answered)
            | (S::InDoubt { .. }, E::Found)
            | (S::Intended { .. } | S::InDoubt { .. } | S::HalfDone, E::ResolvedDone)
            | (S::Done, E::CorrectedDone) => S::Done,
            (S::Absent, E::KnownRefused) | (S::Intended { .. } | S::InDoubt { .. }, E::Refused) => S::Refused,
            (S::Intended { .. } | S::InDoubt { .. }, E::HalfDone) => S::HalfDone,
            (S::Intended { .. }, E::NotCarriedOut)
            | (S::Intended { .. } | S::InDoubt { .. } | S::HalfDone, E::ResolvedAbsent)
            | (S::Done, E::CorrectedAbsent)
            | (S::Refused, E::RetryWanted) => S::Absent,
            (S::Intended { window }, E::AnswerLost { at, loss, waits_ms }) => {
                lost(window, Loss::Gone, at, loss, waits_ms)
            }
            (S::InDoubt { window, loss: known }, E::AnswerLost { at, loss, waits_ms }) => {
                lost(window, known, at, loss, waits_ms)
            }
            (S::InDoubt { window: before, loss }, E::LookedInVain { looked_up_at, window })
                if before.is_over(looked_up_at)
                    && (loss != Loss::Yes || Sabotage::SentAgainAfterYes.is_on()) =>
            {
                S::Intended { window }
            }
            (S::InDoubt { window, loss }, E::GivenUp { looked_up_at })
                if window.is_over(looked_up_at) && loss != Loss::Yes =>
            {
                S::Absent
            }
            _ => return Err(Box::new(Illegal { state: self, event })),
        })
    }

    /// Whether there is an outcome or a refusal.
    pub fn is_final(self) -> bool {
        matches!(self, StepState::Done | StepState::Refused | StepState::HalfDone)
    }

    /// Whether an act in this state counts for later ones: it is or may be done, or has left something behind.
    pub(super) fn is_remembered(self) -> bool {
        self.is_resolvable_by_person() || self == StepState::Done
    }

    /// Whether a person can resolve it.
    pub fn is_resolvable_by_person(self) -> bool {
        self.is_open() || self == StepState::HalfDone
    }

    /// Whether a request may be in progress, or may have been carried out without a record.
    pub fn is_open(self) -> bool {
        matches!(self, StepState::Intended { .. } | StepState::InDoubt { .. })
    }

    /// Returns the state's name as shown in listings.
    pub fn name(self) -> &'static str {
        match self {
            StepState::Absent => "absent",
            StepState::Intended { .. } => "intended",
            StepState::InDoubt { .. } => "in doubt",
            StepState::Done => "done",
            StepState::Refused => "refused",
            StepState::HalfDone => "half done",
        }
    }

    /// Returns the window of an unanswered request.
    pub fn window(self) -> Option<Window> {
        match self {
            StepState::Intended { window } | StepState::InDoubt { window, .. } => Some(window),
            _ => None,
        }
    }

    /// Returns why there is no response, if it is lost.
    pub fn loss(self) -> Option<Loss> {
        match self {
            StepState::InDoubt { loss, .. } => Some(loss),
            _ => None,
        }
    }

    /// Whether the request may be sent again if it is absent after its window. `late`: even after a late response.
    pub fn resends(self, late: bool) -> bool {
        match self.loss() {
            Some(Loss::Yes) => Sabotage::SentAgainAfterYes.is_on(),
            Some(Loss::Late) => late || Sabotage::SentAgainWhenLate.is_on(),
            Some(Loss::Gone | Loss::Broken) | None => true,
        }
    }
}

/// Returns the doubt after a response was lost. A living sender's waiting time overrides the recorded one.
fn lost(window: Window, known: Loss, at: Stamp, loss: Loss, waits_ms: i64) -> StepState {
    let waits_ms = match loss {
        Loss::Gone => window.waits_ms.unwrap_or(waits_ms),
        _ => waits_ms,
    };
    let window = Window {
        waits_ms: Some(waits_ms),
        ..window
    };
    StepState::InDoubt {
        window: window.adjusted_to(at),
        loss: known.max(loss),
    }
}

#[cfg(test)]
mod tests;
