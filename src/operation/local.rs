//! Time and randomness. Results are recorded, so that a resumed row sees the same ones.

use super::call::Call;
use super::context::OpContext;
use super::error::OpError;
use super::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::value::Value;

/// Operations without a platform.
pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "",
        name: "now",
        receiver: None,
        summary: "The time, as UTC text",
        doc: "For example `2026-01-31T09:30:00.125Z`; such texts sort in order of time. A resumed row sees the recorded \
              time.",
        params: &[],
        result: "string",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "now() > \"2020-01-01T00:00:00.000Z\"",
        run: &now,
    },
    OpSpec {
        module: "",
        name: "uuid",
        receiver: None,
        summary: "A new random identifier",
        doc: "A version 4 UUID. A resumed row sees the recorded one.",
        params: &[],
        result: "string",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "uuid().len() == 36",
        run: &uuid,
    },
    OpSpec {
        module: "",
        name: "random",
        receiver: None,
        summary: "A random float from 0 up to, not including, 1",
        doc: "Not suitable for secrets. A resumed row sees the recorded number.",
        params: &[],
        result: "float",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "random() < 1.0",
        run: &random,
    },
    OpSpec {
        module: "",
        name: "sleep",
        receiver: None,
        summary: "Wait",
        doc: "A completed wait is not repeated when the row is resumed.",
        params: &[Param {
            name: "duration",
            ty: Type::Duration,
            required: true,
            doc: "seconds, or text such as \"90s\" or \"2m\"",
        }],
        result: "()",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "sleep(0.01)",
        run: &sleep,
    },
];

fn now<'a>(context: &'a OpContext, _: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let now = jiff::Timestamp::from_millisecond(context.clock.now_millis()).unwrap_or_default();
        Ok(format!("{now:.3}").into())
    })
}

fn uuid<'a>(context: &'a OpContext, _: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { Ok(context.ids.uuid().into()) })
}

fn random<'a>(context: &'a OpContext, _: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { Ok(Value::Float(context.ids.fraction())) })
}

fn sleep<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        context.clock.sleep(call.duration("duration")?).await;
        Ok(Value::Null)
    })
}
