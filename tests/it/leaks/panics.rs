//! A panic prints the values it is given: no type that can hold a secret shows it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use provisor::client::Password;
use provisor::transport::connect_options::{ConnectOptions, Proxy, ProxyChoice};
use provisor::transport::request::{Body, Method, Request};
use provisor::value::secret::Secret;
use provisor::value::{Object, Record, Value};

use super::{canaries, canary};

/// All types that are passed around and can hold a secret.
fn holders() -> Vec<Box<dyn std::fmt::Debug>> {
    let secret = |name: &str| Secret::new(canary(name));
    let value = |name: &str| Value::Secret(secret(name));
    let fields = Record::from([("password".to_owned(), value("record"))]);
    let url = url::Url::parse("https://acme.example/api").unwrap();
    let request = Request::new(Method::Post, url)
        .query("password", value("query"))
        .sensitive()
        .bearer(&secret("bearer"))
        .body(Body::Json(Value::Record(fields.clone())));
    let request = Request {
        known: vec![secret("known")],
        ..request
    };
    let line = ConnectOptions {
        proxy: ProxyChoice::Proxy(Proxy::parse("http://ann:CANARYproxy9@127.0.0.1:1").unwrap()),
        ..ConnectOptions::default()
    };
    vec![
        Box::new(request.scrubber()),
        Box::new(request),
        Box::new(line),
        Box::new(Password::known(secret("password"))),
        Box::new(Value::Object(Object::new(
            "mobsted::Tenant",
            [("password", value("object"))],
        ))),
        Box::new(Value::List(vec![value("list"), Value::Record(fields)])),
    ]
}

#[test]
fn panic_messages_do_not_show_secrets() {
    for holder in holders() {
        let panicked =
            catch_unwind(AssertUnwindSafe(|| panic!("it went wrong with {holder:?}"))).unwrap_err();
        let said = panicked.downcast_ref::<String>().unwrap();
        assert_eq!(canaries(said.as_bytes()), [""; 0], "{said}");
    }
}
