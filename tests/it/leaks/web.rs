//! Canaries in everything that a web service can send.

use serde_json::json;

use super::fake::{Answer, Asked};
use super::{Plot, canary};

pub(super) fn plot() -> Plot {
    Plot {
        platform: "web",
        profile: "",
        path: "",
        secrets: &["bearer"],
        script: SCRIPT,
        answer,
        signs_in: false,
        reached: "went through everything",
    }
}

const SCRIPT: &str = r#"
/// @param email string
/// @param base string
/// @param key secret
fn main(email, base, key) {
    for path in ["/raw", "/fields", "/cut", "/echo/400", "/echo/500", "/page/200", "/page/403"] {
        for check in [true, false] {
            try { print(http::get(path, #{ check: check })) } catch (e) { print(e); print(e.message); }
            try { print(http::get(base + path, #{ bearer: key, check: check })) } catch (e) { print(e); print(e.message); }
        }
    }
    let bodies = [
        #{ json: #{ password: key, note: key } },
        #{ form: #{ note: key } },
        #{ multipart: #{ note: key } },
        #{ body: key, content_type: "text/plain" },
        #{ headers: #{ "X-Api-Key": key } },
        #{ query: #{ api_key: key } },
        #{ basic: #{ user: email, password: key } },
    ];
    for path in ["/raw", "/echo/400", "/echo/403", "/echo/422", "/page/400", "/fields"] {
        for body in bodies {
            body.check = true;
            try { print(http::post(base + path, body)) } catch (e) { print(e); print(e.message); }
        }
    }
    try {
        print(http::put(base + "/made", #{ json: #{ note: key }, key: "A-17", probe: |name| http::get(base + "/missing", #{ bearer: key }) }));
    } catch (e) { print(e); print(e.message); }
    print("went through everything");
    #{ password: key, raw: http::get("/raw").body, sent: http::post(base + "/raw", #{ json: #{ password: key } }) }
}
"#;

fn answer(_: &str, asked: &Asked) -> Answer {
    let canaries = |answer: Answer| {
        answer
            .header(
                "Set-Cookie",
                &format!("session={}", canary("webcookie").replace('é', "x")),
            )
            .header("Authorization", "Bearer CANARYwebauthorization9")
            .header("X-Api-Key", "CANARYwebapikey9")
    };
    canaries(match asked.path.as_str() {
        "/raw" | "/made" | "/" => Answer::json(
            200,
            &json!({
                "id": 1, "reference": "A-17", "password": canary("webpassword"), "token": canary("webtoken"),
                "client_secret": canary("webclient"),
                "nested": [{ "privateKey": canary("webprivate"), "access_token": canary("webaccess") }],
            }),
        ),
        "/fields" => Answer::json(
            400,
            &json!({ "password": canary("webfield"), "tokens": [canary("webtokens")] }),
        ),
        "/cut" => Answer::text(
            200,
            "application/json",
            format!("{{\"auth_token\": \"{}\", [", canary("webcut")),
        ),
        path if path.starts_with("/echo/") => super::echo(super::status(path), asked),
        path if path.starts_with("/page/") => super::page(super::status(path), asked),
        _ => Answer::json(404, &json!({ "error": "nothing" })),
    })
}
