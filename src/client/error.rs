//! Why a call to a platform failed.

use serde::Serialize;
use serde_json::Value as Json;

use super::fields;
use crate::transport::error::{ErrorKind, Sent, TransportError, tries_text};
use crate::transport::request::Request;
use crate::transport::response::Response;
use crate::value::secret::names_a_credential;

/// The explanation of a stable error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The code.
    pub code: &'static str,
    /// What it means, in full sentences.
    pub meaning: &'static str,
    /// The usual causes; each without a full stop.
    pub causes: &'static [&'static str],
    /// What to do, most likely first; each without a full stop.
    pub remedies: &'static [&'static str],
    /// Sample output, or a script that handles the error.
    pub example: &'static str,
}

impl Explanation {
    /// The language of the example: `rhai`, or `text` for terminal output.
    pub fn language(&self) -> &'static str {
        if self.example.starts_with("provisor ") || self.example.starts_with("$ ") {
            "text"
        } else {
            "rhai"
        }
    }
}

/// A failure with a platform-specific code.
#[derive(Debug)]
pub struct OwnCode {
    /// The code, its meaning and its remedies; the first remedy becomes the hint of its errors.
    pub explanation: Explanation,
    /// Where the failure lies.
    pub cause: Cause,
}

/// Where a failure lies, which determines how it is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The given credentials: sign-in is refused, and retrying is useless. Not recorded, since the request is retried
    /// once they are corrected.
    Credentials,
    /// The account: sign-in is refused, and retrying is useless.
    Account,
    /// The profile. Not recorded, since the request is retried once the profile is corrected.
    Profile,
    /// Partial completion: the failed call left something on the platform that a retry would duplicate.
    HalfDone,
    /// The request: provisor itself refuses to send it, however often it is tried, because it would harm the account.
    Protection,
    /// The request: the platform refuses it, and nothing was done.
    Refusal,
}

impl PartialEq for OwnCode {
    fn eq(&self, other: &OwnCode) -> bool {
        self.explanation.code == other.explanation.code
    }
}

impl Eq for OwnCode {}

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// The address may not be used: plain http beyond loopback, sandbox and real platform mixed up, or not below the
    /// account's API.
    Address,
    /// The account refuses the credentials.
    SignInRefused,
    /// The account lacks the permission.
    Forbidden,
    /// It does not exist.
    NotFound,
    /// It exists already, or more than once.
    Conflict,
    /// The platform rejects the request's content.
    Invalid,
    /// The platform is receiving too many requests.
    RateLimited,
    /// The platform refused the request.
    Refused,
    /// No connection could be made.
    Unreachable,
    /// The platform failed or did not respond in time.
    Unavailable,
    /// The response cannot be understood.
    Unreadable,
    /// A failure with a platform-specific code.
    Own(&'static OwnCode),
    /// The request would send a secret to a place where it does not belong.
    SecretElsewhere,
    /// An argument is invalid.
    BadInput,
    /// Something on this machine failed: the password cannot be read, or tokens cannot be stored.
    Local,
}

impl ApiErrorKind {
    /// Whether the account refuses the credentials, so that retrying is useless and may lock it.
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
    /// The kind.
    pub kind: ApiErrorKind,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// What failed and why, including the platform's own text, as a sentence without a full stop. Contains no secret.
    pub message: String,
    /// The platform's own text, without markup and secrets.
    pub platform_text: Option<String>,
    /// Whether a change may have been carried out all the same. Always `No` for reads.
    pub sent: Sent,
    /// Whether the same call may succeed later without any intervention.
    pub transient: bool,
}

impl ApiError {
    /// A permanent failure that changed nothing.
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

    /// An invalid argument.
    pub fn bad_input(message: impl Into<String>) -> ApiError {
        ApiError::new(ApiErrorKind::BadInput, message)
    }

    /// A request without a response.
    pub(crate) fn no_answer(request: &Request, error: &TransportError) -> ApiError {
        let (kind, transient) = match error.kind {
            ErrorKind::Address => (ApiErrorKind::Address, false),
            // The user may allow it and resume.
            ErrorKind::SecretElsewhere => (ApiErrorKind::SecretElsewhere, true),
            // Nothing was sent, and the failure is not about the request itself.
            ErrorKind::Withheld | ErrorKind::Setup => (ApiErrorKind::Local, true),
            // Not even an untrusted certificate is recorded as a refusal: a profile can name a CA to trust.
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

    /// A response whose status is not 2xx.
    pub(crate) fn from_answer(request: &Request, response: &Response) -> ApiError {
        let platform_text = platform_words(response);
        let changes = request.method.changes();
        let (kind, transient) = sort(response.status, changes, &platform_text);
        let colon = if platform_text.is_empty() { "" } else { ": " };
        let message = format!(
            "{} was answered with {}{colon}{platform_text}{}",
            request.label(),
            response.status,
            tries_text(response.tries)
        );
        ApiError {
            kind,
            status: Some(response.status),
            message,
            platform_text: Some(platform_text).filter(|platform_text| !platform_text.is_empty()),
            sent: match response.status {
                _ if !changes => Sent::No,
                // A gateway may time out while the platform is still working on the request.
                408 | 504 | 524 => Sent::Late,
                // A redirect may be the answer to a request that was carried out.
                300..400 | 500.. => Sent::Maybe,
                _ => Sent::No,
            },
            transient,
        }
    }

    /// A response whose body is not as expected. For a changing request a 2xx still counts as success.
    ///
    /// Its text is quoted only if it is a web page: JSON, even truncated, may contain a credential.
    pub(crate) fn unreadable(request: &Request, response: &Response, reason: &str) -> ApiError {
        let platform_text = if response.is_html() {
            response.text_excerpt()
        } else {
            String::new()
        };
        let colon = if platform_text.is_empty() { "" } else { ": " };
        let label = request.label();
        ApiError {
            status: Some(response.status),
            platform_text: Some(platform_text.clone()).filter(|platform_text| !platform_text.is_empty()),
            sent: match request.method.changes() {
                true if response.is_success() => Sent::Yes,
                true => Sent::Maybe,
                false => Sent::No,
            },
            ..ApiError::new(
                ApiErrorKind::Unreadable,
                format!("the response to {label} cannot be used: {reason}{colon}{platform_text}"),
            )
        }
    }
}

/// The kind of a failure, and whether it is transient.
fn sort(status: u16, changes: bool, platform_text: &str) -> (ApiErrorKind, bool) {
    match status {
        400 | 422 if is_conflict_text(platform_text) => (ApiErrorKind::Conflict, false),
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

/// Some platforms report conflicts with 400 (assumed), like other mistakes; only the text tells them apart.
fn is_conflict_text(platform_text: &str) -> bool {
    let platform_text = platform_text.to_lowercase();
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
    .any(|sign| platform_text.contains(sign))
        && !platform_text.contains("not exist")
        && !platform_text.contains("no longer exists")
}

/// The platform's message: the usual fields of an error document, a bare JSON string, or the text of a page.
fn platform_words(response: &Response) -> String {
    match response.json() {
        Ok(json) => match message_in(&json) {
            Some(platform_text) => response.excerpt_of(&platform_text),
            // Any field in it that is named like a credential is masked.
            None => response.excerpt_of(
                &fields::mark_credentials_by(json, names_a_credential)
                    .to_masked_json()
                    .to_string(),
            ),
        },
        Err(_) => response.text_excerpt(),
    }
}

fn message_in(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Array(items) => {
            let platform_text: Vec<String> = items.iter().filter_map(message_in).collect();
            (!platform_text.is_empty()).then(|| platform_text.join("; "))
        }
        Json::Object(fields) => {
            let at = |names: &[&str]| names.iter().find_map(|name| message_in(fields.get(*name)?));
            if let Some(platform_text) = at(&["errors"]) {
                return Some(platform_text);
            }
            match (
                at(&["title"]),
                at(&["detail", "message", "error_description", "error"]),
            ) {
                (Some(title), Some(detail)) if title != detail => Some(format!("{title}: {detail}")),
                // Some platforms nest the message one level deeper.
                (title, detail) => detail.or(title).or_else(|| message_in(fields.get("data")?)),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
