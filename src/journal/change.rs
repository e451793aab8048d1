//! Carrying out a step that changes the world: intent, request, outcome, and what to do when there is none.

use std::time::Duration;

use super::apply::{Move, Reply, Write};
use super::attempt::{Attempt, Books, Boundary, Change, Output, Prepared, Sending, StepEnd};
use super::cancel::Cancel;
use super::error::JournalError;
use super::leaving::{FRESH_MS, Leaving};
use super::row::{RowJournal, step_place, why_place};
use super::settle::{Settled, Window, settle};
use super::step::{StepEvent, StepState};
use super::table::{ItemData, Look, StepData, Thing};
use crate::value::Value;

/// How often a request may leave before a person is asked: the platform loses every answer and has nothing to show.
const MOST_SENDS: u32 = 5;

/// An intent that took longer than this to reach the disk is stamped anew, since its stamp begins the settle time.
const STALE_MS: i64 = 1_000;
const MOST_STAMPS: u32 = 5;

/// One changing step under way.
pub(super) struct Changing<'a> {
    pub(super) row: &'a RowJournal,
    pub(super) change: &'a Change,
    attempt: &'a dyn Attempt,
    pub(super) cancel: &'a Cancel,
    /// As this process knows it.
    pub(super) step: StepData,
    /// An earlier request for the same thing was lost and not found.
    pub(super) earlier: bool,
    sends: u32,
    /// What was there before, to be taken over instead of sending.
    taken_over: Option<Value>,
}

/// What comes next.
pub(super) enum Next {
    /// Nothing is recorded: record the intent.
    Begin,
    /// The intent is on disk.
    Send,
    /// The answer is lost, for this reason.
    Settle(String),
    /// Somebody else has moved the step on.
    Follow(Box<StepData>),
}

pub(super) type Ended = Result<Output, StepEnd>;

impl<'a> Changing<'a> {
    pub(super) fn new(
        row: &'a RowJournal,
        change: &'a Change,
        attempt: &'a dyn Attempt,
        cancel: &'a Cancel,
        blank: StepData,
    ) -> Changing<'a> {
        let step = StepData {
            changes: true,
            ledger: change.books == Books::Enters,
            thing: change.thing.as_ref().map(Thing::from),
            ..blank
        };
        Changing {
            row,
            change,
            attempt,
            cancel,
            step,
            earlier: false,
            sends: 0,
            taken_over: None,
        }
    }

    /// Goes from what is recorded to an end.
    pub(super) async fn carry_out(mut self, recorded: Option<StepData>) -> Ended {
        if let Some(step) = recorded.as_ref().filter(|step| step.state.is_final()) {
            return self.row.replay(step);
        }
        let things = self.row.journal.things();
        let _turn = match &self.step.thing {
            Some(thing) => Some(
                self.cancel
                    .or(things.turn(thing))
                    .await
                    .ok_or(StepEnd::Cancelled)?,
            ),
            None => None,
        };
        let mut next = recorded.map_or(Next::Begin, |step| Next::Follow(Box::new(step)));
        loop {
            let step = match next {
                Next::Begin => self.begin().await,
                Next::Send => self.send().await,
                Next::Settle(why) => self.settle(why).await,
                Next::Follow(step) => self.follow(&step),
            };
            next = match step {
                Ok(next) => next,
                Err(ended) => return ended,
            };
        }
    }

    /// Goes on from how the step is recorded.
    fn follow(&mut self, step: &StepData) -> Result<Next, Ended> {
        if step.state.is_final() {
            return Err(self.row.replay(step));
        }
        self.earlier |= step.attempts > 0 && !step.state.is_open();
        let why = match &step.why {
            Some(sealed) => {
                let opened = self.row.journal.open_sealed(&why_place(step), sealed);
                opened.map_err(|error| Err(error.into()))?
            }
            None => Value::from("the process that waited for the answer ended before it came"),
        };
        let next = if step.state.is_open() {
            Next::Settle(why.as_text().unwrap_or_default().to_owned())
        } else {
            Next::Begin
        };
        self.step.state = step.state;
        self.step.attempts = step.attempts;
        Ok(next)
    }

    /// Records the intent, unless the thing is there or somebody else is at work on it.
    async fn begin(&mut self) -> Result<Next, Ended> {
        if self.cancel.is_cancelled() {
            return Err(Err(StepEnd::Cancelled));
        }
        self.step.state = StepState::Absent;
        self.prepare().await?;
        self.boundary(Boundary::BeforeIntent);
        for stamp in 1.. {
            let event = StepEvent::Intend {
                at_ms: self.now_ms(),
                settle_ms: self.settle_ms(),
            };
            let write = Write::Intend {
                step: Box::new(self.step.clone()),
                event,
            };
            match self.write(write).await? {
                Reply::InLedger(item) => return Err(self.existing(&item)),
                Reply::Claimed { claim, owner } => {
                    self.make_way(*claim, owner.map(|owner| *owner)).await?;
                    return Ok(Next::Begin);
                }
                Reply::Elsewhere(Some(step)) => return Ok(Next::Follow(step)),
                _ => {}
            }
            self.step.state = self.step.state.next(event).unwrap_or(self.step.state);
            let sent_ms = self.step.state.window().map_or(0, |(sent_ms, _)| sent_ms);
            if self.now_ms() - sent_ms <= STALE_MS || stamp == MOST_STAMPS {
                break;
            }
            self.advance(StepEvent::NotCarriedOut, None).await?;
        }
        Ok(Next::Send)
    }

    /// Finds out whether the thing is on the platform before an intent says that it may be ours: killed after that,
    /// nobody could tell any more.
    async fn prepare(&mut self) -> Result<(), Ended> {
        let Some(thing) = self.step.thing.as_ref().filter(|_| self.step.ledger) else {
            return Ok(());
        };
        let store = self.row.journal.store();
        let is_known = |look: &dyn Look| Ok(look.item(thing)?.is_some() || look.claim(thing)?.is_some());
        // What was written a moment ago is found below, before it counts.
        let known = store.read_committed(is_known);
        if known.map_err(|error| Err(error.into()))? {
            return Ok(());
        }
        let prepared = self.cancel.or(self.attempt.prepare(self.earlier)).await;
        let prepared = prepared.ok_or(Err(StepEnd::Cancelled))?;
        if !matches!(prepared, Prepared::Go) && store.read(is_known).map_err(|error| Err(error.into()))? {
            return Ok(());
        }
        match prepared {
            Prepared::Go => Ok(()),
            Prepared::There(value) => {
                self.taken_over = Some(value);
                Ok(())
            }
            Prepared::Failed(why) => Err(Err(StepEnd::Failed(why))),
            Prepared::Refused(why) => {
                let step = self.step.clone();
                let recorded = self.row.record(step, StepEvent::KnownRefused, &why, usize::MAX);
                recorded.map_err(|error| Err(error.into()))?;
                Err(Err(StepEnd::Refused(why)))
            }
        }
    }

    /// The thing is in the ledger already.
    fn existing(&self, item: &ItemData) -> Ended {
        let journal = &self.row.journal;
        let held = journal.open_sealed(&item_place(&item.thing), &item.value)?;
        let (event, value) = match self.attempt.existing(held) {
            Ok(value) => (StepEvent::Known, value),
            Err(refusal) => (StepEvent::KnownRefused, refusal),
        };
        self.row.record(self.step.clone(), event, &value, usize::MAX)?;
        if event == StepEvent::KnownRefused {
            return Err(StepEnd::Refused(value));
        }
        Ok(Output {
            value,
            replayed: false,
            created: false,
        })
    }

    /// Sends the request once and records what came of it.
    async fn send(&mut self) -> Result<Next, Ended> {
        if let Some(value) = self.taken_over.take() {
            return Err(self.conclude(StepEvent::Answered, value).await?);
        }
        // From here on, whatever ends this future early leaves the step in doubt, and says so.
        let leaving = Leaving::of(&self.row.journal, &self.step);
        let guard = Abandoned::unless_disarmed(self, leaving.clone());
        self.boundary(Boundary::AfterIntent);
        let sending = self.attempt.send(self.earlier, leaving.clone()).await;
        self.boundary(Boundary::AfterSend);
        guard.disarm();
        if let Some(at_ms) = leaving.last_ms() {
            let left = self.step.state.next(StepEvent::Leaves { at_ms });
            self.step.state = left.unwrap_or(self.step.state);
        }
        self.sends += 1;
        match sending {
            Sending::Lost(why) => Ok(Next::Settle(why)),
            Sending::Failed(why) => {
                self.advance(StepEvent::NotCarriedOut, None).await?;
                Err(Err(StepEnd::Failed(why)))
            }
            Sending::Refused(value) => Err(self.conclude(StepEvent::Refused, value).await?),
            Sending::HalfDone(value) => Err(self.conclude(StepEvent::HalfDone, value).await?),
            Sending::Done(value) => Err(self.conclude(StepEvent::Answered, value).await?),
        }
    }

    /// Records the outcome or the refusal.
    async fn conclude(&mut self, event: StepEvent, value: Value) -> Result<Ended, Ended> {
        self.boundary(Boundary::BeforeOutcome);
        self.advance(event, Some(&value)).await?;
        self.boundary(Boundary::AfterOutcome);
        Ok(if event == StepEvent::Answered {
            Ok(Output {
                value,
                replayed: false,
                created: true,
            })
        } else {
            Err(StepEnd::Refused(value))
        })
    }

    /// Looks for what the lost answer would have said, and goes on from there.
    async fn settle(&mut self, why: String) -> Result<Next, Ended> {
        let lost = StepEvent::AnswerLost { at_ms: self.now_ms() };
        if let Some(next) = self.doubt(lost, &why, !self.change.probes).await? {
            return Ok(next);
        }
        if !self.change.probes {
            return Err(self.in_doubt(why));
        }
        let guard = Abandoned::unless_disarmed(self, Leaving::default());
        let settled = self.look(&self.step).await;
        guard.disarm();
        let why = match settled {
            Settled::Found(value) => return self.found(value).await,
            Settled::Absent { .. } if self.cancel.is_cancelled() => {
                format!("{why}, and the user interrupted before it was sent again")
            }
            Settled::Absent { looked_ms } if self.sends < MOST_SENDS => return self.again(looked_ms).await,
            Settled::Absent { .. } => format!("it was sent {} times, and {why} each time", self.sends),
            // An earlier attempt may have come to the same.
            Settled::Unsettled(unclear) if why.ends_with(&unclear) => why,
            Settled::Unsettled(unclear) => format!("{why}, and {unclear}"),
            Settled::Cancelled => format!("{why}, and looking for it was interrupted"),
        };
        let lost = StepEvent::AnswerLost { at_ms: self.now_ms() };
        match self.doubt(lost, &why, true).await? {
            Some(next) => Ok(next),
            None => Err(self.in_doubt(why)),
        }
    }

    async fn found(&mut self, value: Value) -> Result<Next, Ended> {
        self.boundary(Boundary::BeforeOutcome);
        let mut step = self.step.clone();
        if let Some(moved) = self
            .move_step(&mut step, StepEvent::Found, Some(&value), None)
            .await?
        {
            return Ok(moved);
        }
        self.boundary(Boundary::AfterOutcome);
        Err(Ok(Output {
            value,
            replayed: false,
            created: true,
        }))
    }

    /// The request had not been carried out: stamps the intent anew, and sends again.
    async fn again(&mut self, looked_ms: i64) -> Result<Next, Ended> {
        let event = StepEvent::LookedInVain {
            looked_ms,
            at_ms: self.now_ms().max(looked_ms),
            settle_ms: self.settle_ms(),
        };
        let mut step = self.step.clone();
        if let Some(moved) = self.move_step(&mut step, event, None, None).await? {
            return Ok(moved);
        }
        self.step = step;
        self.earlier = true;
        Ok(Next::Send)
    }

    /// How long after its stamp the request may still land.
    fn settle_ms(&self) -> i64 {
        millis(self.change.settle).saturating_add(FRESH_MS)
    }

    pub(super) async fn look(&self, step: &StepData) -> Settled {
        let (sent_ms, settle_ms) = step.state.window().unwrap_or_default();
        let window = Window {
            sent: sent_ms,
            settle: settle_ms.max(self.settle_ms()),
            look_for: millis(self.change.look_for),
        };
        settle(self.row.journal.clock(), window, self.attempt, self.cancel).await
    }

    /// Records that the answer is lost, and why. Gives what comes next when somebody else has moved the step on.
    async fn doubt(&mut self, event: StepEvent, why: &str, parked: bool) -> Result<Option<Next>, Ended> {
        let mut step = self.step.clone();
        let moved = self
            .move_step(&mut step, event, None, Some((why, parked)))
            .await?;
        if moved.is_none() {
            self.step.state = step.state;
        }
        Ok(moved)
    }

    fn in_doubt(&self, why: String) -> Ended {
        Err(StepEnd::InDoubt {
            step: self.step.key.clone(),
            why,
        })
    }

    /// Moves the own step on after an answer, when nobody else can have moved it: the claim and the run are ours.
    /// Waits for the disk only when the outcome is told only once.
    async fn advance(&mut self, event: StepEvent, outcome: Option<&Value>) -> Result<(), Ended> {
        let write = self.moving(&self.step, event, outcome, None);
        // Neither can an outcome be looked up again that nothing can probe for.
        let told_once = self.change.one_time_secret || !self.change.probes;
        if told_once && outcome.is_some() {
            if let Reply::Elsewhere(_) = self.write(write).await? {
                let step = self.step.key.clone();
                return Err(Err(JournalError::Moved { step }.into()));
            }
        } else {
            let store = self.row.journal.store();
            let step = self.step.key.clone();
            store.write_later_then(
                write,
                Box::new(move |reply| {
                    if let Ok(Reply::Elsewhere(_)) = reply {
                        tracing::error!(
                            step,
                            "a step was moved by another process while it was carried out"
                        );
                    }
                }),
            );
            store.healthy().map_err(|error| Err(error.into()))?;
        }
        self.step.state = self.step.state.next(event).unwrap_or(self.step.state);
        Ok(())
    }

    /// Moves a step on, on disk. Gives what comes next when somebody else has moved it meanwhile.
    pub(super) async fn move_step(
        &self,
        step: &mut StepData,
        event: StepEvent,
        outcome: Option<&Value>,
        why: Option<(&str, bool)>,
    ) -> Result<Option<Next>, Ended> {
        let write = self.moving(step, event, outcome, why);
        match self.write(write).await? {
            Reply::Elsewhere(Some(moved)) => Ok(Some(Next::Follow(moved))),
            Reply::Elsewhere(None) => Ok(Some(Next::Begin)),
            _ => {
                step.state = step.state.next(event).unwrap_or(step.state);
                Ok(None)
            }
        }
    }

    fn moving(
        &self,
        step: &StepData,
        event: StepEvent,
        outcome: Option<&Value>,
        why: Option<(&str, bool)>,
    ) -> Write {
        let sealer = self.row.journal.sealer();
        let at_ms = self.now_ms();
        let is_done = outcome.is_some() && !matches!(event, StepEvent::Refused | StepEvent::HalfDone);
        let item = match (&step.thing, outcome) {
            (Some(thing), Some(value)) if step.ledger && is_done => Some(ItemData {
                thing: thing.clone(),
                platform_id: platform_id(value),
                run: Some(step.run.clone()),
                step: Some(step.key.clone()),
                value: sealer.seal(&item_place(thing), value),
                created_ms: at_ms,
                changed_ms: at_ms,
            }),
            _ => None,
        };
        let removed = match &self.change.books {
            Books::Strikes {
                account,
                sort,
                platform_id,
            } if is_done && step.key == self.step.key && step.run == self.step.run => {
                Some((account.clone(), sort.clone(), platform_id.clone()))
            }
            _ => None,
        };
        Write::Move(Box::new(Move {
            run: step.run.clone(),
            key: step.key.clone(),
            event,
            at_ms,
            outcome: outcome.map(|value| sealer.seal(&step_place(step), value)),
            why: why.map(|(why, _)| sealer.seal(&why_place(step), &why.into())),
            // Without a reason of its own, a loss is recorded on behalf of somebody who is gone.
            parked: why.map_or(matches!(event, StepEvent::AnswerLost { .. }), |(_, parked)| {
                parked
            }),
            item,
            removed,
            audit: None,
        }))
    }

    async fn write(&self, write: Write) -> Result<Reply, Ended> {
        let written = self.row.journal.store().write_async(write).await;
        written.map_err(|error| Err(error.into()))
    }

    fn boundary(&self, boundary: Boundary) {
        self.row.journal.pass(boundary);
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.row.journal.clock().now_millis()
    }
}

/// Marks a step whose future ends before it does: nobody waits for the answer any more, and others may settle it. When
/// no request had left, nothing is in doubt.
struct Abandoned<'a, 'b> {
    changing: &'b Changing<'a>,
    leaving: Leaving,
    armed: bool,
}

impl<'a, 'b> Abandoned<'a, 'b> {
    fn unless_disarmed(changing: &'b Changing<'a>, leaving: Leaving) -> Abandoned<'a, 'b> {
        Abandoned {
            changing,
            leaving,
            armed: true,
        }
    }

    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Abandoned<'_, '_> {
    fn drop(&mut self) {
        if self.armed {
            let Changing { step, row, .. } = self.changing;
            let lost = StepEvent::AnswerLost {
                at_ms: self.changing.now_ms(),
            };
            let why = ("the step was given up while its answer was awaited", true);
            let write = if self.leaving.may_have_left() {
                self.changing.moving(step, lost, None, Some(why))
            } else {
                self.changing.moving(step, StepEvent::NotCarriedOut, None, None)
            };
            // The intent is on disk in any case; a failure here only makes others wait until this process ends.
            let _ = row.journal.store().write_later(write);
        }
    }
}

/// Where a ledger entry's value belongs.
pub(super) fn item_place(thing: &Thing) -> String {
    format!("ledger {}\n{}\n{}", thing.account, thing.sort, thing.name)
}

/// The platform's identifier of a thing: its field `id`.
pub(super) fn platform_id(value: &Value) -> Option<String> {
    let fields = match value {
        Value::Record(fields) => fields,
        Value::Object(object) => &object.fields,
        _ => return None,
    };
    match fields.get("id") {
        Some(Value::Int(id)) => Some(id.to_string()),
        Some(Value::Text(id)) => Some(id.clone()),
        _ => None,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
