//! Parses messages: the fields and recipients that each channel accepts.

use axum::http::StatusCode;
use serde_json::Value;

use super::super::call::Call;
use super::super::form::{Fields, text};
use super::super::reply::Reply;
use super::super::serve::Site;
use super::state::{Channel, Event, Message};
use super::{Action, State, envelope};

/// Templates of Viber: their identifier, whether they are approved, and their parameters.
const VIBER_TEMPLATES: &[(&str, bool, &[&str])] = &[
    ("welcome", true, &["name"]),
    ("otp", true, &["code", "minutes"]),
    ("unapproved", false, &["name"]),
];

/// Templates of `WhatsApp`: their identifier, number of parameters, and whether they need a file.
const WHATSAPP_TEMPLATES: &[(&str, usize, bool)] = &[
    ("welcome", 1, false),
    ("order_update", 2, false),
    ("invoice", 1, true),
];

/// The maximum length of a parameter of a Viber template (vendor's documentation).
const MAX_VALUE_CHARS: usize = 25;

/// Plans a message to several recipients: Viber and SMS.
pub(super) fn plan_bulk_message(call: &Call, channel: Channel) -> Result<Action, Reply> {
    let body = body(call)?;
    let data = part(&body, "data")?;
    let session = part(&body, "session")?;
    // Only the recipients are required (vendor's documents).
    let sender = text(session, "sender_name").to_owned();
    let campaign = text(session, "campaign_name").to_owned();
    let recipients = texts(session, "recipients").ok_or_else(|| missing("recipients"))?;
    let (text, tags) = if channel == Channel::ViberTemplate && !data.contains_key("text") {
        required(session, "campaign_name")?;
        let tag = session.get("tag").filter(|tag| !tag.is_null());
        if tag.is_some_and(|tag| !tag.is_string()) {
            return Err(envelope::data_error("tag: Not a valid string."));
        }
        let tags = tag
            .and_then(Value::as_str)
            .map(str::to_owned)
            .into_iter()
            .collect();
        (template(data)?, tags)
    } else {
        if channel == Channel::Sms {
            message_type(data)?;
        }
        let tags = match session.get("tag") {
            None | Some(Value::Null) => Vec::new(),
            Some(_) => {
                texts(session, "tag").ok_or_else(|| envelope::data_error("tag: Expected a list of items."))?
            }
        };
        (required(data, "text")?, tags)
    };
    let plain = |to: String| match channel {
        // Ignored (vendor's documents, international SMS 1.0.4).
        Channel::Sms => to.replace([' ', '-', '(', ')'], ""),
        _ => to,
    };
    let (valid, invalid): (Vec<String>, Vec<String>) = recipients
        .into_iter()
        .map(plain)
        .partition(|to| reaches(channel, to));
    if valid.is_empty() {
        return Err(envelope::data_error("No valid recipients."));
    }
    let parts = text.chars().count().div_ceil(160).max(1);
    let message = Message {
        channel,
        sender,
        campaign,
        credits: (parts * valid.len()) as u64,
        text,
        tags,
        valid,
        invalid,
    };
    Ok(send(message))
}

/// Plans `POST /v1/whatsapp/messages/`.
pub(super) fn whatsapp(site: &Site, call: &Call) -> Result<Action, Reply> {
    let now = site.world.now();
    let world = &site.world;
    if !world.touch(|state: &mut State| state.try_count_whatsapp_request(now)) {
        return Err(envelope::detail(StatusCode::TOO_MANY_REQUESTS, "Request was throttled.").retry_after(1));
    }
    let body = body(call)?;
    let recipient = required(&body, "recipient")?;
    if !reaches(Channel::Whatsapp, &recipient) {
        return Err(envelope::data_error(
            "The recipient number must contain digits only.",
        ));
    }
    let text = match body.get("template_id").filter(|id| !id.is_null()) {
        Some(_) => whatsapp_template(&body)?,
        None => session_message(&body)?,
    };
    let message = Message {
        channel: Channel::Whatsapp,
        sender: String::new(),
        campaign: String::new(),
        text,
        tags: Vec::new(),
        valid: vec![recipient],
        invalid: Vec::new(),
        credits: 1,
    };
    Ok(send(message))
}

/// Whether the platform can send to a number: Viber needs Nepal's country code without `+`, SMS `+` and a country code,
/// `WhatsApp` digits only.
pub(super) fn reaches(channel: Channel, to: &str) -> bool {
    let digits = |text: &str, least: usize| {
        (least..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match channel {
        Channel::Viber | Channel::ViberTemplate => to.starts_with("977") && digits(to, 11),
        Channel::Sms => to.strip_prefix('+').is_some_and(|rest| digits(rest, 8)),
        Channel::Whatsapp => digits(to, 8),
    }
}

fn send(message: Message) -> Action {
    let random = fastrand::u128(..).to_be_bytes();
    let id = uuid::Builder::from_random_bytes(random).into_uuid().to_string();
    Action::Do(Event::Sent { id, message })
}

fn template(data: &Fields) -> Result<String, Reply> {
    let id = required(data, "template_id")?;
    let known = VIBER_TEMPLATES.iter().find(|(known, ..)| *known == id);
    let Some((_, _, names)) = known.filter(|(_, approved, _)| *approved) else {
        return Err(envelope::data_error("Approved template not found."));
    };
    let empty = Fields::new();
    let given = data
        .get("template_params")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, value) in given {
        let value = text(value);
        if value.chars().count() > MAX_VALUE_CHARS || value.contains("://") {
            return Err(envelope::data_error(&format!(
                "template_params: {name} must be of at most {MAX_VALUE_CHARS} characters and no URL."
            )));
        }
    }
    let right = given.len() == names.len() && names.iter().all(|name| given.contains_key(*name));
    right
        .then_some(id)
        .ok_or_else(|| envelope::data_error(&format!("template_params: expected {}.", names.join(", "))))
}

fn whatsapp_template(body: &Fields) -> Result<String, Reply> {
    let id = required(body, "template_id")?;
    let known = WHATSAPP_TEMPLATES.iter().find(|(known, ..)| *known == id);
    let Some((_, count, file)) = known else {
        return Err(envelope::data_error("Approved template not found."));
    };
    if *file && required(body, "media_url").is_err() {
        return Err(envelope::data_error("Media_url is required"));
    }
    let given = texts(body, "parameters").unwrap_or_default();
    if given.len() != *count {
        return Err(envelope::data_error("Parameter count mismatch."));
    }
    Ok(id)
}

fn session_message(body: &Fields) -> Result<String, Reply> {
    match required(body, "message_type")?.as_str() {
        "TEXT" => required(body, "session_text"),
        "IMAGE" | "VIDEO" | "DOCUMENT" => {
            let media = part(body, "session_media")?;
            required(media, "url")
        }
        _ => Err(envelope::data_error("message_type: not a valid choice.")),
    }
}

fn message_type(data: &Fields) -> Result<(), Reply> {
    match data.get("msg_type").and_then(Value::as_str) {
        Some("plain" | "flash" | "unicode" | "wap") => Ok(()),
        Some(_) => Err(envelope::data_error("msg_type: not a valid choice.")),
        None => Err(missing("msg_type")),
    }
}

fn body(call: &Call) -> Result<Fields, Reply> {
    call.fields()
        .ok_or_else(|| envelope::detail(StatusCode::BAD_REQUEST, "JSON parse error"))
}

fn part<'a>(fields: &'a Fields, name: &str) -> Result<&'a Fields, Reply> {
    fields
        .get(name)
        .and_then(Value::as_object)
        .ok_or_else(|| missing(name))
}

fn required(fields: &Fields, name: &str) -> Result<String, Reply> {
    match text(fields, name).trim() {
        "" => Err(missing(name)),
        text => Ok(text.to_owned()),
    }
}

fn texts(fields: &Fields, name: &str) -> Option<Vec<String>> {
    let items = fields.get(name)?.as_array()?;
    items
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn missing(name: &str) -> Reply {
    envelope::data_error(&format!("{name}: This field is required."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_accepts_only_its_phone_number_format() {
        assert!(reaches(Channel::Viber, "9779812345678"));
        assert!(!reaches(Channel::Viber, "+9779812345678"));
        assert!(!reaches(Channel::ViberTemplate, "9812345678"));
        assert!(reaches(Channel::Sms, "+4915112345678"));
        assert!(!reaches(Channel::Sms, "4915112345678"));
        assert!(reaches(Channel::Whatsapp, "9779812345678"));
        assert!(!reaches(Channel::Whatsapp, "+9779812345678"));
    }
}
