//! The events of the simulated bulk API, its in-memory state, a pure fold over them, and its records.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::platform::{PlatformState, Refusal};
use super::super::snapshot::{Account, Book, Part, Place, PlatformCounts, SimulatedResource};
use super::super::{SimulatedAccount, token};
use super::text_of;

/// The initial balance of the account, in credits.
const CREDITS: u64 = 100_000;

/// A message to one or more recipients, validated and priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Message {
    #[serde(flatten)]
    pub(super) book: SparrowBulkMessageBook,
    /// Its price in credits.
    pub(super) credits: u64,
}

/// A change: as requested, and as decided and stored in the log. The alias is the name of the request in logs before
/// format 6.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The account was created, together with the world.
    Founded { token: String, credits: u64 },
    /// A message was sent.
    #[serde(alias = "send")]
    Sent { message: Message },
    /// The balance of the account was set.
    Credit { credits: u64 },
}

/// The account of the simulated bulk API of Sparrow SMS, with its token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowBulkAccount {
    /// The URL of its API by host name. The name does not resolve: connect to
    /// [`Sandbox::address`](crate::sandbox::Sandbox::address) instead.
    #[serde(skip)]
    pub url: String,
    /// The URL of its API by path, for clients that do not know the sandbox.
    #[serde(skip)]
    pub plain_url: String,
    /// The account's token, generated at random with the world.
    pub api_token: String,
}

/// The state of the bulk API.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct State {
    pub(super) access: SparrowBulkAccount,
    pub(super) credits: u64,
    pub(super) consumed: u64,
    messages: Vec<Message>,
    pub(in crate::sandbox) totals: SparrowBulkTotals,
}

/// The state of the simulated bulk API of Sparrow SMS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowBulkBook {
    /// Every message, oldest first.
    pub messages: Vec<SparrowBulkMessageBook>,
    /// The balance of the account, in credits.
    pub credits: u64,
    /// What was done since the world was created.
    pub totals: SparrowBulkTotals,
}

/// A message to one or more recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowBulkMessageBook {
    /// Its sender.
    pub sender: String,
    /// Its text.
    pub text: String,
    /// Its valid recipients.
    pub recipients: Vec<String>,
}

/// Counts of actions at the bulk API, taken from the durable log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparrowBulkTotals {
    /// Messages sent.
    pub sent: u64,
    /// Recipients of messages sent.
    pub recipients: u64,
    /// Effects that landed after their connection was lost.
    pub landed_late: u64,
}

impl PlatformState for State {
    const NAME: &'static str = "sparrow_bulk";

    type Event = Event;
    type Account = SparrowBulkAccount;
    type Book = SparrowBulkBook;

    /// An account with credits.
    fn founding(&self) -> Option<Event> {
        self.access.api_token.is_empty().then(|| Event::Founded {
            token: format!("v2_{}", token::random()),
            credits: CREDITS,
        })
    }

    fn decide(&self, wanted: Event) -> Result<Event, Refusal> {
        let code = match &wanted {
            Event::Sent { .. } if self.credits == 0 => 1012,
            Event::Sent { message } if self.credits < message.credits => 1013,
            _ => return Ok(wanted),
        };
        Err(Refusal::new(StatusCode::FORBIDDEN, text_of(code)))
    }

    fn apply(&mut self, event: Event, _: i64) {
        match event {
            Event::Founded { token, credits } => {
                self.access.api_token = token;
                self.credits = credits;
            }
            Event::Sent { message } => {
                self.totals.sent += 1;
                self.totals.recipients += message.book.recipients.len() as u64;
                self.credits = self.credits.saturating_sub(message.credits);
                self.consumed = self.consumed.saturating_add(message.credits);
                self.messages.push(message);
            }
            Event::Credit { credits } => self.credits = credits,
        }
    }

    fn landed_late(&mut self) -> &mut u64 {
        &mut self.totals.landed_late
    }

    fn account(&self) -> SparrowBulkAccount {
        self.access.clone()
    }

    fn book(&self) -> SparrowBulkBook {
        SparrowBulkBook {
            messages: self.messages.iter().map(|message| message.book.clone()).collect(),
            credits: self.credits,
            totals: self.totals.clone(),
        }
    }
}

impl State {}

impl Part for SparrowBulkAccount {
    const KEY: &'static str = "sparrow_bulk";
}

impl Account for SparrowBulkAccount {
    fn located(mut self, place: &Place) -> SparrowBulkAccount {
        (self.url, self.plain_url) = place.urls("api", "sparrow_bulk");
        self
    }

    fn profile(self) -> SimulatedAccount {
        SimulatedAccount {
            platform: "sparrow_bulk",
            texts: vec![("url", self.url)],
            secrets: vec![("api_token", self.api_token)],
            place: format!("Sparrow SMS, bulk API, at {}", self.plain_url),
            details: Vec::new(),
            files: &[("api_token", "sparrow-bulk-api-token")],
        }
    }
}

impl Part for SparrowBulkBook {
    const KEY: &'static str = "sparrow_bulk";
}

impl Book for SparrowBulkBook {
    fn counts(&self) -> PlatformCounts {
        PlatformCounts::new(
            "Sparrow bulk",
            vec![("messages", self.messages.len())],
            &self.totals,
        )
    }

    fn resources(&self) -> Vec<SimulatedResource> {
        let label =
            |sms: &SparrowBulkMessageBook| format!("in bulk to {}: {}", sms.recipients.join(", "), sms.text);
        self.messages
            .iter()
            .map(|sms| SimulatedResource::message(label(sms)))
            .collect()
    }
}
