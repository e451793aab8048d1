//! Sending messages. A send is never retried automatically: the platform cannot tell a message from its copy.

use serde_json::Value as Json;

use super::Client;
use crate::client::error::ApiError;
pub(crate) use crate::client::fields;
use crate::transport::request::{Body, Method};
use crate::value::{Record, Value};

/// A message, with the body that the channel's endpoint accepts (vendor's documents).
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Viber, free-form.
    Viber(Record),
    /// Viber, transactional: from an approved template (vendor's documents 2.0.0), or with a text (1.0.3).
    ViberTransactional(Record),
    /// SMS to any country.
    Sms(Record),
    /// `WhatsApp`, to one recipient.
    Whatsapp(Record),
}

/// The platform's response to an accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id, the only handle to its reports.
    pub id: String,
    /// The platform's own text.
    pub message: String,
    /// Its cost, if the platform reports it.
    pub credits: Option<i64>,
    /// The number of valid recipients, if the platform reports it.
    pub valid: Option<i64>,
    /// Recipients that the message is not sent to.
    pub invalid: Vec<String>,
}

impl Message {
    fn path(&self) -> &'static str {
        match self {
            Message::Viber(_) => "/v1/viber/message/compose/",
            Message::ViberTransactional(_) => "/v1/viber/message/transactional/",
            Message::Sms(_) => "/v1/intlsms/compose/",
            Message::Whatsapp(_) => "/v1/whatsapp/messages/",
        }
    }

    fn into_body(self) -> Record {
        match self {
            Message::Viber(body)
            | Message::ViberTransactional(body)
            | Message::Sms(body)
            | Message::Whatsapp(body) => body,
        }
    }
}

impl Client {
    /// Sends a message once.
    pub async fn send(&self, message: Message) -> Result<Accepted, ApiError> {
        let request = self.request(Method::Post, message.path())?;
        let request = request.body(Body::Json(Value::Record(message.into_body())));
        let (data, answer) = self.call(request).await?;
        accepted(&data).ok_or_else(|| answer.unreadable("it has no batch_id or message_id"))
    }
}

fn accepted(data: &Json) -> Option<Accepted> {
    let data = data.as_object()?;
    let invalid = fields::field(data, &["invalid_recipients"]).and_then(Json::as_array);
    let text = |item: &Json| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    Some(Accepted {
        id: fields::text(data, &["batch_id", "message_id"])?,
        message: fields::text(data, &["message"]).unwrap_or_default(),
        credits: fields::int(data, &["credits_required"]),
        valid: fields::int(data, &["valid_recipients"]),
        invalid: invalid.into_iter().flatten().map(text).collect(),
    })
}
