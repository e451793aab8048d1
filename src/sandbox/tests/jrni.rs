//! Tests of the simulated JRNI without faults, and of expiring tokens.

use super::super::JrniAccount;
use super::*;

/// A request to version 1 of JRNI's API with the headers that every request has.
fn ask(rig: &Rig, method: &str, path: &str) -> Request {
    let account = rig.sandbox.account::<JrniAccount>();
    rig.request(method, &format!("/api/v1/{path}"))
        .host("bookings.jrni.sandbox")
        .header("App-Id", &account.app_id)
        .header("App-Key", &account.app_key)
}

fn credentials(account: &JrniAccount) -> Value {
    json!({ "email": account.login, "password": account.password })
}

fn token(rig: &Rig) -> String {
    let reply = ask(rig, "POST", "login").body(&credentials(&rig.sandbox.account::<JrniAccount>()));
    reply.json(201)["auth_token"].as_str().unwrap().to_owned()
}

/// A request of a signed-in user.
fn signed(rig: &Rig, token: &str, method: &str, path: &str) -> Request {
    ask(rig, method, path).header("Auth-Token", token)
}

fn make(rig: &Rig, token: &str, name: &str, reference: &str) -> u64 {
    let company = rig.sandbox.account::<JrniAccount>().company;
    let made = signed(rig, token, "POST", &format!("admin/{company}/company"))
        .body(&json!({ "name": name, "ref": reference }))
        .json(201);
    made["id"].as_u64().unwrap()
}

#[test]
fn sign_in_accepts_json_form_and_multipart_and_returns_the_token() {
    let rig = Rig::new();
    let account = rig.sandbox.account::<JrniAccount>();
    let boundary = "---011000010111000001101001";
    let part = |name: &str, value: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = format!(
        "{}{}--{boundary}--",
        part("email", &account.login),
        part("password", &account.password)
    );
    let form = format!(
        "email={}&password={}",
        account.login.replace('@', "%40"),
        account.password
    );
    let kind = |kind: &str| ask(&rig, "POST", "login").header("Content-Type", kind);
    for request in [
        kind("application/json").body(&credentials(&account)),
        kind("application/x-www-form-urlencoded").text(&form),
        kind(&format!("multipart/form-data; boundary={boundary}")).text(&multipart),
    ] {
        let answer = request.send().unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 201, "{body}");
        let token = body["auth_token"].as_str().unwrap();
        assert!(
            answer.head.contains(&format!("auth-token: {token}")),
            "{}",
            answer.head
        );
        assert_eq!(body["company_id"], account.company);
        assert_eq!(body["path"], "http://bookings.jrni.sandbox/api/v1");
        let owner = &body["_embedded"]["administrators"][0];
        assert_eq!(
            (&owner["role"], &owner["company_name"]),
            (&json!("owner"), &json!("Example Group"))
        );
    }
    assert_eq!(books(&rig.sandbox).jrni.totals.logins, 3);
}

#[test]
fn sign_in_with_wrong_app_headers_or_password_is_refused() {
    let rig = Rig::new();
    let account = rig.sandbox.account::<JrniAccount>();
    let bare = |id: &str, key: &str| {
        let request = rig.request("POST", "/api/v1/login").host("jrni.sandbox");
        request
            .header("App-Id", id)
            .header("App-Key", key)
            .body(&credentials(&account))
    };
    let swapped = bare(&account.app_key, &account.app_id);
    assert_eq!(swapped.json(401), json!({ "error": "401 Unauthorized" }));
    assert_eq!(bare(&account.app_id, "wrong").status(), 401);
    assert_eq!(bare(&account.app_id, &account.app_key).status(), 201);
    let wrong = json!({ "email": account.login, "password": "wrong" });
    assert_eq!(ask(&rig, "POST", "login").body(&wrong).status(), 401);
    assert_eq!(ask(&rig, "POST", "login").text("nothing").status(), 400);
    let fifth = rig.request("POST", "/api/v5/login/admin").host("jrni.sandbox");
    let fifth = fifth
        .header("App-Id", &account.app_id)
        .body(&credentials(&account));
    assert_eq!(
        fifth.json(201)["path"],
        "http://jrni.sandbox/api/v5",
        "the fifth asks for no key"
    );
}

#[test]
fn credentials_valid_for_several_companies_must_select_one() {
    let rig = Rig::new();
    let token = token(&rig);
    let (one, two) = (make(&rig, &token, "One", "1"), make(&rig, &token, "Two", "2"));
    let ann = json!({ "email": "ann@example.com", "password": "secret", "name": "Ann" });
    for company in [one, two] {
        let made = signed(&rig, &token, "POST", &format!("admin/{company}/administrators"));
        assert_eq!(made.body(&ann).json(201).get("password"), None);
    }
    let again = signed(&rig, &token, "POST", &format!("admin/{one}/administrators"));
    assert_eq!(again.body(&ann).status(), 409);
    let which = ask(&rig, "POST", "login").body(&ann).json(400);
    assert_eq!(which.get("auth_token"), None);
    let listed = which["_embedded"]["administrators"].as_array().unwrap();
    assert_eq!(
        listed.iter().map(|one| &one["company_id"]).collect::<Vec<_>>(),
        [one, two]
    );
    let link = listed[1]["_links"]["login"]["href"].as_str().unwrap();
    assert_eq!(
        link,
        format!("http://bookings.jrni.sandbox/api/v1/login/admin/{two}")
    );
    let chosen = ask(&rig, "POST", &format!("login/admin/{two}"))
        .body(&ann)
        .json(201);
    assert_eq!(chosen["company_id"], two);
    let with_id = json!({ "email": "ann@example.com", "password": "secret", "id": one });
    let chosen = ask(&rig, "POST", "login").body(&with_id).json(201);
    assert_eq!(chosen["company_id"], one);
    let hers = chosen["auth_token"].as_str().unwrap();
    let status = |company: u64| signed(&rig, hers, "GET", &format!("admin/{company}/company")).status();
    assert_eq!((status(one), status(two)), (200, 403));
    let switched = signed(&rig, hers, "PUT", "login/admin").body(&json!({ "company_id": two }));
    assert_eq!(switched.json(200)["company_id"], two);
    assert_eq!((status(one), status(two)), (403, 200));
}

#[test]
fn a_token_expires_by_log_out_idleness_or_fault() {
    let rig = Rig::new();
    let company = rig.sandbox.account::<JrniAccount>().company;
    let look =
        |rig: &Rig, token: &str| signed(rig, token, "GET", &format!("admin/{company}/company")).status();
    let first = token(&rig);
    assert_eq!(look(&rig, &first), 200);
    assert_eq!(
        signed(&rig, &first, "GET", "login").json(200)["auth_token"],
        first.as_str()
    );
    let rig = rig.reopened();
    assert_eq!(look(&rig, &first), 200, "a sign-in survives");
    assert_eq!(signed(&rig, &first, "DELETE", "login").json(200), json!({}));
    assert_eq!(look(&rig, &first), 401);
    assert_eq!(signed(&rig, &first, "DELETE", "login").status(), 401);
    let second = token(&rig);
    rig.sandbox
        .add_faults(&["jrni-company:expire-token:x1".parse().unwrap()])
        .unwrap();
    assert_eq!((look(&rig, &second), look(&rig, &second)), (401, 401));
    assert_eq!(books(&rig.sandbox).jrni.totals.logouts, 1);
    let idle = Rig::with(|options| options.behaviour.idle_life = Duration::ZERO);
    let reply = ask(&idle, "POST", "login").body(&credentials(&idle.sandbox.account::<JrniAccount>()));
    assert_eq!(reply.status(), 401, "described after it ended");
}

#[test]
fn companies_are_created_found_updated_and_disabled() {
    let rig = Rig::new();
    let token = token(&rig);
    let parent = rig.sandbox.account::<JrniAccount>().company;
    let id = make(&rig, &token, "Shop & Co", "acme/1");
    let admin = |method: &str, rest: &str| signed(&rig, &token, method, &format!("admin/{rest}"));
    let found = admin("GET", &format!("{parent}/company/find_by_ref/acme%2F1")).json(200);
    assert_eq!((&found["id"], &found["name"]), (&json!(id), &json!("Shop & Co")));
    assert_eq!(
        admin("GET", &format!("{parent}/company/find_by_ref/other")).status(),
        404
    );
    let change =
        json!({ "website": "https://shop.example", "live": "true", "address": { "address1": "1 High St" } });
    let changed = admin("PUT", &format!("{id}/company")).body(&change).json(200);
    assert_eq!(
        (&changed["live"], &changed["name"]),
        (&json!(true), &json!("Shop & Co"))
    );
    assert_eq!(changed["address"]["address1"], "1 High St");
    assert_eq!(
        changed["_links"]["self"]["href"],
        format!("http://bookings.jrni.sandbox/api/v1/company/{id}")
    );
    let off = admin("DELETE", &format!("{id}/company")).json(200);
    assert_eq!((&off["live"], &off["disabled"]), (&json!(false), &json!(true)));
    let found = ask(&rig, "GET", "company/find_by_ref/acme%2F1").json(200);
    assert_eq!(
        found["disabled"], true,
        "a company that was switched off is still found"
    );
    let wrong = admin("PUT", &format!("{id}/company"))
        .body(&json!({ "live": "perhaps" }))
        .json(400);
    assert_eq!(wrong["detail"], "live is not true or false");
    assert_eq!(
        admin("POST", &format!("{parent}/company"))
            .body(&json!({}))
            .status(),
        400
    );
    assert_eq!(admin("GET", "1/company").status(), 404);
    let snapshot = books(&rig.reopened().sandbox).jrni;
    assert_eq!(snapshot.companies.len(), 2);
    assert!(snapshot.companies[1].disabled);
}

#[test]
fn child_companies_are_paginated_and_embedded_in_their_parent() {
    let rig = Rig::new();
    let token = token(&rig);
    let parent = rig.sandbox.account::<JrniAccount>().company;
    for n in 0..5 {
        make(&rig, &token, &format!("Shop {n}"), &n.to_string());
    }
    let page = |n: u32| {
        ask(
            &rig,
            "GET",
            &format!("company/{parent}/children?page={n}&per_page=2"),
        )
        .json(200)
    };
    let second = page(2);
    assert_eq!(second["total_entries"], 5);
    assert_eq!(second["_embedded"]["companies"][0]["name"], "Shop 2");
    assert_eq!(
        second["_links"]["previous"]["href"]
            .as_str()
            .unwrap()
            .split('?')
            .nth(1),
        Some("page=1&per_page=2")
    );
    assert!(second["_links"]["next"].is_object() && page(3)["_links"].get("next").is_none());
    let whole = ask(&rig, "GET", &format!("company/{parent}")).json(200);
    assert_eq!(whole["companies"], whole["_embedded"]["companies"]);
    assert_eq!(whole["companies"].as_array().unwrap().len(), 5);
    let found = ask(&rig, "GET", &format!("company/{parent}/search?company=SHOP%203")).json(200);
    assert_eq!(found["total_entries"], 1);
    let search = whole["_links"]["company_search"]["href"].as_str().unwrap();
    assert!(
        search.ends_with("/search{?company,address,page,per_page}"),
        "{search}"
    );
}

#[test]
fn people_are_created_updated_deleted_and_mailed_unless_notify_is_false() {
    let rig = Rig::new();
    let token = token(&rig);
    let parent = rig.sandbox.account::<JrniAccount>().company;
    let people =
        |method: &str, rest: &str| signed(&rig, &token, method, &format!("admin/{parent}/people{rest}"));
    let ann = people("POST", "")
        .body(&json!({ "name": "Ann", "reference": "7", "notify": false }))
        .json(201);
    people("POST", "").body(&json!({ "name": "Bob" })).json(201);
    let id = ann["id"].as_u64().unwrap();
    assert_eq!(
        (&ann["type"], &ann["company_id"]),
        (&json!("person"), &json!(parent))
    );
    assert_eq!(people("GET", "/find_by_ref/7").json(200)["id"], id);
    assert_eq!(people("GET", "").json(200)["total_entries"], 2);
    let renamed = people("PUT", &format!("/{id}"))
        .body(&json!({ "name": "Anna" }))
        .json(200);
    assert_eq!(renamed["name"], "Anna");
    let other = make(&rig, &token, "Other", "o");
    let path = format!("admin/{other}/people/{id}");
    assert_eq!(
        signed(&rig, &token, "GET", &path).status(),
        403,
        "another company's person"
    );
    assert_eq!(people("DELETE", &format!("/{id}")).status(), 200);
    assert_eq!(people("GET", &format!("/{id}")).status(), 404);
    let snapshot = books(&rig.sandbox).jrni;
    assert_eq!(
        (snapshot.totals.people_created, snapshot.totals.mails_sent),
        (2, 1)
    );
    let client = signed(&rig, &token, "POST", &format!("admin/{parent}/client"));
    client
        .body(&json!({ "email": "c@example.com", "first_name": "Cid" }))
        .json(201);
    let found = signed(
        &rig,
        &token,
        "GET",
        &format!("admin/{parent}/client/find_by_email/C%40example.com"),
    );
    assert_eq!(found.json(200)["name"], "Cid");
    let service = signed(&rig, &token, "POST", &format!("admin/{other}/services"));
    service
        .body(&json!({ "name": "Cut", "durations": [30] }))
        .json(201);
    let spanning = signed(
        &rig,
        &token,
        "GET",
        &format!("admin/{parent}/services?children=true"),
    );
    assert_eq!(
        spanning.json(200)["_embedded"]["services"][0]["durations"],
        json!([30])
    );
    assert_eq!(
        ask(&rig, "GET", &format!("{parent}/services")).json(200)["total_entries"],
        0
    );
}

#[test]
fn links_use_path_addressing_when_the_request_did() {
    let rig = Rig::new();
    let account = rig.sandbox.account::<JrniAccount>();
    let address = rig.sandbox.address();
    assert_eq!(account.plain_url, format!("http://{address}/jrni/api/v1"));
    assert!(account.url.starts_with("http://bookings.w") && account.url.ends_with(".jrni.sandbox/api/v1"));
    let reply = rig
        .request("GET", &format!("/jrni/api/v1/company/{}", account.company))
        .host(&address.to_string())
        .header("App-Id", &account.app_id)
        .json(200);
    let link = reply["_links"]["self"]["href"].as_str().unwrap();
    assert_eq!(link, format!("{}/company/{}", account.plain_url, account.company));
}

#[test]
fn a_creation_put_off_by_a_fault_lands_once() {
    let rig = Rig::with_fault("jrni-company-post:drop-late:20:x1");
    let token = token(&rig);
    let company = rig.sandbox.account::<JrniAccount>().company;
    let request = signed(&rig, &token, "POST", &format!("admin/{company}/company"));
    assert!(
        request
            .body(&json!({ "name": "Late", "ref": "l" }))
            .send()
            .is_err()
    );
    eventually("the landing", || books(&rig.sandbox).jrni.companies.len() == 2);
    let snapshot = books(&rig.sandbox);
    assert_eq!(
        (snapshot.jrni.totals.landed_late, snapshot.totals.landed_late),
        (1, 0)
    );
    assert_eq!(snapshot.traffic.routes["jrni-company-post"], 1);
}
