//! Determines the platform of a request and how it was addressed.

use super::SIMULATORS;
use super::platform::Simulator;

/// How a platform is addressed, and so which URLs its responses contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    /// By host name, as on the real platform. Holds the whole host, with the port if the client named one; on a platform
    /// that gives each account its own host, the part after the account's name.
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
    /// The account, on a platform that gives each account its own host; empty elsewhere.
    pub(super) account: String,
    pub(super) style: Style,
    /// The path below the platform's address, without a leading slash.
    pub(super) path: String,
}

impl Address {
    /// Parses an address from the host as the client named it, and the path. Returns its platform, too.
    ///
    /// A host below `NAME.sandbox` or a first path segment `NAME` belongs to that platform, everything else to the
    /// first.
    pub(super) fn read(host: &str, path: &str) -> (&'static Simulator, Address) {
        let path = path.trim_start_matches('/');
        let name = host_without_port(host);
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let is_served = |simulator: &&Simulator| {
            let below = name.strip_suffix(&format!("{}.sandbox", simulator.name));
            below.is_some_and(|labels| labels.is_empty() || labels.ends_with('.'))
        };
        let by_path = || SIMULATORS.iter().find(|simulator| simulator.name == first);
        let (simulator, style, path) = if let Some(found) = SIMULATORS.iter().find(is_served) {
            (found, Style::Host(host.to_ascii_lowercase()), path)
        } else if let Some(found) = by_path() {
            (found, Style::Path(host.to_owned()), rest)
        } else {
            (&SIMULATORS[0], Style::Path(host.to_owned()), path)
        };
        let address = Address {
            account: String::new(),
            style,
            path: path.to_owned(),
        };
        (simulator, (simulator.address)(address))
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
