//! Errors of requests that got no response, and whether such a request may have been carried out.

use std::error::Error as StdError;

/// Whether a request without a response may have reached the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was not carried out.
    No,
    /// Unknown: the connection broke, or the platform failed.
    Maybe,
    /// Unknown, and the platform or a gateway exceeded the timeout: the request may still be in progress.
    Late,
    /// The platform reported success, but the rest of its response is unusable.
    Yes,
}

/// The kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The address is not allowed, or the request cannot be encoded. Nothing was sent; not retried.
    Address,
    /// The request would send a secret to a foreign origin. Nothing was sent; not retried.
    SecretElsewhere,
    /// Something configured on this machine is unusable, such as its proxy. Nothing was sent; not retried.
    Setup,
    /// The request was held back. Nothing was sent; not retried.
    Withheld,
    /// The host's name does not resolve. Nothing was sent; retried.
    Dns,
    /// No connection. Nothing was sent; retried.
    Connect,
    /// The TLS handshake failed, for example because of a certificate. Nothing was sent; not retried.
    Tls,
    /// No complete response before the timeout. Retried for reads.
    Timeout,
    /// The connection broke before the response. Retried for reads.
    Reset,
    /// The response broke off or cannot be decoded. Retried for reads.
    Truncated,
    /// The response exceeds the size limit.
    TooLarge,
    /// The response is a redirect that was not followed.
    Redirect,
}

impl ErrorKind {
    /// A short description of the failure.
    pub(super) fn words(self) -> &'static str {
        match self {
            ErrorKind::Address => "the address may not be used",
            ErrorKind::SecretElsewhere => "it contains a secret of another account",
            ErrorKind::Setup => "this machine's own setup cannot be used",
            ErrorKind::Withheld => "held back",
            ErrorKind::Dns => "the host has no address",
            ErrorKind::Connect => "no connection",
            ErrorKind::Tls => "no secure connection",
            ErrorKind::Timeout => "timed out",
            ErrorKind::Reset => "the connection broke",
            ErrorKind::Truncated => "the response broke off",
            ErrorKind::TooLarge => "the response is too long",
            ErrorKind::Redirect => "sent elsewhere",
        }
    }
}

/// A request that got no response. Its text names method, host and path, and contains neither query nor secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", tries_text(*.tries))]
pub struct TransportError {
    /// Whether it may have been carried out.
    pub sent: Sent,
    /// The kind of failure.
    pub kind: ErrorKind,
    /// What failed and why: a sentence without a full stop.
    pub message: String,
    /// The number of attempts.
    pub tries: u32,
}

impl TransportError {
    /// An error for a request that certainly was not carried out.
    pub(super) fn unsent(kind: ErrorKind, message: String) -> TransportError {
        TransportError {
            sent: Sent::No,
            kind,
            message,
            tries: 1,
        }
    }

    /// An error for a request that may have been carried out.
    pub(super) fn in_doubt(kind: ErrorKind, message: String) -> TransportError {
        TransportError {
            sent: Sent::Maybe,
            ..TransportError::unsent(kind, message)
        }
    }
}

/// A suffix for messages about requests that were attempted more than once; otherwise empty.
pub(crate) fn tries_text(tries: u32) -> String {
    match tries {
        0 | 1 => String::new(),
        _ => format!(" ({tries} tries)"),
    }
}

/// The TLS failure in this error's chain of causes, if there is one.
pub(super) fn tls_failure<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    chain(error).find_map(|cause| {
        let mut cause: &'a (dyn StdError + 'static) = cause;
        // An I/O error contains the error that it wraps but does not return it as its source.
        while let Some(inner) = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            cause = inner;
        }
        cause.downcast_ref()
    })
}

/// Whether the server rejected our certificate after our side of the handshake was complete; it then read no request.
pub(super) fn is_client_cert_rejected(failure: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        failure,
        rustls::Error::AlertReceived(
            Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
        )
    )
}

/// Describes a TLS failure in the user's terms.
pub(super) fn tls_cause(failure: &rustls::Error) -> String {
    use rustls::{AlertDescription as Alert, CertificateError, Error};
    match failure {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "this machine does not trust the issuer of its certificate; name the issuer's certificate as `ca` in the profile"
                .to_owned()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired; the platform must renew it, or this machine's clock is wrong".to_owned()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet; is this machine's clock right?".to_owned(),
        // `openssl req -x509` creates such certificates by default.
        Error::InvalidCertificate(CertificateError::Other(reason))
            if reason.to_string().contains("CaUsedAsEndEntity") =>
        {
            "its certificate is an issuer's certificate, which a server must not use; it needs its own (basicConstraints \
             CA:FALSE), with the issuer's named as `ca` in the profile"
                .to_owned()
        }
        Error::InvalidMessage(_) => "the server does not use TLS; check the port".to_owned(),
        Error::AlertReceived(Alert::HandshakeFailure) => {
            "it supports no encryption that provisor supports".to_owned()
        }
        Error::AlertReceived(Alert::CertificateRequired) => {
            "it requires a client certificate; name one as `client_cert` in the profile".to_owned()
        }
        Error::PeerIncompatible(rustls::PeerIncompatible::ServerDoesNotSupportTls12Or13)
        | Error::AlertReceived(Alert::ProtocolVersion) => {
            "it supports only insecure versions of TLS; provisor needs TLS 1.2 or newer".to_owned()
        }
        other => other.to_string(),
    }
}

/// The text of the innermost cause, with the proxy errors of the HTTP client made readable.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
    match cause.strip_prefix("tunnel error: ") {
        Some("unsuccessful") => "the proxy did not connect to it".to_owned(),
        Some(reason) => format!("the proxy did not connect to it: {reason}"),
        None => cause,
    }
}

/// Whether this process (`EMFILE`) or the whole system (`ENFILE`) has reached its limit of open files.
pub(super) fn is_out_of_handles(error: &(dyn StdError + 'static)) -> bool {
    let number = |cause: &(dyn StdError + 'static)| cause.downcast_ref::<std::io::Error>()?.raw_os_error();
    chain(error).any(|cause| matches!(number(cause), Some(23 | 24)))
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it failed")]
    struct Failed(#[source] std::io::Error);

    #[test]
    fn too_many_open_files_is_distinguished_from_a_refused_connection() {
        for (number, expected) in [(24, true), (23, true), (111, false)] {
            let failed = Failed(std::io::Error::from_raw_os_error(number));
            assert_eq!(is_out_of_handles(&failed), expected, "{number}");
        }
    }
}
