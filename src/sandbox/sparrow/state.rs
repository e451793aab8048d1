//! The in-memory state of the simulated Sparrow SMS: a pure fold over its events.

use std::collections::{HashMap, VecDeque};

use super::book::{SparrowAccount, SparrowTotals};
use super::event::{Channel, Event, Message};

/// The `WhatsApp` requests allowed per account within [`WINDOW_MS`] (vendor's documentation).
const WHATSAPP_MOST: usize = 3;

/// One second, in milliseconds.
const WINDOW_MS: i64 = 1000;

/// The state of Sparrow SMS.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct State {
    pub(super) access: SparrowAccount,
    /// When each token expires, in milliseconds since the Unix epoch.
    tokens: HashMap<String, i64>,
    pub(super) credits: u64,
    pub(super) batches: Vec<Batch>,
    pub(in crate::sandbox) totals: SparrowTotals,
    /// The times of the latest `WhatsApp` requests; not durable.
    recent: VecDeque<i64>,
}

/// A message and whether it was sent or kept as a draft.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) id: String,
    pub(super) message: Message,
    pub(super) draft: bool,
}

impl State {
    /// Returns the credentials.
    pub(in crate::sandbox) fn access(&self) -> SparrowAccount {
        self.access.clone()
    }

    /// Whether the token is valid at that time.
    pub(super) fn is_valid_token(&self, token: &str, now: i64) -> bool {
        self.tokens.get(token).is_some_and(|expires| now < *expires)
    }

    /// Returns the message with this identifier on one of these channels.
    pub(super) fn batch(&self, id: &str, channels: &[Channel]) -> Option<&Batch> {
        self.batches
            .iter()
            .find(|batch| batch.id == id && channels.contains(&batch.message.channel))
    }

    /// Whether another `WhatsApp` request is allowed now; if so, counts it.
    pub(in crate::sandbox) fn try_count_whatsapp_request(&mut self, now: i64) -> bool {
        while self.recent.front().is_some_and(|at| now - at >= WINDOW_MS) {
            self.recent.pop_front();
        }
        let admitted = self.recent.len() < WHATSAPP_MOST;
        if admitted {
            self.recent.push_back(now);
        } else {
            self.totals.put_off += 1;
        }
        admitted
    }

    /// Applies an event.
    pub(in crate::sandbox) fn apply(&mut self, event: Event) {
        match event {
            Event::Founded {
                api_token,
                partner_token,
                credits,
            } => {
                self.access = SparrowAccount {
                    api_token,
                    partner_token,
                    ..SparrowAccount::default()
                };
                self.credits = credits;
            }
            Event::SignedIn { token, expires } => {
                self.totals.logins += 1;
                self.tokens.insert(token, expires);
            }
            Event::Expired { token } => {
                self.tokens.remove(&token);
            }
            Event::AllExpired => self.tokens.clear(),
            Event::Sent { id, message } => {
                self.totals.sent += 1;
                self.totals.recipients += message.valid.len() as u64;
                self.credits = self.credits.saturating_sub(message.credits);
                self.keep(id, message, false);
            }
            Event::Drafted { id, message } => {
                self.totals.drafts += 1;
                self.keep(id, message, true);
            }
            Event::Credit { credits } => self.credits = credits,
        }
    }

    fn keep(&mut self, id: String, message: Message, draft: bool) {
        self.batches.push(Batch { id, message, draft });
    }
}
