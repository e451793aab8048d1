//! Events about objects, and domains of apps: changes whose outcome cannot be looked up afterwards.

use super::SESSION;
use super::client::events::NewEvent;
use super::objects::{APP_ID, app_id};
pub(crate) use crate::operation::act::{KEY, REMEMBERED};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::platforms::mobsted::fault::PROTECTED_APP;
use crate::value::identity;
use crate::value::{Record, Value};

const STATUS: Param = Param {
    name: "status",
    ty: Type::Id,
    required: false,
    doc: "the identifier of the status that the event leads to",
};

const VALUE: Param = Param {
    name: "value",
    ty: Type::Any,
    required: false,
    doc: "additional data: a text, or a value that is sent as JSON text",
};

const APP: Param = Param {
    name: "app",
    ty: Type::Id,
    required: false,
    doc: "the app that gets the domain; a master account must name it",
};

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "mobsted",
        name: "post_event",
        receiver: Some(SESSION),
        summary: "Post an event about an object",
        doc: "The platform has no public call that reads events, so provisor cannot check afterwards whether a lost event \
              arrived.",
        params: &[
            APP_ID,
            Param {
                name: "object",
                ty: Type::Id,
                required: true,
                doc: "the identifier of the object that it is about",
            },
            Param {
                name: "action",
                ty: Type::Text,
                required: true,
                doc: "the name of the action",
            },
            Param {
                name: "options",
                ty: Type::Options(&[STATUS, VALUE, KEY, REMEMBERED]),
                required: false,
                doc: "status, value, key, remember",
            },
        ],
        result: "map",
        errors: &[
            (
                Code::Own(&PROTECTED_APP),
                "App 1 of a master account is always refused",
            ),
            (Code::NotFound, "the account has no such app"),
            (Code::Refused, "the platform refuses the event"),
        ],
        effect: Effect::Act,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  let made = client.post(\"/object\", #{ApplicationId: app.id, Email: \"eve@example.com\"});\n\
                  client.post_event(app.id, made.data[0].id, \"opened\", #{value: #{page: 2}}).id",
        run: &post_event,
    },
    OpSpec {
        module: "mobsted",
        name: "set_domain",
        receiver: Some(SESSION),
        summary: "Give an app its own domain",
        doc: "The domain has two parts (`shop.com`) or three (`go.shop.com`), and must already point at the platform with \
              a CNAME record; the request takes some seconds. No call reads the domains, so provisor cannot check \
              afterwards whether a lost request was carried out. The path is assumed; a profile can correct it under \
              `endpoints`.",
        params: &[
            Param {
                name: "domain",
                ty: Type::Text,
                required: true,
                doc: "the domain, without scheme and path",
            },
            Param {
                name: "options",
                ty: Type::Options(&[APP, KEY, REMEMBERED]),
                required: false,
                doc: "app, key, remember",
            },
        ],
        result: "any value",
        errors: &[
            (
                Code::Own(&PROTECTED_APP),
                "the app is App 1 of a master account, or no app is named on a master account",
            ),
            (
                Code::Refused,
                "another app has the domain, or it does not point at the platform",
            ),
        ],
        effect: Effect::Act,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  client.set_domain(\"go.ann.example\", #{app: app.id})",
        run: &set_domain,
    },
];

fn post_event<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let client = context.mobsted(receiver(call)?)?.with_flight(Some(&call.flight));
        let given = |key: &str| call.option(key).filter(|value| **value != Value::Null).cloned();
        let event = NewEvent {
            object: call.arg("object").clone(),
            action: call.text("action"),
            status: given("status"),
            value: given("value"),
        };
        let id = client.post_event(&app_id(call), &event).await?;
        Ok(Value::Record(Record::from([("id".to_owned(), id)])))
    })
}

fn set_domain<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let client = context.mobsted(receiver(call)?)?.with_flight(Some(&call.flight));
        let app = match call.option("app") {
            None | Some(Value::Null) => None,
            Some(Value::Int(app)) => Some(app.to_string()),
            Some(app) => Some(identity::id(app.as_text().unwrap_or_default())),
        };
        Ok(client.set_domain(&call.text("domain"), app.as_deref()).await?)
    })
}
