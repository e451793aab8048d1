//! The events of the simulated Sparrow SMS, its in-memory state, a pure fold over them, and its records.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::super::platform::{PlatformState, Refusal};
use super::super::snapshot::{Account, Book, Part, Place, PlatformCounts, SimulatedResource};
use super::super::{SimulatedAccount, token};

/// The initial balance of the account, in credits.
const CREDITS: u64 = 100_000;

/// The `WhatsApp` requests allowed per account within [`WINDOW_MS`] (vendor's documentation).
const WHATSAPP_MOST: usize = 3;

/// One second, in milliseconds.
const WINDOW_MS: i64 = 1000;

/// A channel for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Viber, free text.
    Viber,
    /// Viber, with an approved template.
    ViberTemplate,
    /// SMS to any country.
    Sms,
    /// `WhatsApp`.
    Whatsapp,
}

/// A message to one or more recipients, validated and priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Message {
    pub(super) channel: Channel,
    pub(super) sender: String,
    pub(super) campaign: String,
    pub(super) text: String,
    pub(super) tags: Vec<String>,
    pub(super) valid: Vec<String>,
    pub(super) invalid: Vec<String>,
    /// Its price in credits.
    pub(super) credits: u64,
}

/// A change: as requested, and as decided and stored in the log. Each alias is the name of the request in logs before
/// format 6.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The account was created, together with the world.
    Founded {
        api_token: String,
        partner_token: String,
        credits: u64,
    },
    /// A user signed in; the tokens have been checked.
    #[serde(alias = "sign_in")]
    SignedIn {
        token: String,
        /// When the token expires, in milliseconds since the Unix epoch.
        expires: i64,
    },
    /// A token was invalidated early.
    Expired { token: String },
    /// All tokens were invalidated early.
    AllExpired,
    /// A message was sent.
    #[serde(alias = "send")]
    Sent { id: String, message: Message },
    /// A message was kept as a draft because the account cannot pay for it.
    Drafted { id: String, message: Message },
    /// The balance of the account was set.
    Credit { credits: u64 },
}

/// The account of the simulated Sparrow SMS, with its credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowAccount {
    /// The URL of its API by host name. The name does not resolve: connect to
    /// [`Sandbox::address`](crate::sandbox::Sandbox::address) instead.
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

/// The state of Sparrow SMS.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct State {
    pub(super) access: SparrowAccount,
    /// When each token expires, in milliseconds since the Unix epoch.
    tokens: HashMap<String, i64>,
    pub(super) credits: u64,
    batches: Vec<Batch>,
    pub(in crate::sandbox) totals: SparrowTotals,
    /// The times of the latest `WhatsApp` requests; not durable.
    recent: VecDeque<i64>,
}

/// A message and whether it was sent or kept as a draft.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    id: String,
    pub(super) message: Message,
    pub(super) draft: bool,
}

impl PlatformState for State {
    const NAME: &'static str = "sparrow";

    type Event = Event;
    type Account = SparrowAccount;
    type Book = SparrowBook;

    /// An account with credits.
    fn founding(&self) -> Option<Event> {
        self.access.api_token.is_empty().then(|| Event::Founded {
            api_token: token::random(),
            partner_token: token::random(),
            credits: CREDITS,
        })
    }

    fn decide(&self, wanted: Event) -> Result<Event, Refusal> {
        Ok(match wanted {
            Event::Sent { id, message } if message.credits > self.credits => Event::Drafted { id, message },
            decided => decided,
        })
    }

    fn apply(&mut self, event: Event, _: i64) {
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

    fn landed_late(&mut self) -> &mut u64 {
        &mut self.totals.landed_late
    }

    fn account(&self) -> SparrowAccount {
        self.access.clone()
    }

    fn book(&self) -> SparrowBook {
        let batch = |Batch { id, message, draft }: &Batch| BatchBook {
            id: id.clone(),
            channel: message.channel,
            text: message.text.clone(),
            tags: message.tags.clone(),
            recipients: message.valid.clone(),
            draft: *draft,
        };
        SparrowBook {
            batches: self.batches.iter().map(batch).collect(),
            credits: self.credits,
            totals: self.totals.clone(),
        }
    }

    fn expiry_of_all() -> Option<Event> {
        Some(Event::AllExpired)
    }
}

impl State {
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

    fn keep(&mut self, id: String, message: Message, draft: bool) {
        self.batches.push(Batch { id, message, draft });
    }
}

impl Part for SparrowAccount {
    const KEY: &'static str = "sparrow";
}

impl Account for SparrowAccount {
    fn located(mut self, place: &Place) -> SparrowAccount {
        (self.url, self.plain_url) = place.urls("ent-api", "sparrow");
        self
    }

    fn profile(self) -> SimulatedAccount {
        SimulatedAccount {
            platform: "sparrow",
            texts: vec![("url", self.url)],
            secrets: vec![
                ("api_token", self.api_token),
                ("partner_token", self.partner_token),
            ],
            place: format!("Sparrow SMS at {}", self.plain_url),
            details: Vec::new(),
            files: &[
                ("api_token", "sparrow-api-token"),
                ("partner_token", "sparrow-partner-token"),
            ],
        }
    }
}

impl Part for SparrowBook {
    const KEY: &'static str = "sparrow";
}

impl Book for SparrowBook {
    fn counts(&self) -> PlatformCounts {
        let drafts = self.batches.iter().filter(|batch| batch.draft).count();
        let resources = vec![("messages", self.batches.len() - drafts), ("drafts", drafts)];
        PlatformCounts::new("Sparrow", resources, &self.totals)
    }

    fn resources(&self) -> Vec<SimulatedResource> {
        self.batches
            .iter()
            .map(|batch| SimulatedResource::message(message(batch)))
            .collect()
    }
}

fn message(batch: &BatchBook) -> String {
    let channel = match batch.channel {
        Channel::Viber | Channel::ViberTemplate => "by Viber",
        Channel::Sms => "by SMS",
        Channel::Whatsapp => "by WhatsApp",
    };
    let kept = if batch.draft { "kept as a draft, " } else { "" };
    format!(
        "{kept}{channel} to {}: {}",
        batch.recipients.join(", "),
        batch.text
    )
}
