//! Credentials recorded after the step that created their resource.

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::spec::Effect;
use crate::journal::JournalError;
use crate::value::Value;

/// Updates the password in a recorded outcome from the ledger: a person may have recorded a new one since.
pub(super) fn with_current_password(
    context: &OpContext,
    call: &Call,
    outcome: Value,
) -> Result<Value, JournalError> {
    let (Effect::Ensure { key, .. } | Effect::Create { key, .. }) = call.effect() else {
        return Ok(outcome);
    };
    let Value::Object(mut resource) = outcome else {
        return Ok(outcome);
    };
    if resource.fields.contains_key(PASSWORD) {
        // A call without a key cannot have an outcome.
        let item = key(call)
            .ok()
            .map(|key| context.journal.ledger_get(&key))
            .transpose()?
            .flatten();
        if let Some(Value::Object(held)) = item.map(|item| item.value)
            && let Some(password @ Value::Secret(_)) = held.fields.get(PASSWORD)
        {
            resource.fields.insert(PASSWORD.into(), password.clone());
        }
    }
    Ok(Value::Object(resource))
}

/// Adds a hint to a tenant's refused sign-in: its client has changed the password.
pub(super) fn add_password_hint(call: &Call, error: OpError) -> OpError {
    match &call.receiver {
        Some(session) if error.code == Code::SignInRefused && session.text("$role") == "tenant" => {
            error.hint(repair(session.text("login")))
        }
        _ => error,
    }
}

/// Returns the hint for a tenant's password that is wrong or not on record.
pub(crate) fn repair(email: &str) -> String {
    format!(
        "record its password: provisor tenants set-password {}",
        email.trim().to_lowercase()
    )
}

const PASSWORD: &str = "password";
