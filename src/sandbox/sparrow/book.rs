//! Sparrow's part of the books.

use serde::{Deserialize, Serialize};

use super::event::Channel;
use super::state::{Batch, State};

/// Everything that the simulated Sparrow SMS knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowBook {
    /// Every message, oldest first; drafts too.
    pub batches: Vec<BatchBook>,
    /// What the account can pay.
    pub credits: u64,
    /// What was done since the world was made.
    pub totals: SparrowTotals,
}

/// A message to one or many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchBook {
    /// Its number.
    pub id: String,
    /// How it went out.
    pub channel: Channel,
    /// Its text, or the template's number.
    pub text: String,
    /// What it was tagged with.
    pub tags: Vec<String>,
    /// To whom it went.
    pub recipients: Vec<String>,
    /// Whether it was only kept as a draft.
    pub draft: bool,
}

/// Things done at Sparrow SMS, counted from the durable log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowTotals {
    /// Sign-ins that succeeded.
    pub logins: u64,
    /// Messages sent.
    pub sent: u64,
    /// Recipients of messages sent.
    pub recipients: u64,
    /// Messages kept as drafts.
    pub drafts: u64,
    /// Requests refused because too many came; since the serving process opened the world.
    pub put_off: u64,
    /// Effects that came after their connection had died.
    pub landed_late: u64,
}

impl State {
    /// The books.
    pub(in crate::sandbox) fn book(&self) -> SparrowBook {
        SparrowBook {
            batches: self.batches.iter().map(batch).collect(),
            credits: self.credits,
            totals: self.totals.clone(),
        }
    }
}

fn batch(batch: &Batch) -> BatchBook {
    BatchBook {
        id: batch.id.clone(),
        channel: batch.message.channel,
        text: batch.message.text.clone(),
        tags: batch.message.tags.clone(),
        recipients: batch.message.valid.clone(),
        draft: batch.draft,
    }
}
