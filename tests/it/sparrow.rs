//! Sparrow SMS: every failure has its own code, and no message is ever sent twice.

use std::time::{Duration, Instant};

use provisor::sandbox::Channel;

use crate::support::Books;

use crate::support::{Home, Ran, script, signal, wait_until};

/// Signs in with the given tokens, or with the sandbox's own.
const SIGN_IN: &str = r#"
/// @param api      string = ""  the API token
/// @param partner  string = ""  the partner token
/// @param blank    bool = false
fn main(api, partner, blank) {
    let own = sparrow::connect();
    let account = #{ url: own.url, api_token: if blank { " " } else { api }, partner_token: partner };
    let outcome = #{ kind: "none", hint: "", status: 0 };
    try {
        sparrow::connect(account).tariffs();
    } catch (err) {
        outcome = #{ kind: err.kind, hint: err.hint, status: err.status };
    }
    outcome
}
"#;

const SMS: &str = r#"
/// @param to    string
/// @param text  string
fn main(to, text) {
    let sent = sparrow::connect().send_sms(#{ sender: "Bakery", recipients: to, text: text });
    #{ id: sent.id, credits: sent.credits }
}
"#;

fn sms(home: &Home, more: &str) -> Ran {
    home.write("sms.rhai", SMS);
    home.run(&format!(
        "run sms.rhai --sandbox --to +4915112345678 --text hello {more}"
    ))
}

fn sent(snapshot: &Books) -> (u64, usize) {
    let totals = &snapshot.sparrow.totals;
    (totals.sent, snapshot.sparrow.batches.len())
}

#[test]
fn every_sign_in_refusal_has_its_own_error_code_and_hint() {
    let home = Home::new();
    home.write("sign_in.rhai", SIGN_IN);
    let _ = home
        .run("run sign_in.rhai --sandbox --api x --partner y")
        .ended(0);
    let log = std::fs::read_to_string(home.sandbox().join("world.jsonl")).unwrap();
    let partner = log.split("\"partner_token\":\"").nth(1).unwrap();
    let partner = partner.split('"').next().unwrap();
    let cases = [
        (
            "--api x --partner wrong",
            "sparrow_invalid_partner_token",
            "partner_token",
        ),
        ("--blank=true --partner OWN", "sparrow_tokens_missing", "both"),
        (
            "--api x --partner expired-account",
            "sparrow_account_expired",
            "renew",
        ),
        (
            "--api wrong --partner OWN",
            "sparrow_invalid_api_token",
            "token management",
        ),
        (
            "--api expired-token --partner OWN",
            "sparrow_api_token_expired",
            "generate a new",
        ),
        (
            "--api mismatched-token --partner OWN",
            "sparrow_login_failed",
            "the same account",
        ),
        (
            "--api inactive-user --partner OWN",
            "sparrow_invalid_user",
            "no longer active",
        ),
    ];
    for (words, kind, hint) in cases {
        let words = words.replace("OWN", partner);
        let said = home.json(&format!("run sign_in.rhai --sandbox --json {words}"));
        let row = &said;
        assert_eq!(row["kind"], kind, "{words}: {said}");
        assert!(row["hint"].as_str().unwrap().contains(hint), "{row}");
        assert_eq!(row["status"], 400, "{row}");
    }
    assert_eq!(home.snapshot().sparrow.totals.logins, 0);
}

#[test]
fn a_refused_sign_in_has_its_exit_code_and_shows_no_token() {
    let home = Home::new();
    home.write(
        "wrong.rhai",
        "/// @param partner secret\nfn main(partner) {\n    let own = sparrow::connect();\n    \
         sparrow::connect(#{url: own.url, api_token: \"expired-token\", partner_token: partner}).tariffs()\n}\n",
    );
    let ran = home
        .run("-vvv run wrong.rhai --sandbox --partner canary-2718")
        .ended(4);
    let ran = ran.said(&["sparrow_api_token_expired", "API Token Expired", "wrong.rhai:4"]);
    assert!(!ran.stderr.contains("canary-2718"), "{}", ran.stderr);
}

#[test]
fn a_lost_response_parks_the_row_and_nothing_is_sent_twice() {
    for fault in ["drop-after", "500-after", "garbage", "truncate"] {
        let home = Home::new();
        let ran = sms(&home, &format!("--fault sparrow-sms:{fault}:x1")).ended(10);
        let ran = ran.said(&["in doubt", "list them: provisor runs show"]);
        assert!(
            !ran.stderr.contains("to look up the steps in doubt"),
            "{}",
            ran.stderr
        );
        assert_eq!(sent(&home.snapshot()), (1, 1), "{fault}");
        let _ = home.run("resume").ended(10);
        let _ = home.run("resume").ended(10);
        assert_eq!(sent(&home.snapshot()), (1, 1), "{fault}: a resume sends nothing");
    }
}

#[test]
fn a_message_rejected_with_429_is_retried_and_sent_once() {
    let home = Home::new();
    let _ = sms(&home, "--fault sparrow-sms:429:x1 --fault sparrow-login:500:x1").ended(0);
    assert_eq!(sent(&home.snapshot()), (1, 1));
}

#[test]
fn a_send_whose_process_was_killed_is_never_repeated() {
    let home = Home::new();
    home.write("sms.rhai", SMS);
    let words = "run sms.rhai --sandbox --to +4915112345678 --text hello --fault sparrow-sms:hang-after:x1";
    let mut child = home.command(words.split(' ')).spawn().unwrap();
    wait_until("the message is sent", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| sent(&snapshot) == (1, 1))
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    let _ = home.run("resume").ended(10).said(&["in doubt"]);
    assert_eq!(sent(&home.snapshot()), (1, 1));
}

#[test]
fn an_expired_token_is_renewed_and_the_message_goes_out_once() {
    let home = Home::new();
    let _ = sms(&home, "--fault sparrow-sms:expire-token:x1").ended(0);
    let snapshot = home.snapshot();
    assert_eq!((sent(&snapshot), snapshot.sparrow.totals.logins), ((1, 1), 2));
    // The token outlives the process.
    let _ = sms(&home, "").ended(0);
    assert_eq!(home.snapshot().sparrow.totals.logins, 2);
}

#[test]
fn a_draft_has_its_own_error_code_and_is_not_resent() {
    let home = Home::new();
    let mut serving = home.command(["sandbox", "serve"]).spawn().unwrap();
    wait_until("the sandbox is served", || {
        provisor::sandbox::status(&home.sandbox()).is_ok_and(|status| status.served.is_some())
    });
    home.happen("sparrow/credits/0");
    let ran = sms(&home, "").ended(7);
    let _ = ran.said(&["sparrow_draft", "as a draft", "send the draft from the portal"]);
    let totals = |home: &Home| {
        let totals = home.snapshot().sparrow.totals;
        (totals.sent, totals.drafts)
    };
    home.happen("sparrow/credits/10");
    let run = home.newest();
    for words in ["resume", &format!("resume {run} --retry-failed")] {
        let _ = home.run(words);
        assert_eq!(totals(&home), (0, 1), "kept once, and not repeated by `{words}`");
    }
    let _ = home
        .run(&format!("resume {run} --retry-failed"))
        .ended(7)
        .said(&["sparrow_draft"]);
    let shown = home.run(&format!("runs show {run}")).ended(0);
    let _ = shown.said(&[
        "left something behind",
        "provisor resolve",
        "--as absent, or --as done --value FILE",
    ]);
    // A person has deleted the draft: now it may be sent.
    let _ = home.run(&format!("resolve {run} sms --as absent --yes")).ended(0);
    let _ = home.run(&format!("resume {run} --retry-failed")).ended(0);
    assert_eq!(totals(&home), (1, 1));
    signal(serving.id(), "TERM");
    let _ = serving.wait();
}

#[test]
fn invalid_message_options_are_refused_before_any_request() {
    let home = Home::new();
    let refused = |call: &str, says: &[&str]| {
        home.write("bad.rhai", &format!("let s = sparrow::connect();\n{call}"));
        let _ = home.run("run bad.rhai --sandbox").ended(1).said(says);
    };
    let viber = |keys: &str| format!("s.send_viber(#{{sender: \"B\", text: \"x\", {keys}}})");
    refused(
        "s.send_viber(#{text: \"x\"})",
        &["is missing the key `recipients`"],
    );
    refused(
        &viber("recipients: \"9779812345678\", colour: 1"),
        &["no key `colour`"],
    );
    refused(
        &viber("recipients: \"+4915112345678\""),
        &["not a valid number for Viber", "977"],
    );
    refused(&viber("recipients: []"), &["no recipients"]);
    refused(
        &viber("recipients: [\"9779812345678\", 9779812345678]"),
        &["`9779812345678` is listed twice among the recipients"],
    );
    refused(
        "s.send_sms(#{sender: \"B\", text: \"x\", recipients: \"9779812345678\"})",
        &["not a valid number for SMS"],
    );
    refused(
        "s.send_whatsapp(#{recipient: \"+9779812345678\", text: \"x\"})",
        &["not a valid number for WhatsApp"],
    );
    refused(
        "s.send_whatsapp(#{recipient: \"9779812345678\"})",
        &["neither `template` nor `text`"],
    );
    let template = |keys: &str| {
        format!(
            "s.send_viber_template(#{{sender: \"B\", campaign: \"c\", template: \"welcome\", recipients: \"9779812345678\", {keys}}})"
        )
    };
    refused(
        &template("params: #{name: \"https://x.example\"}"),
        &["web address"],
    );
    refused(
        &template("params: #{name: \"abcdefghijklmnopqrstuvwxyz\"}"),
        &["26 characters"],
    );
    refused(&template("tag: [\"a\", \"b\"]"), &["one `tag`"]);
    assert_eq!(home.snapshot().sparrow.totals.logins, 0, "nobody even signed in");
}

#[test]
fn each_message_channel_sends_its_options_within_the_rate_limit() {
    let home = Home::new();
    home.write(
        "all.rhai",
        r#"
        let s = sparrow::connect();
        let v = s.send_viber(#{ sender: "B", text: "one", recipients: ["9779812345678", "9779812345699"], tag: "a",
            action: #{ url: "https://b.example", caption: "Go" } });
        let t = s.send_viber_template(#{ sender: "B", campaign: "c", template: "otp", recipients: "9779812345678",
            params: #{ code: 4711, minutes: 5 }, tag: "t" });
        let m = s.send_sms(#{ sender: "B", text: "two", recipients: "+4915112345678", type: "unicode", tag: ["x", "y"] });
        for n in 0..5 { s.send_whatsapp(#{ recipient: 9779812345678, text: `w${n}` }); }
        let failed = s.viber_report(v.id, "failed").records.rejected;
        #{ valid: v.valid, invalid: v.invalid, failed: failed, accepted: s.sms_report(m.id).accepted,
           status: s.viber_report(t.id).status }
        "#,
    );
    let begun = Instant::now();
    let said = home.json("run all.rhai --sandbox --json");
    let result = &said;
    assert_eq!(result["valid"], 2, "{said}");
    assert_eq!(result["failed"], serde_json::json!(["9779812345699"]));
    assert_eq!(
        (&result["accepted"], &result["status"]),
        (&1.into(), &"COMPLETED".into())
    );
    let snapshot = home.snapshot();
    let of = |channel: Channel| {
        snapshot
            .sparrow
            .batches
            .iter()
            .filter(move |batch| batch.channel == channel)
    };
    assert_eq!(
        of(Channel::Whatsapp).count(),
        5,
        "those above three a second were put off, not lost"
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(1),
        "the fourth had to wait"
    );
    assert_eq!(of(Channel::ViberTemplate).next().unwrap().tags, ["t"]);
    assert_eq!(of(Channel::Sms).next().unwrap().tags, ["x", "y"]);
}

#[test]
fn a_read_only_profile_sends_nothing() {
    let home = Home::new();
    std::fs::create_dir_all(home.provisor().join("config")).unwrap();
    home.write(
        "read.rhai",
        "sparrow::connect().send_sms(#{sender: \"B\", text: \"x\", recipients: \"+4915112345678\"})",
    );
    let config = "[profiles.sandbox]\nmode = \"read-only\"\n";
    std::fs::write(home.provisor().join("config/config.toml"), config).unwrap();
    let ran = home.run("run read.rhai --sandbox");
    let _ = ran.ended(5).said(&["read-only"]);
    assert!(home.snapshot().sparrow.batches.is_empty());
}

#[test]
fn the_notify_script_messages_each_row_once_on_its_channel() {
    let home = Home::new();
    home.write(
        "people.csv",
        "name,phone,channel\nAnn,+4915112345678,sms\nRam,+9779812345678,viber\nSita,+9779812345670,whatsapp\n",
    );
    let words = format!(
        "run {} --sandbox --rows people.csv --out done.csv --fault sparrow-sms:drop-after:x1",
        script("notify.rhai")
    );
    let _ = home.run(&words).ended(10);
    let snapshot = home.snapshot();
    assert_eq!(sent(&snapshot), (3, 3));
    let _ = home.run("resume").ended(10);
    assert_eq!(sent(&home.snapshot()), (3, 3), "the parked row is not sent again");
    let done = crate::support::csv(&home.read("done.csv"));
    assert_eq!(done.len(), 3);
}

#[test]
fn a_client_is_onboarded_on_mobsted_and_notified_through_sparrow() {
    let home = Home::new();
    let words = format!(
        "run {} --sandbox --json --email ann@example.com --site https://ann.example --phone +4915112345678",
        script("onboard_and_notify.rhai")
    );
    let said = home.json(&words);
    assert_eq!(said["outcome"], "created", "{said}");
    let snapshot = home.snapshot();
    assert_eq!((snapshot.tenants.len(), sent(&snapshot)), (1, (1, 1)));
    let text = &snapshot.sparrow.batches[0].text;
    assert!(
        text.contains(&snapshot.tenants[0].name),
        "it says where to sign in: {text}"
    );
    assert!(
        !text.contains(&snapshot.tenants[0].password),
        "and never the password"
    );
}

#[test]
fn phone_numbers_may_contain_punctuation_and_sender_is_optional() {
    let home = Home::new();
    home.write(
        "send.rhai",
        "fn main() {\n    let s = sparrow::connect();\n    \
         let sms = s.send_sms(#{recipients: \"+977-980 (000) 0000\", text: \"one\"});\n    \
         let viber = s.send_viber(#{recipients: \"9779812345678\", text: \"two\", transactional: true});\n    \
         #{sms: sms.valid, viber: viber.valid, said: viber.message}\n}\n",
    );
    let ran = home.run("run send.rhai --sandbox").ended(0);
    assert_eq!(
        ran.stdout, "sms    1\nviber  1\nsaid   Queued successfully\n",
        "{}",
        ran.stderr
    );
    let batches = home.snapshot().sparrow.batches;
    assert_eq!(
        (batches[0].recipients[0].as_str(), batches[0].text.as_str()),
        ("+9779800000000", "one")
    );
    assert_eq!(
        (batches[1].channel, batches[1].text.as_str()),
        (Channel::ViberTemplate, "two")
    );
}
