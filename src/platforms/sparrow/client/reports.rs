//! What became of messages, and what they cost.

use super::Client;
use super::recipient::Channel;
use crate::client::error::ApiError;
pub(crate) use crate::client::fields;
use crate::transport::request::Method;
use crate::value::Value;

/// What to report of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its state and counts.
    Summary,
    /// Who has it, and who has seen it.
    Delivery,
    /// Who refused it, and for whom it came too late.
    Failed,
}

impl Client {
    /// What became of the message `id`. `WhatsApp` has no reports.
    pub async fn report(&self, channel: Channel, id: &str, part: Part) -> Result<Value, ApiError> {
        let id = id.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(plain) {
            return Err(ApiError::bad_input(format!("`{id}` is not a message's number")));
        }
        let base = match channel {
            Channel::Viber => "/v1/viber/campaign/report/",
            Channel::Sms => "/v1/intlsms/compose/report/",
            Channel::Whatsapp => return Err(ApiError::bad_input("WhatsApp messages have no reports")),
        };
        let part = match part {
            Part::Summary => "",
            Part::Delivery => "delivery/",
            Part::Failed => "failed/",
        };
        let request = self.request(Method::Get, &format!("{base}{id}/{part}"))?;
        let (data, answer) = self.call(request).await?;
        Ok(fields::guarded(data).without_echoes(&answer.request.scrubber()))
    }

    /// Where SMS can go, and for how much: as it comes, since the form is not documented. The vendor spells the path
    /// with two r.
    pub async fn tariffs(&self) -> Result<Value, ApiError> {
        let request = self.request(Method::Get, "/v1/intlsms/compose/tarrif/")?;
        let (data, answer) = self.call(request).await?;
        Ok(fields::guarded(data).without_echoes(&answer.request.scrubber()))
    }
}
