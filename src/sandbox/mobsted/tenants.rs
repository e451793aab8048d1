//! Creates sub-accounts.

use axum::http::StatusCode;
use serde_json::Value;

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::{Action, Event, MASTER, State, envelope};

/// Plans `POST /partners`, for the master account only.
pub(super) fn create(call: &Call) -> Result<Action, Reply> {
    if call.account != MASTER {
        return Err(envelope::error(
            StatusCode::FORBIDDEN,
            "This account is not a partner",
        ));
    }
    let fields = envelope::document(call)?;
    let email = fields.get("email").and_then(Value::as_str).map(str::trim);
    match email {
        Some(email) if is_address(email) => Ok(Action::Do(Event::CreateTenant {
            email: email.to_owned(),
        })),
        Some(_) => Err(envelope::bad_request("Email is not a valid email address")),
        None => Err(envelope::bad_request("Email cannot be blank")),
    }
}

/// Whether the sub-account in the request already exists.
pub(super) fn exists(site: &Site, call: &Call) -> bool {
    let fields = call.fields().unwrap_or_default();
    let email = fields.get("email").and_then(Value::as_str);
    email.is_some_and(|email| site.read(|state: &State| state.tenant_of(email).is_some()))
}

/// Roughly what mail servers accept: one name, one at sign, a host with a dot.
fn is_address(email: &str) -> bool {
    let Some((name, host)) = email.rsplit_once('@') else {
        return false;
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (1..=64).contains(&name.len())
        && email.len() <= 254
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "@,;:<>()[]\\\"".contains(c))
        && host.contains('.')
        && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_are_distinguished_from_other_text() {
        for good in [
            "ann@example.com",
            "a+b@x.y-z.co",
            "Ann.O'Neil@Example.COM",
            "ö@exämple.org",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "", "ann", "ann@", "@x.y", "a b@x.y", "a@b", "a@@x.y", "a@x..y", "a@-x.y", ".a@x.y", "a@x.y\n",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
