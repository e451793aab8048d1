//! Tests of the simulated bulk API of Sparrow SMS.

use super::*;

fn ask(rig: &Rig, method: &str, path: &str) -> Request {
    rig.request(method, path).host("api.sparrow_bulk.sandbox")
}

/// The parameters of a message.
fn message(rig: &Rig) -> Vec<(&'static str, String)> {
    vec![
        ("token", rig.sandbox.account::<SparrowBulkAccount>().api_token),
        ("from", "Bakery".to_owned()),
        ("to", "9812345678".to_owned()),
        ("text", "Fresh bread & cake".to_owned()),
    ]
}

/// The same with another value for one of them, or without it.
fn changed(rig: &Rig, name: &str, value: Option<&str>) -> Vec<(&'static str, String)> {
    let fields = message(rig).into_iter();
    let fields = fields.filter_map(|(known, text)| match (known == name, value) {
        (true, value) => Some((known, value?.to_owned())),
        (false, _) => Some((known, text)),
    });
    fields.collect()
}

fn encoded(fields: &[(&'static str, String)]) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(fields);
    pairs.finish()
}

fn sms(rig: &Rig, fields: &[(&'static str, String)]) -> Request {
    ask(rig, "POST", "/v2/sms/").text(&encoded(fields))
}

fn set_credits(rig: &Rig, credits: u32) {
    let path = format!("/_sandbox/sparrow_bulk/credits/{credits}");
    assert_eq!(rig.request("POST", &path).status(), 200);
}

fn sent(rig: &Rig) -> u64 {
    books(&rig.sandbox).sparrow_bulk.totals.sent
}

#[test]
fn a_message_is_taken_by_both_methods_and_in_every_encoding() {
    let rig = Rig::new();
    let fields = message(&rig);
    let document: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json!(text)))
        .collect();
    let boundary = "---011000010111000001101001";
    let parts = fields.iter().map(|(name, text)| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    });
    let multipart = format!("{}--{boundary}--", parts.collect::<String>());
    let requests = [
        ask(&rig, "GET", &format!("/v2/sms/?{}", encoded(&fields))),
        ask(&rig, "GET", &format!("/v2/sms?{}", encoded(&fields))),
        sms(&rig, &fields),
        ask(&rig, "POST", "/v2/sms").body(&Value::Object(document)),
        // As in the vendor's examples for curl.
        ask(&rig, "POST", "/v2/sms")
            .header(
                "Content-Type",
                &format!("multipart/form-data; boundary={boundary}"),
            )
            .text(&multipart),
        rig.request("POST", "/sparrow_bulk/v2/sms/")
            .host("127.0.0.1")
            .text(&encoded(&fields)),
    ];
    for request in &requests {
        assert_eq!(
            request.json(200),
            json!({ "count": 1, "response_code": 200, "response": "1 mesages has been queued for delivery" })
        );
    }
    assert_eq!(sent(&rig), requests.len() as u64);
    let books = books(&rig.sandbox).sparrow_bulk.messages;
    assert!(books.iter().all(|book| {
        (book.sender.as_str(), book.text.as_str()) == ("Bakery", "Fresh bread & cake")
            && book.recipients == ["9812345678"]
    }));
}

#[test]
fn each_refusal_of_the_vendor_can_be_met_in_its_own_words() {
    let rig = Rig::new();
    for (name, value, code, text) in [
        ("token", None, 1000, "A required field is missing"),
        ("from", None, 1000, "A required field is missing"),
        ("to", None, 1000, "A required field is missing"),
        ("text", None, 1000, "A required field is missing"),
        ("token", Some("elsewhere"), 1001, "Invalid IP Address"),
        ("token", Some("nobodys"), 1002, "Invalid Token"),
        ("token", Some("inactive-account"), 1003, "Account Inactive"),
        ("token", Some("inactive-user"), 1004, "Account Inactive"),
        ("token", Some("expired-account"), 1005, "Account has been expired"),
        ("token", Some("expired-user"), 1006, "Account has been expired"),
        ("to", Some("+9779812345678"), 1007, "Invalid Receiver"),
        ("from", Some("Stranger"), 1008, "Invalid Sender"),
        ("text", Some(" "), 1010, "Text cannot be empty"),
        ("to", Some("014412345,98123"), 1011, "No valid receiver"),
    ] {
        let refused = sms(&rig, &changed(&rig, name, value)).json(403);
        assert_eq!(
            refused,
            json!({ "response_code": code, "response": text }),
            "{name} {value:?}"
        );
        if name == "token" && code > 1000 {
            let path = format!("/v2/credit/?token={}", value.unwrap());
            assert_eq!(ask(&rig, "GET", &path).json(403), refused);
        }
    }
    assert_eq!(sent(&rig), 0);
    assert_eq!(ask(&rig, "GET", "/v2/nothing/").status(), 404);
    assert_eq!(ask(&rig, "DELETE", "/v2/sms/").status(), 405);
}

#[test]
fn messages_are_paid_from_the_credit_which_outlives_the_process() {
    let rig = Rig::new();
    let token = rig.sandbox.account::<SparrowBulkAccount>().api_token;
    let credit = |rig: &Rig| ask(rig, "GET", &format!("/v2/credit/?token={token}"));
    let told = |available: u64, consumed: u64| json!({ "credits_available": available, "credits_consumed": consumed, "response_code": 200 });
    assert_eq!(credit(&rig).json(200), told(100_000, 0));
    let long = "x".repeat(161);
    let mut fields = changed(&rig, "to", Some("9812345678, 9812345679,014412345"));
    fields.retain(|(name, _)| *name != "text");
    fields.push(("text", long));
    assert_eq!(
        sms(&rig, &fields).json(200)["count"],
        2,
        "the third is not a mobile number"
    );
    assert_eq!(credit(&rig).json(200), told(99_996, 4));
    let rig = rig.reopened();
    assert_eq!(credit(&rig).json(200), told(99_996, 4));
    for (credits, code, text) in [
        (3, 1013, "Insufficient Credits"),
        (0, 1012, "No Credits Available"),
    ] {
        set_credits(&rig, credits);
        let refused = json!({ "response_code": code, "response": text });
        assert_eq!(sms(&rig, &fields).json(403), refused);
        if credits == 0 {
            assert_eq!(credit(&rig).json(403), refused);
        }
    }
    assert_eq!(sent(&rig), 1);
}

#[test]
fn faults_hit_this_api_and_not_the_enterprise_one() {
    let rig = Rig::with_fault("sparrow:500");
    assert_eq!(sms(&rig, &message(&rig)).status(), 200);
    let rig = Rig::with_fault("sparrow_bulk-sms:500-after:x1");
    assert_eq!(sms(&rig, &message(&rig)).status(), 500);
    assert_eq!(sent(&rig), 1, "applied all the same");
    let rig = Rig::with_fault("sparrow_bulk:drop-late:50:x1");
    assert!(sms(&rig, &message(&rig)).send().is_err());
    eventually("the late message", || sent(&rig) == 1);
    let totals = books(&rig.sandbox).sparrow_bulk.totals;
    assert_eq!((totals.landed_late, totals.recipients), (1, 1));
}
