//! Server and client certificates, and proxies.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::transport::connect_options::{Authorities, ConnectOptions, Identity, Proxies, Proxy, ProxyChoice};

/// A certificate authority that is not trusted by default.
struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        Authority::named("test authority")
    }

    fn named(name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).unwrap();
        Authority {
            pem: own.pem(),
            der: own.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    fn certify(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn trusted(&self) -> ConnectOptions {
        ConnectOptions {
            ca: Some(Authorities::parse(self.pem.as_bytes()).unwrap()),
            ..ConnectOptions::default()
        }
    }

    /// A server with a certificate for `name` that may also request a client certificate of this authority.
    fn acceptor(&self, name: &str, asks: bool) -> TlsAcceptor {
        let (certificate, key) = self.certify(name);
        self.accepting(&certificate, &key, asks)
    }

    fn accepting(&self, certificate: &rcgen::Certificate, key: &KeyPair, asks: bool) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(self.der.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Responds to the first request of each TLS connection with `{}`.
async fn answer(acceptor: &TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut request = vec![0; 4096];
    if stream.read(&mut request).await.is_ok_and(|count| count > 0) {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        let _ = stream.write_all(text).await;
        let _ = stream.shutdown().await;
    }
}

async fn serve(acceptor: TlsAcceptor) -> url::Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            answer(&acceptor, stream).await;
        }
    });
    url::Url::parse(&format!("https://localhost:{port}/x")).unwrap()
}

async fn ask(connect_options: &ConnectOptions, url: &url::Url) -> Result<u16, TransportError> {
    let http = Http::new(HttpConfig::default(), Clock::frozen(0)).with_connect_options(connect_options);
    let answer = http.send(&Request::new(Method::Get, url.clone())).await;
    answer.map(|answer| answer.status)
}

#[tokio::test]
async fn a_server_is_trusted_only_with_the_configured_ca() {
    let authority = Authority::new();
    let url = serve(authority.acceptor("localhost", false)).await;
    assert_eq!(ask(&authority.trusted(), &url).await, Ok(200));

    for connect_options in [
        ConnectOptions::default(),
        Authority::named("somebody else").trusted(),
    ] {
        let error = ask(&connect_options, &url).await.unwrap_err();
        assert_failed(&error, ErrorKind::Tls, Sent::No, 1);
        let text = error.to_string();
        assert!(text.starts_with("no secure connection to localhost:"), "{text}");
        assert!(
            text.contains("this machine does not trust the issuer") && text.contains("`ca`"),
            "{text}"
        );
    }

    let other_name = serve(authority.acceptor("elsewhere.example", false)).await;
    let error = ask(&authority.trusted(), &other_name).await.unwrap_err();
    assert_failed(&error, ErrorKind::Tls, Sent::No, 1);
}

#[tokio::test]
async fn an_invalid_server_certificate_is_refused_with_a_reason() {
    let authority = Authority::new();
    let with = |change: fn(&mut CertificateParams)| {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority.issuer).unwrap();
        authority.accepting(&certificate, &key, false)
    };
    for (acceptor, said) in [
        (
            with(|params| params.not_after = rcgen::date_time_ymd(2001, 1, 1)),
            "has expired",
        ),
        (
            with(|params| params.not_before = rcgen::date_time_ymd(2900, 1, 1)),
            "is not valid yet",
        ),
        (
            with(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            "an issuer's certificate",
        ),
    ] {
        let error = ask(&authority.trusted(), &serve(acceptor).await)
            .await
            .unwrap_err();
        assert_failed(&error, ErrorKind::Tls, Sent::No, 1);
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let url = url::Url::parse(&format!("https://localhost:{port}/x")).unwrap();
    let error = ask(&ConnectOptions::default(), &url).await.unwrap_err();
    assert_failed(&error, ErrorKind::Tls, Sent::No, 1);
    assert!(error.to_string().contains("does not use TLS"), "{error}");
}

#[tokio::test]
async fn a_client_certificate_is_sent_when_the_server_requests_it() {
    let authority = Authority::new();
    let url = serve(authority.acceptor("localhost", true)).await;
    let (certificate, key) = authority.certify("client.example");
    let identity = Identity::parse(certificate.pem().as_bytes(), &Secret::new(key.serialize_pem())).unwrap();
    let connect_options = ConnectOptions {
        identity: Some(identity),
        ..authority.trusted()
    };
    assert_eq!(ask(&connect_options, &url).await, Ok(200));
    // In TLS 1.3 the rejection arrives after our side of the handshake; or the connection is closed before it is read.
    let error = ask(&authority.trusted(), &url).await.unwrap_err();
    let told = error.kind == ErrorKind::Tls && error.to_string().contains("`client_cert`");
    assert!(told || error.kind == ErrorKind::Reset, "{error}");
}

#[test]
fn unusable_certificates_and_keys_are_refused_with_a_reason() {
    let authority = Authority::new();
    let (certificate, key) = authority.certify("client.example");
    let (_, other) = authority.certify("client.example");
    let secret = |key: &KeyPair| Secret::new(key.serialize_pem());
    let pem = certificate.pem();
    assert!(Identity::parse(pem.as_bytes(), &secret(&key)).is_ok());
    let reason = Identity::parse(pem.as_bytes(), &secret(&other)).unwrap_err();
    assert_eq!(reason, "the key does not belong to the certificate");
    let reason = Identity::parse(b"hello", &secret(&key)).unwrap_err();
    assert_eq!(reason, "the certificate's file holds no PEM certificate");
    let reason = Identity::parse(pem.as_bytes(), &Secret::new("s3cret")).unwrap_err();
    assert!(
        reason.starts_with("the key's file holds no PEM key") && !reason.contains("s3cret"),
        "{reason}"
    );
    assert_eq!(Authorities::parse(b"").unwrap_err(), "holds no PEM certificate");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let reason = Authorities::parse(broken.as_bytes()).unwrap_err();
    assert!(
        reason.starts_with("holds a certificate that cannot be trusted"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_server_with_old_tls_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url::Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = vec![0; 4096];
            let _ = stream.read(&mut hello).await;
            // A ServerHello of TLS 1.1: version, 32 random bytes, no session, AES-128-SHA, no compression.
            let mut body = vec![0x03, 0x02];
            body.extend([7; 32]);
            body.extend([0, 0x00, 0x2f, 0]);
            let mut record = vec![0x16, 0x03, 0x02, 0, 42, 0x02, 0, 0, 38];
            record.extend(body);
            let _ = stream.write_all(&record).await;
            let _ = stream.read(&mut hello).await;
        }
    });
    let error = ask(&Authority::new().trusted(), &url).await.unwrap_err();
    assert_failed(&error, ErrorKind::Tls, Sent::No, 1);
    assert!(error.to_string().contains("provisor needs TLS 1.2"), "{error}");
}

/// A proxy that leads all connections to one TLS server, and records the requests.
async fn proxy(acceptor: TlsAcceptor) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (
        listener.local_addr().unwrap(),
        Arc::<Mutex<Vec<String>>>::default(),
    );
    let notes = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let head = String::from_utf8(head).unwrap();
            let refused = head.contains("refused.example");
            notes.lock().unwrap().push(head);
            if refused {
                let _ = stream
                    .write_all(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
                    .await;
                continue;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            answer(&acceptor, stream).await;
        }
    });
    (address, asked)
}

#[tokio::test]
async fn remote_hosts_use_the_proxy_and_loopback_does_not() {
    let authority = Authority::new();
    let (address, asked) = proxy(authority.acceptor("acme.example", false)).await;
    let through = |text: &str| ConnectOptions {
        proxy: ProxyChoice::Proxy(Proxy::parse(text).unwrap()),
        ..authority.trusted()
    };
    let acme = url::Url::parse("https://acme.example/x").unwrap();
    assert_eq!(ask(&through(&format!("http://{address}")), &acme).await, Ok(200));
    let known = through(&format!("http://ann:pass%20word@{address}"));
    assert_eq!(ask(&known, &acme).await, Ok(200));
    let heads = asked.lock().unwrap().clone();
    assert!(heads[0].starts_with("CONNECT acme.example:443 "), "{heads:?}");
    assert!(
        !heads[0].to_lowercase().contains("proxy-authorization"),
        "{heads:?}"
    );
    // ann:pass word
    assert!(heads[1].contains("Basic YW5uOnBhc3Mgd29yZA=="), "{heads:?}");

    let local = serve(authority.acceptor("localhost", false)).await;
    assert_eq!(ask(&known, &local).await, Ok(200));
    let plain = Server::start(|_, _| Act::json(200, "{}")).await;
    assert_eq!(ask(&known, &plain.url("/x")).await, Ok(200));
    assert_eq!(asked.lock().unwrap().len(), 2, "only what is not on this machine");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_credentials() {
    let authority = Authority::new();
    let (address, _) = proxy(authority.acceptor("acme.example", false)).await;
    let connect_options = ConnectOptions {
        proxy: ProxyChoice::Proxy(Proxy::parse(&format!("http://ann:s3cret-pw@{address}")).unwrap()),
        ..ConnectOptions::default()
    };
    let url = url::Url::parse("https://refused.example/x").unwrap();
    let error = ask(&connect_options, &url).await.unwrap_err();
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Connect, Sent::No),
        "{error}"
    );
    let text = format!("{error} {error:?} {connect_options:?}");
    assert!(
        text.contains(&format!("refused.example through the proxy http://{address}")),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn the_default_proxy_applies_unless_no_proxy_or_direct_is_set() {
    let authority = Authority::new();
    let (address, asked) = proxy(authority.acceptor("255.255.255.255", false)).await;
    // Nothing can be sent to that address, so only the proxy can have responded.
    let nowhere = url::Url::parse("https://255.255.255.255/x").unwrap();
    let ask = |connect_options: ConnectOptions, except: &str| {
        let config = HttpConfig {
            proxies: Proxies {
                https: Proxy::parse(&address.to_string()).ok(),
                http: None,
                except: except.to_owned(),
                unusable: None,
            },
            ..HttpConfig::default()
        };
        let http = Http::new(config, Clock::frozen(0)).with_connect_options(&connect_options);
        let request = Request::new(Method::Get, nowhere.clone());
        async move { http.send(&request).await.map(|answer| answer.status) }
    };
    assert_eq!(
        ask(authority.trusted(), "other.example, 10.0.0.0/8").await,
        Ok(200)
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
    for except in ["255.255.255.255", "255.255.0.0/16", "*"] {
        let error = ask(authority.trusted(), except).await.unwrap_err();
        assert_failed(&error, ErrorKind::Connect, Sent::No, 4);
    }
    let direct = ConnectOptions {
        proxy: ProxyChoice::Direct,
        ..authority.trusted()
    };
    assert_eq!(ask(direct, "").await.unwrap_err().kind, ErrorKind::Connect);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_unusable_https_proxy_fails_requests_that_need_it() {
    let config = HttpConfig {
        proxies: Proxies {
            unusable: Some("HTTPS_PROXY must be an http:// or https:// proxy".into()),
            ..Proxies::default()
        },
        ..HttpConfig::default()
    };
    let http = Http::new(config, Clock::frozen(0));
    let url = url::Url::parse("https://acme.example/x").unwrap();
    let error = http.send(&Request::new(Method::Get, url)).await.unwrap_err();
    assert_failed(&error, ErrorKind::Setup, Sent::No, 1);
    assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
}
