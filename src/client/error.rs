//! Why a platform did not do it.

use serde::Serialize;
use serde_json::Value as Json;

use super::fields;
use crate::transport::error::{ErrorKind, Sent, TransportError, tries_text};
use crate::transport::request::Request;
use crate::transport::response::Response;
use crate::value::secret::names_a_credential;

/// What is told of a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The code.
    pub code: &'static str,
    /// What it means, in full sentences.
    pub meaning: &'static str,
    /// What usually leads to it; each without a full stop.
    pub causes: &'static [&'static str],
    /// What to do, the likeliest first; each without a full stop.
    pub remedies: &'static [&'static str],
    /// How it looks, or a script that deals with it.
    pub example: &'static str,
}

impl Explanation {
    /// The language of the example: a script, or what a terminal shows.
    pub fn language(&self) -> &'static str {
        if self.example.starts_with("provisor ") || self.example.starts_with("$ ") {
            "text"
        } else {
            "rhai"
        }
    }
}

/// A failure that a platform has a code of its own for.
#[derive(Debug)]
pub struct OwnCode {
    /// The code, what it means and what to do: the first remedy is the hint of its errors.
    pub explanation: Explanation,
    /// What follows from it.
    pub cause: Cause,
}

/// Where a failure lies, and so what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// In the credentials that were given: signing in is refused, and asking again is useless. Not recorded, for the request
    /// is tried anew once they are right.
    Credentials,
    /// In the account: signing in is refused, and asking again is useless.
    Account,
    /// In the profile. Not recorded, for the request is tried anew once that is right.
    Profile,
    /// Halfway: what failed has left something on the platform that a second try would double.
    HalfDone,
    /// In the request: provisor itself refuses it before anything is sent, because it would harm the account, however often
    /// it is tried.
    Protection,
}

impl PartialEq for OwnCode {
    fn eq(&self, other: &OwnCode) -> bool {
        self.explanation.code == other.explanation.code
    }
}

impl Eq for OwnCode {}

/// The sort of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// The address may not be used: plain http beyond loopback, the wrong world, not below the account's API.
    Address,
    /// The account refuses the credentials.
    SignInRefused,
    /// The account may not do this.
    Forbidden,
    /// It does not exist.
    NotFound,
    /// It exists already, or two of it do.
    Conflict,
    /// The platform finds the request's content wrong.
    Invalid,
    /// The platform is receiving too many requests.
    RateLimited,
    /// The platform refused the request.
    Refused,
    /// No connection could be made.
    Unreachable,
    /// The platform failed or did not answer in time.
    Unavailable,
    /// The answer cannot be understood.
    Unreadable,
    /// A failure that the platform has a code of its own for.
    Own(&'static OwnCode),
    /// The request would take a secret where it does not belong.
    SecretElsewhere,
    /// An argument does not fit.
    BadInput,
    /// Something on this machine failed: the password cannot be read, or tokens cannot be kept.
    Local,
}

impl ApiErrorKind {
    /// Does the account refuse the credentials, so that asking again is useless and may lock it?
    pub fn refuses_sign_in(self) -> bool {
        match self {
            ApiErrorKind::SignInRefused => true,
            ApiErrorKind::Own(own) => matches!(own.cause, Cause::Credentials | Cause::Account),
            _ => false,
        }
    }
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The sort.
    pub kind: ApiErrorKind,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// What failed and why, the platform's words included, in a sentence without a full stop. Holds no secret.
    pub message: String,
    /// The platform's words alone, without markup and secrets.
    pub platform_text: Option<String>,
    /// Can a change have been carried out all the same? Always `No` for reads.
    pub sent: Sent,
    /// May the same call succeed later without anybody changing anything?
    pub transient: bool,
}

impl ApiError {
    /// A failure that changed nothing and will be the same next time.
    pub fn new(kind: ApiErrorKind, message: impl Into<String>) -> ApiError {
        ApiError {
            kind,
            status: None,
            message: message.into(),
            platform_text: None,
            sent: Sent::No,
            transient: false,
        }
    }

    /// An argument does not fit.
    pub fn bad_input(message: impl Into<String>) -> ApiError {
        ApiError::new(ApiErrorKind::BadInput, message)
    }

    /// A request without an answer.
    pub(crate) fn no_answer(request: &Request, error: &TransportError) -> ApiError {
        let (kind, transient) = match error.kind {
            ErrorKind::Address => (ApiErrorKind::Address, false),
            // The user may allow it, and resume.
            ErrorKind::SecretElsewhere => (ApiErrorKind::SecretElsewhere, true),
            // Neither was anything sent, nor does it say anything of what was asked.
            ErrorKind::Withheld | ErrorKind::Setup => (ApiErrorKind::Local, true),
            // Even a certificate that is not trusted is no refusal to be kept: a profile can name whom to trust.
            ErrorKind::Dns | ErrorKind::Connect | ErrorKind::Tls => (ApiErrorKind::Unreachable, true),
            ErrorKind::Timeout | ErrorKind::Reset => (ApiErrorKind::Unavailable, true),
            ErrorKind::Truncated => (ApiErrorKind::Unreadable, true),
            ErrorKind::TooLarge | ErrorKind::Redirect => (ApiErrorKind::Unreadable, false),
        };
        ApiError {
            transient,
            sent: if request.method.changes() {
                error.sent
            } else {
                Sent::No
            },
            ..ApiError::new(kind, error.to_string())
        }
    }

    /// An answer whose status is not 2xx.
    pub(crate) fn from_answer(request: &Request, response: &Response) -> ApiError {
        let words = platform_words(response);
        let changes = request.method.changes();
        let (kind, transient) = sort(response.status, changes, &words);
        let colon = if words.is_empty() { "" } else { ": " };
        let message = format!(
            "{} was answered with {}{colon}{words}{}",
            request.label(),
            response.status,
            tries_text(response.tries)
        );
        ApiError {
            kind,
            status: Some(response.status),
            message,
            platform_text: Some(words).filter(|words| !words.is_empty()),
            sent: match response.status {
                _ if !changes => Sent::No,
                // A gateway gives up on a request that the platform may still be working on.
                408 | 504 | 524 => Sent::Late,
                500.. => Sent::Maybe,
                _ => Sent::No,
            },
            transient,
        }
    }

    /// An answer that does not say what it should. To a changing request a 2xx says yes all the same.
    ///
    /// Its words are quoted only from a web page: JSON, even half of it, may hold a credential.
    pub(crate) fn unreadable(request: &Request, response: &Response, why: &str) -> ApiError {
        let words = if response.is_html() {
            response.text_excerpt()
        } else {
            String::new()
        };
        let colon = if words.is_empty() { "" } else { ": " };
        let label = request.label();
        ApiError {
            status: Some(response.status),
            platform_text: Some(words.clone()).filter(|words| !words.is_empty()),
            sent: match request.method.changes() {
                true if response.is_success() => Sent::Yes,
                true => Sent::Maybe,
                false => Sent::No,
            },
            ..ApiError::new(
                ApiErrorKind::Unreadable,
                format!("the answer to {label} cannot be used: {why}{colon}{words}"),
            )
        }
    }
}

/// The sort of a failure, and whether it may pass by itself.
fn sort(status: u16, changes: bool, words: &str) -> (ApiErrorKind, bool) {
    match status {
        400 | 422 if says_it_exists(words) => (ApiErrorKind::Conflict, false),
        400 | 422 => (ApiErrorKind::Invalid, false),
        401 => (ApiErrorKind::SignInRefused, false),
        403 => (ApiErrorKind::Forbidden, false),
        404 | 410 => (ApiErrorKind::NotFound, false),
        409 => (ApiErrorKind::Conflict, false),
        429 => (ApiErrorKind::RateLimited, true),
        501 if !changes => (ApiErrorKind::Refused, false),
        408 | 500.. => (ApiErrorKind::Unavailable, true),
        300..400 => (ApiErrorKind::Unreadable, false),
        _ => (ApiErrorKind::Refused, false),
    }
}

/// Some platforms answer conflicts with 400 [assumed] like other mistakes; only the words tell them apart.
fn says_it_exists(words: &str) -> bool {
    let words = words.to_lowercase();
    [
        "already",
        "exists",
        "in use",
        "taken",
        "duplicate",
        "not unique",
        "must be unique",
    ]
    .iter()
    .any(|sign| words.contains(sign))
        && !words.contains("not exist")
        && !words.contains("no longer exists")
}

/// What the platform says: the usual fields of an error document, a bare JSON string, or the text of a page.
fn platform_words(response: &Response) -> String {
    match response.json() {
        Ok(json) => match words_of(&json) {
            Some(words) => response.excerpt_of(&words),
            // Whatever it is, what is named like a credential in it is one.
            None => response.excerpt_of(
                &fields::guarded_by(json, names_a_credential)
                    .to_masked_json()
                    .to_string(),
            ),
        },
        Err(_) => response.text_excerpt(),
    }
}

fn words_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Array(items) => {
            let words: Vec<String> = items.iter().filter_map(words_of).collect();
            (!words.is_empty()).then(|| words.join("; "))
        }
        Json::Object(fields) => {
            let at = |names: &[&str]| names.iter().find_map(|name| words_of(fields.get(*name)?));
            if let Some(words) = at(&["errors"]) {
                return Some(words);
            }
            match (
                at(&["title"]),
                at(&["detail", "message", "error_description", "error"]),
            ) {
                (Some(title), Some(detail)) if title != detail => Some(format!("{title}: {detail}")),
                // Some platforms put their words one level below.
                (title, detail) => detail.or(title).or_else(|| words_of(fields.get("data")?)),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
