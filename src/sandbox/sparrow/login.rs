//! Signs in and checks tokens.

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde_json::json;

use super::super::call::Call;
use super::super::form::text;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::super::token::{self, Claims, Use};
use super::super::world::millis;
use super::Action;
use super::envelope;
use super::state::{Event, State};

/// Tokens with a specific refusal each, so that every error text of the vendor can be triggered.
const SPECIAL_TOKENS: &[(&str, &str)] = &[
    ("expired-account", "Account is Expired"),
    ("expired-token", "API Token Expired"),
    ("mismatched-token", "Unable to log in with provided credentials."),
    ("inactive-user", "Invalid User"),
];

/// Plans `POST /v1/autho/apitoken/login/`.
pub(super) fn sign_in(site: &Site, call: &Call) -> Result<Action, Reply> {
    if call.method != Method::POST {
        return Err(super::not_allowed(call));
    }
    let fields = call.fields().unwrap_or_default();
    let text = |name: &str| text(&fields, name).trim();
    let (api, partner) = (text("api_token"), text("partner_token"));
    if api.is_empty() || partner.is_empty() {
        return Err(envelope::data_error(
            "Must include \"partner_token\" and \"api_token\"",
        ));
    }
    if let Some((_, reason)) = SPECIAL_TOKENS
        .iter()
        .find(|(token, _)| *token == api || *token == partner)
    {
        return Err(envelope::data_error(reason));
    }
    let access = site.read(|state: &State| state.access.clone());
    if partner != access.partner_token {
        return Err(envelope::data_error("Invalid Partner Token"));
    }
    if api != access.api_token {
        return Err(envelope::data_error("Invalid API Token"));
    }
    let expires = site
        .world
        .now()
        .saturating_add(millis(site.behaviour.session_life));
    let token = new_token(site, expires);
    Ok(Action::Do(Event::SignedIn { token, expires }))
}

/// Returns the response to a sign-in.
pub(super) fn signed_in(token: &str, expires: i64) -> Reply {
    envelope::ok(&json!({ "message": "Success", "token": token, "expires_on": format_nepal_time(expires) }))
}

/// Checks the token of a request and returns it.
pub(super) fn authorise(site: &Site, call: &Call) -> Result<String, Reply> {
    let unauthorised = |text: &str| envelope::detail(StatusCode::UNAUTHORIZED, text);
    let Some(header) = call.header("authorization") else {
        return Err(unauthorised("Authentication credentials were not provided."));
    };
    let token = call.bearer().filter(|token| !token.is_empty());
    let Some(token) = token else {
        let text = match header.split_whitespace().count() {
            0 | 1 => "Invalid token header. No credentials provided.",
            _ => "Invalid token header.",
        };
        return Err(unauthorised(text));
    };
    let now = site.world.now();
    if site.read(|state: &State| state.is_valid_token(token, now)) {
        Ok(token.to_owned())
    } else {
        Err(unauthorised("Invalid token."))
    }
}

/// Formats a time as the platform does: Nepal time, with microseconds.
fn format_nepal_time(millis: i64) -> String {
    let offset = Offset::from_seconds(5 * 3600 + 45 * 60).unwrap_or(Offset::UTC);
    let time = Timestamp::from_millisecond(millis).unwrap_or_default();
    let local = time.to_zoned(TimeZone::fixed(offset));
    local.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
}

fn new_token(site: &Site, expires: i64) -> String {
    let claims = Claims {
        iss: "sparrow.sandbox".to_owned(),
        nbf: site.world.now() / 1000,
        exp: expires / 1000,
        uid: token::random(),
        sub: "api".to_owned(),
        objuuid: String::new(),
        useruuid: String::new(),
    };
    site.signer.sign(Use::Access, &claims)
}

#[cfg(test)]
mod tests;
