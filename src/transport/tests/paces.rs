//! Waits that the callers of one account share.

use super::*;
use crate::transport::connect_options::ConnectOptions;
use crate::transport::rate_limit::Rate;

/// A client with a timeout long enough for a busy machine, and no wait between attempts.
fn http() -> (Http, Clock) {
    let clock = Clock::frozen(0);
    (Http::new(HttpConfig::default(), clock.clone()), clock)
}

#[tokio::test]
async fn all_callers_of_an_account_wait_after_a_429() {
    // The first caller is throttled until it gives up; the last wait is only for the others.
    let server = Server::start(|_, before| match before {
        0..5 => Act::with(429, &["Retry-After: 7"], ""),
        _ => Act::json(200, "{}"),
    })
    .await;
    let (http, clock) = http();
    assert_eq!(http.send(&post(&server)).await.unwrap().status, 429);
    let then = clock.now_millis();
    let other = Http::with_connect_options(
        &http,
        &ConnectOptions {
            name: "other".into(),
            ..ConnectOptions::default()
        },
    );
    assert_eq!(other.send(&get(&server)).await.unwrap().tries, 1);
    assert_eq!(clock.now_millis(), then, "another account does not wait");
    assert_eq!(http.send(&get(&server)).await.unwrap().tries, 1);
    let waited = clock.now_millis() - then;
    assert!((7_000..7_251).contains(&waited), "{waited}");
}

#[tokio::test]
async fn equal_connect_options_share_one_connection_pool_and_rate_limit() {
    let server = Server::start(|_, _| Act::json(200, "{}")).await;
    let (http, clock) = http();
    let connect_options = ConnectOptions {
        rate: Rate::parse("10/s"),
        ..ConnectOptions::default()
    };
    for _ in 0..5 {
        let mine = http.with_connect_options(&connect_options);
        let yours = http.with_connect_options(&connect_options.clone());
        assert!(mine.same_pool(&yours) && !mine.same_pool(&http));
        assert_eq!(mine.send(&get(&server)).await.unwrap().status, 200);
        assert_eq!(yours.send(&post(&server)).await.unwrap().status, 200);
    }
    assert_eq!(clock.now_millis(), 900);
    assert_eq!(http.send(&get(&server)).await.unwrap().status, 200);
    assert_eq!(clock.now_millis(), 900, "no rate was said for this one");
}

#[tokio::test]
async fn the_server_never_sees_more_requests_than_the_concurrency_limit() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let server = crate::transport::testing::BarrierServer::start(3).await;
    let connect_options = ConnectOptions {
        concurrency: Some(3),
        ..ConnectOptions::default()
    };
    let http = Http::new(HttpConfig::default(), Clock::system()).with_connect_options(&connect_options);
    let done = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..30)
        .map(|_| {
            let (http, done) = (http.clone(), done.clone());
            let request = Request::new(Method::Post, server.url("/things"));
            tokio::spawn(async move {
                assert_eq!(http.send(&request).await.unwrap().status, 200);
                done.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!((done.load(Ordering::SeqCst), server.peak()), (30, 3));
}

#[tokio::test]
async fn a_request_is_stamped_as_sent_only_after_the_rate_limit() {
    use crate::flight::Flight;
    let server = Server::start(|_, before| match before {
        0 => Act::with(429, &["Retry-After: 7"], ""),
        _ => Act::json(200, "{}"),
    })
    .await;
    let (http, clock) = http();
    let http = http.with_connect_options(&ConnectOptions {
        rate: Rate::parse("1/s"),
        ..ConnectOptions::default()
    });
    assert_eq!(http.send(&get(&server).not_idempotent()).await.unwrap().tries, 2);
    let (stamps, time) = (
        std::sync::Arc::new(std::sync::Mutex::new(Vec::new())),
        clock.clone(),
    );
    let noted = stamps.clone();
    let flight = Flight::new();
    flight.arm(move |_| {
        noted.lock().unwrap().push(time.now_millis());
        async { Ok(()) }
    });
    let before = clock.now_millis();
    assert!(!flight.has_left());
    let request = Request {
        flight: Some(flight.clone()),
        ..post(&server)
    };
    assert_eq!(http.send(&request).await.unwrap().status, 200);
    assert_eq!(*stamps.lock().unwrap(), [before + 1_000]);
    assert!(flight.has_left(), "it was carried out");
}

#[tokio::test]
async fn a_request_that_was_not_carried_out_counts_as_unsent() {
    use crate::flight::Flight;
    let server = Server::start(|_, _| Act::json(429, "{}")).await;
    let (http, _) = http();
    for url in [server.url("/x"), url::Url::parse("http://127.0.0.1:1/x").unwrap()] {
        let flight = Flight::new();
        let request = Request {
            flight: Some(flight.clone()),
            ..Request::new(Method::Post, url)
        };
        let _ = http.send(&request).await;
        assert!(!flight.has_left());
    }
    let closing = Server::start(|_, _| Act::Close).await;
    let flight = Flight::new();
    let request = Request {
        flight: Some(flight.clone()),
        ..post(&closing)
    };
    assert_eq!(http.send(&request).await.unwrap_err().sent, Sent::Maybe);
    assert!(flight.has_left(), "it may have been carried out");
}
