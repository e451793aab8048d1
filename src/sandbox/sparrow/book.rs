//! The records of Sparrow SMS.

use serde::{Deserialize, Serialize};

use super::event::Channel;
use super::state::{Batch, State};

/// The account of the simulated Sparrow SMS, with its credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowAccount {
    /// The URL of its API by host name. The name does not resolve: connect to [`crate::sandbox::Sandbox::address`] instead.
    #[serde(skip)]
    pub url: String,
    /// The URL of its API by path, for clients that do not know the sandbox.
    #[serde(skip)]
    pub plain_url: String,
    /// The account's API token for programs, generated at random with the world, as is the next one.
    pub api_token: String,
    /// The partner token, which belongs to the account itself.
    pub partner_token: String,
}

/// The state of the simulated Sparrow SMS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowBook {
    /// Every message, oldest first, including drafts.
    pub batches: Vec<BatchBook>,
    /// The balance of the account, in credits.
    pub credits: u64,
    /// What was done since the world was created.
    pub totals: SparrowTotals,
}

/// A message to one or more recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchBook {
    /// Its identifier.
    pub id: String,
    /// The channel it was sent on.
    pub channel: Channel,
    /// Its text, or the template's identifier.
    pub text: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its valid recipients.
    pub recipients: Vec<String>,
    /// Whether it was only kept as a draft.
    pub draft: bool,
}

/// Counts of actions at Sparrow SMS, taken from the durable log.
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
    /// Requests refused by the rate limit since the serving process opened the world.
    pub put_off: u64,
    /// Effects that landed after their connection was lost.
    pub landed_late: u64,
}

impl State {
    /// Returns the records of Sparrow SMS.
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
