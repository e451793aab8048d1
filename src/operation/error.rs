//! Failures of operations, with stable codes, which scripts may catch.

use super::platform::Platform;
use crate::client::error::{ApiError, ApiErrorKind, Cause, OwnCode};
use crate::journal::JournalError;
use crate::value::{Record, Value};

pub use crate::client::Sent;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// A stable code for each failure that users see. Scripts compare it as `err.kind`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
            /// A platform-specific code.
            Own(&'static OwnCode),
        }

        impl Code {
            /// All codes except platform-specific ones.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// Whether a failure with this code left something on the platform that a second attempt would duplicate.
            pub fn leaves_something_behind(self) -> bool {
                matches!(self, Code::Own(own) if own.cause == Cause::HalfDone)
            }

            /// Whether the failure comes from this machine, its configuration or its credentials rather than from the
            /// platform's handling of the request. Such a failure is not recorded as an outcome, and the request is
            /// tried again.
            pub fn is_local_failure(self) -> bool {
                matches!(
                    self,
                    Code::BadProfile
                        | Code::NoTerminal
                        | Code::SignInRefused
                        | Code::CredentialMissing
                ) || matches!(self, Code::Own(own) if matches!(own.cause, Cause::Credentials | Cause::Profile))
            }

            /// Returns the code as written in scripts and documents.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $text,)*
                    Code::Own(own) => own.explanation.code,
                }
            }
        }
    };
}

codes! {
    /// An argument is invalid.
    BadArgument = "bad_argument",
    /// The profile is not in the configuration, or is incomplete.
    BadProfile = "bad_profile",
    /// The address is not allowed: plain http beyond loopback, another origin, or real instead of simulated or the
    /// reverse.
    BadAddress = "bad_address",
    /// The account refuses the credentials.
    SignInRefused = "sign_in_refused",
    /// The account may not do this.
    Forbidden = "forbidden",
    /// The code is a library's, which may only use the objects it is given.
    NoAuthority = "no_authority",
    /// A secret would be sent to a host where it does not belong.
    SecretElsewhere = "secret_elsewhere",
    /// The resource already exists.
    AlreadyExists = "already_exists",
    /// The same act is already done, and is not repeated without consent.
    AlreadyDone = "already_done",
    /// The resource does not exist.
    NotFound = "not_found",
    /// The resource exists, but its one-time password is no longer available.
    CredentialMissing = "credential_missing",
    /// The platform refused the request.
    Refused = "refused",
    /// The platform is receiving too many requests.
    RateLimited = "rate_limited",
    /// No connection could be made.
    Unreachable = "unreachable",
    /// The platform failed or did not respond in time, and nothing was changed.
    Unavailable = "unavailable",
    /// The response cannot be understood.
    UnreadableAnswer = "unreadable_answer",
    /// The request may or may not have been carried out.
    InDoubt = "in_doubt",
    /// There is no terminal for a question.
    NoTerminal = "no_terminal",
    /// A fault of provisor itself.
    Internal = "internal",
}

impl Code {
    /// Returns the code with this text, unless it is platform-specific.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

/// A failed operation: what failed, why, and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct OpError {
    /// The stable code.
    pub code: Code,
    /// What failed and why, in a sentence without a full stop. Holds no secret.
    pub message: String,
    /// The platform's HTTP status, if it responded.
    pub status: Option<u16>,
    /// What to do next, in a sentence without a full stop.
    pub hint: Option<String>,
    /// Whether the request may have been carried out nevertheless.
    pub sent: Sent,
    /// Whether the same request may succeed later, by itself or once this machine is set up correctly. Never recorded
    /// as a result.
    pub transient: bool,
}

impl OpError {
    /// Creates a failure that changed nothing and that will recur.
    pub fn new(code: Code, message: impl Into<String>) -> OpError {
        OpError {
            code,
            message: message.into(),
            status: None,
            hint: None,
            sent: Sent::No,
            transient: code.is_local_failure(),
        }
    }

    /// Sets what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> OpError {
        self.hint = Some(hint.into());
        self
    }

    /// Marks the request as possibly carried out.
    #[must_use]
    pub fn maybe_sent(mut self) -> OpError {
        self.sent = Sent::Maybe;
        self
    }

    /// Marks the request as carried out, although its result is unknown: the platform reported success.
    #[must_use]
    pub fn carried_out(mut self) -> OpError {
        self.sent = Sent::Yes;
        self
    }

    /// Sets the platform's status.
    #[must_use]
    pub fn status(mut self, status: u16) -> OpError {
        self.status = Some(status);
        self
    }

    /// Converts to the form kept in the journal.
    pub fn to_value(&self) -> Value {
        let mut fields = Record::new();
        fields.insert("code".into(), self.code.as_str().into());
        fields.insert("message".into(), self.message.as_str().into());
        if let Some(status) = self.status {
            fields.insert("status".into(), Value::Int(status.into()));
        }
        if let Some(hint) = &self.hint {
            fields.insert("hint".into(), hint.as_str().into());
        }
        Value::Record(fields)
    }

    /// Reads the form written by [`OpError::to_value`] for an operation of this platform; anything else becomes an
    /// internal error.
    pub fn from_value(platform: &Platform, value: &Value) -> OpError {
        let text = |name: &str| {
            let field = value.as_record().and_then(|fields| fields.get(name));
            field.and_then(Value::as_text).map(str::to_owned)
        };
        let status = match value.as_record().and_then(|fields| fields.get("status")) {
            Some(Value::Int(status)) => u16::try_from(*status).ok(),
            _ => None,
        };
        let code = text("code").and_then(|code| Code::parse(&code).or_else(|| platform.code(&code)));
        OpError {
            code: code.unwrap_or(Code::Internal),
            message: text("message").unwrap_or_else(|| "a recorded failure cannot be read".into()),
            status,
            hint: text("hint"),
            sent: Sent::No,
            transient: false,
        }
    }
}

/// Why a call of an operation has no value.
#[derive(Debug, Clone)]
pub enum CallError {
    /// The operation failed; the script may catch this.
    Failed(OpError),
    /// Another script failed that the operation ran; the script may catch this.
    Thrown(Thrown),
    /// The row must stop; the script cannot catch this.
    Stopped(Stop),
}

/// What a script failed with, as its own `catch` would see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Thrown {
    /// The `kind`.
    pub kind: String,
    /// The `message`. Holds no secret.
    pub message: String,
}

/// Why a row stops before it is finished.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The user cancelled the run.
    Cancelled,
    /// The outcome of a step is not known; only a later lookup or a person can determine it.
    InDoubt {
        /// The step's key as `provisor runs steps` shows it.
        step: String,
        /// The reason, as a sentence without a full stop.
        reason: String,
    },
    /// The journal cannot be written, so nothing more may be sent.
    JournalLost(String),
}

impl From<OpError> for CallError {
    fn from(error: OpError) -> CallError {
        CallError::Failed(error)
    }
}

impl From<Stop> for CallError {
    fn from(stop: Stop) -> CallError {
        CallError::Stopped(stop)
    }
}

impl From<JournalError> for CallError {
    /// An unreadable recorded value stops only the row it belongs to: only a person can tell what it was.
    fn from(error: JournalError) -> CallError {
        CallError::Stopped(match error {
            JournalError::Sealed { place, reason } => Stop::InDoubt {
                step: place,
                reason: format!("its record cannot be read: {reason}"),
            },
            error => Stop::JournalLost(error.to_string()),
        })
    }
}

impl From<ApiError> for OpError {
    fn from(error: ApiError) -> OpError {
        let (code, hint) = match error.kind {
            ApiErrorKind::Address => (Code::BadAddress, None),
            ApiErrorKind::SignInRefused => (
                Code::SignInRefused,
                Some("check the login and password, and that the address belongs to the account"),
            ),
            ApiErrorKind::Forbidden => (
                Code::Forbidden,
                Some("ask the platform whether the account has this permission"),
            ),
            ApiErrorKind::NotFound => (Code::NotFound, None),
            ApiErrorKind::Conflict => (Code::AlreadyExists, None),
            ApiErrorKind::RateLimited => (Code::RateLimited, Some("use fewer --jobs, or run it later")),
            ApiErrorKind::Invalid | ApiErrorKind::Refused => (Code::Refused, None),
            ApiErrorKind::Unreachable => (
                Code::Unreachable,
                Some("check the address and the network; nothing was sent"),
            ),
            ApiErrorKind::Unavailable => (Code::Unavailable, Some("try again later")),
            ApiErrorKind::Unreadable => (
                Code::UnreadableAnswer,
                Some("check that the address belongs to the platform; -v shows the exchange"),
            ),
            ApiErrorKind::Own(own) => (Code::Own(own), own.explanation.remedies.first().copied()),
            ApiErrorKind::SecretElsewhere => (Code::SecretElsewhere, None),
            ApiErrorKind::BadInput => (Code::BadArgument, None),
            ApiErrorKind::Local => (Code::BadProfile, None),
        };
        OpError {
            code,
            message: error.message,
            status: error.status,
            hint: hint.map(str::to_owned),
            sent: error.sent,
            transient: error.transient || code.is_local_failure(),
        }
    }
}
