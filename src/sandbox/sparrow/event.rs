//! The commands, events and refusals of the simulated Sparrow SMS.

use serde::{Deserialize, Serialize};

use super::super::error::SandboxError;
use super::super::world::{self, DeferredCommand, LogContent, Memory};

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

/// A changing request, with everything needed to carry it out later and in another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Command {
    /// Sign in; the tokens have been checked.
    SignIn {
        token: String,
        /// When the token expires, in milliseconds since the Unix epoch.
        expires: i64,
    },
    /// Send a message.
    Send { id: String, message: Message },
}

/// An event, as stored in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The account was created, together with the world.
    Founded {
        api_token: String,
        partner_token: String,
        credits: u64,
    },
    /// A user signed in.
    SignedIn { token: String, expires: i64 },
    /// A token was invalidated early.
    Expired { token: String },
    /// All tokens were invalidated early.
    AllExpired,
    /// A message was sent.
    Sent { id: String, message: Message },
    /// A message was kept as a draft because the account cannot pay for it.
    Drafted { id: String, message: Message },
    /// The balance of the account was set.
    Credit { credits: u64 },
}

/// The reason why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Refusal {
    /// The log could not be written, so nothing was done.
    #[error("The sandbox could not record the change: {0}")]
    Storage(String),
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Refusal {
        Refusal::Storage(error.to_string())
    }
}

impl world::Command for Command {
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, memory: &Memory) -> Result<Event, Refusal> {
        Ok(match self.clone() {
            Command::SignIn { token, expires } => Event::SignedIn { token, expires },
            Command::Send { id, message } if memory.sparrow.can_pay(message.credits) => {
                Event::Sent { id, message }
            }
            Command::Send { id, message } => Event::Drafted { id, message },
        })
    }

    fn trace(_: &Refusal) -> Option<Event> {
        None
    }
}

impl From<Command> for DeferredCommand {
    fn from(command: Command) -> DeferredCommand {
        DeferredCommand::Sparrow(command)
    }
}

impl From<Event> for LogContent {
    fn from(event: Event) -> LogContent {
        LogContent::Sparrow(event)
    }
}
