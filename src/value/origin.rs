//! The normalized origin of an account or a secret: a host and its port.

use std::fmt;
use std::sync::Arc;

use url::{Host, Url};

use crate::sandbox::HOSTS;

/// A host and its port in normal form: lower case, no trailing dot, every name of this machine as `localhost`, and no
/// port if it is 443. Sandbox hosts never have a port: they are names, not network locations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// Returns the origin of a URL, or `None` if it has no host.
    pub fn of(url: &Url) -> Option<Origin> {
        let host = match url.host()? {
            host if is_local(&host) => "localhost".to_owned(),
            Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
            other => other.to_string(),
        };
        if host.is_empty() {
            return None;
        }
        let port = url.port_or_known_default().filter(|port| *port != 443);
        let text = match port.filter(|_| !is_sandbox_host(&host)) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Some(Origin(text.into()))
    }

    /// Parses `crm.example.com`, `localhost:8080` or a whole URL. The default scheme is https.
    pub fn parse(text: &str) -> Option<Origin> {
        let text = text.trim();
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        Origin::of(&Url::parse(&full).ok()?)
    }

    /// Whether this is a sandbox host.
    pub fn is_simulated(&self) -> bool {
        is_sandbox_host(&self.0)
    }

    /// Returns the text form: `crm.example.com`, `localhost:8080`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether this host belongs to the sandbox.
pub fn is_sandbox_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    HOSTS.iter().any(|server| {
        host.strip_suffix(server)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether the host is this machine: `127.0.0.0/8`, `::1`, `localhost` or a name below it (RFC 6761).
pub fn is_local<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|mapped| mapped.is_loopback())
        }
        Host::Domain(name) => {
            let name = name.as_ref().trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn spellings_of_one_host_are_one_origin() {
        for (one, other) in [
            ("https://API.example.com./x", "api.example.com"),
            ("https://api.example.com:443", "api.example.com"),
            ("http://localhost:8080", "http://127.0.0.1:8080/items"),
            ("http://localhost:8080", "http://[::1]:8080"),
            ("http://localhost:8080", "http://127.9.9.9:8080"),
            ("http://localhost:8080", "http://[::ffff:127.0.0.1]:8080"),
            ("http://localhost:8080", "http://app.localhost.:8080"),
            (
                "http://a-admin.mobsted.sandbox",
                "https://a-admin.mobsted.sandbox",
            ),
            ("https://bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(
                Origin::parse(one).unwrap(),
                Origin::parse(other).unwrap(),
                "{one}"
            );
        }
        for (one, other) in [
            ("https://api.example.com", "https://api.example.com.evil.example"),
            ("https://api.example.com", "https://api.example.com:8443"),
            ("http://localhost:8080", "http://localhost:8081"),
            ("https://example.com", "https://api.example.com"),
        ] {
            assert_ne!(
                Origin::parse(one).unwrap(),
                Origin::parse(other).unwrap(),
                "{one}"
            );
        }
    }

    #[test]
    fn only_hosts_that_the_sandbox_serves_are_simulated() {
        for (host, simulated) in [
            ("http://a-admin.mobsted.sandbox:9", true),
            ("https://web.sandbox", true),
            ("https://intranet.sandbox:8443", false),
            ("https://web.sandbox.example", false),
        ] {
            let origin = Origin::parse(host).unwrap();
            assert_eq!(origin.is_simulated(), simulated, "{host}");
            assert_eq!(
                origin.as_str().contains(':'),
                !simulated && host.contains(":8443")
            );
        }
    }

    #[test]
    fn text_without_a_host_has_no_origin() {
        for text in ["", "data:text/plain,x", "not a host"] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
