//! All other calls of the API, by method and path.

use super::{SESSION, account_of};
use crate::client::Method;
use crate::journal::LedgerEntry;
pub(crate) use crate::operation::act::{KEY, REMEMBERED, REMEMBERING};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
pub(crate) use crate::operation::raw::{self, BODY, Raw};
use crate::operation::session::receiver;
use crate::operation::spec::{OpSpec, Param, Type};
use crate::platforms::mobsted::fault::PROTECTED_APP;
use crate::value::Value;

const PATH: Param = Param {
    name: "path",
    ty: Type::Text,
    required: true,
    doc: "the path below /api/v8, for example `/screen`",
};
const QUERY: Param = Param {
    name: "query",
    ty: Type::Map,
    required: false,
    doc: "query parameters",
};
const ENCODING: Param = Param {
    name: "encoding",
    ty: Type::Text,
    required: false,
    doc: "`json` (the default), `form`, or `query` to send the body's fields as query parameters",
};
const OPTIONS: Param = Param {
    name: "options",
    ty: Type::Options(&[ENCODING, QUERY, KEY, REMEMBERED]),
    required: false,
    doc: "encoding, query, key, remember",
};

const ERRORS: &[(Code, &str)] = &[
    (
        Code::Own(&PROTECTED_APP),
        "it could change App 1 of a master account: only what docs/mobsted.md lists may be changed there",
    ),
    (Code::BadAddress, "the path leads out of the API"),
    (Code::Refused, "the platform refuses the request"),
];

const RAW: Raw = Raw {
    module: "mobsted",
    session: SESSION,
    reading: (
        &[PATH, QUERY],
        &[(Code::NotFound, "there is nothing at the path")],
    ),
    sending: &[PATH, BODY, OPTIONS],
    deleting: &[PATH, QUERY, REMEMBERING],
    errors: ERRORS,
};

pub(super) static OPS: &[OpSpec] = &[
    RAW.get(
        "mobsted::connect().get(\"/applications\", #{page: 1, pageSize: 10}).meta.current_page",
        &|context, call| Box::pin(exchange(context, call, Method::Get)),
    ),
    RAW.post(
        "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  let user = client.post(\"/object\", #{ApplicationId: app.id, Email: \"eve@example.com\"});\n\
                  let event = #{ApplicationId: app.id, ObjectId: user.data[0].id, ActionName: \"opened\"};\n\
                  client.post(\"/events\", event, #{encoding: \"form\"})",
        &|context, call| Box::pin(exchange(context, call, Method::Post)),
    ),
    RAW.put(
        "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  client.put(`/applications/${app.id}`, #{Name: \"Ann's shop\"})",
        &|context, call| Box::pin(exchange(context, call, Method::Put)),
    ),
    RAW.delete(
        "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Old\", \"https://old.example\");\n\
                  client.delete(`/applications/${app.id}`)",
        &|context, call| Box::pin(exchange(context, call, Method::Delete)),
    ),
];

/// The ledger entry of the app that a raw call deletes.
pub(super) fn ledger_removals(context: &OpContext, call: &Call) -> Option<Vec<LedgerEntry>> {
    if call.op.id() != "mobsted::delete" {
        return None;
    }
    let session = receiver(call).ok()?;
    let app = context.mobsted(session).ok()?.app_at(&call.text("path"))?;
    Some(LedgerEntry::removals_by_id(
        vec![account_of(session).ok()?],
        "app",
        &app,
    ))
}

async fn exchange(context: &OpContext, call: &Call, method: Method) -> Result<Value, OpError> {
    let (query, body) = raw::read(call, &["json", "form", "query"])?;
    let client = context.mobsted(receiver(call)?)?.with_flight(Some(&call.flight));
    let reply = client.raw(method, &call.text("path"), &query, body).await;
    Ok(reply?.body)
}
