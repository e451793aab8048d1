//! Redirects are followed for reads within an origin, and refused otherwise.

use super::*;

fn to(status: u16, place: &str) -> Act {
    Act::with(status, &[&format!("Location: {place}")], "")
}

#[tokio::test]
async fn a_read_follows_redirects_within_its_origin() {
    let server = Server::start(|seen, _| match seen.path() {
        "/api/v8/things" => to(301, "/api/v8/moved?page=2"),
        _ => Act::json(200, "[]"),
    })
    .await;
    let (http, _) = http();
    let request = get(&server).query("page", "2").bearer(&Secret::new("token-1"));
    assert_eq!(http.send(&request).await.unwrap().status, 200);
    assert_eq!(server.seen()[1].target, "/api/v8/moved?page=2");
    assert_eq!(server.seen()[1].header("authorization"), Some("Bearer token-1"));
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_refused() {
    let other = Server::start(|_, _| Act::json(200, "{}")).await;
    let place = other.url("/steal").to_string();
    let server = Server::start(move |_, _| to(302, &place)).await;
    let request = get(&server).bearer(&Secret::new("token-1"));
    let error = failure(&request).await;
    assert_failed(&error, ErrorKind::Redirect, Sent::No, 1);
    assert!(error.to_string().contains("another origin, 127.0.0.1"), "{error}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirected_change_is_in_doubt_and_not_repeated() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |_, _| to(status, "/api/v8/things/")).await;
        assert_failed(
            &failure(&post(&server)).await,
            ErrorKind::Redirect,
            Sent::Maybe,
            1,
        );
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_loop_ends_with_an_error() {
    let server = Server::start(|_, _| to(302, "/api/v8/things")).await;
    assert_failed(&failure(&get(&server)).await, ErrorKind::Redirect, Sent::No, 1);
    assert_eq!(server.seen().len(), 6);
}
