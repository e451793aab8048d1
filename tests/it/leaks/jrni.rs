//! Canaries in everything that JRNI can send.

use serde_json::{Value, json};

use super::fake::{Answer, Asked};
use super::{Plot, canary};

pub(super) fn plot() -> Plot {
    Plot {
        platform: "jrni",
        profile: "login = \"group@example.com\"\napp_id = \"a1b2\"",
        path: "/api/v1",
        secrets: &["password", "app_key"],
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
    let g = jrni::connect();
    print(g); debug(g);
    let company = g.company();
    print(company); debug(company); print(company.attributes);
    try { print(g.children()) } catch (e) { print(e); print(e.message); }
    try { print(g.administrators()) } catch (e) { print(e); print(e.message); }
    try { print(g.people()) } catch (e) { print(e.message); }
    print(g.get("/raw"));
    for path in ["/echo/400", "/echo/404", "/echo/500", "/page/200", "/page/403", "/fields", "/cut"] {
        try { print(g.get(path)) } catch (e) { print(e); print(e.message); }
    }
    for path in ["/echo/400", "/echo/403", "/echo/422", "/page/400", "/fields"] {
        try { print(g.post(path, #{ password: key, note: key })) } catch (e) { print(e); print(e.message); }
        try { print(g.post(path, #{ note: key }, #{ encoding: "form" })) } catch (e) { print(e.message); }
    }
    for place in ["refused", "confused", "several"] {
        try {
            let other = jrni::connect(#{ url: base.sub_string(0, base.index_of("/api")) + "/" + place + "/api/v1", login: email, password: key, app_id: "a1b2", app_key: key });
            print(other.company());
        } catch (e) { print(e); print(e.message); }
    }
    print("went through everything");
    #{ password: key, company: company, raw: g.get("/raw") }
}
"#;

fn answer(_: &str, asked: &Asked) -> Answer {
    let (account, path) = asked.path.split_once("/api/v1").unwrap_or((&asked.path, ""));
    let canaries = |answer: Answer| {
        answer
            .header(
                "Set-Cookie",
                &format!("session={}", canary("jrnicookie").replace('é', "x")),
            )
            .header("Auth-Token", "CANARYjrniheadertoken9")
    };
    canaries(match (account, path) {
        ("/refused", _) => super::echo(401, asked),
        ("/confused", _) => super::page(200, asked),
        ("/several", _) => Answer::json(
            400,
            &json!({ "password": canary("several"), "_embedded": { "administrators": [
                { "company_id": 1, "company_name": "One", "auth_token": canary("severaltoken") }, { "company_id": 2 },
            ] } }),
        ),
        (_, "/login") => Answer::json(
            201,
            &json!({ "auth_token": "CANARYjrniaccess9", "company_id": 37, "password": canary("jrnilogin") }),
        ),
        (_, "/fields") => Answer::json(
            400,
            &json!({ "password": canary("jrnifield"), "tokens": [canary("jrnitokens")] }),
        ),
        (_, "/cut") => Answer::text(
            200,
            "application/json",
            format!("{{\"auth_token\": \"{}\", [", canary("jrnicut")),
        ),
        (_, "/raw") => Answer::json(200, &secretive(1)),
        (_, path) if path.ends_with("/company") => Answer::json(200, &secretive(37)),
        (_, path) if path.ends_with("/children") => Answer::json(200, &list("companies")),
        (_, path) if path.ends_with("/administrators") => Answer::json(200, &list("administrators")),
        (_, path) if path.ends_with("/people") => Answer::json(200, &list("people")),
        (_, path) if path.starts_with("/echo/") => super::echo(super::status(path), asked),
        (_, path) if path.starts_with("/page/") => super::page(super::status(path), asked),
        _ => super::echo(404, asked),
    })
}

/// A resource with a credential in every field that can hold one.
fn secretive(id: u64) -> Value {
    json!({
        "id": id, "name": "Group", "reference": "group", "email": "group@example.com", "live": true,
        "auth_token": canary("jrniauth"), "app_key": canary("jrnikey"), "password": canary("jrnipassword"),
        "api_secret": canary("jrnisecret"), "_links": { "self": { "href": "/api/v1/x" } },
        "settings": { "payment": { "privateKey": canary("jrniprivate"), "tokens": [canary("jrnilist")] } },
    })
}

fn list(of: &str) -> Value {
    json!({ "total_entries": 1, "_embedded": { of: [secretive(38)] }, "_links": {} })
}
