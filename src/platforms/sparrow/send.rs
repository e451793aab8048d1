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

const fn needed(name: &'static str, ty: Type, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        required: true,
        doc,
    }
}

const fn maybe(name: &'static str, ty: Type, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        required: false,
        doc,
    }
}

const SENDER: Param = needed("sender", Type::Text, "the sender's name, as the account has it");
const TEXT: Param = needed("text", Type::Text, "what it says");
const TAG: Param = maybe("tag", Type::Texts, "words to find it by in the portal");
const NEPALESE: Param = needed(
    "recipients",
    Type::Texts,
    "to whom: digits that begin with 977, as in 9779812345678",
);

const ACTION: Type = Type::Options(&[
    maybe("url", Type::Text, "where its button leads"),
    maybe("caption", Type::Text, "the text of the button"),
    maybe("filename", Type::Text, "the name of the file behind the address"),
]);

const VIBER: Type = Type::Options(&[
    TEXT,
    NEPALESE,
    SENDER,
    maybe("image", Type::Text, "the address of an image"),
    maybe("action", ACTION, "a button below it"),
    TAG,
    KEY,
    REMEMBERED,
]);

const TEMPLATE: Type = Type::Options(&[
    needed("template", Type::Id, "the number of an approved template"),
    maybe(
        "params",
        Type::Map,
        "the template's parameters: at most 25 characters each, and no web address",
    ),
    NEPALESE,
    SENDER,
    needed("campaign", Type::Text, "the campaign's name in the portal"),
    maybe("tag", Type::Texts, "a word to find it by in the portal; only one"),
    KEY,
    REMEMBERED,
]);

const SMS: Type = Type::Options(&[
    TEXT,
    needed(
        "recipients",
        Type::Texts,
        "to whom: + and country code, as in +4915112345678",
    ),
    SENDER,
    maybe(
        "type",
        Type::Text,
        "`plain` (the default), `unicode`, `flash` or `wap`",
    ),
    TAG,
    KEY,
    REMEMBERED,
]);

const MEDIA: Type = Type::Options(&[
    needed("type", Type::Text, "`IMAGE`, `VIDEO` or `DOCUMENT`"),
    needed("url", Type::Text, "where the file is"),
    maybe("caption", Type::Text, "what stands below it"),
    maybe("filename", Type::Text, "the file's name"),
]);

const WHATSAPP: Type = Type::Options(&[
    needed(
        "recipient",
        Type::Id,
        "to whom: country code and number in digits, as in 9779812345678",
    ),
    maybe("template", Type::Id, "the number of an approved template"),
    maybe("parameters", Type::Texts, "the template's parameters, in order"),
    maybe("media_url", Type::Text, "the template's file"),
    maybe("filename", Type::Text, "the file's name"),
    maybe(
        "text",
        Type::Text,
        "the text, in a conversation that the recipient started",
    ),
    maybe(
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
        "a key is missing or not known, or a number is not in the channel's form"
    ),
    (Code::Refused, "the platform refuses the message"),
    (
        Code::Own(&fault::DRAFT),
        "the account cannot pay; the message waits as a draft"
    ),
];

const WHATSAPP_ERRORS: &[(Code, &str)] = errors![
    (
        Code::BadArgument,
        "a key is missing or not known, or the number has other characters than digits"
    ),
    (Code::Refused, "the platform refuses the message"),
    (
        Code::Own(&fault::DRAFT),
        "the account cannot pay; the message waits as a draft"
    ),
    (
        Code::RateLimited,
        "more than three messages a second, for longer than is waited"
    ),
];

/// The fields of a send's result.
pub(super) const SENT: Fields = &[
    ("id", "string", "the message's number, for the reports"),
    ("message", "string", "the platform's words"),
    ("credits", "int", "what it costs"),
    ("valid", "int", "to how many it goes"),
    ("invalid", "list", "the numbers to which it does not go"),
    (
        "outcome",
        "string",
        "`sent`, or `unchanged` when it was sent for the same row, or under the same key, before",
    ),
];

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "sparrow",
        name: "send_viber",
        receiver: Some(SESSION),
        summary: "Send a Viber message, composed freely",
        doc: "For numbers of Nepal. Gives a map of `id` (for the reports), `message`, `credits`, `valid` (to how many it \
              goes), `invalid` (the numbers to which it does not go) and `outcome`.",
        params: &[needed("message", VIBER, "what, from whom, to whom")],
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
        summary: "Send a Viber message by an approved template",
        doc: "For what a customer waits for: codes, receipts, reminders. Gives the same map as `send_viber`.",
        params: &[needed("message", TEMPLATE, "which template, from whom, to whom")],
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
        doc: "Gives the same map as `send_viber`. Where it can go and for how much: `tariffs()`.",
        params: &[needed("message", SMS, "what, from whom, to whom")],
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
        doc: "By an approved template (`template`, `parameters`, `media_url`), or within a conversation that the \
              recipient has begun (`text`, `media`). Gives a map whose `id` is the message's number. The platform takes \
              three a second; more are put off and sent again.",
        params: &[needed("message", WHATSAPP, "what, to whom")],
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
    let client = context.sparrow(receiver(call)?)?.through(Some(&call.flight));
    Ok(given_back(client.send(message).await?))
}

fn given_back(accepted: Accepted) -> Value {
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
