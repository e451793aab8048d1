//! Determines the platform of a request and how it was addressed.

use super::mobsted;

/// A simulated platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlatformName {
    Mobsted,
    Jrni,
    Sparrow,
    SparrowBulk,
    Web,
}

/// How a platform is addressed, and so which URLs its responses contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    /// By host name, as on the real platform. Holds the part after the account's name for Mobsted, and the whole host
    /// for others, with the port if the client named one.
    Host(String),
    /// By the first path segment, for clients that cannot resolve the sandbox's host names. Holds the host and port
    /// that the client used.
    Path(String),
}

impl Style {
    /// Returns the URL of a platform with one host for all its accounts: `http://`, without a final slash.
    pub(super) fn root(&self, platform: &str) -> String {
        match self {
            Style::Host(host) => format!("http://{host}"),
            Style::Path(host) => format!("http://{host}/{platform}"),
        }
    }
}

/// The information in the host and path of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) platform: PlatformName,
    /// The account, on a platform that gives each account its own host; empty elsewhere.
    pub(super) account: String,
    pub(super) style: Style,
    /// The path below the platform's address, without a leading slash.
    pub(super) path: String,
}

/// The platforms with one host for all their accounts, by name, as in `jrni.sandbox` and `/jrni/`.
const SHARED: &[(&str, PlatformName)] = &[
    ("jrni", PlatformName::Jrni),
    ("sparrow", PlatformName::Sparrow),
    ("sparrow_bulk", PlatformName::SparrowBulk),
    ("web", PlatformName::Web),
];

impl Address {
    /// Parses an address from the host as the client named it, and the path.
    ///
    /// A host below `NAME.sandbox` or a first path segment `NAME` belongs to that platform. Everything else is Mobsted,
    /// whose accounts are addressed by a host `ACCOUNT-admin.mobsted.sandbox`, with any labels before the server's, or
    /// by a first path segment `ACCOUNT-admin`; without either it is the master account.
    pub(super) fn read(host: &str, path: &str) -> Address {
        let path = path.trim_start_matches('/');
        let name = host_without_port(host);
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        for (label, platform) in SHARED {
            let server = format!("{label}.sandbox");
            let by_host = name == server || name.ends_with(&format!(".{server}"));
            if !by_host && first != *label {
                continue;
            }
            let (style, path) = if by_host {
                (Style::Host(host.to_ascii_lowercase()), path)
            } else {
                (Style::Path(host.to_owned()), rest)
            };
            return Address {
                platform: *platform,
                account: String::new(),
                style,
                path: path.to_owned(),
            };
        }
        Address::mobsted(host, &name, path)
    }

    fn mobsted(host: &str, name: &str, path: &str) -> Address {
        let server = mobsted::SERVER;
        let named = name
            .find("-admin.")
            .filter(|_| name.ends_with(&format!(".{server}")));
        let (account, style, path) = if let Some(at) = named {
            let (account, rest) = name.split_at(at);
            (account, Style::Host(rest.to_owned()), path)
        } else {
            let (first, rest) = path.split_once('/').unwrap_or((path, ""));
            let style = Style::Path(host.to_owned());
            match first.strip_suffix("-admin") {
                Some(account) => (account, style, rest),
                None => (mobsted::MASTER, style, path),
            }
        };
        Address {
            platform: PlatformName::Mobsted,
            account: account.to_owned(),
            style,
            path: path.strip_prefix("api/v8/").unwrap_or_default().to_owned(),
        }
    }
}

/// Returns a host in lower case without its port.
fn host_without_port(host: &str) -> String {
    host.rsplit_once(':')
        .map_or(host, |(name, _)| name)
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
