//! Why there is no answer, and whether the request can have been carried out.

use std::error::Error as StdError;

/// Whether a request without an answer can have reached the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was not carried out.
    No,
    /// Nobody knows: the connection broke, or the platform failed.
    Maybe,
    /// Nobody knows, and the platform, or a gateway before it, has taken longer than is waited: it may be at work on it.
    Late,
    /// The platform has said yes, and nothing else that can be used.
    Yes,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The address may not be used, or the request cannot be written. Nothing was sent; trying again is useless.
    Address,
    /// It would take a secret where it does not belong. Nothing was sent; trying again is useless.
    SecretElsewhere,
    /// What this machine is set up with cannot be used, such as its proxy. Nothing was sent; trying again is useless.
    Setup,
    /// It was kept back. Nothing was sent; trying again is useless.
    Withheld,
    /// The host's name has no address. Nothing was sent; tried again.
    Dns,
    /// No connection. Nothing was sent; tried again.
    Connect,
    /// The TLS handshake failed, for example on a certificate. Nothing was sent; trying again is useless.
    Tls,
    /// No full answer in time. Tried again for reads.
    Timeout,
    /// The connection broke before an answer came. Tried again for reads.
    Reset,
    /// The answer broke off or cannot be decoded. Tried again for reads.
    Truncated,
    /// The answer is longer than the limit.
    TooLarge,
    /// The answer sends the request elsewhere, and it was not followed.
    Redirect,
}

impl ErrorKind {
    /// What went wrong, in a few words.
    pub(super) fn words(self) -> &'static str {
        match self {
            ErrorKind::Address => "the address may not be used",
            ErrorKind::SecretElsewhere => "it carries a secret of another account",
            ErrorKind::Setup => "this machine's own setup cannot be used",
            ErrorKind::Withheld => "held back",
            ErrorKind::Dns => "the host has no address",
            ErrorKind::Connect => "no connection",
            ErrorKind::Tls => "no secure connection",
            ErrorKind::Timeout => "not in time",
            ErrorKind::Reset => "the connection broke",
            ErrorKind::Truncated => "the answer broke off",
            ErrorKind::TooLarge => "the answer is too long",
            ErrorKind::Redirect => "sent elsewhere",
        }
    }
}

/// A request that got no answer. Its text names method, host and path, and holds neither query nor secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", tries_text(*.tries))]
pub struct TransportError {
    /// Can it have been carried out?
    pub sent: Sent,
    /// What went wrong.
    pub kind: ErrorKind,
    /// What failed and why, in a sentence without a full stop.
    pub message: String,
    /// How often it was tried.
    pub tries: u32,
}

impl TransportError {
    /// A request that certainly was not carried out.
    pub(super) fn unsent(kind: ErrorKind, message: String) -> TransportError {
        TransportError {
            sent: Sent::No,
            kind,
            message,
            tries: 1,
        }
    }

    /// A request that may have been carried out.
    pub(super) fn in_doubt(kind: ErrorKind, message: String) -> TransportError {
        TransportError {
            sent: Sent::Maybe,
            ..TransportError::unsent(kind, message)
        }
    }
}

/// What to add to a message about something that was tried more than once.
pub(crate) fn tries_text(tries: u32) -> String {
    match tries {
        0 | 1 => String::new(),
        _ => format!(" ({tries} tries)"),
    }
}

/// The failure of TLS itself that is behind this one, when there is one.
pub(super) fn tls_failure<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    chain(error).find_map(|cause| {
        let mut cause: &'a (dyn StdError + 'static) = cause;
        // An I/O error holds what it wraps, and does not name it as its source.
        while let Some(inner) = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            cause = inner;
        }
        cause.downcast_ref()
    })
}

/// Says the server, after the handshake was over for us, that it does not want us? Then it has read no request.
pub(super) fn is_unwelcome(failure: &rustls::Error) -> bool {
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

/// A failure of TLS in the user's terms.
pub(super) fn tls_cause(failure: &rustls::Error) -> String {
    use rustls::{AlertDescription as Alert, CertificateError, Error};
    match failure {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "this machine does not trust the issuer of its certificate; name the issuer's certificate as `ca` in the profile"
                .to_owned()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired; the platform has to renew it, or this machine's clock is wrong".to_owned()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet; is this machine's clock right?".to_owned(),
        // What `openssl req -x509` makes, unless it is told otherwise.
        Error::InvalidCertificate(CertificateError::Other(why))
            if why.to_string().contains("CaUsedAsEndEntity") =>
        {
            "its certificate is one that issues others, which no server may show; it needs one of its own \
             (basicConstraints CA:FALSE), with its issuer's named as `ca` in the profile"
                .to_owned()
        }
        Error::InvalidMessage(_) => "the server does not use TLS; check the port".to_owned(),
        Error::AlertReceived(Alert::HandshakeFailure) => {
            "it has no encryption in common with provisor".to_owned()
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

/// The innermost cause in its own words, but for a proxy's, which the client tells in none.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
    match cause.strip_prefix("tunnel error: ") {
        Some("unsuccessful") => "the proxy did not connect to it".to_owned(),
        Some(why) => format!("the proxy did not connect to it: {why}"),
        None => cause,
    }
}

/// Has this machine refused a further file or connection: `EMFILE` of the process, or `ENFILE` of the system?
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
    fn a_machine_without_file_handles_is_no_platform_that_is_out() {
        for (number, expected) in [(24, true), (23, true), (111, false)] {
            let failed = Failed(std::io::Error::from_raw_os_error(number));
            assert_eq!(is_out_of_handles(&failed), expected, "{number}");
        }
    }
}
