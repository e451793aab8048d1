//! The client against the sandbox.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::sync::Mutex;

use super::account::BaseUrl;
use super::*;
use crate::client::error::ApiErrorKind;
use crate::client::{Password, TokenKey, TokenStore};
use crate::clock::Clock;
use crate::sandbox::{JrniAccount, JrniBook, Options, Sandbox};
use crate::transport::address::Routes;
use crate::transport::{Http, HttpConfig};
use crate::value::secret::Secret;

/// Tokens in memory.
#[derive(Default)]
struct Store(Mutex<HashMap<String, Value>>);

impl TokenStore for Store {
    fn load(&self, key: &TokenKey) -> Option<Value> {
        self.0.lock().unwrap().get(&key.account).cloned()
    }

    fn save(&self, key: &TokenKey, tokens: &Value) -> Result<(), String> {
        self.0.lock().unwrap().insert(key.account.clone(), tokens.clone());
        Ok(())
    }

    fn forget(&self, key: &TokenKey) {
        self.0.lock().unwrap().remove(&key.account);
    }
}

struct Rig {
    sandbox: Sandbox,
    store: Arc<Store>,
    _dir: tempfile::TempDir,
}

impl Rig {
    fn new() -> Rig {
        Rig::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path());
        change(&mut options);
        Rig {
            sandbox: Sandbox::start(options).unwrap(),
            store: Arc::default(),
            _dir: dir,
        }
    }

    fn account(&self) -> Account {
        let account = self.sandbox.account::<JrniAccount>();
        Account {
            base: BaseUrl::parse(&account.url).unwrap(),
            login: account.login,
            password: Password::known(Secret::new(account.password)),
            app_id: account.app_id,
            app_key: Some(Password::known(Secret::new(account.app_key))),
            company: None,
        }
    }

    /// A client as in a separate process that shares the token store.
    fn client(&self, account: Account) -> Client {
        self.client_with(account, Endpoints::default())
    }

    fn client_with(&self, account: Account, endpoints: Endpoints) -> Client {
        let address = self.sandbox.address();
        let config = HttpConfig {
            only_sandbox: true,
            routes: Routes::new(move |_| Some(address)),
            ..HttpConfig::default()
        };
        let store = Arc::clone(&self.store) as Arc<dyn TokenStore>;
        let network = Network::new(Http::new(config, Clock::system()), store, Clock::system());
        Client::new(network, account, Arc::new(endpoints), Duration::from_secs(10))
    }

    fn totals(&self) -> crate::sandbox::JrniTotals {
        self.sandbox.snapshot().unwrap().of::<JrniBook>().totals
    }
}

fn fields<const N: usize>(fields: [(&str, &str); N]) -> Record {
    let own = |(name, text): (&str, &str)| (name.to_owned(), text.into());
    fields.into_iter().map(own).collect()
}

#[tokio::test]
async fn many_callers_and_another_process_share_one_sign_in() {
    let rig = Rig::new();
    let (one, other) = (rig.client(rig.account()), rig.client(rig.account()));
    let calls = (0..8).map(|_| {
        let client = one.clone();
        tokio::spawn(async move { client.company().await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap().name, "Example Group");
    }
    let group = rig.sandbox.account::<JrniAccount>().company;
    assert_eq!(
        other.company_id().await,
        Ok(group),
        "the token says what it is for"
    );
    assert_eq!(rig.totals().logins, 1);
}

#[tokio::test]
async fn log_out_revokes_the_shared_token_and_clients_sign_in_again() {
    let rig = Rig::new();
    let (one, other) = (rig.client(rig.account()), rig.client(rig.account()));
    assert_eq!(one.log_out().await, Ok(false), "nobody is signed in");
    one.company().await.unwrap();
    other.company().await.unwrap();
    assert_eq!(one.log_out().await, Ok(true));
    assert_eq!(other.company().await.unwrap().name, "Example Group");
    assert_eq!(one.company().await.unwrap().name, "Example Group");
    assert_eq!((rig.totals().logins, rig.totals().logouts), (2, 1));
}

#[tokio::test]
async fn wrong_credentials_are_tried_once_and_swapped_app_headers_are_named() {
    let rig = Rig::new();
    let account = rig.account();
    let wrong = Account {
        password: Password::known(Secret::new("wrong")),
        ..account.clone()
    };
    let client = rig.client(wrong);
    for _ in 0..3 {
        let error = client.company().await.unwrap_err();
        assert_eq!(error.kind, ApiErrorKind::SignInRefused, "{error}");
        assert!(!error.message.contains("wrong"), "{error}");
    }
    let routes = rig.sandbox.snapshot().unwrap().traffic.routes;
    assert_eq!(routes["jrni-login"], 1);
    let given = rig.sandbox.account::<JrniAccount>();
    let exchanged = Account {
        app_id: given.app_key,
        app_key: Some(Password::known(Secret::new(given.app_id))),
        ..account
    };
    let error = rig.client(exchanged).company().await.unwrap_err();
    assert!(error.message.contains("swapped"), "{error}");
}

#[tokio::test]
async fn sign_in_selects_the_company_by_path_or_body_id() {
    let rig = Rig::new();
    let owner = rig.client(rig.account());
    let shop = owner
        .create_company(&fields([("name", "Shop"), ("ref", "s")]))
        .await
        .unwrap();
    let below = Account {
        company: Some(shop.id),
        ..rig.account()
    };
    assert_eq!(rig.client(below.clone()).company().await.unwrap().name, "Shop");
    let overrides = [("login_company".to_owned(), "/login".to_owned())];
    let endpoints = Endpoints::with_overrides(&overrides.into()).unwrap();
    rig.store.0.lock().unwrap().clear();
    let client = rig.client_with(below, endpoints);
    assert_eq!(client.company().await.unwrap().name, "Shop");
    assert_eq!(rig.totals().logins, 3);
    let refused = Account {
        company: Some(1),
        ..rig.account()
    };
    let error = rig.client(refused).company().await.unwrap_err();
    assert_eq!(error.kind, ApiErrorKind::SignInRefused);
}

#[tokio::test]
async fn child_companies_are_read_by_pagination_or_from_their_parent() {
    let rig = Rig::new();
    let owner = rig.client(rig.account());
    for n in 0..101 {
        let fields = fields([("name", "Shop"), ("ref", &n.to_string())]);
        owner.create_company(&fields).await.unwrap();
    }
    assert_eq!(owner.children().await.unwrap().len(), 101);
    let overrides = [("children".to_owned(), "/company/{company}/nothing".to_owned())];
    let endpoints = Endpoints::with_overrides(&overrides.into()).unwrap();
    let inside = rig
        .client_with(rig.account(), endpoints)
        .children()
        .await
        .unwrap();
    assert_eq!(inside.len(), 101);
    assert_eq!(inside[100].reference, "100");
}

#[tokio::test]
async fn api_version_5_works_without_an_app_key() {
    let rig = Rig::new();
    let url = rig.sandbox.account::<JrniAccount>().url.replace("/v1", "/v5");
    let account = Account {
        base: BaseUrl::parse(&url).unwrap(),
        app_key: None,
        ..rig.account()
    };
    let client = rig.client(account);
    let company = client.company().await.unwrap();
    let links = company.attributes.as_record().unwrap()["_links"]
        .as_record()
        .unwrap();
    let href = |name: &str| {
        links[name].as_record().unwrap()["href"]
            .as_text()
            .unwrap()
            .to_owned()
    };
    assert!(href("self").contains("/api/v5/") && href("settings").contains("/api/v1/"));
    let settings = client
        .raw(Method::Get, &href("settings"), &Record::new(), Body::None)
        .await;
    assert!(settings.unwrap().as_record().unwrap().contains_key("currency"));
}

#[tokio::test]
async fn using_a_token_extends_its_expiry_and_idleness_ends_it() {
    const HOUR: i64 = 3_600_000;
    let rig = Rig::new();
    rig.client(rig.account()).company().await.unwrap();
    let age = |hours: i64| {
        for tokens in rig.store.0.lock().unwrap().values_mut() {
            let Value::Record(fields) = tokens else {
                panic!("no tokens")
            };
            for name in ["issued", "expires"] {
                let Some(Value::Int(time)) = fields.get_mut(name) else {
                    panic!("no {name}")
                };
                *time -= hours * HOUR;
            }
        }
    };
    let now = Clock::system().now_millis();
    age(20);
    let client = rig.client(rig.account());
    assert!(client.signed_in_until().await.unwrap().unwrap() < now + 5 * HOUR);
    client.company().await.unwrap();
    assert!(client.signed_in_until().await.unwrap().unwrap() > now + 23 * HOUR);
    assert_eq!(rig.totals().logins, 1, "it was still good");
    age(25);
    rig.client(rig.account()).company().await.unwrap();
    assert_eq!(rig.totals().logins, 2, "nobody had used it for too long");
}

#[tokio::test]
async fn every_process_knows_the_company_without_signing_in_again() {
    for describes in [true, false] {
        let rig = Rig::with(|options| options.behaviour.describes_sign_in = describes);
        let group = rig.sandbox.account::<JrniAccount>().company;
        for _ in 0..4 {
            let client = rig.client(rig.account());
            assert_eq!(client.company().await.unwrap().name, "Example Group");
            assert_eq!(client.company_id().await, Ok(group));
        }
        assert_eq!(rig.totals().logins, 1, "the token says what it is for");
    }
}

#[tokio::test]
async fn a_cached_token_without_company_is_resolved_once_and_stored() {
    for (describes, logins) in [(true, 1), (false, 2)] {
        let rig = Rig::with(|options| options.behaviour.describes_sign_in = describes);
        let group = rig.sandbox.account::<JrniAccount>().company;
        rig.client(rig.account()).company().await.unwrap();
        // As an earlier version has stored it.
        for tokens in rig.store.0.lock().unwrap().values_mut() {
            let Value::Record(fields) = tokens else {
                panic!("no tokens")
            };
            assert!(fields.remove("company").is_some());
        }
        for _ in 0..3 {
            assert_eq!(rig.client(rig.account()).company_id().await, Ok(group));
        }
        assert_eq!(rig.totals().logins, logins, "described: {describes}");
    }
}
