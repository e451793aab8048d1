//! The life of one changing step, as a pure state machine: no storage, no clock, no platform.
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
//! A late answer may also be a refusal. An intent can also end as `HalfDone`, which only a person moves on: to `Done`, or to `Absent` to have it tried again.
//! What a person has said to be done, a person may put right: `CorrectedDone`, `CorrectedAbsent`.

use crate::clock::Stamp;
use crate::sabotage::Sabotage;

/// How long a request that left may still land: counted from its stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it left.
    pub sent: Stamp,
    /// How long its sender waits for a connection and an answer at the longest, or did wait, when that is known: in
    /// milliseconds. `None` in what version 1 of the file has recorded.
    pub waits_ms: Option<i64>,
    /// How long it may still land after its sender has stopped waiting, in milliseconds.
    pub settle_ms: i64,
}

impl Window {
    /// How long after the stamp the request may land, in milliseconds.
    pub fn length_ms(self) -> i64 {
        // Whoever does not know how long the sender waits settles that first: see [`StepEvent::AnswerLost`].
        let length_ms = self
            .waits_ms
            .map_or(i64::MAX, |waits_ms| waits_ms.saturating_add(self.settle_ms));
        if Sabotage::WindowHalved.is_on() {
            return length_ms / 2;
        }
        length_ms
    }

    /// How long the request may still land after `now`, in milliseconds; the whole window when nothing tells how long
    /// ago it left.
    pub fn left_ms(self, now: Stamp) -> i64 {
        let passed = now.since(self.sent).unwrap_or_default();
        self.length_ms().saturating_sub(passed).max(0)
    }

    /// Can the request no longer land at this time?
    pub fn is_over(self, now: Stamp) -> bool {
        self.left_ms(now) == 0
    }

    /// The same window by a clock that tells when it is over. The time of day does not: anybody can set it. So a stamp
    /// of another boot counts from now, and so does one that lies in the future.
    fn seen_at(self, now: Stamp) -> Window {
        match now.since(self.sent) {
            Some(_) => self,
            None => Window { sent: now, ..self },
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Nobody waits for it any more: the process was killed, or the step was given up.
    Gone,
    /// The connection broke, or the platform failed.
    Broken,
    /// It did not come in time: the platform is slow, and may be at work on the request for longer than anybody waits.
    Late,
    /// The platform said yes, and nothing else that can be used. The request is never sent again.
    Yes,
}

impl Loss {
    /// Every reason.
    pub(super) const ALL: [Loss; 4] = [Loss::Gone, Loss::Broken, Loss::Late, Loss::Yes];

    /// Its name on record.
    pub(super) fn name(self) -> &'static str {
        match self {
            Loss::Gone => "gone",
            Loss::Broken => "broken",
            Loss::Late => "late",
            Loss::Yes => "yes",
        }
    }
}

/// What is known about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepState {
    /// Nothing was sent, or what was sent is known not to have been carried out.
    #[default]
    Absent,
    /// A request may leave, or has left, and no answer is recorded.
    Intended {
        /// How long it may land.
        window: Window,
    },
    /// The answer was lost. Only a look-up, an answer that is late or a person ends this.
    InDoubt {
        /// How long the request may land.
        window: Window,
        /// Why there is no answer.
        loss: Loss,
    },
    /// Carried out, and the outcome is recorded.
    Done,
    /// Refused for a reason that stays, and the refusal is recorded.
    Refused,
    /// Refused, and the refusal is recorded, but something was left behind that a second try would double. Only a person
    /// ends this.
    HalfDone,
}

/// What happens to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEvent {
    /// A request is about to leave.
    Intend {
        /// From now on.
        window: Window,
    },
    /// The request leaves only now, or once more because it had certainly not been carried out.
    Leaves {
        /// Now: the new stamp.
        sent: Stamp,
        /// How long its sender waits, in milliseconds.
        waits_ms: i64,
    },
    /// The outcome is known without sending: a read, or what the ledger already holds.
    Known,
    /// A refusal is known without sending.
    KnownRefused,
    /// The platform answered that it was done.
    Answered,
    /// The platform refused.
    Refused,
    /// The platform refused, and left something behind all the same.
    HalfDone,
    /// The request was certainly not carried out, and may succeed later.
    NotCarriedOut,
    /// No answer came.
    AnswerLost {
        /// Now.
        at: Stamp,
        /// Why. When the sender is gone, an earlier reason stays.
        loss: Loss,
        /// How long the sender has waited, in milliseconds. When it is gone: how long it would have, if that is not on
        /// record.
        waits_ms: i64,
    },
    /// A look-up found the thing.
    Found,
    /// A look-up after the window found nothing; the request leaves again.
    LookedInVain {
        /// When that look-up started.
        looked: Stamp,
        /// From now on.
        window: Window,
    },
    /// A look-up after the window found nothing; nothing is sent.
    GivenUp {
        /// When that look-up started.
        looked: Stamp,
    },
    /// A person says that it was carried out. Nobody waits for an answer any more.
    ResolvedDone,
    /// A person says that it was not carried out.
    ResolvedAbsent,
    /// A person who said that it was carried out gives another outcome. Only for a step that is done by such a word.
    CorrectedDone,
    /// A person who said that it was carried out says now that it was not. Only for a step that is done by such a word.
    CorrectedAbsent,
    /// A person wants a refused step tried again.
    RetryWanted,
}

/// The event is impossible in this state: somebody else moved the step, or the caller is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a step that is {state:?} cannot take {event:?}")]
pub struct Illegal {
    /// The state as it is.
    pub state: StepState,
    /// What was tried.
    pub event: StepEvent,
}

impl StepState {
    /// The state after `event`, or why there is none.
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
            (S::InDoubt { window: before, loss }, E::LookedInVain { looked, window })
                if before.is_over(looked) && (loss != Loss::Yes || Sabotage::SentAgainAfterYes.is_on()) =>
            {
                S::Intended { window }
            }
            (S::InDoubt { window, loss }, E::GivenUp { looked })
                if window.is_over(looked) && loss != Loss::Yes =>
            {
                S::Absent
            }
            _ => return Err(Box::new(Illegal { state: self, event })),
        })
    }

    /// Is there an outcome or a refusal?
    pub fn is_final(self) -> bool {
        matches!(self, StepState::Done | StepState::Refused | StepState::HalfDone)
    }

    /// Does an act in this state count for later ones? It is done, may have been, or has left something behind.
    pub(super) fn is_remembered(self) -> bool {
        self.is_for_a_person() || self == StepState::Done
    }

    /// Can a person say what became of it?
    pub fn is_for_a_person(self) -> bool {
        self.is_open() || self == StepState::HalfDone
    }

    /// May a request be under way, or have been carried out without our knowing?
    pub fn is_open(self) -> bool {
        matches!(self, StepState::Intended { .. } | StepState::InDoubt { .. })
    }

    /// One word, as listings show it.
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

    /// How long a request that is not answered may land.
    pub fn window(self) -> Option<Window> {
        match self {
            StepState::Intended { window } | StepState::InDoubt { window, .. } => Some(window),
            _ => None,
        }
    }

    /// Why there is no answer, when it is lost.
    pub fn loss(self) -> Option<Loss> {
        match self {
            StepState::InDoubt { loss, .. } => Some(loss),
            _ => None,
        }
    }

    /// May the request be sent again when it is absent after its window? `late`: even after an answer that was late.
    pub fn resends(self, late: bool) -> bool {
        match self.loss() {
            Some(Loss::Yes) => Sabotage::SentAgainAfterYes.is_on(),
            Some(Loss::Late) => late || Sabotage::SentAgainWhenLate.is_on(),
            Some(Loss::Gone | Loss::Broken) | None => true,
        }
    }
}

/// The doubt after an answer was lost in this way. How long the sender waited is known while it lives.
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
        window: window.seen_at(at),
        loss: known.max(loss),
    }
}

#[cfg(test)]
mod tests;
