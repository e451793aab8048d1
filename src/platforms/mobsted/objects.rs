//! Objects of an app: the rows of its table.

use super::client::objects::ObjectRow;
use super::{OBJECT, SESSION};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::value::identity;
use crate::value::{Object, Value};

pub(super) const APP_ID: Param = Param {
    name: "app",
    ty: Type::Id,
    required: true,
    doc: "the app's identifier",
};

const ERRORS: &[(Code, &str)] = &[(Code::NotFound, "the account has no such app")];

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "mobsted",
        name: "objects",
        receiver: Some(SESSION),
        summary: "List the objects of an app",
        doc: "All pages are read. Columns that hold a credential (`UserPassword`, `defaultPassword`, `PIN`) are secrets. \
              The objects of App 1 of a partner's account are its tenants; `tenants()` reads them as such.",
        params: &[APP_ID],
        result: "list of mobsted::Object",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  client.post(\"/object\", #{ApplicationId: app.id, Email: \"eve@example.com\"});\n\
                  client.objects(app.id)[0].email",
        run: &list,
    },
    OpSpec {
        module: "mobsted",
        name: "object",
        receiver: Some(SESSION),
        summary: "Look an object of an app up by its identifier",
        doc: "Returns `()` if there is none. The platform has no public call for a single object with all its columns, so \
              the app's list is read until the object is found.",
        params: &[
            APP_ID,
            Param {
                name: "id",
                ty: Type::Id,
                required: true,
                doc: "the object's identifier",
            },
        ],
        result: "mobsted::Object or ()",
        errors: ERRORS,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  let made = client.post(\"/object\", #{ApplicationId: app.id, Email: \"eve@example.com\"});\n\
                  client.object(app.id, made.data[0].id).attributes.Email",
        run: &one,
    },
];

fn list<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let client = context.mobsted(receiver(call)?)?;
        let rows = client.objects(&app_id(call)).await?;
        Ok(Value::List(
            rows.into_iter().map(|row| to_object(call, row)).collect(),
        ))
    })
}

fn one<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let client = context.mobsted(receiver(call)?)?;
        let id = identity::id(&call.text("id"));
        let row = client.object(&app_id(call), &id).await?;
        Ok(row.map_or(Value::Null, |row| to_object(call, row)))
    })
}

pub(super) fn app_id(call: &Call) -> String {
    identity::id(&call.text("app"))
}

fn to_object(call: &Call, row: ObjectRow) -> Value {
    let app = app_id(call);
    let app = app.parse().map_or(Value::Text(app), Value::Int);
    Value::Object(Object::new(
        OBJECT,
        [
            ("id", row.id),
            ("app", app),
            ("email", row.email.into()),
            ("attributes", row.attributes),
        ],
    ))
}
