//! The life of one changing step, as a pure state machine: no storage, no clock, no platform.
//!
//! ```text
//!                       ┌─Leaves (a new stamp)
//! Absent ──Intend──▶ Intended ──Answered──▶ Done
//!    ▲                │  │ └─────Refused──▶ Refused ──RetryWanted──▶ Absent
//!    └─NotCarriedOut──┘  └──AnswerLost──▶ InDoubt ──Found, ResolvedDone──▶ Done
//!                                          │  └────LookedInVain──▶ Intended (sent again)
//!                                          └─GivenUp, ResolvedAbsent──▶ Absent
//! ```
//!
//! An intent can also end as `HalfDone`, which only a person moves on: to `Done`, or to `Absent` to have it tried again.
//! What a person has said to be done, a person may put right: `CorrectedDone`, `CorrectedAbsent`.

/// What is known about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepState {
    /// Nothing was sent, or what was sent is known not to have been carried out.
    #[default]
    Absent,
    /// A request may leave, or has left, and no answer is recorded.
    Intended {
        /// When it left, in milliseconds since the Unix epoch.
        sent_ms: i64,
        /// The longest time, in milliseconds after `sent_ms`, that it may still land.
        settle_ms: i64,
    },
    /// The answer was lost. Only a look-up or a person ends this.
    InDoubt {
        /// When the request left, in milliseconds since the Unix epoch.
        sent_ms: i64,
        /// The longest time, in milliseconds after `sent_ms`, that it may still land.
        settle_ms: i64,
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
        /// Now, in milliseconds since the Unix epoch.
        at_ms: i64,
        /// The longest time that the request may still land.
        settle_ms: i64,
    },
    /// The request leaves only now, or once more because it had certainly not been carried out.
    Leaves {
        /// Now: the new stamp.
        at_ms: i64,
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
    /// No answer came, or the process that waited for it died.
    AnswerLost {
        /// Now. A recorded stamp that lies later was written by a clock that has been set back since.
        at_ms: i64,
    },
    /// A look-up found the thing.
    Found,
    /// A look-up after the settle time found nothing; the request leaves again.
    LookedInVain {
        /// When that look-up started.
        looked_ms: i64,
        /// Now: the new stamp.
        at_ms: i64,
        /// The longest time that the new request may still land.
        settle_ms: i64,
    },
    /// A look-up after the settle time found nothing; nothing is sent.
    GivenUp {
        /// When that look-up started.
        looked_ms: i64,
    },
    /// A person says that it was carried out.
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
    pub fn next(self, event: StepEvent) -> Result<StepState, Illegal> {
        use StepEvent as E;
        use StepState as S;
        let illegal = Illegal { state: self, event };
        Ok(match (self, event) {
            (S::Absent, E::Intend { at_ms, settle_ms })
            | (S::Intended { settle_ms, .. }, E::Leaves { at_ms }) => S::Intended {
                sent_ms: at_ms,
                settle_ms,
            },
            (S::Absent, E::Known)
            | (S::Intended { .. }, E::Answered)
            | (S::InDoubt { .. }, E::Found | E::ResolvedDone)
            | (S::HalfDone, E::ResolvedDone)
            | (S::Done, E::CorrectedDone) => S::Done,
            (S::Absent, E::KnownRefused) | (S::Intended { .. }, E::Refused) => S::Refused,
            (S::Intended { .. }, E::HalfDone) => S::HalfDone,
            (S::Intended { .. }, E::NotCarriedOut)
            | (S::InDoubt { .. } | S::HalfDone, E::ResolvedAbsent)
            | (S::Done, E::CorrectedAbsent)
            | (S::Refused, E::RetryWanted) => S::Absent,
            (
                S::Intended { sent_ms, settle_ms } | S::InDoubt { sent_ms, settle_ms },
                E::AnswerLost { at_ms },
            ) => S::InDoubt {
                sent_ms: sent_ms.min(at_ms),
                settle_ms,
            },
            (
                S::InDoubt { .. },
                E::LookedInVain {
                    looked_ms,
                    at_ms,
                    settle_ms,
                },
            ) if self.is_settled_at(looked_ms) && at_ms >= looked_ms => S::Intended {
                sent_ms: at_ms,
                settle_ms,
            },
            (S::InDoubt { .. }, E::GivenUp { looked_ms }) if self.is_settled_at(looked_ms) => S::Absent,
            _ => return Err(illegal),
        })
    }

    /// Is there an outcome or a refusal?
    pub fn is_final(self) -> bool {
        matches!(self, StepState::Done | StepState::Refused | StepState::HalfDone)
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

    /// When the request left, and how long it may take to land, both in milliseconds.
    pub fn window(self) -> Option<(i64, i64)> {
        match self {
            StepState::Intended { sent_ms, settle_ms } | StepState::InDoubt { sent_ms, settle_ms } => {
                Some((sent_ms, settle_ms))
            }
            _ => None,
        }
    }

    /// Can a request that left no longer land at this time? A clock that was set back makes this wait longer, never
    /// shorter.
    fn is_settled_at(self, looked_ms: i64) -> bool {
        self.window()
            .is_some_and(|(sent_ms, settle_ms)| looked_ms >= sent_ms.saturating_add(settle_ms))
    }
}

#[cfg(test)]
mod tests;
