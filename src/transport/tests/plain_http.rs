//! Plain http beyond this machine: only to the origin for which the account's user accepts it.

use super::*;
use crate::transport::connect_options::{ConnectOptions, Proxy, ProxyChoice};
use crate::value::origin::Origin;

/// A client for an account at `http://api.example`, which is reached through this server as a proxy.
fn accepting(proxy: &Server) -> Http {
    let (http, _) = http();
    http.with_connect_options(&ConnectOptions {
        proxy: ProxyChoice::Proxy(Proxy::parse(&proxy.address.to_string()).unwrap()),
        plain_http: Origin::parse("http://api.example"),
        ..ConnectOptions::default()
    })
}

async fn ask(http: &Http, url: &str) -> Result<u16, TransportError> {
    let request = Request::new(Method::Get, url::Url::parse(url).unwrap());
    http.send(&request).await.map(|answer| answer.status)
}

#[tokio::test]
async fn an_account_whose_user_accepts_it_is_reached_by_plain_http_and_no_other_host_is() {
    let proxy = Server::start(|_, _| Act::json(200, "{}")).await;
    let http = accepting(&proxy);
    assert_eq!(ask(&http, "http://api.example/v2/credit/").await, Ok(200));
    for url in ["http://other.example/", "http://api.example:8080/"] {
        let error = ask(&http, url).await.unwrap_err();
        assert_failed(&error, ErrorKind::Address, Sent::No, 1);
        assert!(error.to_string().contains("plain http"), "{error}");
    }
    let seen = proxy.seen();
    let targets: Vec<&str> = seen.iter().map(|seen| seen.target.as_str()).collect();
    assert_eq!(targets, ["http://api.example/v2/credit/"]);
}

#[tokio::test]
async fn accounts_without_that_consent_are_not_reached_by_plain_http() {
    let proxy = Server::start(|_, _| Act::json(200, "{}")).await;
    let (http, _) = http();
    let direct = http.with_connect_options(&ConnectOptions {
        proxy: ProxyChoice::Proxy(Proxy::parse(&proxy.address.to_string()).unwrap()),
        ..ConnectOptions::default()
    });
    for http in [http, direct] {
        let error = ask(&http, "http://api.example/").await.unwrap_err();
        assert_failed(&error, ErrorKind::Address, Sent::No, 1);
    }
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_leads_from_an_accepted_origin_to_no_other() {
    for place in [
        "http://other.example/steal",
        "http://api.example:8080/steal",
        "https://api.example/moved",
    ] {
        let proxy = Server::start(move |_, _| Act::with(302, &[&format!("Location: {place}")], "")).await;
        let error = ask(&accepting(&proxy), "http://api.example/x").await.unwrap_err();
        assert_failed(&error, ErrorKind::Redirect, Sent::No, 1);
        assert_eq!(proxy.seen().len(), 1, "{place}");
    }
}
