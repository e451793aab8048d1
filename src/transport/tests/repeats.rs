//! Which requests are retried, how often, and after how long.

use super::*;
use crate::flight::Flight;

/// Responds like this once, then with success.
async fn once_then_fine(first: Act) -> Server {
    Server::start(move |_, before| match before {
        0 => first.clone(),
        _ => Act::json(200, "{}"),
    })
    .await
}

#[tokio::test]
async fn a_change_answered_with_429_is_resent_after_retry_after() {
    let server = once_then_fine(Act::with(429, &["Retry-After: 7"], "")).await;
    let (http, clock) = http();
    let response = http.send(&post(&server)).await.unwrap();
    assert_eq!((response.status, response.tries), (200, 2));
    let waited = clock.now_millis();
    assert!((7_000..7_251).contains(&waited), "{waited}");
}

#[tokio::test]
async fn retry_after_may_be_a_date_and_is_bounded() {
    let server = once_then_fine(Act::with(
        429,
        &["Retry-After: Thu, 01 Jan 1970 00:00:09 GMT"],
        "",
    ))
    .await;
    let (http, clock) = http();
    assert_eq!(http.send(&post(&server)).await.unwrap().status, 200);
    assert!((9_000..9_251).contains(&clock.now_millis()));

    let server = once_then_fine(Act::with(429, &["Retry-After: 86400"], "")).await;
    let (http, clock) = super::http();
    assert_eq!(http.send(&post(&server)).await.unwrap().status, 200);
    assert!((60_000..60_251).contains(&clock.now_millis()));
}

#[tokio::test]
async fn a_possibly_carried_out_change_is_not_retried_after_429() {
    let server = Server::start(|_, _| Act::json(429, "{}")).await;
    let (http, clock) = http();
    let change = |put_off_is_certain| Request {
        flight: Some(Flight::new()),
        put_off_is_certain,
        ..post(&server)
    };
    let response = http.send(&change(false)).await.unwrap();
    assert_eq!((response.status, response.tries), (429, 1));
    assert_eq!(clock.now_millis(), 0, "nobody waits");
    assert_eq!(http.send(&change(true)).await.unwrap().tries, 5);
}

#[tokio::test]
async fn retries_stop_after_repeated_429_responses() {
    let server = Server::start(|_, _| Act::json(429, "{}")).await;
    let (http, clock) = http();
    let response = http.send(&post(&server)).await.unwrap();
    assert_eq!((response.status, response.tries), (429, 5));
    assert!(clock.now_millis() >= 7_500, "{}", clock.now_millis());
}

#[tokio::test]
async fn transient_failures_are_retried_for_reads_only() {
    for status in [500, 502, 503, 504] {
        let server = Server::start(move |_, _| Act::html(status, "<h1>no</h1>")).await;
        let (http, _) = http();
        assert_eq!(http.send(&get(&server)).await.unwrap().tries, 4);
        assert_eq!(http.send(&post(&server)).await.unwrap().tries, 1);
        assert_eq!(http.send(&get(&server).not_idempotent()).await.unwrap().tries, 1);
    }
    let server = once_then_fine(Act::Close).await;
    let (http, _) = http();
    assert_eq!(http.send(&get(&server)).await.unwrap().tries, 2);
}

#[tokio::test]
async fn a_503_with_retry_after_is_retried_for_reads_only() {
    let busy = Act::with(503, &["Retry-After: 3"], "");
    let server = once_then_fine(busy.clone()).await;
    let (http, clock) = http();
    assert_eq!(http.send(&get(&server)).await.unwrap().status, 200);
    assert!((3_000..3_251).contains(&clock.now_millis()));
    let server = once_then_fine(busy).await;
    assert_eq!(http.send(&post(&server)).await.unwrap().status, 503);
}

#[tokio::test]
async fn permanent_errors_are_not_retried() {
    for status in [400, 401, 403, 404, 409, 422, 501] {
        let server = Server::start(move |_, _| Act::json(status, "{}")).await;
        let (http, _) = http();
        assert_eq!(http.send(&get(&server)).await.unwrap().tries, 1, "{status}");
    }
}

#[tokio::test]
async fn a_change_on_a_connection_that_closes_is_never_sent_twice() {
    // Each connection serves one request and closes without notice: the worst case for reused connections.
    let server = Server::start(|_: &ReceivedRequest, _| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
        Act::SayAndClose(head)
    })
    .await;
    let (http, _) = http();
    let (mut fine, mut doubtful) = (0, 0);
    for _ in 0..200 {
        match http.send(&post(&server)).await {
            Ok(_) => fine += 1,
            Err(error) => {
                assert_eq!(error.sent, Sent::Maybe, "{error}");
                doubtful += 1;
            }
        }
    }
    assert_eq!(fine + doubtful, 200);
    assert!(server.seen().len() <= 200, "{}", server.seen().len());
}
