//! What the raw calls of every platform take besides their path: a body, an encoding, query parameters.

use super::call::Call;
use super::error::{Code, OpError};
use super::spec::{Param, Type};
use crate::client::Body;
use crate::value::{Record, Value};

pub(crate) const BODY: Param = Param {
    name: "body",
    ty: Type::Map,
    required: true,
    doc: "the fields to send",
};

/// The query parameters of `call`, as an argument and as an option, and its body. Its option `encoding` is one of
/// `encodings`, `json` when it is not given; `query` makes query parameters of the body's fields.
pub(crate) fn read(call: &Call, encodings: &[&str]) -> Result<(Record, Body), OpError> {
    let mut query = call.map("query");
    if let Some(Value::Record(more)) = call.option("query") {
        query.extend(more.clone());
    }
    let Value::Record(fields) = call.arg("body") else {
        return Ok((query, Body::None));
    };
    let encoding = call.option("encoding").and_then(Value::as_text);
    let encoding = encoding.unwrap_or("json");
    if !encodings.contains(&encoding) {
        let message = format!(
            "the encoding `{encoding}` is not known; it is {}",
            encodings.join(" or ")
        );
        return Err(OpError::new(Code::BadArgument, message));
    }
    let body = match encoding {
        "form" => Body::Form(fields.clone()),
        "query" => {
            query.extend(fields.clone());
            Body::None
        }
        _ => Body::Json(Value::Record(fields.clone())),
    };
    Ok((query, body))
}
