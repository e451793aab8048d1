//! Messages. No lookup can tell whether one was sent: each send is an act, and in doubt its row parks.

use super::client::fault;
use super::client::{Accepted, Message};
use super::message;
use super::{SESSION, errors};
pub(crate) use crate::operation::act::{KEY, REMEMBERED};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, Fields, OpSpec, Param, Timeout, Type};
use crate::value::{Record, Value};

const fn required_param(name: &'static str, ty: Type, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        required: true,
        doc,
    }
}

const fn optional_param(name: &'static str, ty: Type, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        required: false,
        doc,
    }
}

const SENDER: Param = optional_param(
    "sender",
    Type::Text,
    "the sender's name, as set in the account; without it the account's own",
);
const TEXT: Param = required_param("text", Type::Text, "the text");
const TAG: Param = optional_param("tag", Type::Texts, "words by which to find it in the portal");
const NEPALESE: Param = required_param(
    "recipients",
    Type::Texts,
    "the recipients: digits that start with 977, as in 9779812345678",
);

const ACTION: Type = Type::Options(&[
    optional_param("url", Type::Text, "the address that its button opens"),
    optional_param("caption", Type::Text, "the text of the button"),
    optional_param("filename", Type::Text, "the name of the file at that address"),
]);

const VIBER: Type = Type::Options(&[
    TEXT,
    NEPALESE,
    SENDER,
    optional_param("image", Type::Text, "the address of an image"),
    optional_param("action", ACTION, "a button below it"),
    optional_param(
        "transactional",
        Type::Bool,
        "send it as a transactional message instead of a promotional one",
    ),
    TAG,
    KEY,
    REMEMBERED,
]);

const TEMPLATE: Type = Type::Options(&[
    required_param("template", Type::Id, "the number of an approved template"),
    optional_param(
        "params",
        Type::Map,
        "the template's parameters: at most 25 characters each, and no web address",
    ),
    NEPALESE,
    SENDER,
    required_param("campaign", Type::Text, "the campaign's name in the portal"),
    optional_param(
        "tag",
        Type::Texts,
        "a single word by which to find it in the portal",
    ),
    KEY,
    REMEMBERED,
]);

const SMS: Type = Type::Options(&[
    TEXT,
    required_param(
        "recipients",
        Type::Texts,
        "the recipients: + and country code, as in +4915112345678",
    ),
    SENDER,
    optional_param(
        "type",
        Type::Text,
        "`plain` (the default), `unicode`, `flash` or `wap`",
    ),
    TAG,
    KEY,
    REMEMBERED,
]);

const MEDIA: Type = Type::Options(&[
    required_param("type", Type::Text, "`IMAGE`, `VIDEO` or `DOCUMENT`"),
    required_param("url", Type::Text, "the address of the file"),
    optional_param("caption", Type::Text, "the text below it"),
    optional_param("filename", Type::Text, "the file's name"),
]);

const WHATSAPP: Type = Type::Options(&[
    required_param(
        "recipient",
        Type::Id,
        "the recipient: country code and number in digits, as in 9779812345678",
    ),
    optional_param("template", Type::Id, "the number of an approved template"),
    optional_param("parameters", Type::Texts, "the template's parameters, in order"),
    optional_param("media_url", Type::Text, "the template's file"),
    optional_param("filename", Type::Text, "the file's name"),
    optional_param(
        "text",
        Type::Text,
        "the text, in a conversation that the recipient started",
    ),
    optional_param(
        "media",
        MEDIA,
        "a file, in a conversation that the recipient started",
    ),
    KEY,
    REMEMBERED,
]);

const ERRORS: &[(Code, &str)] = errors![
    (
        Code::BadArgument,
        "a key is missing or unknown, or a number is not in the channel's form"
    ),
    (Code::Refused, "the platform refuses the message"),
    (
        Code::Own(&fault::DRAFT),
        "the account cannot pay; the message is kept as a draft"
    ),
];

const WHATSAPP_ERRORS: &[(Code, &str)] = errors![
    (
        Code::BadArgument,
        "a key is missing or unknown, or the number contains characters other than digits"
    ),
    (Code::Refused, "the platform refuses the message"),
    (
        Code::Own(&fault::DRAFT),
        "the account cannot pay; the message is kept as a draft"
    ),
    (
        Code::RateLimited,
        "more than three messages a second were sent for longer than provisor waits"
    ),
];

/// The fields of a send's result.
pub(super) const SENT: Fields = &[
    ("id", "string", "the message number, for the reports"),
    ("message", "string", "the platform's message"),
    ("credits", "int", "the cost"),
    ("valid", "int", "the number of valid recipients"),
    ("invalid", "list", "the numbers that are not valid recipients"),
    (
        "outcome",
        "string",
        "`sent`, or `unchanged` if it was already sent for the same row or under the same key",
    ),
];

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "sparrow",
        name: "send_viber",
        receiver: Some(SESSION),
        summary: "Send a Viber message with free text",
        doc: "For numbers in Nepal. Returns a map of `id` (for the reports), `message`, `credits`, `valid` (the number of \
              valid recipients), `invalid` (the numbers that are not valid recipients) and `outcome`.",
        params: &[required_param("message", VIBER, "the content and the recipients")],
        result: "map",
        errors: ERRORS,
        effect: Effect::Act,
        timeout: Timeout::Reply,
        example: "let sent = sparrow::connect().send_viber(#{\n    sender: \"Bakery\",\n    recipients: [\"9779812345678\"],\n    text: \"Fresh bread from seven on\",\n});\nsent.id",
        run: &viber,
    },
    OpSpec {
        module: "sparrow",
        name: "send_viber_template",
        receiver: Some(SESSION),
        summary: "Send a Viber message with an approved template",
        doc: "For messages that a customer expects: codes, receipts, reminders. Returns the same map as `send_viber`.",
        params: &[required_param(
            "message",
            TEMPLATE,
            "the template and the recipients",
        )],
        result: "map",
        errors: ERRORS,
        effect: Effect::Act,
        timeout: Timeout::Reply,
        example: "sparrow::connect().send_viber_template(#{\n    sender: \"Bakery\",\n    campaign: \"sign-in\",\n    template: \"otp\",\n    params: #{code: \"4711\", minutes: 5},\n    recipients: \"9779812345678\",\n})",
        run: &viber_template,
    },
    OpSpec {
        module: "sparrow",
        name: "send_sms",
        receiver: Some(SESSION),
        summary: "Send an SMS to any country",
        doc: "Returns the same map as `send_viber`. `tariffs()` lists the destinations and prices.",
        params: &[required_param("message", SMS, "the content and the recipients")],
        result: "map",
        errors: ERRORS,
        effect: Effect::Act,
        timeout: Timeout::Reply,
        example: "sparrow::connect().send_sms(#{\n    sender: \"Bakery\",\n    recipients: [\"+4915112345678\", \"+97433123456\"],\n    text: \"Fresh bread from seven on\",\n    tag: \"morning\",\n}).valid",
        run: &sms,
    },
    OpSpec {
        module: "sparrow",
        name: "send_whatsapp",
        receiver: Some(SESSION),
        summary: "Send a WhatsApp message to one recipient",
        doc: "Uses an approved template (`template`, `parameters`, `media_url`), or replies in a conversation that the \
              recipient started (`text`, `media`). Returns a map whose `id` is the message number. The platform accepts \
              three messages a second; provisor delays any above that and sends them again.",
        params: &[required_param(
            "message",
            WHATSAPP,
            "the content and the recipient",
        )],
        result: "map",
        errors: WHATSAPP_ERRORS,
        effect: Effect::Act,
        timeout: Timeout::Reply,
        example: "sparrow::connect().send_whatsapp(#{\n    recipient: \"9779812345678\",\n    template: \"order_update\",\n    parameters: [\"Ann\", \"A-17\"],\n}).id",
        run: &whatsapp,
    },
];

fn viber<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { send(context, call, message::viber(call)?).await })
}

fn viber_template<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { send(context, call, message::viber_template(call)?).await })
}

fn sms<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { send(context, call, message::sms(call)?).await })
}

fn whatsapp<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { send(context, call, message::whatsapp(call)?).await })
}

async fn send(context: &OpContext, call: &Call, message: Message) -> Result<Value, OpError> {
    let client = context.sparrow(receiver(call)?)?.with_flight(Some(&call.flight));
    Ok(sent_record(client.send(message).await?))
}

fn sent_record(accepted: Accepted) -> Value {
    let count = |count: Option<i64>| count.map_or(Value::Null, Value::Int);
    Value::Record(Record::from([
        ("id".to_owned(), accepted.id.into()),
        ("message".to_owned(), accepted.message.into()),
        ("outcome".to_owned(), "sent".into()),
        ("credits".to_owned(), count(accepted.credits)),
        ("valid".to_owned(), count(accepted.valid)),
        (
            "invalid".to_owned(),
            Value::List(accepted.invalid.into_iter().map(Value::from).collect()),
        ),
    ]))
}
