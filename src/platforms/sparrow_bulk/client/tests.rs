//! The client against a scripted server, and against the sandbox.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::account::BaseUrl;
use super::*;
use crate::client::Password;
use crate::client::tokens::MemoryTokens;
use crate::clock::Clock;
use crate::sandbox::{Options, Sandbox, SparrowBulkAccount, SparrowBulkBook};
use crate::transport::address::Routes;
use crate::transport::testing::{Act, Server};
use crate::transport::{Http, HttpConfig};

fn client(url: &str, token: Password, config: HttpConfig, clock: &Clock) -> Client {
    let http = Http::new(config, clock.clone());
    let network = Network::new(http, Arc::new(MemoryTokens::default()), clock.clone());
    let account = Account {
        base: BaseUrl::parse(url).unwrap(),
        name: "bulk".to_owned(),
        token,
    };
    Client::new(network, account, Duration::from_secs(10))
}

/// A client of this server, with a token that is sent as it is.
fn of(server: &Server) -> Client {
    let url = server.url("/v2/").to_string();
    let token = Password::known(Secret::new("tok-quokka"));
    client(&url, token, HttpConfig::default(), &Clock::frozen(0))
}

fn message() -> Message {
    Message {
        sender: "Bakery".to_owned(),
        recipients: vec!["9812345678".to_owned(), "9812345679".to_owned()],
        text: "Fresh bread & cake".to_owned(),
    }
}

#[test]
fn an_address_has_one_spelling_with_and_without_its_version() {
    for text in [
        "http://api.sparrowsms.com",
        " http://api.sparrowsms.com/v2/ ",
        "http://api.sparrowsms.com/v2",
    ] {
        assert_eq!(
            BaseUrl::parse(text).unwrap().as_str(),
            "http://api.sparrowsms.com",
            "{text}"
        );
    }
    assert_eq!(
        BaseUrl::parse("api.sparrowsms.com/v2").unwrap().as_str(),
        "https://api.sparrowsms.com"
    );
    for text in ["", "ftp://x", "http://a:b@x.example", "http://x.example/?token=a"] {
        assert_eq!(
            BaseUrl::parse(text).unwrap_err().kind,
            ApiErrorKind::Address,
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_message_is_one_form_with_all_recipients_and_the_token() {
    let server = Server::start(|_, _| {
        Act::json(
            200,
            "{\"count\": 2, \"response_code\": 200, \"response\": \"2 mesages has been queued for delivery\"}",
        )
    })
    .await;
    let accepted = of(&server).send(&message()).await.unwrap();
    assert_eq!(
        accepted,
        Accepted {
            count: 2,
            message: "2 mesages has been queued for delivery".to_owned()
        }
    );
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v2/sms/"));
    assert_eq!(
        seen.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        seen.body,
        "from=Bakery&text=Fresh+bread+%26+cake&to=9812345678%2C9812345679&token=tok-quokka"
    );
}

#[tokio::test]
async fn the_credit_is_read_and_an_account_without_any_has_none() {
    let server = Server::start(|_, before| match before {
        0 => Act::json(
            200,
            "{\"credits_available\": 12, \"credits_consumed\": 30, \"response_code\": 200}",
        ),
        _ => Act::json(
            403,
            "{\"response_code\": 1012, \"response\": \"No Credits Available\"}",
        ),
    })
    .await;
    let client = of(&server);
    let credit = |available, consumed| Credit { available, consumed };
    assert_eq!(client.credit().await, Ok(credit(12, Some(30))));
    assert_eq!(client.credit().await, Ok(credit(0, None)));
    let seen = &server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "/v2/credit/?token=tok-quokka")
    );
}

#[tokio::test]
async fn each_refusal_that_the_vendor_lists_has_its_code_and_sends_nothing() {
    for (number, text, code) in [
        (1000, "A required field is missing", "sparrow_bulk_field_missing"),
        (1001, "Invalid IP Address", "sparrow_bulk_invalid_ip"),
        (1002, "Invalid Token", "sparrow_bulk_invalid_token"),
        (1003, "Account Inactive", "sparrow_bulk_account_inactive"),
        (1004, "Account Inactive", "sparrow_bulk_account_inactive"),
        (1005, "Account has been expired", "sparrow_bulk_account_expired"),
        (1006, "Account has been expired", "sparrow_bulk_account_expired"),
        (1007, "Invalid Receiver", "sparrow_bulk_invalid_receiver"),
        (1008, "Invalid Sender", "sparrow_bulk_invalid_sender"),
        (1010, "Text cannot be empty", "sparrow_bulk_text_empty"),
        (1011, "No valid receiver", "sparrow_bulk_invalid_receiver"),
        (1012, "No Credits Available", "sparrow_bulk_no_credit"),
        (1013, "Insufficient Credits", "sparrow_bulk_no_credit"),
    ] {
        // The status is documented as 403; a gateway may have made another one of it.
        for status in [403, 200] {
            let body = format!("{{\"response_code\":{number},\"response\":\"{text}\"}}");
            let server = Server::start(move |_, _| Act::json(status, &body)).await;
            let error = of(&server).send(&message()).await.unwrap_err();
            let ApiErrorKind::Own(own) = error.kind else {
                panic!("{number}: {error:?}");
            };
            assert_eq!(own.explanation.code, code, "{number}");
            assert_eq!((error.sent, error.status), (Sent::No, Some(status)), "{number}");
            assert!(
                error
                    .message
                    .ends_with(&format!("was refused: {text} ({number})")),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_neither_yes_nor_a_known_no_leaves_the_message_in_doubt() {
    for (status, body, sent) in [
        (200, "{\"ok\": true}", Sent::Yes),
        (200, "{\"response_code\": 200}", Sent::Yes),
        (200, "{\"count\": 2, \"response_code\": 1099}", Sent::Yes),
        (200, "<html>Welcome</html>", Sent::Yes),
        (
            500,
            "{\"response_code\": 1002, \"response\": \"Invalid Token\"}",
            Sent::Maybe,
        ),
        (504, "", Sent::Late),
        (429, "", Sent::Maybe),
    ] {
        let server = Server::start(move |_, _| Act::json(status, body)).await;
        let client = of(&server).with_flight(&Flight::new());
        let error = client.send(&message()).await.unwrap_err();
        assert_eq!(error.sent, sent, "{status} {body}: {error}");
        assert_eq!(server.seen().len(), 1, "{status} {body}: it is sent once");
    }
}

#[tokio::test]
async fn no_error_repeats_the_token() {
    let said = "you sent tok-quokka to /v2/credit/?token=tok-quokka";
    for (status, body) in [
        (403, format!("{{\"response_code\":1002,\"response\":\"{said}\"}}")),
        (400, format!("{{\"detail\":\"{said}\"}}")),
        (404, format!("<html>{said}</html>")),
    ] {
        let server = Server::start(move |_, _| Act::json(status, &body)).await;
        for error in [
            of(&server).send(&message()).await.unwrap_err(),
            of(&server).credit().await.unwrap_err(),
        ] {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("quokka") && shown.contains("***"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_wrong_token_is_sent_once_and_a_corrected_one_gets_through() {
    let server = Server::start(|seen, _| {
        if seen.target.ends_with("token=right-token") {
            Act::json(
                200,
                "{\"credits_available\": 1, \"credits_consumed\": 0, \"response_code\": 200}",
            )
        } else {
            Act::json(403, "{\"response_code\": 1002, \"response\": \"Invalid Token\"}")
        }
    })
    .await;
    let clock = Clock::frozen(0);
    let kept = Arc::new(Mutex::new("wrong-token"));
    let source = Arc::clone(&kept);
    let token = Password::ask("test", move || Ok(Secret::new(*source.lock().unwrap())));
    let url = server.url("").to_string();
    let client = client(&url, token, HttpConfig::default(), &clock);
    for _ in 0..5 {
        let refused = client.credit().await.unwrap_err();
        assert_eq!(refused.kind, ApiErrorKind::Own(&fault::INVALID_TOKEN));
        clock.sleep(REFUSAL_COOLDOWN).await;
    }
    assert_eq!(server.seen().len(), 1);
    *kept.lock().unwrap() = "right-token";
    assert_eq!(client.credit().await.unwrap().available, 1);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_account_that_is_refused_is_asked_again_after_a_while() {
    let server = Server::start(|_, _| {
        Act::json(
            403,
            "{\"response_code\": 1005, \"response\": \"Account has been expired\"}",
        )
    })
    .await;
    let clock = Clock::frozen(0);
    let token = Password::known(Secret::new("tok-quokka"));
    let url = server.url("").to_string();
    let client = client(&url, token, HttpConfig::default(), &clock);
    for asked in [1, 1, 2] {
        if asked == 2 {
            clock.sleep(REFUSAL_COOLDOWN).await;
        }
        let refused = client.credit().await.unwrap_err();
        assert_eq!(refused.kind, ApiErrorKind::Own(&fault::ACCOUNT_EXPIRED));
        assert_eq!(server.seen().len(), asked);
    }
}

#[tokio::test]
async fn the_sandbox_understands_the_client() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Options::new(dir.path())).unwrap();
    let (account, address) = (sandbox.account::<SparrowBulkAccount>(), sandbox.address());
    let config = HttpConfig {
        only_sandbox: true,
        routes: Routes::new(move |_| Some(address)),
        ..HttpConfig::default()
    };
    let token = Password::known(Secret::new(account.api_token));
    let client = client(&account.url, token, config, &Clock::system());
    let before = client.credit().await.unwrap();
    assert_eq!(client.send(&message()).await.unwrap().count, 2);
    let after = client.credit().await.unwrap();
    assert_eq!(before.available - after.available, 2);
    assert_eq!(after.consumed, Some(2));
    let book = sandbox.snapshot().unwrap().of::<SparrowBulkBook>();
    assert_eq!(book.messages[0].recipients, message().recipients);
    assert_eq!(
        (book.messages[0].sender.as_str(), book.messages[0].text.as_str()),
        ("Bakery", "Fresh bread & cake")
    );
}
