//! Masks what must not be shown of a response: credential fields, and text that repeats a secret of the request.

use serde_json::Value as Json;

use crate::client::fields;
use crate::transport::request::Request;
use crate::value::secret::{Scrubber, Secret};
use crate::value::{Record, Value};

/// Headers whose values are credentials, besides those whose names indicate it.
const CREDENTIALS: &[&str] = &[
    "set-cookie",
    "cookie",
    "authorization",
    "proxy-authorization",
    "x-api-key",
];

/// Masks the secrets of a request.
pub(super) struct Guard(Scrubber);

impl Guard {
    pub(super) fn new(request: &Request) -> Guard {
        Guard(request.scrubber())
    }

    /// Converts a JSON response to a value.
    pub(super) fn json(&self, json: Json) -> Value {
        fields::mark_credentials(json).mark_known_secrets(&self.0)
    }

    /// Converts text; all of it becomes secret if it repeats a secret.
    pub(super) fn text(&self, text: &str) -> Value {
        Value::from(text).mark_known_secrets(&self.0)
    }

    /// Headers by name.
    pub(super) fn headers<'a>(&self, headers: impl Iterator<Item = (&'a str, &'a str)>) -> Record {
        let mut record = Record::new();
        for (name, text) in headers {
            let credential = CREDENTIALS.contains(&name) || fields::is_credential_field(name);
            let value = if credential {
                Value::Secret(Secret::new(text))
            } else {
                self.text(text)
            };
            match record.get_mut(name) {
                None => {
                    record.insert(name.to_owned(), value);
                }
                Some(Value::List(items)) => items.push(value),
                Some(first) => *first = Value::List(vec![first.clone(), value]),
            }
        }
        record
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::transport::request::{Method, Request};

    fn guard() -> Guard {
        let url = "https://api.example/".parse().unwrap();
        let mut request = Request::new(Method::Get, url).bearer(&Secret::new("tok-12345"));
        request.basic = Some(("ann".into(), Secret::new("horse-battery")));
        Guard::new(&request)
    }

    #[test]
    fn a_response_that_echoes_a_request_secret_is_masked() {
        let answer = serde_json::json!({
            "echo": "Bearer tok-12345",
            "deep": [{"x": "horse-battery", "y": "YW5uOmhvcnNlLWJhdHRlcnk="}],
            "api_token": "other",
            "plain": "words",
        });
        let Value::Record(fields) = guard().json(answer) else {
            panic!("not a map");
        };
        assert!(matches!(fields["echo"], Value::Secret(_)));
        assert!(matches!(fields["api_token"], Value::Secret(_)));
        assert_eq!(fields["plain"], "words".into());
        let shown = Value::Record(fields).to_masked_json().to_string();
        assert!(!shown.contains("horse") && !shown.contains("YW5u"), "{shown}");
    }

    #[test]
    fn ordinary_response_fields_are_not_mistaken_for_credentials() {
        let answer = serde_json::json!({
            "plan": "Basic Plan-2026", "usage": {"total_tokens": 5, "completionTokens": "7"}, "nextPageToken": "p-2",
            "passwordPolicy": "strict", "token": 12, "auth": "Bearer abcdef123456", "jwt_like": "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        });
        let Value::Record(fields) = guard().json(answer.clone()) else {
            panic!("not a map");
        };
        assert_eq!(Value::Record(fields), Value::from_json(answer));
        for name in [
            "password",
            "UserPassword",
            "smtp_password",
            "access_token",
            "API-Key",
            "clientSecret",
            "otp",
        ] {
            let answer = serde_json::json!({ name: "horse" });
            assert!(guard().json(answer).has_secret(), "{name}");
        }
    }

    #[test]
    fn headers_are_grouped_and_cookies_are_secrets() {
        let headers = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-total", "7")];
        let record = guard().headers(headers.into_iter());
        assert_eq!(record["x-total"], "7".into());
        let Value::List(cookies) = &record["set-cookie"] else {
            panic!("not a list");
        };
        assert!(cookies.iter().all(|cookie| matches!(cookie, Value::Secret(_))));
    }
}
