//! The input the journal needs to carry out a step, and the results it returns.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::NaturalKey;
use super::change::platform_id;
use super::error::JournalError;
use super::limit::{ChangeLimit, LimitReached};
use super::run::RunId;
use super::step::Loss;
use super::table::ResourceKey;
use crate::flight::Flight;
use crate::value::{Value, identity};

/// A boxed future.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How to carry out one step. The journal decides when and how often.
pub trait Attempt: Send + Sync {
    /// Looks up, before anything is recorded, whether the step's resource is on the platform already but not in the
    /// ledger. Reads only; may be dropped at any point. A resource found after an intent counts as created by the
    /// request, so one that existed before must be recognised here. `earlier` is as for [`Attempt::send`].
    fn prepare(&self, earlier: bool) -> Boxed<'_, PrepareOutcome> {
        let _ = earlier;
        Box::pin(async { PrepareOutcome::Proceed })
    }

    /// Sends the request once. `earlier`: an earlier request for the same resource was lost and not found by a lookup
    /// after its window, so a response like "already used" means that it was carried out. Requests that may change
    /// something are tracked in [`Attempt::flight`]. Once started it runs to completion, unless the response is late.
    fn send(&self, earlier: bool) -> Boxed<'_, SendOutcome>;

    /// Returns the record of whether a request has left.
    fn flight(&self) -> &Flight;

    /// Looks up whether the result of a lost request exists. Reads only. Called only for a change that
    /// [has probes](Change::probes); may be dropped at any point.
    fn probe(&self) -> Boxed<'_, Probe>;

    /// Returns the outcome to record, or the refusal, when the ledger has the resource or the act is remembered.
    fn existing(&self, earlier: EarlierResult) -> Result<Value, Value>;

    /// Whether the resource in the ledger certainly no longer exists on the platform. Looks only if a list is available
    /// that can be paged further.
    fn is_gone<'a>(&'a self, held: &'a Value) -> Boxed<'a, bool> {
        let _ = held;
        Box::pin(async { false })
    }

    /// Whether this outcome means that the entries the change [removes](LedgerEffect::Remove) are gone.
    fn removes(&self, outcome: &Value) -> bool {
        let _ = outcome;
        true
    }

    /// Returns the platform's identifier in this outcome: its `id` field, unless the platform uses another.
    fn platform_id(&self, outcome: &Value) -> Option<String> {
        platform_id(outcome)
    }

    /// Whether the response means that the act was carried out. A refused act is not remembered.
    fn is_carried_out(&self, answer: &Value) -> bool {
        let _ = answer;
        true
    }
}

/// The result of an earlier step for the same resource or act.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierResult {
    /// Its outcome.
    pub value: Value,
    /// Its run; `None` if a person entered the outcome.
    pub run: Option<RunId>,
    /// Whether its request was the same. One key may be used for two different requests.
    pub is_same_request: bool,
}

/// The result of the lookup before the intent.
#[derive(Debug, Clone)]
pub enum PrepareOutcome {
    /// There is no obstacle.
    Proceed,
    /// The resource exists and is adopted; this is the outcome.
    Adopted(Value),
    /// The resource may not be created. Recorded.
    Refused(Value),
    /// Whether it exists cannot be determined now. Never recorded.
    Failed(Value),
}

/// The result of sending a request.
#[derive(Debug, Clone)]
pub enum SendOutcome {
    /// It was carried out; this is the outcome. Recorded.
    Done(Value),
    /// It was refused and would be refused again. Recorded.
    Refused(Value),
    /// It was refused but left something behind that a second attempt would duplicate. Recorded, and retried only on a
    /// person's decision.
    HalfDone(Value),
    /// It was certainly not carried out, but may succeed later. Never recorded.
    Failed(Value),
    /// The platform reports that it was not carried out and may succeed shortly. Never recorded.
    Throttled(Value),
    /// It may have been carried out.
    LostResponse {
        /// Why the outcome is unknown, as a sentence without a full stop.
        reason: String,
        /// The same reason, for programmatic decisions.
        loss: Loss,
    },
}

/// The result of a lookup.
#[derive(Debug, Clone)]
pub enum Probe {
    /// The resource exists; this is what the lost response would have contained.
    Found(Value),
    /// It does not exist now.
    Absent,
    /// The platform responded, but the response is inconclusive: why, as a sentence without a full stop.
    Unknown(String),
    /// The lookup failed: why, as a sentence without a full stop.
    Unreachable(String),
}

/// A step that is about to be carried out.
#[derive(Debug, Clone)]
pub struct StepPlan {
    /// The operation's stable name.
    pub op: String,
    /// The request and its target. Only a keyed digest is stored.
    pub args: Value,
    /// The same as represented by version 1, for continuing runs that began under it.
    pub former_args: Value,
    /// Whether it changes anything on the platform.
    pub kind: StepKind,
}

/// Whether a step changes anything on the platform.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a row has one plan at a time")]
pub enum StepKind {
    /// Reads only: recorded and replayed, and requested again if there is no record.
    Read {
        /// Whether an outcome of any size is recorded. Otherwise a resume repeats large reads.
        keeps_all: bool,
    },
    /// Changes something: its intent is on disk before it is sent.
    Change(Change),
}

/// How a changing step is protected.
#[derive(Debug, Clone)]
pub struct Change {
    /// The resource it creates or works on. Two steps on one resource never run at the same time. If the step
    /// [inserts](LedgerEffect::Insert) the resource into the ledger and the ledger already has it, nothing is sent.
    pub resource: Option<NaturalKey>,
    /// Whether a lookup can settle a lost response. Otherwise the step parks immediately.
    pub probes: bool,
    /// The maximum time the sender waits for a connection and a response.
    pub patience: Duration,
    /// The maximum time a request may still take effect after its sender has stopped waiting.
    pub settle: Duration,
    /// Whether a request whose response was late may be sent again if its result is then absent: because the platform
    /// rejects a duplicate, or because the user vouches for the settle time.
    pub resends_late: bool,
    /// How long after sending to keep looking while the result is unclear or the platform is unreachable.
    pub look_for: Duration,
    /// The effect of the outcome on the ledger.
    pub ledger_effect: LedgerEffect,
    /// The resource's name under version 1, if it differed.
    pub former_key: Option<FormerKey>,
    /// The request under a key that the script gives: the response to a different request does not answer it.
    pub request: Option<Value>,
    /// How the act is remembered, if it has neither a name nor a lookup.
    pub act: Option<Act>,
    /// The limits under which it counts.
    pub limits: Vec<ChangeLimit>,
}

/// The name of a resource under version 1.
#[derive(Debug, Clone, PartialEq)]
pub struct FormerKey {
    /// Its name.
    pub key: NaturalKey,
    /// How to verify that the resource with that name is this one.
    pub proof: Proof,
}

/// How to verify that the resource with a former name is the requested one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The name was unique.
    Name,
    /// The name was shared by several resources: the request must be identical.
    SameRequest,
    /// The name may have been shared: the request must be identical, or a lookup must find the same identifier.
    LookUp,
}

/// How an act is remembered. While in doubt it is always remembered, until a person resolves it.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// By a key: once, whichever row, run or script requests it.
    Keyed(Value),
    /// By the workflow, the row and the request, for this long. If rows have no identity, every act counts separately.
    OfRow(Value, Duration),
}

/// The effect of a step's outcome on the ledger, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerEffect {
    /// No effect.
    Unchanged,
    /// Inserts the resource, with the outcome as its value.
    Insert,
    /// Removes these entries, unless the outcome says that they were [not removed](Attempt::removes).
    Remove(Vec<LedgerEntry>),
}

/// An entry to remove from the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerEntry {
    /// The resource with this identifier on the platform.
    Identified {
        /// The account that held it.
        account: String,
        /// Its kind.
        kind: String,
        /// The platform's identifier.
        platform_id: String,
    },
    /// The resource with this name.
    Named(ResourceKey),
}

impl LedgerEntry {
    /// Returns one entry to remove for each account that may hold the resource with this identifier.
    pub fn removals_by_id(accounts: Vec<String>, kind: &str, id: &str) -> Vec<LedgerEntry> {
        let of = |account| LedgerEntry::Identified {
            account,
            kind: kind.to_owned(),
            platform_id: identity::id(id),
        };
        accounts.into_iter().map(of).collect()
    }
}

/// A step's outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The value the operation returns.
    pub value: Value,
    /// It was recorded earlier; nothing was sent now.
    pub replayed: bool,
    /// It was created by a request of this step, sent now or earlier and then found by a lookup.
    pub created: bool,
}

/// Why a step has no outcome.
#[derive(Debug, Clone)]
pub enum StepEnd {
    /// The platform refused. Recorded, so a resume returns it again.
    Refused(Value),
    /// It was not carried out, but may succeed later. Not recorded.
    Failed(Value),
    /// Whether it was carried out is unknown.
    InDoubt {
        /// The step, as `run/key` if it belongs to another run.
        step: String,
        /// Why, as a sentence without a full stop.
        reason: String,
    },
    /// Another act of the same operation is done in this row and the script no longer requests it: nothing was sent.
    DoneBefore {
        /// The step of that act.
        step: String,
    },
    /// It would exceed a limit: nothing was sent. Not recorded.
    LimitReached(LimitReached),
    /// The user cancelled it before anything was sent.
    Cancelled,
    /// The journal cannot be used; no further request may be sent.
    Journal(JournalError),
}

impl From<JournalError> for StepEnd {
    fn from(error: JournalError) -> StepEnd {
        StepEnd::Journal(error)
    }
}

/// A point in the life of a step at which tests kill the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Nothing is recorded.
    BeforeIntent,
    /// The intent is on disk; nothing has been sent.
    AfterIntent,
    /// The platform has responded, or the response was lost.
    AfterSend,
    /// The outcome is about to be recorded.
    BeforeOutcome,
    /// The outcome is recorded, or will be with the next commit.
    AfterOutcome,
}

impl Boundary {
    /// All boundaries, in the order of a step's life.
    pub const ALL: &[Boundary] = &[
        Boundary::BeforeIntent,
        Boundary::AfterIntent,
        Boundary::AfterSend,
        Boundary::BeforeOutcome,
        Boundary::AfterOutcome,
    ];

    /// Returns its name, such as `before-intent`.
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
