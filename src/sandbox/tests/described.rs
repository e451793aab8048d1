//! Services of a host program, simulated by their description.

use serde_json::json;

use super::*;
use crate::sandbox::{Collection, DescribedItem, SimulatedService, SimulatedSignIn};

fn contacts() -> Collection {
    Collection {
        kind: "contact".into(),
        path: "/contacts".into(),
        by_id: Some("/contacts/{id}".into()),
        by_key: None,
        key: "email".into(),
        ignores_case: true,
        items: None,
        pages: None,
    }
}

fn crm(collections: Vec<Collection>) -> Vec<SimulatedService> {
    vec![SimulatedService {
        name: "crm".into(),
        collections,
        sign_in: None,
    }]
}

impl Rig {
    fn crm(&self, method: &str, path: &str) -> Request {
        self.request(method, path).host("crm.web.sandbox")
    }
}

#[test]
fn a_described_collection_is_created_listed_changed_and_deleted() {
    let rig = Rig::with(|options| options.services = crm(vec![contacts()]));
    let ann = json!({"email": "Ann@example.com", "name": "Ann"});
    let made = rig.crm("POST", "/contacts").body(&ann).json(201);
    assert_eq!(made, json!({"id": 1, "email": "Ann@example.com", "name": "Ann"}));
    assert_eq!(rig.crm("GET", "/contacts").json(200), json!([made]));
    let changed = rig
        .crm("PUT", "/contacts/1")
        .body(&json!({"name": "Ann Lee"}))
        .json(200);
    assert_eq!(
        changed,
        json!({"id": 1, "email": "Ann@example.com", "name": "Ann Lee"})
    );
    let again = rig
        .crm("POST", "/contacts")
        .body(&json!({"email": "ann@example.com "}));
    assert_eq!(again.status(), 201);
    assert_eq!(
        rig.sandbox.snapshot().unwrap().traffic.repeats,
        1,
        "keys that differ in case are one"
    );
    assert_eq!(rig.crm("DELETE", "/contacts/2").status(), 204);
    let book = books(&rig.reopened().sandbox).web;
    let kept = DescribedItem {
        service: "crm".into(),
        kind: "contact".into(),
        id: 1,
        key: "ann@example.com".into(),
        fields: json!({"email": "Ann@example.com", "name": "Ann Lee"})
            .as_object()
            .unwrap()
            .clone(),
    };
    assert_eq!((book.described, book.items), (vec![kept], Vec::new()));
}

#[test]
fn described_items_are_paginated_and_found_by_key() {
    let rig = Rig::with(|options| {
        options.services = crm(vec![Collection {
            by_key: Some("/contacts/{key}".into()),
            items: Some("data".into()),
            pages: Some(("page".into(), "size".into())),
            ..contacts()
        }]);
    });
    for name in ["a", "b", "c"] {
        let email = json!({"email": format!("{name}@example.com")});
        assert_eq!(rig.crm("POST", "/contacts").body(&email).status(), 201);
    }
    let page = |number: u32| {
        let listed = rig
            .crm("GET", &format!("/contacts?page={number}&size=2"))
            .json(200);
        let data = listed["data"].as_array().unwrap().clone();
        data.iter()
            .map(|item| item["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((page(1), page(2), page(3)), (vec![1, 2], vec![3], vec![]));
    assert_eq!(rig.crm("GET", "/contacts/B@example.com").json(200)["id"], 2);
    assert_eq!(rig.crm("GET", "/contacts/3").json(200)["email"], "c@example.com");
    assert_eq!(rig.crm("GET", "/contacts/z@example.com").status(), 404);
    assert_eq!(rig.crm("GET", "/usage").status(), 404);
}

#[test]
fn a_described_sign_in_returns_a_token_that_requests_need() {
    let sign_in = SimulatedSignIn {
        path: "/login".into(),
        fields: vec!["email".into(), "password".into()],
        token: "access".into(),
        lifetime: Some("expires_in".into()),
    };
    let rig = Rig::with(|options| {
        options.services = crm(vec![contacts()]);
        options.services[0].sign_in = Some(sign_in);
        options.faults = vec!["web-items-get:expire-token:x1".parse().unwrap()];
    });
    let login = |body: &serde_json::Value| rig.crm("POST", "/login").body(body);
    assert_eq!(login(&json!({"email": "ann@example.com"})).status(), 401);
    assert_eq!(rig.crm("GET", "/login").status(), 405);
    assert_eq!(
        rig.crm("POST", "/contacts")
            .body(&json!({"email": "a@b.example"}))
            .status(),
        401
    );
    let token = || {
        let answer = login(&json!({"email": "ann@example.com", "password": "any"})).json(200);
        assert_eq!(answer["expires_in"], 3600);
        answer["access"].as_str().unwrap().to_owned()
    };
    let list = |token: &str| rig.crm("GET", "/contacts").bearer(token).status();
    let first = token();
    assert_eq!(list(&first), 401, "the fault expires it");
    assert_eq!(list(&first), 401, "it stays expired");
    let second = token();
    assert_ne!(first, second);
    assert_eq!(list(&second), 200);
    assert_eq!(list("made-up"), 401);
}

#[test]
fn a_service_described_by_an_attached_sandbox_is_simulated() {
    let rig = Rig::new();
    assert_eq!(rig.crm("GET", "/contacts").status(), 404);
    let mut options = Options::new(rig.dir.path());
    options.services = crm(vec![contacts()]);
    let _attached = Sandbox::start(options).unwrap();
    assert_eq!(rig.crm("GET", "/contacts").json(200), json!([]));
    // Each service has its own items.
    let item = json!({"reference": "A-17"});
    let made = rig.request("POST", "/items").host("api.web.sandbox").body(&item);
    assert_eq!(made.status(), 201);
    assert_eq!(rig.crm("GET", "/contacts").json(200), json!([]));
    let other = rig.crm("GET", "/contacts/1");
    assert_eq!(other.status(), 404);
}
