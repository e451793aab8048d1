//! Converts a script's map to the message that the platform accepts.

use std::collections::BTreeSet;

use super::client::Message;
use super::client::recipient::Channel;
use crate::operation::call::Call;
use crate::operation::error::{Code, OpError};
use crate::value::{Record, Value};

/// The maximum length of a Viber template parameter, in characters (vendor's documents).
const MAX_VALUE_CHARS: usize = 25;

/// Viber, free-form.
pub(super) fn viber(call: &Call) -> Result<Message, OpError> {
    let given = MessageFields(call.map("message"));
    let mut data = Record::from([("text".to_owned(), given.text("text")?.into())]);
    given.copy("image", &mut data, "image");
    let mut body = record(data, given.session(Channel::Viber, Tags::List)?);
    if let Some(action) = given.0.get("action") {
        body.insert("action".into(), action.clone());
    }
    Ok(match given.0.get("transactional") {
        Some(Value::Bool(true)) => Message::ViberTransactional(body),
        _ => Message::Viber(body),
    })
}

/// Viber, from an approved template.
pub(super) fn viber_template(call: &Call) -> Result<Message, OpError> {
    let given = MessageFields(call.map("message"));
    let params = match given.0.get("params") {
        Some(Value::Record(params)) => params.clone(),
        _ => Record::new(),
    };
    for (name, value) in &params {
        check_value(name, value)?;
    }
    let data = Record::from([
        ("template_id".to_owned(), given.id("template")?.into()),
        ("template_params".to_owned(), Value::Record(params)),
    ]);
    let mut session = given.session(Channel::Viber, Tags::One)?;
    session.insert("campaign_name".into(), given.text("campaign")?.into());
    Ok(Message::ViberTransactional(record(data, session)))
}

/// SMS to any country.
pub(super) fn sms(call: &Call) -> Result<Message, OpError> {
    let given = MessageFields(call.map("message"));
    let kind = given.0.get("type").and_then(Value::as_text).unwrap_or("plain");
    let data = Record::from([
        ("text".to_owned(), given.text("text")?.into()),
        ("msg_type".to_owned(), kind.into()),
    ]);
    Ok(Message::Sms(record(
        data,
        given.session(Channel::Sms, Tags::List)?,
    )))
}

/// `WhatsApp`: from a template, or within a conversation.
pub(super) fn whatsapp(call: &Call) -> Result<Message, OpError> {
    let given = MessageFields(call.map("message"));
    let recipient = Channel::Whatsapp.number(&given.id("recipient")?).map_err(bad)?;
    let mut body = Record::from([("recipient".to_owned(), recipient.into())]);
    let has = |key: &str| given.0.contains_key(key);
    match (has("template"), has("text"), has("media")) {
        (true, false, false) => {
            body.insert("template_id".into(), given.id("template")?.into());
            if let Some(parameters) = given.0.get("parameters") {
                body.insert("parameters".into(), texts(parameters));
            }
            given.copy("media_url", &mut body, "media_url");
            given.copy("filename", &mut body, "filename");
        }
        (false, text, media) if text || media => {
            if let Some(key) = ["parameters", "media_url", "filename"]
                .into_iter()
                .find(|key| has(key))
            {
                return Err(bad(format!(
                    "`{key}` is only used with `template`; put a file into `media`"
                )));
            }
            conversation(&given, &mut body)?;
        }
        (true, ..) => {
            return Err(bad(
                "a message has either `template` or `text` and `media`, not both".to_owned(),
            ));
        }
        _ => {
            return Err(bad(
                "the message has neither `template` nor `text` nor `media`".to_owned()
            ));
        }
    }
    Ok(Message::Whatsapp(body))
}

fn conversation(given: &MessageFields, body: &mut Record) -> Result<(), OpError> {
    let kind = match given.0.get("media") {
        Some(Value::Record(media)) => {
            let mut media = media.clone();
            let kind = media.remove("type");
            let kind = kind
                .as_ref()
                .and_then(Value::as_text)
                .unwrap_or_default()
                .to_uppercase();
            if !["IMAGE", "VIDEO", "DOCUMENT"].contains(&kind.as_str()) {
                return Err(bad(format!(
                    "the media's type `{kind}` is not IMAGE, VIDEO or DOCUMENT"
                )));
            }
            body.insert("session_media".into(), Value::Record(media));
            kind
        }
        _ => "TEXT".to_owned(),
    };
    if given.0.contains_key("text") {
        body.insert("session_text".into(), given.text("text")?.into());
    }
    body.insert("message_type".into(), kind.into());
    Ok(())
}

/// How a channel takes tags: free-form Viber and SMS as a list, templates as a single text.
#[derive(Clone, Copy)]
enum Tags {
    List,
    One,
}

/// The map of a message, with keys and types already checked.
struct MessageFields(Record);

impl MessageFields {
    /// Returns the text of a key, which must not be blank.
    fn text(&self, key: &str) -> Result<String, OpError> {
        match self.0.get(key).and_then(Value::as_text) {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(bad(format!("the message's `{key}` is empty"))),
        }
    }

    /// Returns text or a number as non-blank text.
    fn id(&self, key: &str) -> Result<String, OpError> {
        match self.0.get(key) {
            Some(Value::Int(number)) => Ok(number.to_string()),
            _ => Ok(self.text(key)?.trim().to_owned()),
        }
    }

    fn copy(&self, key: &str, into: &mut Record, name: &str) {
        if let Some(value) = self.0.get(key).filter(|value| **value != Value::Null) {
            into.insert(name.to_owned(), value.clone());
        }
    }

    /// The sender, the recipients and the tags.
    fn session(&self, channel: Channel, tags: Tags) -> Result<Record, OpError> {
        let mut session = Record::from([(
            "recipients".to_owned(),
            recipients(channel, self.0.get("recipients"))?,
        )]);
        if self.0.contains_key("sender") {
            session.insert("sender_name".to_owned(), self.text("sender")?.into());
        }
        let given = match self.0.get("tag").map(texts) {
            Some(Value::List(given)) => given,
            _ => Vec::new(),
        };
        match (tags, given.as_slice()) {
            (_, []) => {}
            (Tags::List, _) => {
                session.insert("tag".into(), Value::List(given));
            }
            (Tags::One, [tag]) => {
                session.insert("tag".into(), tag.clone());
            }
            (Tags::One, _) => {
                return Err(bad(
                    "a message with a template takes one `tag`, not several".to_owned()
                ));
            }
        }
        Ok(session)
    }
}

fn recipients(channel: Channel, given: Option<&Value>) -> Result<Value, OpError> {
    let Some(Value::List(numbers)) = given.map(texts) else {
        return Err(bad("the message has no recipients".to_owned()));
    };
    if numbers.is_empty() {
        return Err(bad("the message has no recipients".to_owned()));
    }
    let mut seen = BTreeSet::new();
    let number = |written: &str| {
        let number = channel.number(written).map_err(bad)?;
        if !seen.insert(number.clone()) {
            return Err(bad(format!("`{written}` is listed twice among the recipients")));
        }
        Ok(Value::from(number))
    };
    let numbers = numbers.iter().filter_map(Value::as_text).map(number);
    numbers.collect::<Result<_, _>>().map(Value::List)
}

/// One or more texts as a list; numbers become digits.
fn texts(value: &Value) -> Value {
    let text = |value: &Value| match value {
        Value::Int(number) => Value::Text(number.to_string()),
        Value::Text(text) => Value::Text(text.trim().to_owned()),
        other => other.clone(),
    };
    match value {
        Value::List(items) => Value::List(items.iter().map(text).collect()),
        Value::Null => Value::List(Vec::new()),
        one => Value::List(vec![text(one)]),
    }
}

/// Checks a parameter value: the platform accepts neither long values nor web addresses.
fn check_value(name: &str, value: &Value) -> Result<(), OpError> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        other => {
            let message = format!(
                "the parameter `{name}` must be a string or an int, not {}",
                other.type_name()
            );
            return Err(bad(message));
        }
    };
    let length = text.chars().count();
    if length > MAX_VALUE_CHARS {
        return Err(bad(format!(
            "the parameter `{name}` has {length} characters; at most {MAX_VALUE_CHARS} are allowed"
        )));
    }
    if text.contains("://") || text.to_lowercase().starts_with("www.") {
        return Err(bad(format!(
            "the parameter `{name}` is a web address, which templates do not accept"
        )));
    }
    Ok(())
}

fn record(data: Record, session: Record) -> Record {
    Record::from([
        ("data".to_owned(), Value::Record(data)),
        ("session".to_owned(), Value::Record(session)),
    ])
}

fn bad(message: String) -> OpError {
    OpError::new(Code::BadArgument, message)
}
