//! Branded domains. Rules and texts follow the vendor's own back-end code; the path is assumed.

use axum::http::StatusCode;
use serde_json::Value;

use super::super::call::Call;
use super::super::reply::Reply;
use super::envelope::bad_request;
use super::rows::whole;
use super::{Action, Command};

/// Plans `POST /nginx/config`. A domain that ends in `.invalid` points nowhere.
pub(super) fn set(call: &Call) -> Result<Action, Reply> {
    let fields = call
        .fields()
        .map_err(|_| bad_request("The body is not a JSON object"))?;
    let given = fields.get("domain").and_then(Value::as_str).unwrap_or_default();
    let domain = given.split('/').next().unwrap_or_default().trim().to_lowercase();
    let custom = fields.get("isCustom").and_then(whole).unwrap_or_default() == 1;
    let dots = domain.matches('.').count();
    let label = |label: &str| (1..=63).contains(&label.len());
    if domain.len() > 253 || !domain.split('.').all(label) || dots != 1 + usize::from(custom) {
        return Err(refusal(StatusCode::BAD_REQUEST, "The domain name is not valid"));
    }
    if domain.ends_with(".invalid") {
        let reason = "The domain has no CNAME record that points here";
        return Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, reason));
    }
    Ok(Action::Do(Command::SetDomain {
        tenant: call.account.clone(),
        app: fields.get("appId").and_then(whole),
        domain,
    }))
}

/// Returns the response to a domain that was set.
pub(super) fn done(domain: &str) -> Reply {
    Reply::ok(&format!("{domain} is configured"))
}

/// Returns a refusal as a bare sentence.
pub(super) fn refusal(status: StatusCode, reason: &str) -> Reply {
    Reply::json(status, reason)
}
