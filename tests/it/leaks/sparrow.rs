//! Canaries in everything that Sparrow SMS can send.

use serde_json::json;

use super::fake::{Answer, Asked};
use super::{Plot, canary};

pub(super) fn plot() -> Plot {
    Plot {
        platform: "sparrow",
        profile: "",
        path: "",
        secrets: &["api_token", "partner_token"],
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
    let s = sparrow::connect();
    print(s); debug(s);
    let tariffs = s.tariffs();
    print(tariffs); debug(tariffs);
    for part in ["delivery", "fault"] {
        try { print(s.viber_report(7, part)) } catch (e) { print(e); print(e.message); }
    }
    try { print(s.sms_report(7)) } catch (e) { print(e); print(e.message); }
    try { print(s.send_viber(#{ sender: "Bakery", text: "Hello", recipients: "9779812345678" })) } catch (e) { print(e); print(e.message); }
    try { print(s.send_sms(#{ sender: "Bakery", text: "Hello", recipients: "+4915112345678" })) } catch (e) { print(e); print(e.message); }
    try { print(s.send_whatsapp(#{ recipient: "9779812345678", template: "t", parameters: ["a"] })) } catch (e) { print(e); print(e.message); }
    for place in ["refused", "confused", "wordless"] {
        try {
            let other = sparrow::connect(#{ url: base + "/" + place, api_token: key, partner_token: key });
            print(other.tariffs());
        } catch (e) { print(e); print(e.message); }
    }
    print("went through everything");
    #{ password: key, tariffs: tariffs }
}
"#;

fn answer(_: &str, asked: &Asked) -> Answer {
    let path = asked.path.as_str();
    let data = json!({
        "message": "fine", "api_token": canary("sparrowapi"), "partner_token": canary("sparrowpartner"),
        "jwt": canary("sparrowjwt"), "password": canary("sparrowpassword"), "records": [{ "tokens": [canary("sparrowlist")] }],
    });
    let secretive = json!({ "data": data, "meta": {}, "result": "00", "status": "OK", "api_token": canary("sparrowtop") });
    let given = match path {
        _ if path.starts_with("/refused") => super::echo(401, asked),
        _ if path.starts_with("/confused") => super::page(200, asked),
        _ if path.starts_with("/wordless") => {
            Answer::json(200, &json!({ "apiToken": canary("sparrowwordless") }))
        }
        "/v1/autho/apitoken/login/" => Answer::json(
            200,
            &json!({ "data": {
                "token": "CANARYsparrowtoken9", "expires_on": "2099-01-01T00:00:00+05:45", "secret": canary("sparrowlogin"),
            }, "meta": {}, "result": "00", "status": "OK" }),
        ),
        "/v1/viber/message/compose/" => super::echo(400, asked),
        "/v1/intlsms/compose/" => super::page(403, asked),
        "/v1/whatsapp/messages/" => Answer::json(400, &secretive),
        "/v1/intlsms/compose/tarrif/" => Answer::json(200, &secretive),
        _ => super::echo(404, asked),
    };
    given.header(
        "Set-Cookie",
        &format!("session={}", canary("sparrowcookie").replace('é', "x")),
    )
}
