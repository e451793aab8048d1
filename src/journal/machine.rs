//! Decides what a changing step does next, from what has happened to it: no storage, no clock, no platform.
//!
//! ```text
//! Prepare ─▶ Intend ─▶ Send ─▶ Write(outcome) ─▶ End
//!    ▲          │       ▲ └─▶ Write(lost) ─▶ Settle ─▶ Write(found) ─▶ End
//!    └─Released─┘       └──── Write(sent again) ◀─┘ └─▶ Write(lost, parked) ─▶ End(InDoubt)
//! ```

use super::attempt::{Probe, SendOutcome};
use super::settle::Settled;
use super::step::{Loss, StepEvent, StepState, Window};
use crate::clock::Stamp;
use crate::sabotage::Sabotage;
use crate::value::Value;

/// How often a request may be sent, if every response is lost and no lookup finds it, before a person must decide.
const MAX_SENDS: u32 = 5;

/// How many times in a row the platform may throttle a request.
const MAX_THROTTLED: u32 = 5;

const THROTTLED: &str = "the platform throttled the request";

/// Why a step is in doubt after an event that it cannot have had.
pub(super) const ILLEGAL: &str = "its state in the journal is not the one that this process knows";

/// How long a request may take effect, and whether its effect can be looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Whether a lookup can settle a lost response.
    pub(super) probes: bool,
    /// The maximum time the sender waits, in milliseconds.
    pub(super) patience_ms: i64,
    /// How long a request may take effect after its sender has stopped waiting, in milliseconds.
    pub(super) settle_ms: i64,
}

impl Limits {
    /// Returns the window of a request that is sent now.
    pub(super) fn window(self, now: Stamp) -> Window {
        Window {
            sent: now,
            waits_ms: Some(self.patience_ms),
            settle_ms: self.settle_ms,
        }
    }
}

/// What has happened.
#[derive(Debug)]
pub(super) enum Input {
    /// The journal has no record of the step.
    Unrecorded,
    /// The journal has this record: at the start, or because another process or task has moved the step.
    Recorded {
        /// How many requests were sent.
        attempts: u32,
        /// Why there is no response, if the record is open.
        reason: String,
    },
    /// Nothing prevents the request. An existing resource may be adopted instead.
    Prepared { adopted: Option<Value> },
    /// Another step on the same resource has ended. `absent`: nothing of it was found after its window.
    Released { absent: bool },
    /// The intent is on disk.
    Intended,
    /// The request has left, and this is the response, or the reason for which it is late.
    Sent {
        result: Result<SendOutcome, String>,
        /// The maximum time for a connection, in milliseconds. Within it the request may not even have been written.
        connect_ms: i64,
    },
    /// The result of one lookup; `None` if it was interrupted.
    Probed(Option<Probe>),
    /// The result of looking until the window is over.
    Settled {
        settled: Settled,
        /// The user has interrupted meanwhile.
        interrupted: bool,
    },
    /// The transition is recorded. Returns its outcome.
    Written(Option<Value>),
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Action {
    /// Find out whether the resource exists. `earlier`: an earlier request for it was lost and not found.
    Prepare { earlier: bool },
    /// Record the intent with this event.
    Intend(StepEvent),
    /// Send the request. `earlier` is the same.
    Send { earlier: bool },
    /// Look up once whether it was carried out.
    Probe,
    /// Look up whether it was carried out until its window is over, and listen for a late response.
    Settle { reason: String },
    /// Record a transition.
    Write(Transition),
    /// The step has ended.
    End(Ending),
}

/// A transition to record.
#[derive(Debug)]
pub(super) struct Transition {
    pub(super) event: StepEvent,
    /// The outcome or the refusal.
    pub(super) outcome: Option<Value>,
    /// Why the step is in doubt, and whether no process works on it from now on.
    pub(super) reason: Option<(String, bool)>,
}

impl Transition {
    /// Whether others may move the step at the same time. Then it must be on disk, and where they moved it is followed.
    pub(super) fn is_contended(&self) -> bool {
        matches!(
            self.event,
            StepEvent::AnswerLost { .. } | StepEvent::LookedInVain { .. } | StepEvent::Found
        )
    }
}

/// How a step ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was carried out.
    Done(Value),
    Refused(Value),
    /// It was not carried out, but may succeed later.
    Failed(Value),
    /// Whether it was carried out is unknown: why, as a sentence without a full stop.
    InDoubt(String),
    /// The user interrupted it, and it was not carried out.
    Cancelled,
}

/// The decisions of one changing step.
#[derive(Debug)]
pub(super) struct StepMachine {
    limits: Limits,
    pending: Pending,
    /// An earlier request for the same resource was lost and not found.
    earlier: bool,
    /// An existing resource to adopt instead of sending.
    adopted: Option<Value>,
    sends: u32,
    /// How many times in a row the platform has throttled the request.
    throttled: u32,
    /// The maximum time for the connection of the last request, in milliseconds.
    connect_ms: i64,
}

/// What the machine waits for.
#[derive(Debug)]
enum Pending {
    Record,
    Preparation,
    /// The intent, recorded with this event.
    Intent(StepEvent),
    Response,
    /// A lookup after the platform throttled the request with this response.
    Probe(Value),
    /// The end of the window of a request that was lost for this reason.
    Settlement(String),
    /// A transition.
    Write(StepEvent, Then),
    Nothing,
}

/// What follows a recorded transition.
#[derive(Debug)]
enum Then {
    Return,
    Refuse,
    End(Ending),
    Settle(String),
    Find(Value),
    SendAgain,
}

impl StepMachine {
    pub(super) fn new(limits: Limits) -> StepMachine {
        StepMachine {
            limits,
            pending: Pending::Record,
            earlier: false,
            adopted: None,
            sends: 0,
            throttled: 0,
            connect_ms: 0,
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether the step adopts an existing resource, for which no request is sent.
    pub(super) fn adopts(&self) -> bool {
        self.adopted.is_some()
    }

    /// Returns the next action after `input`, which happened at `now`. `state` is the step's state as known to this
    /// process. An input that the step cannot have had puts it in doubt: what is known of it here is not what happened.
    pub(super) fn next(&mut self, state: &mut StepState, input: Input, now: Stamp) -> Action {
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        match (pending, input) {
            (Pending::Record | Pending::Intent(_) | Pending::Write(..), Input::Unrecorded) => {
                self.begin(state)
            }
            (
                Pending::Record | Pending::Intent(_) | Pending::Write(..),
                Input::Recorded { attempts, reason },
            ) => {
                self.earlier |= attempts > 0 && !state.is_open();
                if state.is_open() {
                    self.lose(*state, (reason, Loss::Gone), false, now)
                } else {
                    self.begin(state)
                }
            }
            (Pending::Intent(_), Input::Released { absent }) => {
                self.earlier |= absent;
                self.begin(state)
            }
            (Pending::Preparation, Input::Prepared { adopted }) => {
                self.adopted = adopted;
                let window = self.limits.window(now);
                self.pending = Pending::Intent(StepEvent::Intend { window });
                Action::Intend(StepEvent::Intend { window })
            }
            (Pending::Intent(event), Input::Intended) => match state.next(event) {
                Ok(intended) => {
                    *state = intended;
                    self.send()
                }
                Err(_) => illegal(),
            },
            (Pending::Response, Input::Sent { result, connect_ms }) => {
                self.connect_ms = connect_ms;
                self.take_result(*state, result, now)
            }
            (Pending::Probe(response), Input::Probed(probe)) => self.take_probe(*state, probe, response, now),
            (Pending::Settlement(reason), Input::Settled { settled, interrupted }) => {
                self.take_settlement(*state, settled, (reason, interrupted), now)
            }
            (Pending::Write(event, then), Input::Written(outcome)) => match state.next(event) {
                Ok(next) => {
                    *state = next;
                    self.go_on(then, outcome)
                }
                Err(_) => illegal(),
            },
            _ => illegal(),
        }
    }

    /// Returns the event for a lost response to the request that `state` records.
    pub(super) fn lost(&self, state: StepState, loss: Loss, now: Stamp) -> StepEvent {
        let passed = state.window().and_then(|window| now.since(window.sent));
        let waits_ms = match (loss, passed) {
            (Loss::Gone, _) | (_, None) => self.limits.patience_ms,
            // Within the connect timeout the request may not even have been written.
            (Loss::Late, Some(passed)) => passed.max(self.connect_ms),
            (_, Some(passed)) => passed,
        };
        StepEvent::AnswerLost {
            at: now,
            loss,
            waits_ms,
        }
    }

    /// Prepares for the intent.
    fn begin(&mut self, state: &mut StepState) -> Action {
        *state = StepState::Absent;
        // The resource found by an earlier lookup may have disappeared since.
        self.adopted = None;
        self.pending = Pending::Preparation;
        Action::Prepare {
            earlier: self.earlier,
        }
    }

    fn send(&mut self) -> Action {
        if let Some(value) = self.adopted.take() {
            return self.conclude(StepEvent::Answered, value);
        }
        self.pending = Pending::Response;
        Action::Send {
            earlier: self.earlier,
        }
    }

    fn take_result(&mut self, state: StepState, result: Result<SendOutcome, String>, now: Stamp) -> Action {
        let response = match result {
            Ok(SendOutcome::Throttled(response)) if self.limits.probes => {
                return self.put_off(response);
            }
            Ok(response) => response,
            Err(reason) => {
                self.sends += 1;
                return self.lose(state, (reason, Loss::Late), true, now);
            }
        };
        self.throttled = 0;
        self.sends += 1;
        self.take_response(state, response, now)
    }

    /// Some platforms count only the requests they have carried out, so a lookup comes before a throttled request is
    /// sent again.
    fn put_off(&mut self, response: Value) -> Action {
        self.throttled += 1;
        if Sabotage::SentAgainWhenPutOff.is_on() && self.throttled < MAX_THROTTLED {
            return self.send();
        }
        self.pending = Pending::Probe(response);
        Action::Probe
    }

    fn take_response(&mut self, state: StepState, response: SendOutcome, now: Stamp) -> Action {
        match response {
            SendOutcome::LostResponse { reason, loss } => self.lose(state, (reason, loss), false, now),
            SendOutcome::Failed(reason) | SendOutcome::Throttled(reason) => {
                self.give_up(Ending::Failed(reason))
            }
            SendOutcome::Refused(value) => self.conclude(StepEvent::Refused, value),
            SendOutcome::HalfDone(value) => self.conclude(StepEvent::HalfDone, value),
            SendOutcome::Done(value) => self.conclude(StepEvent::Answered, value),
        }
    }

    fn take_probe(&mut self, state: StepState, probe: Option<Probe>, response: Value, now: Stamp) -> Action {
        match probe {
            Some(Probe::Found(value)) => {
                let event = self.lost(state, Loss::Broken, now);
                self.write(
                    event,
                    None,
                    Some((THROTTLED.to_owned(), false)),
                    Then::Find(value),
                )
            }
            Some(Probe::Absent) if self.throttled < MAX_THROTTLED => self.send(),
            Some(Probe::Absent) => self.give_up(Ending::Failed(response)),
            Some(Probe::Unknown(_) | Probe::Unreachable(_)) => {
                self.lose(state, (THROTTLED.to_owned(), Loss::Broken), false, now)
            }
            None => self.give_up(Ending::Cancelled),
        }
    }

    fn take_settlement(
        &mut self,
        state: StepState,
        settled: Settled,
        (reason, interrupted): (String, bool),
        now: Stamp,
    ) -> Action {
        let reason = match settled {
            Settled::Answered(response) => return self.take_response(state, response, now),
            Settled::Found(value) => return self.find(value),
            Settled::Absent { .. } if interrupted => {
                format!("{reason}, and the user interrupted before it was sent again")
            }
            Settled::Absent { looked_up_at } if self.sends < MAX_SENDS => {
                let event = StepEvent::LookedInVain {
                    looked_up_at,
                    window: self.limits.window(now),
                };
                return self.write(event, None, None, Then::SendAgain);
            }
            Settled::Absent { .. } => format!("it was sent {} times, and {reason} each time", self.sends),
            // An earlier attempt may have ended with the same reason.
            Settled::Unsettled(unclear) if reason.ends_with(&unclear) => reason,
            Settled::Unsettled(unclear) => format!("{reason}, and {unclear}"),
            Settled::Cancelled if !self.limits.probes => {
                format!("{reason}, and waiting for a late response was interrupted")
            }
            Settled::Cancelled => format!("{reason}, and looking for it was interrupted"),
        };
        let event = self.lost(state, Loss::Gone, now);
        self.park(event, reason)
    }

    /// Continues after a recorded transition.
    fn go_on(&mut self, then: Then, outcome: Option<Value>) -> Action {
        match then {
            Then::Return => Action::End(Ending::Done(outcome.unwrap_or_default())),
            Then::Refuse => Action::End(Ending::Refused(outcome.unwrap_or_default())),
            Then::End(ending) => Action::End(ending),
            Then::Settle(reason) => {
                self.pending = Pending::Settlement(reason.clone());
                Action::Settle { reason }
            }
            Then::Find(value) => self.find(value),
            Then::SendAgain => {
                self.earlier = true;
                self.send()
            }
        }
    }

    /// Records that the response is lost, and looks for what it would have contained. `may_arrive`: it may still come.
    fn lose(
        &mut self,
        state: StepState,
        (reason, loss): (String, Loss),
        may_arrive: bool,
        now: Stamp,
    ) -> Action {
        let event = self.lost(state, loss, now);
        if self.limits.probes || may_arrive {
            let then = Then::Settle(reason.clone());
            return self.write(event, None, Some((reason, false)), then);
        }
        self.park(event, reason)
    }

    /// Records that the step is in doubt, and leaves it to a person.
    fn park(&mut self, event: StepEvent, reason: String) -> Action {
        let then = Then::End(Ending::InDoubt(reason.clone()));
        self.write(event, None, Some((reason, true)), then)
    }

    /// Records the outcome or the refusal.
    fn conclude(&mut self, event: StepEvent, value: Value) -> Action {
        let then = match event {
            StepEvent::Answered => Then::Return,
            _ => Then::Refuse,
        };
        self.write(event, Some(value), None, then)
    }

    /// Records that nothing was carried out.
    fn give_up(&mut self, ending: Ending) -> Action {
        self.write(StepEvent::NotCarriedOut, None, None, Then::End(ending))
    }

    fn find(&mut self, value: Value) -> Action {
        self.write(StepEvent::Found, Some(value), None, Then::Return)
    }

    /// Records a transition, and continues with `then`.
    fn write(
        &mut self,
        event: StepEvent,
        outcome: Option<Value>,
        reason: Option<(String, bool)>,
        then: Then,
    ) -> Action {
        self.pending = Pending::Write(event, then);
        Action::Write(Transition {
            event,
            outcome,
            reason,
        })
    }
}

fn illegal() -> Action {
    Action::End(Ending::InDoubt(ILLEGAL.to_owned()))
}

#[cfg(test)]
mod tests;
