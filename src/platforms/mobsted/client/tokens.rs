//! Parses the tokens in Mobsted's responses, and their expiry.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use super::wire;
pub(crate) use crate::client::tokens::Tokens;
use crate::value::secret::Secret;

/// The assumed lifetime of a token without an expiry, in milliseconds.
const UNKNOWN_LIFE: i64 = 60 * 60 * 1000;

/// Anything larger is not a duration in seconds but a time (public clients and the manual's examples).
const TIMES_START: i64 = 1_000_000_000;

/// Parses a sign-in or refresh response at `now`, in milliseconds. `None` without an access token.
pub(super) fn from_answer(answer: &Json, now: i64) -> Option<Tokens> {
    let top = answer.as_object()?;
    let fields = match wire::field(top, &["access_token"]) {
        Some(_) => top,
        // Not documented, but the other resources come in this envelope.
        None => wire::attributes(top.get("data")?.as_object()?),
    };
    let access = wire::text(fields, &["access_token"])?;
    let expires_in = wire::int(fields, &["expires_in"]).and_then(|expires_in| end(expires_in, now));
    let expires = expires_in
        .or_else(|| jwt_end(&access))
        .filter(|expires| *expires > now)
        // An expiry in the past means that the clocks differ; a 401 will show when the token has expired.
        .unwrap_or(now.saturating_add(UNKNOWN_LIFE));
    Some(Tokens {
        access: Secret::new(access),
        refresh: wire::text(fields, &["refresh_token"]).map(Secret::new),
        issued: now,
        expires,
        company: None,
    })
}

/// Converts `expires_in` to a time in milliseconds: Mobsted sends a time in seconds, others a duration.
fn end(expires_in: i64, now: i64) -> Option<i64> {
    let seconds = expires_in.saturating_mul(1000);
    match expires_in {
        ..=0 => None,
        expires_in if expires_in > TIMES_START * 1000 => Some(expires_in),
        expires_in if expires_in > TIMES_START => Some(seconds),
        _ => Some(now.saturating_add(seconds)),
    }
}

/// The `exp` claim in milliseconds, if the token is a readable JSON web token. Many are not, and need not be.
fn jwt_end(token: &str) -> Option<i64> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Json = serde_json::from_slice(&claims).ok()?;
    let exp = wire::int(claims.as_object()?, &["exp"])?;
    Some(exp.saturating_mul(1000))
}

#[cfg(test)]
mod tests;
