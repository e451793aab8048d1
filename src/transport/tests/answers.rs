//! Responses, and failures that report whether the request may have been carried out.

use std::sync::Arc;

use tokio::sync::Notify;

use super::*;
use crate::flight::Flight;
use crate::transport::address::Routes;
use crate::transport::connect_options::ConnectOptions;
use crate::transport::request::Body;
use crate::value::Value;
use crate::waiting::{Wait, Waits};

#[tokio::test]
async fn a_request_arrives_with_its_query_headers_and_body() {
    let server = Server::start(|_, _| Act::json(200, r#"{"ok":true}"#)).await;
    let (http, _) = http();
    let request = post(&server)
        .query("login", "ann+test@example.com")
        .query("password", Secret::new("p&ss"))
        .bearer(&Secret::new("token-1"))
        .body(Body::Json(Value::List(vec![Value::Int(1)])));
    let response = http.send(&request).await.unwrap();
    assert_eq!(response.json().unwrap()["ok"], true);
    let seen = &server.seen()[0];
    assert_eq!(
        seen.target,
        "/api/v8/things?login=ann%2Btest%40example.com&password=p%26ss"
    );
    assert_eq!(seen.body, "[1]");
    assert_eq!(seen.header("authorization"), Some("Bearer token-1"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert!(seen.header("user-agent").unwrap().starts_with("provisor/"));
}

#[tokio::test]
async fn a_failed_connection_means_the_request_was_not_sent() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let url = url::Url::parse(&format!("http://{closed}/x")).unwrap();
    let error = failure(&Request::new(Method::Post, url)).await;
    assert_failed(&error, ErrorKind::Connect, Sent::No, 4);
}

#[tokio::test]
async fn a_refused_address_is_never_dialled() {
    let url = url::Url::parse("http://acme-admin.mobsted.com/api/v8/auth").unwrap();
    let request = Request::new(Method::Get, url)
        .query("password", Secret::new("hunter2"))
        .sensitive();
    let error = failure(&request).await;
    assert_failed(&error, ErrorKind::Address, Sent::No, 1);
    assert!(error.to_string().contains("use https"), "{error}");
}

#[tokio::test]
async fn a_response_timeout_leaves_a_change_in_doubt() {
    let server = Server::start(|_, _| Act::Hang).await;
    let brief = Duration::from_millis(50);
    let error = failure(&post(&server).timeout(brief)).await;
    assert_failed(&error, ErrorKind::Timeout, Sent::Late, 1);
    let late = get(&server).timeout(brief);
    assert_failed(&failure(&late).await, ErrorKind::Timeout, Sent::Late, 2);
}

#[tokio::test]
async fn a_late_response_to_a_change_is_reported_and_still_read() {
    let release = Arc::new(Notify::new());
    let when = Arc::clone(&release);
    let server = Server::start(move |seen, _| match seen.method.as_str() {
        "POST" => {
            let made = b"HTTP/1.1 201 X\r\nContent-Length: 2\r\n\r\n{}";
            Act::SayWhen(Arc::clone(&when), made.to_vec())
        }
        _ => Act::json(200, "{}"),
    })
    .await;
    let (http, _) = http();
    let http = http.with_connect_options(&ConnectOptions {
        concurrency: Some(1),
        ..ConnectOptions::default()
    });
    let flight = Flight::new();
    let request = Request {
        flight: Some(flight.clone()),
        ..post(&server).timeout(Duration::from_millis(50))
    };
    let sender = http.clone();
    let sent = tokio::spawn(async move { sender.send(&request).await });
    let reason = flight.wait_until_late().await;
    assert!(
        reason.ends_with("/api/v8/things was not answered within 0.05 s"),
        "{reason}"
    );
    assert_eq!(flight.patience().unwrap().whole(), Duration::from_millis(10_050));
    // A lookup does not wait for the late response.
    assert_eq!(http.send(&get(&server)).await.unwrap().status, 200);
    release.notify_one();
    assert_eq!(sent.await.unwrap().unwrap().status, 201);
    assert_eq!((server.seen().len(), flight.has_left()), (2, true));
}

#[tokio::test]
async fn a_definite_refusal_status_counts_as_not_sent() {
    for (status, has_left) in [
        (400, false),
        (401, false),
        (409, false),
        (429, false),
        (408, true),
        (500, true),
        (201, true),
    ] {
        let server = Server::start(move |_, _| Act::json(status, "{}")).await;
        let (http, _) = http();
        let flight = Flight::new();
        // The first lookup gets the response at once.
        flight.arm(|_| async { Ok(()) });
        let request = Request {
            flight: Some(flight.clone()),
            ..post(&server)
        };
        let answer = http.send(&request).await.unwrap();
        assert_eq!(
            (answer.status, answer.tries, flight.has_left()),
            (status, 1, has_left)
        );
    }
}

#[tokio::test]
async fn a_broken_connection_leaves_a_change_in_doubt() {
    let server = Server::start(|_, _| Act::Close).await;
    assert_failed(&failure(&post(&server)).await, ErrorKind::Reset, Sent::Maybe, 1);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_truncated_or_oversized_success_response_counts_as_carried_out() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"url\":\"http".to_vec();
    let server = Server::start(move |_, _| Act::SayAndClose(cut.clone())).await;
    assert_failed(&failure(&post(&server)).await, ErrorKind::Truncated, Sent::Yes, 1);
    assert_failed(&failure(&get(&server)).await, ErrorKind::Truncated, Sent::Yes, 4);

    let long = Server::start(|_, _| Act::json(200, &"x".repeat(1001))).await;
    assert_failed(&failure(&get(&long)).await, ErrorKind::TooLarge, Sent::Yes, 1);
    let mut endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..20 {
        endless.extend_from_slice(format!("64\r\n{}\r\n", "x".repeat(100)).as_bytes());
    }
    let chunked = Server::start(move |_, _| Act::Say(endless.clone())).await;
    assert_failed(&failure(&post(&chunked)).await, ErrorKind::TooLarge, Sent::Yes, 1);
    let full = Server::start(|_, _| Act::json(200, &"x".repeat(1000))).await;
    let (http, _) = http();
    assert_eq!(http.send(&get(&full)).await.unwrap().body().len(), 1000);
}

#[tokio::test]
async fn a_refusal_with_a_truncated_body_is_still_a_refusal() {
    let cut = b"HTTP/1.1 403 X\r\nContent-Length: 50\r\n\r\nnot all".to_vec();
    let server = Server::start(move |_, _| Act::SayAndClose(cut.clone())).await;
    let (http, _) = http();
    assert_eq!(http.send(&post(&server)).await.unwrap().status, 403);
}

#[tokio::test]
async fn nonsense_instead_of_http_is_an_error_without_debug_text() {
    let server = Server::start(|_, _| Act::SayAndClose(b"\x00garbage\r\n\r\n".to_vec())).await;
    let error = failure(&post(&server)).await;
    assert_failed(&error, ErrorKind::Reset, Sent::Maybe, 1);
    let text = error.to_string();
    assert!(
        text.contains("POST 127.0.0.1:") && text.contains("/api/v8/things"),
        "{text}"
    );
    assert!(!text.contains("Error") && !text.contains('{'), "{text}");
}

#[tokio::test]
async fn transport_errors_redact_the_query_and_secrets() {
    let server = Server::start(|seen, _| match seen.path() {
        "/hang" => Act::Hang,
        "/close" => Act::Close,
        _ => Act::SayAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhunter2".to_vec()),
    })
    .await;
    for path in ["/hang", "/close", "/cut"] {
        let request = Request::new(Method::Post, server.url(path))
            .query("login", "ann@example.com")
            .query("password", Secret::new("hunter2"))
            .sensitive();
        let request = match path {
            "/hang" => request.timeout(Duration::from_millis(50)),
            _ => request,
        };
        let error = failure(&request).await;
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("hunter2") && !text.contains("ann@"), "{text}");
            assert!(text.contains(path), "{text}");
        }
    }
}

#[tokio::test]
async fn body_previews_contain_no_markup_or_secrets() {
    let page = "<html><body><h1>Denied</h1> for hunter2hunter2 and hunter2%2B</body></html>";
    let server = Server::start(move |_, _| Act::html(403, page)).await;
    let (http, _) = http();
    let request = Request {
        known: vec![Secret::new("hunter2hunter2"), Secret::new("hunter2+")],
        ..post(&server)
    };
    let response = http.send(&request).await.unwrap();
    assert_eq!(response.text_excerpt(), "Denied for *** and ***");
    assert!(response.is_html() && response.json().is_err());
}

#[tokio::test]
async fn sandbox_hosts_lead_to_the_sandbox_and_nowhere_else() {
    let server = Server::start(|_, _| Act::json(200, "{}")).await;
    let address = server.address;
    let config = HttpConfig {
        routes: Routes::new(move |host| (host == "acme-admin.mobsted.sandbox").then_some(address)),
        only_sandbox: true,
        ..HttpConfig::default()
    };
    let http = Http::new(config, Clock::frozen(0));
    for scheme in ["http", "https"] {
        let url = url::Url::parse(&format!("{scheme}://acme-admin.mobsted.sandbox/api/v8/x")).unwrap();
        assert_eq!(
            http.send(&Request::new(Method::Get, url)).await.unwrap().status,
            200
        );
    }
    assert_eq!(
        server.seen()[0].header("host"),
        Some("acme-admin.mobsted.sandbox")
    );
    let elsewhere = http.send(&get(&server)).await.unwrap_err();
    assert_failed(&elsewhere, ErrorKind::Address, Sent::No, 1);
    let unknown = url::Url::parse("http://other.mobsted.sandbox/").unwrap();
    let error = http.send(&Request::new(Method::Post, unknown)).await.unwrap_err();
    assert_failed(&error, ErrorKind::Connect, Sent::No, 4);
    assert!(
        error.to_string().contains("the sandbox is not running"),
        "{error}"
    );
}

#[tokio::test]
async fn localhost_subdomains_resolve_to_loopback() {
    let server = Server::start(|_, _| Act::json(200, "{}")).await;
    let (http, _) = http();
    let url = url::Url::parse(&format!("http://acme-admin.localhost:{}/", server.address.port())).unwrap();
    assert_eq!(
        http.send(&Request::new(Method::Get, url)).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn a_long_wait_for_a_response_is_announced_without_the_query() {
    let server = Server::start(|_, _| Act::Hang).await;
    let waits = Waits::after(Duration::from_millis(10));
    let (told, heard) = std::sync::mpsc::channel();
    waits.set_listener(move |wait| drop(told.send(wait.clone())));
    let config = HttpConfig {
        reply_timeout: Duration::from_millis(300),
        waits: waits.clone(),
        ..HttpConfig::default()
    };
    let http = Http::new(config, Clock::frozen(1_000));
    let request = post(&server).query("token", "abc");
    let _ = http.send(&request).await.unwrap_err();
    let heard: Vec<Wait> = heard.try_iter().collect();
    let what = format!("waiting for a response to POST {}/api/v8/things", server.address);
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!((&heard[0].what, heard[0].until_ms), (&what, Some(1_300)));
    assert_eq!(waits.longest(), None);
}

#[tokio::test]
async fn a_long_wait_after_429_is_announced() {
    let server = Server::start(|_, before| match before {
        0 => Act::with(429, &["Retry-After: 20"], ""),
        _ => Act::json(200, "{}"),
    })
    .await;
    let waits = Waits::default();
    let (told, heard) = std::sync::mpsc::channel();
    waits.set_listener(move |wait| drop(told.send(wait.clone())));
    let config = HttpConfig {
        waits,
        ..HttpConfig::default()
    };
    let http = Http::new(config, Clock::frozen(1_000));
    assert_eq!(http.send(&get(&server)).await.unwrap().status, 200);
    let heard: Vec<Wait> = heard.try_iter().collect();
    assert!(
        matches!(&heard[..], [wait] if wait.what.starts_with("waiting to send GET") && wait.reason.contains("429")),
        "{heard:?}"
    );
}
