//! Canaries in everything that Mobsted can send.

use serde_json::json;

use super::fake::{Answer, Asked};
use super::{Plot, canary, echo, page, status};

pub(super) fn plot() -> Plot {
    Plot {
        platform: "mobsted",
        profile: "login = \"partner@example.com\"",
        path: "",
        secrets: &["password"],
        script: SCRIPT,
        answer,
        signs_in: true,
        reached: "went through everything",
    }
}

const SCRIPT: &str = r#"
/// @param email string
/// @param base string
/// @param key secret
fn main(email, base, key) {
    let p = mobsted::connect();
    print(p);
    let t = p.ensure_tenant(email);
    print(t); print(t.password); print(`${t.password} ${t} ${key}`); debug(t); print(to_json(#{a: t.password, b: key}));
    print(p.tenants());
    print(p.get("/raw"));
    for path in ["/echo/400", "/echo/404", "/echo/500", "/page/200", "/page/403", "/page/502", "/fields", "/list", "/elsewhere", "/cut", "/string"] {
        try { print(p.get(path)) } catch (e) { print(e); print(e.message); }
    }
    for path in ["/echo/400", "/echo/403", "/echo/409", "/echo/422", "/page/400", "/fields"] {
        try { print(p.post(path, #{ password: key, note: key, nested: [#{ a: key }] })) } catch (e) { print(e); print(e.message); }
        try { print(p.put(path + "?key=" + "x", #{ secret: t.password })) } catch (e) { print(e.message); }
    }
    try { mobsted::connect(#{ url: base + "/refused", login: email, password: key }).apps() } catch (e) { print(e.message); }
    try { mobsted::connect(#{ url: base + "/confused", login: email, password: key }).apps() } catch (e) { print(e.message); }
    let client = t.connect();
    print(client);
    print(client.apps());
    let app = client.ensure_app("Shop", "https://shop.example", #{ adopt: true });
    print("went through everything");
    let raw = p.get("/raw");
    #{ url: t.url, tenant: t, password: t.password, raw: raw, key: key, app: app.id }
}
"#;

fn answer(own: &str, asked: &Asked) -> Answer {
    let (account, path) = asked.path.split_once("/api/v8").unwrap_or((&asked.path, ""));
    match (asked.method.as_str(), account, path) {
        ("GET", "/refused", "/auth") => echo(401, asked),
        ("GET", "/confused", "/auth") => page(200, asked),
        ("GET", _, "/auth" | "/refresh") => tokens(account),
        ("POST", _, "/partners") => Answer::json(
            200,
            &json!({
                "url": format!("{own}/tenant"),
                "authentication": { "email": "ann@example.com", "pin": canary("pin"), "password": canary("tenantpassword") },
                "access_token": canary("partneraccess"),
            }),
        ),
        ("GET", _, "/object") => rows(),
        ("GET", _, "/applications") => Answer::json(
            200,
            &json!({ "data": [{ "id": 7, "type": "Application", "attributes": {
                "Name": "Shop", "appWebSiteUrl": "https://shop.example", "apiToken": canary("apptoken"), "tokens": [canary("apptokens")],
            } }], "meta": { "current_page": 1, "last_page": 1 } }),
        ),
        ("GET", _, "/raw") => raw(),
        (_, _, "/elsewhere") => {
            let place = format!("http://elsewhere.example/?token={}", canary("location").replace(['"', '\\', '<', ' ', 'é'], "x"));
            Answer::text(302, "text/plain", String::new()).header("Location", &place)
        }
        (_, _, "/fields") => Answer::json(
            400,
            &json!({ "UserPassword": canary("refusedpassword"), "tokens": [canary("refusedtokens")], "a": { "apiKey": canary("refusedkey") } }),
        ),
        (_, _, "/list") => Answer::json(422, &json!({ "errors": [{ "title": "No", "detail": format!("password={}", canary("detail")) }] })),
        (_, _, "/cut") => Answer::text(200, "application/json", format!("{{\"password\": \"{MARKED}\", \"x\": [", MARKED = canary("cut"))),
        (_, _, "/string") => Answer::json(400, &json!(format!("bad token: {}", canary("string").replace([' ', '"'], "x")))),
        (_, _, echoed) if echoed.starts_with("/echo/") => echo(status(echoed), asked),
        (_, _, echoed) if echoed.starts_with("/page/") => page(status(echoed), asked),
        _ => Answer::json(404, &json!({ "errors": [{ "title": "Not found", "detail": asked.all }] })),
    }
    .header("Set-Cookie", &format!("session={}", canary("cookie").replace('é', "x")))
    .header("X-Auth-Token", &canary("header").replace('é', "x"))
}

/// Tokens that are not JWTs, so that only their type hides them.
fn tokens(account: &str) -> Answer {
    let whose = if account.is_empty() { "master" } else { "tenant" };
    let token = |kind: &str| format!("CANARY{whose}{kind}9");
    Answer::json(
        200,
        &json!({ "access_token": token("access"), "refresh_token": token("refresh"), "expires_in": 4_000_000_000_u64, "password": canary("authpassword") }),
    )
}

fn rows() -> Answer {
    Answer::json(
        200,
        &json!({ "data": [{ "id": "3", "type": "Object", "attributes": {
            "email": "other@example.com", "Tenant": "a1b2c3", "url": "https://a1b2c3-admin.mobsted.com",
            "UserPassword": canary("rowpassword"), "defaultPassword": canary("rowdefault"), "PIN": 918_273_645,
        } }], "meta": { "current_page": 1, "last_page": 1 } }),
    )
}

/// A possible response to a raw call.
fn raw() -> Answer {
    Answer::json(
        200,
        &json!({
            "password": canary("rawpassword"), "api_token": canary("rawtoken"), "clientSecret": canary("rawsecret"),
            "App-Key": canary("rawappkey"), "PIN": canary("rawpin"), "JWT": canary("rawjwt"),
            "nested": [{ "tokens": [canary("rawtokens"), { "value": canary("rawvalue") }] }],
            "credentials": { "login": "a", "value": canary("rawcredentials") },
        }),
    )
}
