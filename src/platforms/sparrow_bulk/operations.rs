//! Messages and the credit. No lookup can tell whether a message was sent: each send is an act, and in doubt its row
//! parks.

use std::collections::BTreeSet;

use super::SESSION;
use super::client::{Accepted, Credit, Message, fault};
use crate::operation::act::{KEY, REMEMBERED};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, Fields, OpSpec, Param, Timeout, Type};
use crate::value::{Record, Value};

/// The number of digits of a recipient (vendor's documents).
const DIGITS: usize = 10;

const SMS: Type = Type::Options(&[
    Param::required("text", Type::Text, "the text"),
    Param::required(
        "recipients",
        Type::Texts,
        "the recipients: 10 digits without the country code, as in 9812345678",
    ),
    Param::required(
        "sender",
        Type::Text,
        "the identity that the account was given to send as",
    ),
    KEY,
    REMEMBERED,
]);

const WRONG_TOKEN: (Code, &str) = (
    Code::Own(&fault::INVALID_TOKEN),
    "the platform does not accept the token",
);
const WRONG_IP: (Code, &str) = (
    Code::Own(&fault::INVALID_IP),
    "the token may not be used from this machine's address",
);
const INACTIVE: (Code, &str) = (Code::Own(&fault::ACCOUNT_INACTIVE), "the account is not active");
const EXPIRED: (Code, &str) = (Code::Own(&fault::ACCOUNT_EXPIRED), "the account has expired");

const SEND_ERRORS: &[(Code, &str)] = &[
    (
        Code::BadArgument,
        "a key is missing or unknown, or a number does not have 10 digits",
    ),
    (
        Code::Own(&fault::INVALID_SENDER),
        "the account may not send as this sender",
    ),
    (
        Code::Own(&fault::INVALID_RECEIVER),
        "the platform can send to none of the recipients",
    ),
    (
        Code::Own(&fault::NO_CREDIT),
        "the account cannot pay for the message, which is not kept",
    ),
    (
        Code::Own(&fault::FIELD_MISSING),
        "the platform misses a part of the message",
    ),
    (
        Code::Own(&fault::TEXT_EMPTY),
        "the platform considers the text empty",
    ),
    WRONG_TOKEN,
    WRONG_IP,
    INACTIVE,
    EXPIRED,
];

/// The fields of a send's result.
pub(super) const SENT: Fields = &[
    ("count", "int", "the number of messages queued"),
    ("message", "string", "the platform's message"),
    (
        "outcome",
        "string",
        "`sent`, or `unchanged` if it was already sent for the same row or under the same key",
    ),
];

/// The fields of the credit.
pub(super) const CREDITS: Fields = &[
    ("available", "int", "the credits left"),
    (
        "consumed",
        "int",
        "the credits used so far; `()` if the platform does not say",
    ),
];

pub(super) static SEND: &[OpSpec] = &[OpSpec {
    module: "sparrow_bulk",
    name: "send_sms",
    receiver: Some(SESSION),
    summary: "Send an SMS within Nepal",
    doc: "One request for all recipients. Returns a map of `count` (the number of messages queued; compare it with the \
          number of recipients), `message` and `outcome`. The platform gives no message number and has no reports.",
    params: &[Param::required("message", SMS, "the content and the recipients")],
    result: "map",
    errors: SEND_ERRORS,
    effect: Effect::Act,
    timeout: Timeout::Reply,
    example: "sparrow_bulk::connect().send_sms(#{\n    sender: \"Bakery\",\n    recipients: [\"9812345678\", \"9812345679\"],\n    text: \"Fresh bread from seven on\",\n}).count",
    run: &send_sms,
}];

pub(super) static CREDIT: &[OpSpec] = &[OpSpec {
    module: "sparrow_bulk",
    name: "credit",
    receiver: Some(SESSION),
    summary: "Read the credit of the account",
    doc: "Returns a map of `available` and `consumed`. For an account without credit, the platform says only that: \
          `available` is 0, and `consumed` is `()`.",
    params: &[],
    result: "map",
    errors: &[WRONG_TOKEN, WRONG_IP, INACTIVE, EXPIRED],
    effect: Effect::Observe,
    timeout: Timeout::Reply,
    example: "sparrow_bulk::connect().credit().available",
    run: &credit,
}];

fn send_sms<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let message = message(call)?;
        let client = context.sparrow_bulk(receiver(call)?)?.with_flight(&call.flight);
        let Accepted { count, message } = client.send(&message).await?;
        Ok(Value::Record(Record::from([
            ("count".to_owned(), count.into()),
            ("message".to_owned(), message.into()),
            ("outcome".to_owned(), "sent".into()),
        ])))
    })
}

fn credit<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let Credit { available, consumed } = context.sparrow_bulk(receiver(call)?)?.credit().await?;
        Ok(Value::Record(Record::from([
            ("available".to_owned(), available.into()),
            ("consumed".to_owned(), consumed.map_or(Value::Null, Value::Int)),
        ])))
    })
}

/// Converts a script's map to the message that the platform accepts.
fn message(call: &Call) -> Result<Message, OpError> {
    let given = call.map("message");
    let text = |key: &str| match given.get(key).and_then(Value::as_text) {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(bad(format!("the message's `{key}` is empty"))),
    };
    Ok(Message {
        sender: text("sender")?.trim().to_owned(),
        recipients: recipients(given.get("recipients"))?,
        text: text("text")?,
    })
}

fn recipients(given: Option<&Value>) -> Result<Vec<String>, OpError> {
    let given: &[Value] = match given {
        None | Some(Value::Null) => &[],
        Some(Value::List(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if given.is_empty() {
        return Err(bad("the message has no recipients".to_owned()));
    }
    let mut seen = BTreeSet::new();
    let number = |written: &Value| {
        let number = match written {
            Value::Int(number) => number.to_string(),
            other => other.as_text().unwrap_or_default().trim().to_owned(),
        };
        if number.len() != DIGITS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad(format!(
                "`{number}` is not a valid number for an SMS within Nepal: {DIGITS} digits without the country code, as \
                 in 9812345678"
            )));
        }
        if !seen.insert(number.clone()) {
            return Err(bad(format!("`{number}` is listed twice among the recipients")));
        }
        Ok(number)
    };
    given.iter().map(number).collect()
}

fn bad(message: String) -> OpError {
    OpError::new(Code::BadArgument, message)
}
