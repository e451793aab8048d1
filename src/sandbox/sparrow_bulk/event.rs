//! The commands, events and refusals of the simulated bulk API.

use serde::{Deserialize, Serialize};

use super::super::error::SandboxError;
use super::super::world::{self, DeferredCommand, LogContent, Memory};

/// A message to one or more recipients, validated and priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Message {
    pub(super) sender: String,
    pub(super) text: String,
    pub(super) recipients: Vec<String>,
    /// Its price in credits.
    pub(super) credits: u64,
}

/// A changing request, with everything needed to carry it out later and in another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Command {
    /// Send a message.
    Send { message: Message },
}

/// An event, as stored in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The account was created, together with the world.
    Founded { token: String, credits: u64 },
    /// A message was sent.
    Sent { message: Message },
    /// The balance of the account was set.
    Credit { credits: u64 },
}

/// The reason why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Refusal {
    /// The account has no credits.
    #[error("No Credits Available")]
    NoCredits,
    /// The account has fewer credits than the message costs.
    #[error("Insufficient Credits")]
    Insufficient,
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
        let Command::Send { message } = self.clone();
        match memory.sparrow_bulk.credits {
            0 => Err(Refusal::NoCredits),
            credits if credits < message.credits => Err(Refusal::Insufficient),
            _ => Ok(Event::Sent { message }),
        }
    }

    fn trace(_: &Refusal) -> Option<Event> {
        None
    }
}

impl From<Command> for DeferredCommand {
    fn from(command: Command) -> DeferredCommand {
        DeferredCommand::SparrowBulk(command)
    }
}

impl From<Event> for LogContent {
    fn from(event: Event) -> LogContent {
        LogContent::SparrowBulk(event)
    }
}
