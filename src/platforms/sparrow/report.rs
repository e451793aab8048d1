//! Message reports and tariffs.

use super::client::Part;
use super::client::recipient::Channel;
use super::{SESSION, errors};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::value::Value;

const ID: Param = Param {
    name: "id",
    ty: Type::Text,
    required: true,
    doc: "the message number, as returned when it was sent",
};

const PART: Param = Param {
    name: "part",
    ty: Type::Text,
    required: false,
    doc: "`summary` (the default), `delivery` (who received and who saw it) or `failed` (for whom it was rejected or \
          expired)",
};

const ERRORS: &[(Code, &str)] = errors![(Code::NotFound, "the account has no message with this number")];

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "sparrow",
        name: "viber_report",
        receiver: Some(SESSION),
        summary: "Read the report on a Viber message",
        doc: "Returns the map that the platform sends: `status`, `total`, `accepted` and `rejected` for the summary, and \
              lists of numbers in `records` for the other two.",
        params: &[ID, PART],
        result: "map",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let sms = sparrow::connect();\nlet sent = sms.send_viber(#{sender: \"Bakery\", text: \"Hello\", recipients: \"9779812345678\"});\nsms.viber_report(sent.id, \"delivery\").records.delivered",
        run: &viber,
    },
    OpSpec {
        module: "sparrow",
        name: "sms_report",
        receiver: Some(SESSION),
        summary: "Read the report on an SMS",
        doc: "Returns the same maps as `viber_report`.",
        params: &[ID, PART],
        result: "map",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let sms = sparrow::connect();\nlet sent = sms.send_sms(#{sender: \"Bakery\", text: \"Hello\", recipients: \"+4915112345678\"});\nsms.sms_report(sent.id).accepted",
        run: &sms,
    },
    OpSpec {
        module: "sparrow",
        name: "tariffs",
        receiver: Some(SESSION),
        summary: "List the SMS destinations and their prices",
        doc: "Returned as the platform sends it: the form is not documented.",
        params: &[],
        result: "any value",
        errors: errors![],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "sparrow::connect().tariffs()",
        run: &tariffs,
    },
];

fn viber<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(report(context, call, Channel::Viber))
}

fn sms<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(report(context, call, Channel::Sms))
}

fn tariffs<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { Ok(context.sparrow(receiver(call)?)?.tariffs().await?) })
}

async fn report(context: &OpContext, call: &Call, channel: Channel) -> Result<Value, OpError> {
    let part = match call.text("part").as_str() {
        "" | "summary" => Part::Summary,
        "delivery" => Part::Delivery,
        "failed" => Part::Failed,
        other => {
            let message = format!("`{other}` is not a part of a report; use summary, delivery or failed");
            return Err(OpError::new(Code::BadArgument, message));
        }
    };
    let client = context.sparrow(receiver(call)?)?;
    Ok(client.report(channel, &call.text("id"), part).await?)
}
