//! What the journal is given to carry a step out, and what it gives back.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::NaturalKey;
use super::change::platform_id;
use super::error::JournalError;
use super::run::RunId;
use super::step::Loss;
use super::table::Thing;
use crate::flight::Flight;
use crate::value::{Value, identity};

/// A boxed future.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How one step is carried out. The journal decides when, and how often.
pub trait Attempt: Send + Sync {
    /// Looks, before anything is recorded, whether the step's thing is on the platform already though the ledger does
    /// not have it. Only reads, and may be dropped half-way. What is found after an intent is taken for the work of the
    /// request, so what was there before must be told from it here. `earlier` is as for [`Attempt::send`].
    fn prepare(&self, earlier: bool) -> Boxed<'_, Prepared> {
        let _ = earlier;
        Box::pin(async { Prepared::Go })
    }

    /// Sends the request once. `earlier` says that an earlier request for the same thing had been lost, and a look-up
    /// after its window did not find it: an answer like "already used" then means that it was carried out. Its requests
    /// that may change something are on record in [`Attempt::flight`]. Runs to its end once begun, unless the answer is late.
    fn send(&self, earlier: bool) -> Boxed<'_, Sending>;

    /// The record of whether a request has left.
    fn flight(&self) -> &Flight;

    /// Looks whether what a lost request asked for is there. Only reads. Called only for a change that
    /// [has probes](Change::probes); may be dropped half-way.
    fn probe(&self) -> Boxed<'_, Look>;

    /// The ledger has the thing, or the act is remembered: gives the outcome to record, or the refusal.
    fn existing(&self, earlier: Earlier) -> Result<Value, Value>;

    /// Is what the ledger holds certainly no longer on the platform? Looks only where a list is at hand that can be read
    /// on.
    fn is_gone<'a>(&'a self, held: &'a Value) -> Boxed<'a, bool> {
        let _ = held;
        Box::pin(async { false })
    }

    /// Does this outcome say that what the change [strikes](Books::Strikes) is gone?
    fn removes(&self, outcome: &Value) -> bool {
        let _ = outcome;
        true
    }

    /// The platform's identifier of what this outcome is about: its field `id`, unless the platform has another.
    fn platform_id(&self, outcome: &Value) -> Option<String> {
        platform_id(outcome)
    }

    /// Is the act carried out, by what was answered? One that was refused is not remembered.
    fn is_carried_out(&self, answer: &Value) -> bool {
        let _ = answer;
        true
    }
}

/// What an earlier step has made or done.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Its outcome.
    pub value: Value,
    /// Its run; none when a person entered the outcome.
    pub run: Option<RunId>,
    /// Did it ask for the same? Under one key two requests may be made.
    pub same: bool,
}

/// What a look before the intent found.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// Nothing stands in the way.
    Go,
    /// It is there, and to be taken over: this is the outcome.
    There(Value),
    /// It may not be made. Recorded.
    Refused(Value),
    /// It cannot be told now. Never recorded.
    Failed(Value),
}

/// What came of sending.
#[derive(Debug, Clone)]
pub enum Sending {
    /// It was done, and this is the outcome. Recorded.
    Done(Value),
    /// It was refused, and would be again. Recorded.
    Refused(Value),
    /// It was refused, and left something behind that a second try would double. Recorded, and tried again only when a
    /// person says so.
    HalfDone(Value),
    /// It was certainly not carried out, and may be later. Never recorded.
    Failed(Value),
    /// It was certainly not carried out, says the platform, and may be in a moment. Never recorded.
    PutOff(Value),
    /// It may have been carried out.
    Lost {
        /// Why nobody knows, in a sentence without a full stop.
        why: String,
        /// The same, for whoever decides what to do about it.
        loss: Loss,
    },
}

/// What a look-up found.
#[derive(Debug, Clone)]
pub enum Look {
    /// The thing is there, and this is what the lost answer would have said.
    Found(Value),
    /// It is not there now.
    Absent,
    /// The platform answered, but it cannot be told which: why, in a sentence without a full stop.
    Unknown(String),
    /// The look-up failed: why, in a sentence without a full stop.
    Unreachable(String),
}

/// What a step is about to do.
#[derive(Debug, Clone)]
pub struct StepPlan {
    /// The operation's stable name.
    pub op: String,
    /// What is asked for, and of whom. Only its keyed digest is kept.
    pub args: Value,
    /// The same as version 1 told it: runs that began under it go on with it.
    pub former_args: Value,
    /// Whether it changes the world.
    pub kind: StepKind,
}

/// Whether a step changes the world.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a row has one plan at a time")]
pub enum StepKind {
    /// It only reads: recorded and replayed, and asked again when there is no record.
    Read,
    /// It changes something: its intent is on disk before it is sent.
    Change(Change),
}

/// How a changing step is kept safe.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it brings into being or works on. Two steps on one thing never act at the same time. Of a step that
    /// [enters](Books::Enters) it into the ledger, nothing is sent when the ledger has it already.
    pub thing: Option<NaturalKey>,
    /// Can a look-up settle a lost answer? Otherwise the step parks at once.
    pub probes: bool,
    /// The longest that its sender waits for a connection and an answer.
    pub patience: Duration,
    /// The longest that a request may still land after its sender has stopped waiting.
    pub settle: Duration,
    /// May it be sent again though its answer was late, when it is absent after that? Because the platform refuses a second
    /// one, or because the user vouches for the time.
    pub resends_late: bool,
    /// How long after the sending to look, while the answer is unclear or the platform cannot be reached.
    pub look_for: Duration,
    /// What the outcome does to the ledger.
    pub books: Books,
    /// What version 1 called the thing, when it did so by another name.
    pub formerly: Option<Former>,
    /// What is asked for under a key that the script gives: the answer to another request is not the answer to this one.
    pub request: Option<Value>,
    /// Of an act that has neither a name nor a look-up: how it is remembered.
    pub act: Option<Act>,
}

/// What version 1 called a thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Former {
    /// Its name.
    pub key: NaturalKey,
    /// How it is told that what has that name is this thing.
    pub proof: Proof,
}

/// How it is told that what has a former name is the thing that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing else had that name.
    Name,
    /// Several things had it: it was asked for in the same words.
    Words,
    /// Several things may have had it: it was asked for in the same words, or a look-up finds its identifier.
    LookUp,
}

/// How an act is remembered. In doubt it is in any case, until somebody says what became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// By a key: once, whatever row, run or script asks.
    Keyed(Value),
    /// By the workflow, the row and what is asked for, for so long. Each act counts where rows have no identity.
    OfRow(Value, Duration),
}

/// What a step's outcome does to the ledger, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Books {
    /// Nothing.
    Unchanged,
    /// It enters the thing with the outcome as its value.
    Enters,
    /// It strikes these entries out, unless the outcome says that they were [not removed](Attempt::removes).
    Strikes(Vec<Struck>),
}

/// An entry that is struck out of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Struck {
    /// What has this identifier on the platform.
    Identified {
        /// The account that held it.
        account: String,
        /// What sort of thing it was.
        sort: String,
        /// The platform's identifier.
        platform_id: String,
    },
    /// What has this name.
    Named(Thing),
}

impl Struck {
    /// What has this identifier, in each of the accounts that may hold it.
    pub fn identified(accounts: Vec<String>, sort: &str, id: &str) -> Vec<Struck> {
        let of = |account| Struck::Identified {
            account,
            sort: sort.to_owned(),
            platform_id: identity::id(id),
        };
        accounts.into_iter().map(of).collect()
    }
}

/// A step's outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What the operation gives.
    pub value: Value,
    /// It was recorded before; nothing was sent now.
    pub replayed: bool,
    /// A request of this step brought it about, now or before a look-up found it.
    pub created: bool,
}

/// Why a step gives no outcome.
#[derive(Debug, Clone)]
pub enum StepEnd {
    /// The platform refuses; recorded, so a resume gives it again.
    Refused(Value),
    /// It was not carried out, and may be later. Not recorded.
    Failed(Value),
    /// Nobody knows whether it was carried out.
    InDoubt {
        /// The step, as `run/key` when it is another run's.
        step: String,
        /// Why, in a sentence without a full stop.
        why: String,
    },
    /// Another act of the same operation is done in this row, and the script does not ask for it: nothing was sent.
    DoneBefore {
        /// That act's step.
        step: String,
    },
    /// The user stopped it before anything was sent.
    Cancelled,
    /// The journal cannot be used; nothing more may be sent.
    Journal(JournalError),
}

impl From<JournalError> for StepEnd {
    fn from(error: JournalError) -> StepEnd {
        StepEnd::Journal(error)
    }
}

/// A moment in a step's life, at which tests kill the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Nothing is recorded.
    BeforeIntent,
    /// The intent is on disk, nothing was sent.
    AfterIntent,
    /// The platform has answered, or the answer was lost.
    AfterSend,
    /// The outcome is about to be recorded.
    BeforeOutcome,
    /// The outcome is recorded, or rides with the next commit.
    AfterOutcome,
}

impl Boundary {
    /// Every boundary, in the order of a step's life.
    pub const ALL: &[Boundary] = &[
        Boundary::BeforeIntent,
        Boundary::AfterIntent,
        Boundary::AfterSend,
        Boundary::BeforeOutcome,
        Boundary::AfterOutcome,
    ];

    /// Its name: `before-intent`.
    pub fn name(self) -> &'static str {
        match self {
            Boundary::BeforeIntent => "before-intent",
            Boundary::AfterIntent => "after-intent",
            Boundary::AfterSend => "after-send",
            Boundary::BeforeOutcome => "before-outcome",
            Boundary::AfterOutcome => "after-outcome",
        }
    }
}
