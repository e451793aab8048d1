//! Builds the HTTP clients: with or without TLS and proxy, and with name resolution.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::ClientBuilder;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address;
use super::connect_options::{Authorities, ConnectOptions, Identity, Proxies, Proxy, ProxyChoice};
use super::error::{ErrorKind, TransportError};
use super::{HttpConfig, error};
use crate::value::origin::is_local;

/// Idle connections are closed earlier than typical servers close them: a request sent on a closing connection ends up
/// in doubt.
const IDLE: Duration = Duration::from_secs(15);

/// One client per kind of connection, each built on first use.
#[derive(Debug)]
pub(super) struct Clients {
    settings: Settings,
    plain: Built,
    public_plain: Built,
    local_tls: Built,
    public_tls: Built,
}

type Built = OnceLock<Result<reqwest::Client, String>>;

#[derive(Debug, Clone)]
struct Settings {
    connect_timeout: Duration,
    reply_timeout: Duration,
    user_agent: String,
    proxies: Proxies,
    ca: Option<Authorities>,
    identity: Option<Identity>,
}

/// The kind of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionKind {
    /// To this machine, without TLS; never through a proxy.
    Plain,
    /// To the network, without TLS: only for an account whose user accepts that. Through the account's own proxy if it
    /// names one.
    PublicPlain,
    /// To this machine, with TLS; never through a proxy.
    LocalTls,
    /// To the network, with TLS, through the proxy if one is configured.
    PublicTls,
}

impl Clients {
    pub(super) fn new(config: &HttpConfig, connect_options: &ConnectOptions) -> Clients {
        let proxies = match &connect_options.proxy {
            ProxyChoice::Usual => config.proxies.clone(),
            ProxyChoice::Direct => Proxies::default(),
            ProxyChoice::Proxy(proxy) => Proxies {
                https: Some(proxy.clone()),
                http: Some(proxy.clone()),
                ..Proxies::default()
            },
        };
        Clients {
            settings: Settings {
                connect_timeout: connect_options.connect_timeout.unwrap_or(config.connect_timeout),
                reply_timeout: config.reply_timeout,
                user_agent: config.user_agent.clone(),
                proxies,
                ca: connect_options.ca.clone(),
                identity: connect_options.identity.clone(),
            },
            plain: OnceLock::new(),
            public_plain: OnceLock::new(),
            local_tls: OnceLock::new(),
            public_tls: OnceLock::new(),
        }
    }

    /// How long connecting may take.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.settings.connect_timeout
    }

    /// The proxy that this address is reached through, for messages.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<&Proxy> {
        let host = url.host_str()?;
        if address::is_loopback(url) || address::is_sandbox_host(host) {
            return None;
        }
        match url.scheme() {
            "https" => self.settings.proxies.https_for(host),
            _ => self.settings.proxies.http.as_ref(),
        }
    }

    /// Returns the client for this address, which must already have passed the address rules.
    pub(super) fn for_url(&self, url: &Url) -> Result<&reqwest::Client, TransportError> {
        let is_sandbox = url.host_str().is_some_and(address::is_sandbox_host);
        let (built, dial) = match (url.scheme(), address::is_loopback(url)) {
            ("https", false) => (&self.public_tls, ConnectionKind::PublicTls),
            ("https", true) => (&self.local_tls, ConnectionKind::LocalTls),
            (_, false) if !is_sandbox => (&self.public_plain, ConnectionKind::PublicPlain),
            _ => (&self.plain, ConnectionKind::Plain),
        };
        if let (Some(reason), ConnectionKind::PublicTls) = (&self.settings.proxies.unusable, dial) {
            return Err(TransportError::unsent(ErrorKind::Setup, reason.clone()));
        }
        let client = built.get_or_init(|| build(&self.settings, dial));
        client
            .as_ref()
            .map_err(|reason| TransportError::unsent(ErrorKind::Tls, reason.clone()))
    }
}

fn build(settings: &Settings, dial: ConnectionKind) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.reply_timeout)
        .pool_idle_timeout(IDLE)
        // Redirects and retries are decided in this module, never below it: a POST must not be sent twice or elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .dns_resolver(Resolver);
    let builder = match dial {
        ConnectionKind::Plain | ConnectionKind::LocalTls => builder.no_proxy(),
        ConnectionKind::PublicPlain | ConnectionKind::PublicTls => {
            with_proxies(builder.no_proxy(), &settings.proxies, dial)?
        }
    };
    let builder = match dial {
        ConnectionKind::Plain => builder.tls_backend_preconfigured(no_tls()?),
        // A proxy may be reached by TLS even if the platform is not.
        ConnectionKind::LocalTls | ConnectionKind::PublicPlain | ConnectionKind::PublicTls => {
            // An error means that the process already has a provider, which is just as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            with_certificates(builder.tls_version_min(reqwest::tls::Version::TLS_1_2), settings)?
        }
    };
    builder.build().map_err(|reason| {
        let reason = error::root_cause(&reason);
        format!("TLS cannot be set up on this machine: {reason}")
    })
}

/// Uses this proxy and no other; the environment's proxies, where they apply, are already part of `proxies`.
fn with_proxies(
    builder: ClientBuilder,
    proxies: &Proxies,
    dial: ConnectionKind,
) -> Result<ClientBuilder, String> {
    let is_plain = dial == ConnectionKind::PublicPlain;
    let proxy = if is_plain { &proxies.http } else { &proxies.https };
    // reqwest's own `*` excepts names but not addresses.
    let Some(proxy) = proxy.as_ref().filter(|_| !proxies.bypasses_all_hosts()) else {
        return Ok(builder);
    };
    let except = reqwest::NoProxy::from_string(&proxies.except);
    let proxy = if is_plain {
        reqwest::Proxy::http(proxy.wire_address())
    } else {
        reqwest::Proxy::https(proxy.wire_address())
    };
    let proxy = proxy.map_err(|_| "the proxy's address cannot be used".to_owned())?;
    Ok(builder.proxy(proxy.no_proxy(except)))
}

/// Adds the account's certificates to the system's.
fn with_certificates(mut builder: ClientBuilder, settings: &Settings) -> Result<ClientBuilder, String> {
    let unusable = |reason: reqwest::Error| format!("the profile's certificates cannot be used: {reason}");
    if let Some(ca) = &settings.ca {
        let certificates = reqwest::Certificate::from_pem_bundle(&ca.0).map_err(unusable)?;
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(identity) = &settings.identity {
        let identity = reqwest::Identity::from_pem(&identity.wire_pem()).map_err(unusable)?;
        builder = builder.identity(identity);
    }
    Ok(builder)
}

/// A TLS configuration that trusts no certificate: reqwest requires one even for a client that never uses TLS, and
/// reading the system's trust store takes milliseconds.
fn no_tls() -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|reason| reason.to_string())?;
    let no_roots = rustls::RootCertStore::empty();
    Ok(builder.with_root_certificates(no_roots).with_no_client_auth())
}

/// Resolves local names to this machine and all others through the system.
#[derive(Debug)]
struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        if is_local(&Host::Domain(&name)) {
            // Plain http is allowed here, so the name must resolve to this machine, whatever the system's tables say.
            let here = vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
            return Box::pin(async move { Ok(one_of(here)) });
        }
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(one_of(found))
        })
    }
}

fn one_of(addresses: Vec<SocketAddr>) -> Addrs {
    Box::new(addresses.into_iter())
}
