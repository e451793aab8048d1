//! App 1 of a master account, against a server that records its requests: whatever a script does, through any
//! operation, no request that could change App 1 arrives.

#![allow(clippy::unwrap_used, reason = "tests")]

mod generator;
mod lists;
mod oracle;

use crate::platforms::mobsted::fault::PROTECTED_APP;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::client::{Network, Password, TokenKey, TokenStore};
use crate::clock::{Clock, Ids};
use crate::journal::{Journal, Sealer};
use crate::operation::context;
use crate::transport::testing::{Act, ReceivedRequest, Server};
use crate::transport::{Http, HttpConfig};
use crate::value::Record;

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

/// Two profiles of one address: the master account, and a web service.
struct Profiles(String);

impl Profiles {
    fn profile(&self, platform: &str) -> Arc<context::Profile> {
        let texts = [("url", self.0.as_str()), ("login", "partner@example.com")];
        Arc::new(context::Profile {
            name: platform.to_owned(),
            platform: platform.to_owned(),
            texts: texts.map(|(key, text)| (key.to_owned(), text.to_owned())).into(),
            secrets: [(
                "password".to_owned(),
                Password::known(Secret::new("word-of-acme")),
            )]
            .into(),
            settings: context::Settings::default(),
        })
    }
}

impl context::Profiles for Profiles {
    fn find(&self, platform: &str, _: Option<&str>) -> Result<Arc<context::Profile>, OpError> {
        Ok(self.profile(platform))
    }

    fn covering(&self, url: &str) -> Result<Vec<Arc<context::Profile>>, OpError> {
        let below = url.starts_with(&self.0);
        Ok(below.then(|| self.profile("mobsted")).into_iter().collect())
    }
}

/// A master account on a recording server, and all requests that hit its App 1.
struct Rig {
    server: Server,
    network: Network,
    context: OpContext,
    hits: Arc<Mutex<Vec<String>>>,
    /// The endpoint override in the profile of the current call.
    correction: Arc<Mutex<Option<oracle::Correction>>>,
}

impl Rig {
    async fn start() -> Rig {
        Rig::with(|_| None).await
    }

    /// Like [`Rig::start`], with other responses to some requests.
    async fn with(other: impl Fn(&ReceivedRequest) -> Option<Act> + Send + Sync + 'static) -> Rig {
        let hits: Arc<Mutex<Vec<String>>> = Arc::default();
        let correction: Arc<Mutex<Option<oracle::Correction>>> = Arc::default();
        let (found, corrected) = (Arc::clone(&hits), Arc::clone(&correction));
        let server = Server::start(move |seen, _| {
            if let Some(reason) = oracle::touches_app_one(seen, corrected.lock().unwrap().as_ref()) {
                let line = format!(
                    "{reason}: {} {} {}\n{}",
                    seen.method, seen.target, seen.body, seen.head
                );
                found.lock().unwrap().push(line);
            }
            other(seen).unwrap_or_else(|| answer(seen))
        })
        .await;
        let http = Http::new(HttpConfig::default(), Clock::system());
        let network = Network::new(http, Arc::new(Store::default()), Clock::system());
        let journal = Journal::in_memory(Sealer::new(&[7; 32]), Clock::system(), Ids::seeded(1)).unwrap();
        let profiles = Profiles(server.url("").as_str().trim_end_matches('/').to_owned());
        let context = OpContext::new(
            crate::platforms::catalogue(),
            journal,
            network,
            Arc::new(profiles),
            Ids::seeded(1),
        );
        Rig {
            network: context.network().clone(),
            context,
            server,
            hits,
            correction,
        }
    }

    fn address(&self, path: &str) -> String {
        self.server.url(path).as_str().to_owned()
    }

    /// Calls an operation by its name.
    async fn call(
        &self,
        on: Option<&Object>,
        module: &str,
        name: &str,
        args: Vec<Value>,
    ) -> Result<Value, OpError> {
        let catalogue = crate::platforms::catalogue();
        let mut all = catalogue.operations().iter();
        let receiver = on.map(|object| object.kind.as_str());
        let op = all.find(|op| op.module == module && op.name == name && op.receiver == receiver);
        let call = Call::check(*op.unwrap(), on.cloned(), args)?;
        let call = call.op.driver().resolve(&self.context, call)?;
        (call.op.run)(&self.context, &call).await
    }

    async fn session(&self) -> Object {
        match self.call(None, "mobsted", "connect", vec![]).await.unwrap() {
            Value::Object(session) => session,
            other => panic!("{other:?}"),
        }
    }

    fn hits(&self) -> Vec<String> {
        self.hits.lock().unwrap().clone()
    }

    /// The requests that arrived, without sign-ins and lookups.
    fn changes(&self) -> Vec<String> {
        let seen = self.server.seen();
        let changes = seen.iter().filter(|seen| seen.method != "GET");
        changes
            .map(|seen| format!("{} {}", seen.method, seen.target))
            .collect()
    }
}

/// Responds like a master account with the apps 1 and 2. Ids of App 1's items end in 1, those of App 2's in 2.
fn answer(seen: &ReceivedRequest) -> Act {
    let query = seen.target.to_ascii_lowercase();
    let app = if query.contains("id=1&") { 1 } else { 2 };
    let list = |base: u64| {
        let ids = (0..4).map(|ten| base + ten * 10 + app);
        let items: Vec<_> = ids
            .map(|id| serde_json::json!({"id": id, "attributes": {"url": "x", "Email": "eve@example.com"}}))
            .collect();
        serde_json::json!({"data": items, "meta": {"current_page": 1, "last_page": 1}})
    };
    let path = seen.path();
    let path = path.find("/api/v8").map_or(path, |at| &path[at..]);
    let body = match (seen.method.as_str(), path) {
        ("GET", "/api/v8/auth") => {
            serde_json::json!({"access_token": "not-a-web-token", "refresh_token": "r", "expires_in": 4_000_000_000_u64})
        }
        ("GET", "/api/v8/object") => list(0),
        ("GET", "/api/v8/screen") => list(100),
        ("GET", "/api/v8/lists") => list(200),
        ("GET", "/api/v8/applications") => serde_json::json!({
            "data": [{"id": 1, "attributes": {"Name": "My Sub Accounts"}}, {"id": 2, "attributes": {"Name": "Own"}}],
            "meta": {"current_page": 1, "last_page": 1},
        }),
        ("POST", "/api/v8/partners") => serde_json::json!({
            "url": "https://a1b2-admin.mobsted.com",
            "authentication": {"email": "ann@example.com", "password": "first-word-1"},
        }),
        _ => serde_json::json!({"data": [{"id": 3, "attributes": {}}], "meta": {}}),
    };
    Act::json(200, &body.to_string())
}

fn map(json: &str) -> Value {
    Value::from_json(serde_json::from_str(json).unwrap())
}

/// Raw calls on a master account that once reached App 1, or could.
const MISDEEDS: &[(&str, &str, &str)] = &[
    ("delete", "/applications", r#"{"ids": []}"#),
    ("put", "/applications", r#"{"ids": [], "Name": "x"}"#),
    ("put", "/applications", r#"{"id": null, "Name": "x"}"#),
    ("delete", "/screen/7", "{}"),
    ("put", "/screen/7", r#"{"Name": "x"}"#),
    ("put", "/screen/101", r#"{"ApplicationId": 2}"#),
    ("put", "/lists/3", r#"{"Name": "x"}"#),
    ("put", "/lists/201", r#"{"AppId": 2}"#),
    (
        "post",
        "/nginx/config",
        r#"{"domain": "go.shop.com", "isCustom": 1}"#,
    ),
    ("put", "/deleteApplication/1", r#"{"id": 1}"#),
    ("put", "/application-delete/1", r#"{"id": 1}"#),
    ("put", "/updateApp", r#"{"id": 1}"#),
    ("put", "/object/2", r#"{"ApplicationId": 2, "newApp": 1}"#),
    ("put", "/object/1", r#"{"ApplicationId": 2}"#),
    (
        "post",
        "/events",
        r#"{"ApplicationId": 2, "ObjectId": 11, "ActionName": "x"}"#,
    ),
    (
        "post",
        "/applications/delete",
        r#"{"where": {"Name": "My Sub Accounts"}}"#,
    ),
    ("get", "/applications/1", r#"{"X-HTTP-Method": "DELETE"}"#),
];

#[tokio::test]
async fn no_spelling_of_a_call_reaches_app_one() {
    let rig = Rig::start().await;
    let master = rig.session().await;
    let on = Some(&master);
    let asked = vec!["/auth".into(), map(r#"{"login": "a", "password": "b"}"#)];
    let token = rig.call(on, "mobsted", "get", asked).await.unwrap();
    let token = token.as_record().unwrap()["access_token"].clone();
    assert!(
        matches!(token, Value::Secret(_)),
        "no token is handed out in clear"
    );
    let mut refused = Vec::new();
    for (name, path, body) in MISDEEDS {
        let args = vec![Value::from(*path), map(body)];
        refused.push((*path, rig.call(on, "mobsted", name, args).await));
    }
    let (url, away) = (
        rig.address("/api/v8/applications/1"),
        rig.address("/applications/1"),
    );
    let header = map(r#"{"headers": {"X-HTTP-Method-Override": "DELETE"}}"#);
    let bearer = Value::Record(Record::from([("bearer".to_owned(), token)]));
    for (name, url, options) in [
        ("delete", &url, map(r#"{"profile": "web"}"#)),
        ("delete", &url, bearer),
        ("get", &url, header),
        ("delete", &away, map("{}")),
    ] {
        let args = vec![Value::from(url.as_str()), options];
        refused.push((name, rig.call(None, "http", name, args).await));
    }
    for (name, args) in [
        ("delete_app", vec![Value::from(" 01 ")]),
        ("post_event", vec![Value::Int(2), Value::Int(21), "opened".into()]),
        ("set_domain", vec!["go.shop.com".into()]),
    ] {
        refused.push((name, rig.call(on, "mobsted", name, args).await));
    }
    for (what, answer) in refused {
        let error = answer.unwrap_err();
        assert_eq!(error.code, Code::Own(&PROTECTED_APP), "{what}: {}", error.message);
    }
    assert_eq!(rig.changes(), Vec::<String>::new(), "nothing was sent");
    assert_eq!(rig.hits(), Vec::<String>::new());
}

/// A partner's everyday calls: operations with their arguments.
const HONEST: &[(&str, &str)] = &[
    ("create_tenant", r#"["ann@example.com"]"#),
    ("ensure_app", r#"["1 Shop", "https://shop.example"]"#),
    ("update_app", r#"[2, {"Name": "Shop 1", "isActive": 1}]"#),
    ("delete_app", "[2]"),
    ("post_event", r#"[2, 12, "opened", {"value": {"id": 1}}]"#),
    ("set_domain", r#"["go.shop.com", {"app": 2}]"#),
    ("object_tags", r##"[1, [1], ["#Object:Email#"]]"##),
    (
        "post",
        r#"["/object", {"ApplicationId": 2, "Email": "x", "Count": 1}]"#,
    ),
    ("put", r#"["/object/3", {"ApplicationId": 2, "Email": "y"}]"#),
    ("put", r#"["/object/22", {"ApplicationId": 2, "Email": "y"}]"#),
    ("delete", r#"["/object/12", {"applicationId": 2}]"#),
    ("put", r#"["/screen/102", {"ApplicationId": 2}]"#),
    ("put", r#"["/applications/2", {"Name": "x"}]"#),
    ("delete", r#"["/api/v8/applications/2"]"#),
];

/// Requests as the server sees them: method, path and query, a header, the body; and whether App 1 could be changed.
const SEEN: &[(&str, &str, &str, &str, bool)] = &[
    ("DELETE", "/api/v8/applications/1", "", "", true),
    ("DELETE", "/API/v8//applications%2f%31", "", "", true),
    ("DELETE", "/api/v8/applications/2/../1.json", "", "", true),
    ("DELETE", "/api/v8/applications", "", "", true),
    (
        "DELETE",
        "/api/v8/applications/2",
        "",
        r#"{"where": {"id": 1}}"#,
        true,
    ),
    ("DELETE", "/api/v8/applications/2?data[id]=1", "", "", true),
    ("GET", "/api/v8/applications/1", "x-http-method: DELETE", "", true),
    ("GET", "/api/v8/applications/1?_method=PUT", "", "", true),
    ("GET", "/api/v8/applications/1/edit", "", "", true),
    (
        "GET",
        "/api/v8/applications/2",
        "x-original-url: /api/v8/applications/1",
        "",
        true,
    ),
    ("POST", "/api/v8/hashtags/objects?r=applications/1", "", "", true),
    (
        "POST",
        "/api/v8/partners",
        "",
        r#"{"email": "x", "appId": "01"}"#,
        true,
    ),
    ("PUT", "/api/v8/object/11", "", r#"{"ApplicationId": 2}"#, true),
    ("PUT", "/api/v8/object", "", r#"{"ApplicationId": 2}"#, true),
    ("PUT", "/api/v8/screen/102", "", "{}", true),
    (
        "POST",
        "/api/v8/object",
        "",
        r#"{"Value": "{\"AppId\": 1}"}"#,
        true,
    ),
    (
        "POST",
        "/api/v8/object/move",
        "",
        r#"{"appId": 2, "Value": "{\"id\": 11}"}"#,
        true,
    ),
    ("POST", "/api/v8/nginx/config", "", r#"{"domain": "x"}"#, true),
    ("POST", "/api/v8/tenant", "", "{}", true),
    ("DELETE", "/api/v8/partners", "", "", true),
    ("POST", "/api/v8/filters/objects", "", "{}", true),
    ("GET", "/api/v8/applications/1", "", "", false),
    ("DELETE", "/api/v8/applications/2", "", "", false),
    ("POST", "/api/v8/applications", "", r#"{"Name": "1 Shop"}"#, false),
    ("PUT", "/api/v8/object/12", "", r#"{"ApplicationId": 2}"#, false),
    (
        "POST",
        "/api/v8/events",
        "",
        r#"{"ApplicationId": 2, "ObjectId": 12, "Value": "{\"id\": 1}"}"#,
        false,
    ),
    (
        "POST",
        "/api/v8/hashtags/objects",
        "",
        r#"{"applicationId": 1}"#,
        false,
    ),
    ("POST", "/api/v8/partners", "", r#"{"email": "x"}"#, false),
];

#[test]
fn the_oracle_detects_requests_that_could_change_app_one() {
    for (method, target, header, body, touches) in SEEN {
        let seen = ReceivedRequest {
            method: (*method).to_owned(),
            target: (*target).to_owned(),
            head: format!("content-type: application/json\n{header}"),
            body: (*body).to_owned(),
        };
        let reason = oracle::touches_app_one(&seen, None);
        assert_eq!(reason.is_some(), *touches, "{seen:?}: {reason:?}");
    }
    let correction = oracle::Correction {
        endpoint: "partners".to_owned(),
        path: "/clients/v8".to_owned(),
    };
    for (path, touches) in [("/clients/v8", false), ("/clients/1", true), ("/tenant", true)] {
        let seen = ReceivedRequest {
            method: "POST".to_owned(),
            target: format!("/api/v8{path}"),
            head: String::new(),
            body: String::new(),
        };
        let reason = oracle::touches_app_one(&seen, Some(&correction));
        assert_eq!(reason.is_some(), touches, "{seen:?}: {reason:?}");
    }
}

#[tokio::test]
async fn legitimate_calls_pass_the_app_one_protection() {
    let rig = Rig::start().await;
    let master = rig.session().await;
    for (name, args) in HONEST {
        let Value::List(given) = map(args) else {
            panic!("no list")
        };
        let done = rig.call(Some(&master), "mobsted", name, given).await;
        assert!(done.is_ok(), "{name} {args}: {done:?}");
    }
    let lists = rig.server.seen();
    let lists = lists
        .iter()
        .filter(|seen| seen.target.starts_with("/api/v8/object?"));
    assert_eq!(
        lists.count(),
        2,
        "App 2's list and the first page of App 1's are read once"
    );
    for (name, path, options) in [
        ("get", "/api/v8/applications/1", "{}"),
        (
            "post",
            "/api/v8/object",
            r#"{"json": {"ApplicationId": 2, "Email": "x"}}"#,
        ),
        ("put", "/api/v8/applications/2", r#"{"json": {"Name": "x"}}"#),
    ] {
        let args = vec![rig.address(path).into(), map(options)];
        let done = rig.call(None, "http", name, args).await;
        assert!(done.is_ok(), "{name} {path}: {done:?}");
    }
    // Other services are not checked.
    let other = Rig::start().await;
    let header = map(r#"{"headers": {"X-HTTP-Method-Override": "DELETE"}}"#);
    let args = vec![other.address("/v2/applications/1").into(), header];
    assert!(rig.call(None, "http", "delete", args).await.is_ok());
    assert_eq!(rig.hits(), Vec::<String>::new());
}

#[tokio::test]
async fn a_sub_account_with_the_partners_address_cannot_change_app_one() {
    let rig = Rig::start().await;
    let at = |url: &str, master: &str, role: Option<&str>| {
        let fields = [
            ("email", "ann@example.com"),
            ("login", "ann@example.com"),
            ("url", url),
            ("$master", master),
        ];
        let mut tenant = Object::new(TENANT, fields.map(|(name, text)| (name, Value::from(text))));
        tenant
            .fields
            .insert("password".into(), Secret::new("first-word").into());
        if let Some(role) = role {
            tenant.fields.insert("$role".into(), role.into());
        }
        tenant
    };
    let partner = rig.address("");
    let partner = partner.trim_end_matches('/');
    let spelled = partner.replace("127.0.0.1", "localhost");
    for (tenant, may) in [
        (at(partner, partner, None), false),
        (at(partner, "http://127.0.0.1:1", None), false),
        (at(&spelled, partner, None), false),
        (
            at(&format!("{partner}/own-admin"), partner, Some("master")),
            false,
        ),
        (at(&format!("{partner}/own-admin"), partner, None), true),
    ] {
        let session = rig
            .call(Some(&tenant), "mobsted", "connect", vec![])
            .await
            .unwrap();
        let Value::Object(session) = session else {
            panic!("no session")
        };
        let done = rig
            .call(
                Some(&session),
                "mobsted",
                "delete",
                vec!["/applications/1".into()],
            )
            .await;
        match done {
            Err(error) => assert_eq!(
                (error.code, may),
                (Code::Own(&PROTECTED_APP), false),
                "{tenant:?}"
            ),
            Ok(_) => assert!(may, "{tenant:?}"),
        }
    }
}

#[tokio::test]
async fn a_tenant_listed_by_a_sub_account_is_treated_as_master() {
    let rig = Rig::start().await;
    let mut session = rig.session().await;
    session.fields.insert("$role".into(), "tenant".into());
    session
        .fields
        .insert("$master".into(), "https://other-admin.mobsted.com".into());
    session
        .fields
        .insert("url".into(), rig.address("/own-admin").into());
    let fields = [
        ("email", ""),
        ("login", ""),
        ("url", ""),
        ("password", ""),
        ("name", ""),
        ("phone", ""),
    ];
    let own = tenants::tenant(
        &session,
        "unchanged",
        fields.map(|(name, text)| (name, text.into())),
    )
    .unwrap();
    let Value::Object(own) = own else {
        panic!("no tenant")
    };
    assert_eq!(own.text("$role"), "master");
}
