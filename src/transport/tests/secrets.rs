//! A secret goes to its own origin, and elsewhere only if allowed.

use super::*;
use crate::transport::custody::Releases;
use crate::transport::request::Body;
use crate::value::origin::Origin;
use crate::value::secret::{Fragment, Home};
use crate::value::{Record, Value};

fn with_home(text: &str, place: &str) -> Secret {
    Secret::new(text).with_home(&Home::of(Origin::parse(place)).unwrap())
}

fn secrets_of(home: &str) -> [Request; 6] {
    let url = || "http://127.0.0.1:1/x".parse().unwrap();
    let secret = with_home("hunter2-hunter2", home);
    let value = Value::Secret(secret.clone());
    let list = Value::List(vec![Value::Record(Record::from([(
        "a".to_owned(),
        value.clone(),
    )]))]);
    let mut basic = Request::new(Method::Get, url());
    basic.basic = Some(("ann".into(), secret.clone()));
    [
        Request::new(Method::Get, url()).bearer(&secret),
        Request::new(Method::Get, url()).query("q", value.clone()),
        Request::new(Method::Get, url()).header("x-key", value.clone()),
        Request::new(Method::Post, url()).body(Body::Json(list)),
        Request::new(Method::Post, url()).body(Body::Raw {
            kind: "text/plain".into(),
            content: value,
        }),
        basic,
    ]
}

#[tokio::test]
async fn a_secret_is_never_sent_to_another_origin() {
    let server = Server::start(|_, _| Act::json(200, "{}")).await;
    for request in secrets_of("https://acme-admin.mobsted.com") {
        let request = Request {
            url: server.url("/x"),
            ..request
        };
        let error = failure(&request).await;
        assert_failed(&error, ErrorKind::SecretElsewhere, Sent::No, 1);
        let said = error.to_string();
        assert!(said.contains("belongs to acme-admin.mobsted.com"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn a_secret_is_sent_to_its_origin_in_any_host_spelling() {
    let server = Server::start(|_, _| Act::json(200, "{}")).await;
    let home = server.url("/").to_string().replace("127.0.0.1", "localhost");
    for request in secrets_of(&home) {
        let request = Request {
            url: server.url("/x"),
            ..request
        };
        http().0.send(&request).await.unwrap();
    }
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn a_secret_without_an_origin_is_sent_to_any_host() {
    let server = Server::start(|_, _| Act::json(200, "{}")).await;
    let request = get(&server).bearer(&Secret::new("given-by-a-person"));
    http().0.send(&request).await.unwrap();
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn joined_secrets_are_sent_only_where_all_are_allowed() {
    let server = Server::start(|_, _| Act::json(200, "{}")).await;
    let place = server.url("/").to_string();
    let here = with_home("one", &place);
    let there = with_home("two", "https://other.example");
    let joined = Secret::join(&[
        Fragment::Secret(&here),
        Fragment::Plain(" and "),
        Fragment::Secret(&there),
    ]);
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = std::sync::Arc::clone(&asked);
    let config = HttpConfig {
        releases: Releases::new(move |home, place| {
            noted.lock().unwrap().push(format!("{home} to {place}"));
            Ok(())
        }),
        ..HttpConfig::default()
    };
    let error = failure(&get(&server).bearer(&joined)).await;
    assert_eq!(error.kind, ErrorKind::SecretElsewhere);
    let allowed = Http::new(config, Clock::frozen(0));
    allowed.send(&get(&server).bearer(&joined)).await.unwrap();
    let port = server.url("/").port().unwrap();
    assert_eq!(
        *asked.lock().unwrap(),
        [format!("other.example to localhost:{port}")]
    );
    assert_eq!(
        server.seen()[0].header("authorization"),
        Some("Bearer one and two")
    );
}
