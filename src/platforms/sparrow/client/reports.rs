//! Message reports and tariffs.

use super::Client;
use super::recipient::Channel;
use crate::client::error::ApiError;
pub(crate) use crate::client::fields;
use crate::transport::request::Method;
use crate::value::Value;

/// A part of a message report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its status and counts.
    Summary,
    /// Recipients who have received or seen it.
    Delivery,
    /// Recipients who rejected it, or for whom it expired.
    Failed,
}

impl Client {
    /// Returns a report on the message `id`. `WhatsApp` has no reports.
    pub async fn report(&self, channel: Channel, id: &str, part: Part) -> Result<Value, ApiError> {
        let id = id.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(plain) {
            return Err(ApiError::bad_input(format!("`{id}` is not a message number")));
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
        Ok(fields::mark_credentials(data).mark_known_secrets(&answer.request.scrubber()))
    }

    /// The countries that SMS can be sent to, with prices; returned as received, since the form is not documented. The
    /// vendor misspells the path (`tarrif`).
    pub async fn tariffs(&self) -> Result<Value, ApiError> {
        let request = self.request(Method::Get, "/v1/intlsms/compose/tarrif/")?;
        let (data, answer) = self.call(request).await?;
        Ok(fields::mark_credentials(data).mark_known_secrets(&answer.request.scrubber()))
    }
}
