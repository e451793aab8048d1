//! Tests of the simulated Mobsted without faults.

use std::collections::HashSet;
use std::time::Duration;

use super::super::Duplicate;
use super::*;

/// A sub-account: its host and an access token.
fn sub_account(rig: &Rig, email: &str) -> (String, String) {
    let created = rig.create(&rig.token(), email).json(200);
    let host = host_of(&created);
    let escaped = email.replace('+', "%2B");
    let password = created["authentication"]["password"].as_str().unwrap();
    let path = format!("/api/v8/auth?login={escaped}&password={password}");
    let tokens = rig.request("GET", &path).host(&host).json(200);
    (host, tokens["access_token"].as_str().unwrap().to_owned())
}

#[test]
fn signing_in_gives_two_tokens_and_an_absolute_expiry() {
    let rig = Rig::new();
    let tokens = rig.sign_in();
    let now = super::super::world::now_millis() / 1000;
    let expires = tokens["expires_in"].as_i64().unwrap();
    assert!((now + 604_790..=now + 604_800).contains(&expires));
    assert_ne!(tokens["access_token"], tokens["refresh_token"]);
    assert_ne!(tokens["access_token"], rig.sign_in()["access_token"]);
    let wrong = rig.request("GET", "/api/v8/auth?login=partner@example.com&password=no");
    assert_eq!(wrong.error(401), "Login or password is wrong");
    assert_eq!(rig.request("GET", "/api/v8/auth").status(), 401);
    assert_eq!(books(&rig.sandbox).totals.logins, 2);
}

#[test]
fn a_refresh_token_works_once_and_an_access_token_cannot_refresh() {
    let rig = Rig::new();
    let tokens = rig.sign_in();
    let refresh = |token: &Value| {
        rig.request(
            "GET",
            &format!("/api/v8/refresh?refresh_token={}", token.as_str().unwrap()),
        )
    };
    assert_eq!(refresh(&tokens["access_token"]).status(), 501);
    let fresh = refresh(&tokens["refresh_token"]).json(200);
    assert_ne!(fresh["access_token"], tokens["access_token"]);
    assert_eq!(
        refresh(&tokens["refresh_token"]).error(501),
        "The refresh token is not accepted"
    );
    assert_eq!(refresh(&json!("garbage")).status(), 501);
    let list = rig.request("GET", "/api/v8/applications");
    assert_eq!(
        list.clone()
            .bearer(fresh["access_token"].as_str().unwrap())
            .status(),
        200
    );
    assert_eq!(
        list.bearer(fresh["refresh_token"].as_str().unwrap()).status(),
        401
    );
    let rig = rig.reopened();
    let again = |token: &Value| {
        rig.request(
            "GET",
            &format!("/api/v8/refresh?refresh_token={}", token.as_str().unwrap()),
        )
        .status()
    };
    assert_eq!(again(&tokens["refresh_token"]), 501, "the trade is remembered");
    assert_eq!(again(&fresh["refresh_token"]), 200);
}

#[test]
fn a_plus_in_an_email_must_be_percent_encoded() {
    let rig = Rig::new();
    let created = rig.create(&rig.token(), "a+b@example.com").json(200);
    let host = host_of(&created);
    let password = created["authentication"]["password"].as_str().unwrap();
    let sign_in = |login: &str| {
        let path = format!("/api/v8/auth?login={login}&password={password}");
        rig.request("GET", &path).host(&host).status()
    };
    assert_eq!(sign_in("a%2Bb%40example.com"), 200);
    assert_eq!(sign_in("a+b@example.com"), 401);
}

#[test]
fn tokens_work_for_their_own_account_and_until_they_expire() {
    let rig = Rig::with(|options| options.behaviour.access_life = Duration::ZERO);
    let list = rig.request("GET", "/api/v8/applications").bearer(&rig.token());
    assert_eq!(list.error(401), "The access token is invalid or has expired");
    let rig = Rig::new();
    let (host, token) = sub_account(&rig, "ann@example.com");
    let list = rig.request("GET", "/api/v8/applications");
    assert_eq!(list.clone().host(&host).bearer(&token).status(), 200);
    assert_eq!(list.clone().host(&host).bearer(&rig.token()).status(), 401);
    assert_eq!(list.clone().bearer(&token).status(), 401);
    assert_eq!(list.status(), 401);
}

#[test]
fn concurrent_creations_for_one_email_make_one_account() {
    let rig = Rig::new();
    let token = rig.token();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..50)
            .map(|n| {
                let email = if n % 2 == 0 {
                    " Ann@Example.com "
                } else {
                    "ann@example.com"
                };
                let request = rig.create(&token, email);
                scope.spawn(move || request.status())
            })
            .collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 49);
    let snapshot = books(&rig.sandbox);
    assert_eq!(snapshot.tenants.len(), 1);
    assert_eq!(snapshot.tenants[0].created, 1);
    assert_eq!(
        (
            snapshot.totals.tenants_created,
            snapshot.totals.duplicates_refused
        ),
        (1, 49)
    );
    assert_eq!(snapshot.traffic.partners, 50);
}

#[test]
fn creating_a_tenant_requires_the_master_account_and_a_valid_email() {
    let rig = Rig::with(|options| options.behaviour.duplicate = Duplicate::Conflict);
    let token = rig.token();
    let created = rig.create(&token, "ann@example.com").json(200);
    assert_eq!(created["authentication"]["email"], "ann@example.com");
    assert_eq!(created["authentication"]["phone"], "");
    assert_eq!(created["authentication"]["password"].as_str().unwrap().len(), 32);
    assert_eq!(
        rig.create(&token, "ANN@example.com").error(409),
        "Email ANN@example.com is already used"
    );
    assert_eq!(
        rig.create(&token, "ann").error(400),
        "Email is not a valid email address"
    );
    let empty = rig.request("POST", "/api/v8/partners").bearer(&token);
    assert_eq!(empty.clone().body(&json!({})).error(400), "Email cannot be blank");
    assert_eq!(empty.text("{").error(400), "The body is not a JSON object");
    let (host, token) = sub_account(&rig, "bob@example.com");
    assert_eq!(
        rig.create(&token, "cid@example.com").host(&host).error(403),
        "This account is not a partner"
    );
    assert_eq!(books(&rig.sandbox).tenants.len(), 2);
}

#[test]
fn accounts_are_addressed_by_host_or_by_path() {
    let rig = Rig::new();
    let master = rig.sandbox.account::<Master>();
    let address = rig.sandbox.address();
    assert!(master.url.starts_with("http://ppp-admin.w") && master.url.ends_with(".mobsted.sandbox"));
    assert_eq!(master.plain_url, format!("http://{address}/ppp-admin"));
    let token = rig.token();
    let create = |path: &str, email: &str| {
        let body = json!({ "email": email });
        rig.request("POST", path)
            .host(&address.to_string())
            .bearer(&token)
            .body(&body)
            .json(200)
    };
    let bare = create("/api/v8/partners", "a@example.com");
    let by_path = create("/ppp-admin/api/v8/partners", "b@example.com");
    for created in [bare, by_path] {
        let url = created["url"].as_str().unwrap();
        let path = url.strip_prefix(&format!("http://{address}")).unwrap();
        let credentials = &created["authentication"];
        let (login, password) = (credentials["email"].as_str(), credentials["password"].as_str());
        let query = format!("login={}&password={}", login.unwrap(), password.unwrap());
        let sign_in = rig
            .request("GET", &format!("{path}/api/v8/auth?{query}"))
            .host("localhost");
        assert_eq!(sign_in.status(), 200, "{url}");
    }
    for request in [
        rig.request("GET", "/api/v8/auth")
            .host("nobody-admin.mobsted.sandbox:80"),
        rig.request("GET", "/nobody-admin/api/v8/auth").host("127.0.0.1"),
        rig.request("GET", "/"),
    ] {
        let answer = request.send().unwrap();
        assert_eq!(answer.status, 404);
        assert!(answer.head.contains("text/html"), "{}", answer.head);
    }
    let proxied = format!("http://{MASTER_HOST}/api/v8/nginx/validate");
    let code = rig.request("GET", &proxied).host("127.0.0.1:1").json(200)["code"].clone();
    assert_eq!(code.as_str().unwrap().len(), 32);
}

#[test]
fn sub_account_lists_are_paginated_and_carry_both_field_vocabularies() {
    let rig = Rig::new();
    let token = rig.token();
    for n in 0..5 {
        rig.create(&token, &format!("u{n}@example.com")).json(200);
    }
    let list = |query: &str| {
        rig.request("GET", &format!("/api/v8/object?applicationId=1{query}"))
            .bearer(&token)
            .json(200)
    };
    let mut seen = HashSet::new();
    for page in 1..=3 {
        let reply = list(&format!("&page={page}&pageSize=2"));
        let meta = json!({ "current_page": page, "last_page": 3, "total": 5, "per_page": 2 });
        assert_eq!(reply["meta"], meta);
        for row in reply["data"].as_array().unwrap() {
            seen.insert(row["attributes"]["Email"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(list("&page=4&pageSize=2")["data"], json!([]));
    assert_eq!(list("&pageSize=9999")["meta"]["per_page"], 200);
    let row = &list("")["data"][4];
    let book = &books(&rig.sandbox).tenants[4];
    let columns = &row["attributes"];
    assert_eq!(row["type"], "Object");
    assert_eq!((row["id"].as_u64(), columns["id"].as_str()), (Some(5), Some("5")));
    for (name, value) in [
        ("TenantName", &book.name),
        ("tenant", &book.name),
        ("UserLogin", &book.email),
        ("Email", &book.email),
        ("UserPassword", &book.password),
        ("defaultPassword", &book.password),
        ("url", &format!("http://{}-admin.mobsted.sandbox", book.name)),
    ] {
        assert_eq!(columns[name].as_str(), Some(value.as_str()), "{name}");
    }
    assert_eq!(
        (&columns["ServerName"], &columns["server"]),
        (&json!("mobsted.sandbox"), &json!("mobsted.sandbox"))
    );
    assert_eq!(rig.sandbox.snapshot().unwrap().traffic.object_lists, 6);
}

#[test]
fn app_one_of_the_master_account_is_protected_and_attempts_are_counted() {
    let rig = Rig::new();
    let token = rig.token();
    let one = json!({ "Name": "x", "ApplicationId": 1 });
    for (method, path) in [
        ("PUT", "/api/v8/applications/1"),
        ("DELETE", "/api/v8/applications/01/"),
        ("PATCH", "/api/v8/applications/1"),
        ("POST", "/api/v8/object"),
    ] {
        let attempt = rig.request(method, path).bearer(&token).body(&one);
        assert_eq!(attempt.status(), 403, "{method} {path}");
    }
    assert_eq!(rig.request("DELETE", "/api/v8/applications/1").status(), 401);
    let app = rig
        .request("GET", "/api/v8/applications/1")
        .bearer(&token)
        .json(200);
    assert_eq!(app["data"][0]["attributes"]["Name"], "My Sub Accounts");
    assert_eq!(books(&rig.sandbox).totals.app1_attempts, 5);
    assert_eq!(books(&rig.reopened().sandbox).totals.app1_attempts, 5);
}

#[test]
fn apps_are_made_listed_changed_and_deleted() {
    let rig = Rig::new();
    let (host, token) = sub_account(&rig, "ann@example.com");
    let ask = |method: &str, path: &str| {
        rig.request(method, &format!("/api/v8/applications{path}"))
            .host(&host)
            .bearer(&token)
    };
    let wrapper = json!({ "Name": "Shop", "appWebSiteUrl": "https://shop.ann.example/x", "type": "pwaless" });
    assert_eq!(ask("GET", "").json(200)["meta"]["total"], 0);
    let made = ask("POST", "").body(&wrapper).json(200);
    let (id, columns) = (&made["data"][0]["id"], &made["data"][0]["attributes"]);
    assert_eq!(
        (id, &columns["id"], &columns["applicationId"]),
        (&json!(1), &json!("1"), &json!(1))
    );
    assert_eq!(columns["appWebSiteUrl"], "https://shop.ann.example/x");
    assert_eq!(
        columns["Params"],
        json!({ "clientsiteurlforbrand": "ann.example", "clientsubdomain": "shop" })
    );
    assert_eq!(
        ask("POST", "").body(&wrapper).json(200)["data"][0]["id"],
        2,
        "names need not be unique"
    );
    for wrong in [
        json!({ "appWebSiteUrl": "https://a.example" }),
        json!({ "Name": "a" }),
        json!({ "Name": "a", "appWebSiteUrl": "ftp://a.example" }),
        json!({ "Name": "a", "appWebSiteUrl": "https://a.example", "type": "capsule" }),
    ] {
        assert_eq!(ask("POST", "").body(&wrong).status(), 400, "{wrong}");
    }
    let renamed = ask("PUT", "/1").body(&json!({ "Name": "New" })).json(200);
    assert_eq!(renamed["data"][0]["attributes"]["Name"], "New");
    assert_eq!(
        renamed["data"][0]["attributes"]["appWebSiteUrl"],
        "https://shop.ann.example/x"
    );
    assert_eq!(ask("DELETE", "/1").status(), 200);
    assert_eq!(ask("GET", "/1").status(), 404);
    assert_eq!(ask("DELETE", "/1").status(), 404);
    assert_eq!(
        ask("POST", "").body(&wrapper).json(200)["data"][0]["id"],
        3,
        "numbers are not used again"
    );
    let snapshot = books(&rig.sandbox);
    assert_eq!(snapshot.apps.iter().map(|app| app.id).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(snapshot.traffic.applications, 7);
}

#[test]
fn minor_endpoints_are_simulated_and_unknown_ones_return_404() {
    let rig = Rig::new();
    let token = rig.token();
    let wrapper = json!({ "Name": "Own", "appWebSiteUrl": "https://own.example" });
    let ask = |method: &str, path: &str| rig.request(method, &format!("/api/v8/{path}")).bearer(&token);
    assert_eq!(
        ask("POST", "applications").body(&wrapper).json(200)["data"][0]["id"],
        2
    );
    for path in [
        "screen?ApplicationId=2",
        "lists",
        "operations/list",
        "hashtags/info",
    ] {
        assert!(ask("GET", path).json(200)["data"].is_array(), "{path}");
    }
    let row = ask("POST", "object")
        .text("ApplicationId=2&Email=a%40b.c")
        .json(200);
    assert_eq!(row["data"][0]["attributes"]["Email"], "a@b.c");
    assert_eq!(ask("GET", "object?applicationId=2").json(200)["meta"]["total"], 1);
    assert_eq!(ask("GET", "object?applicationId=9").status(), 404);
    let event = ask("POST", "events")
        .text("ApplicationId=2&ObjectId=1&ActionName=Hi&Value=%7B%7D")
        .json(200);
    assert_eq!(event["data"][0]["id"], 1);
    let unknown = ask("GET", "nothing/here").error(404);
    assert_eq!(unknown, "GET /nothing/here is not known to the sandbox");
}

#[test]
fn creation_latency_applies_and_creation_survives_client_disconnect() {
    let latency = Duration::from_millis(100);
    let rig = Rig::with(|options| options.behaviour.create_latency = latency);
    let token = rig.token();
    let begin = Instant::now();
    rig.create(&token, "ann@example.com").json(200);
    assert!(begin.elapsed() >= latency);
    hang_up_on(&rig, &rig.create(&token, "bob@example.com"));
    eventually("the creation", || books(&rig.sandbox).tenants.len() == 2);
}
