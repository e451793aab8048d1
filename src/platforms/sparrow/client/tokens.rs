//! Parses the token in a sign-in response, and its expiry.

use serde_json::Value as Json;

pub(crate) use crate::client::fields;
pub(crate) use crate::client::tokens::Tokens;
use crate::value::secret::Secret;

/// The assumed lifetime of a token whose expiry cannot be read, in milliseconds; the vendor documents 24 hours.
const UNKNOWN_LIFE: i64 = 60 * 60 * 1000;

/// Parses a sign-in response received at `now`, in milliseconds since the Unix epoch. `None` without a token, or if the
/// result or status field, where present, reports a failure.
pub(super) fn from_answer(answer: &Json, now: i64) -> Option<Tokens> {
    let answer = answer.as_object()?;
    let said = |name: &str| fields::text(answer, &[name]);
    if said("result").is_some_and(|result| result != "00")
        || said("status").is_some_and(|status| status != "OK")
    {
        return None;
    }
    let data = answer.get("data")?.as_object()?;
    let access = fields::text(data, &["token"])?;
    let said = fields::text(data, &["expires_on"]).and_then(|text| end(&text));
    // An expiry in the past means that the clocks differ; a 401 will show when the token has expired.
    let expires = said
        .filter(|expires| *expires > now)
        .unwrap_or(now.saturating_add(UNKNOWN_LIFE));
    Some(Tokens {
        access: Secret::new(access),
        refresh: None,
        issued: now,
        expires,
        company: None,
    })
}

/// Parses a time with its offset, as in `2022-08-21T18:00:55.400174+05:45`, to milliseconds since the Unix epoch. Text
/// without an offset is rejected: it would be 5 hours 45 minutes off.
fn end(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn answer(expires_on: &str) -> Json {
        serde_json::json!({
            "data": { "message": "Success", "token": "eyJ.eyJ.x", "expires_on": expires_on },
            "meta": {}, "result": "00", "status": "OK",
        })
    }

    #[test]
    fn the_token_expiry_is_parsed_with_its_utc_offset() {
        let tokens = from_answer(&answer("2022-08-21T18:00:55.400174+05:45"), 0).unwrap();
        // 12:15:55 in UTC.
        assert_eq!(tokens.expires, 1_661_084_155_400);
    }

    #[test]
    fn a_token_in_a_failed_response_is_ignored() {
        for (result, status) in [("11", "DATA_ERROR"), ("00", "DRAFT"), ("01", "OK")] {
            let mut answer = answer("2022-08-21T18:00:55.400174+05:45");
            answer["result"] = result.into();
            answer["status"] = status.into();
            assert_eq!(from_answer(&answer, 0), None, "{result} {status}");
        }
    }

    #[test]
    fn an_unreadable_or_past_token_expiry_defaults_to_one_hour() {
        let now = 1_700_000_000_000;
        for text in [
            "tomorrow",
            "2022-08-21T18:00:55.400174+05:45",
            "2030-08-21T18:00:55",
        ] {
            assert_eq!(
                from_answer(&answer(text), now).unwrap().expires,
                now + UNKNOWN_LIFE
            );
        }
        assert_eq!(
            from_answer(&serde_json::json!({"data": {"message": "x"}}), 0),
            None
        );
    }
}
