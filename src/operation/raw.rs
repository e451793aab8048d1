//! The parameters of every platform's raw calls besides the path: body, encoding, query.

use super::call::Call;
use super::error::{Code, OpError};
use super::spec::{Effect, OpSpec, Param, RunFn, Timeout, Type};
use crate::client::Body;
use crate::value::{Record, Value};

pub(crate) const BODY: Param = Param {
    name: "body",
    ty: Type::Map,
    required: true,
    doc: "the fields to send",
};

/// The raw calls of a platform: any method on any path below an account's API.
pub(crate) struct Raw {
    pub(crate) module: &'static str,
    /// The kind of session that has them as methods.
    pub(crate) session: &'static str,
    /// The parameters and failures of `get`.
    pub(crate) reading: (&'static [Param], &'static [(Code, &'static str)]),
    /// The parameters of calls with a body.
    pub(crate) sending: &'static [Param],
    /// The parameters of `delete`.
    pub(crate) deleting: &'static [Param],
    /// The failures of changing calls.
    pub(crate) errors: &'static [(Code, &'static str)],
}

impl Raw {
    /// Returns the operation `get`.
    pub(crate) const fn get(&self, example: &'static str, run: RunFn) -> OpSpec {
        OpSpec {
            module: self.module,
            name: "get",
            receiver: Some(self.session),
            summary: "Send a GET to any path of the API",
            doc: "Returns the body of the response: JSON as a value, anything else as text.",
            params: self.reading.0,
            result: "any value",
            errors: self.reading.1,
            effect: Effect::Observe,
            timeout: Timeout::Reply,
            example,
            run,
        }
    }

    /// Returns the operation `post`.
    pub(crate) const fn post(&self, example: &'static str, run: RunFn) -> OpSpec {
        self.changing(
            ("post", "Send a POST to any path of the API"),
            self.sending,
            example,
            run,
        )
    }

    /// Returns the operation `put`.
    pub(crate) const fn put(&self, example: &'static str, run: RunFn) -> OpSpec {
        self.changing(
            ("put", "Send a PUT to any path of the API"),
            self.sending,
            example,
            run,
        )
    }

    /// Returns the operation `delete`.
    pub(crate) const fn delete(&self, example: &'static str, run: RunFn) -> OpSpec {
        self.changing(
            ("delete", "Send a DELETE to any path of the API"),
            self.deleting,
            example,
            run,
        )
    }

    const fn changing(
        &self,
        (name, summary): (&'static str, &'static str),
        params: &'static [Param],
        example: &'static str,
        run: RunFn,
    ) -> OpSpec {
        OpSpec {
            name,
            summary,
            doc: "Its outcome cannot be looked up afterwards: if the response is lost, the row is parked.",
            params,
            errors: self.errors,
            effect: Effect::Request,
            ..self.get(example, run)
        }
    }
}

/// Returns the query parameters of `call`, from its argument and its option, and its body. The option `encoding` is one
/// of `encodings`, by default `json`; `query` turns the fields of the body into query parameters.
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
        let message = format!("unknown encoding `{encoding}`; use {}", encodings.join(" or "));
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
