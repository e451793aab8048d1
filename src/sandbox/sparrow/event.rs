//! The events of the simulated Sparrow SMS.

use serde::{Deserialize, Serialize};

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
