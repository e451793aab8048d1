//! What the operations that make something have in common: the fields that are given, and what is there already.

use super::account_of;
use crate::journal::NaturalKey;
use crate::operation::call::Call;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Param, Type};
use crate::value::{Record, Value};

/// Takes over what is there.
pub(super) const ADOPT: Param = Param {
    name: "adopt",
    ty: Type::Bool,
    required: false,
    doc: "true: take over what exists on the platform but is not in the ledger",
};
/// The last parameter.
pub(super) const OPTIONS: Param = Param {
    name: "options",
    ty: Type::Options(&[ADOPT]),
    required: false,
    doc: "adopt",
};

/// The ledger's name for what a call makes: `name` as it is, which must not be blank.
pub(super) fn key(call: &Call, sort: &'static str, param: &str, name: String) -> Result<NaturalKey, OpError> {
    if name.trim_matches('.').is_empty() {
        let message = format!("`{param}` must not be empty or made of dots alone");
        return Err(OpError::new(Code::BadArgument, message));
    }
    Ok(NaturalKey {
        account: account_of(receiver(call)?)?,
        sort,
        name,
    })
}

/// The fields of a new thing: those that were given, and the natural key under its own name. A field that contradicts
/// the key is an error.
pub(super) fn fields(call: &Call, name: &str, key: &str) -> Result<Record, OpError> {
    let mut fields = call.map("fields");
    match fields.get(name) {
        None => {}
        Some(Value::Text(own)) if own.trim() == key => {}
        Some(_) => {
            let message =
                format!("`{name}` is given twice: as an argument, and differently among the fields");
            return Err(OpError::new(Code::BadArgument, message));
        }
    }
    fields.insert(name.to_owned(), key.into());
    Ok(fields)
}

/// What a look-up before the request means. `found` is made with the outcome that fits; `what` names the thing in
/// messages.
pub(super) fn checked<T>(
    call: &Call,
    found: Option<T>,
    what: &str,
    thing: impl FnOnce(&T, &str) -> Value,
) -> Result<Option<Value>, OpError> {
    match found {
        None => Ok(None),
        // Our own earlier request made it.
        Some(found) if call.resent => Ok(Some(thing(&found, "created"))),
        Some(found) if call.flag("adopt") => Ok(Some(thing(&found, "adopted"))),
        Some(_) => Err(OpError::new(
            Code::AlreadyExists,
            format!("{what} exists on the platform, and is not in the ledger"),
        )
        .hint(format!(
            "if it is yours, take it over: {}(…, #{{adopt: true}})",
            call.op.name
        ))),
    }
}
