//! Canaries in everything that Sparrow's bulk API can send.

use serde_json::json;

use super::fake::{Answer, Asked};
use super::{Plot, canary};

pub(super) fn plot() -> Plot {
    Plot {
        platform: "sparrow_bulk",
        profile: "",
        path: "/v2",
        secrets: &["api_token"],
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
    let s = sparrow_bulk::connect();
    print(s); debug(s);
    let credit = s.credit();
    print(credit); debug(credit);
    for text in ["Hello", "Good bye", "Once more"] {
        try {
            let sent = s.send_sms(#{ sender: "Bakery", text: text, recipients: ["9812345678", "9812345679"] });
            print(sent); debug(sent);
        } catch (e) { print(e); print(e.message); }
    }
    for place in ["refused", "confused", "wordless"] {
        try {
            let other = sparrow_bulk::connect(#{ url: base + "/" + place, api_token: key });
            print(other.credit());
        } catch (e) { print(e); print(e.message); }
    }
    print("went through everything");
    #{ password: key, credit: credit }
}
"#;

fn answer(_: &str, asked: &Asked) -> Answer {
    let path = asked.path.as_str();
    let said = format!("you said: {}", asked.all);
    let given = match path {
        _ if path.contains("/refused") => {
            Answer::json(403, &json!({ "response_code": 1002, "response": said }))
        }
        _ if path.contains("/confused") => super::page(200, asked),
        _ if path.contains("/wordless") => Answer::json(
            200,
            &json!({ "response_code": 200, "token": canary("bulkwordless") }),
        ),
        "/v2/credit/" => Answer::json(
            200,
            &json!({ "credits_available": 7, "credits_consumed": 3, "response_code": 200, "token": canary("bulkcredit") }),
        ),
        _ if asked.all.contains("Good+bye") => {
            Answer::json(403, &json!({ "response_code": 1008, "response": said }))
        }
        _ if asked.all.contains("Once+more") => super::echo(400, asked),
        _ => Answer::json(
            200,
            &json!({ "count": 2, "response_code": 200, "response": said, "token": canary("bulksent") }),
        ),
    };
    given.header(
        "Set-Cookie",
        &format!("session={}", canary("bulkcookie").replace('é', "x")),
    )
}
