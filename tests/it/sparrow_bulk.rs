//! Sparrow's bulk API: every refusal has its own code, no message is ever sent twice, and plain http needs the user's
//! consent.

use crate::support::Books;

use crate::leaks::fake::{self, Answer};
use crate::support::{Home, Ran, finish, signal, wait_until};

const SMS: &str = r#"
/// @param to    string
/// @param text  string
fn main(to, text) {
    let sent = sparrow_bulk::connect().send_sms(#{ sender: "Bakery", recipients: to, text: text });
    #{ count: sent.count }
}
"#;

/// Sends a message with the given token, or with the sandbox's own.
const ATTEMPT: &str = r#"
/// @param token   string = ""
/// @param sender  string = "Bakery"
/// @param to      string = "9812345678"
fn main(token, sender, to) {
    let account = sparrow_bulk::connect();
    if token != "" { account = sparrow_bulk::connect(#{ url: account.url, api_token: token }); }
    let outcome = #{ kind: "none", hint: "", status: 0 };
    try {
        account.send_sms(#{ sender: sender, recipients: to, text: "hello" });
    } catch (err) {
        outcome = #{ kind: err.kind, hint: err.hint, status: err.status };
    }
    outcome
}
"#;

const SENTENCE: &str = "I accept that the secrets and the data of this account travel unencrypted";

fn sms(home: &Home, more: &str) -> Ran {
    home.write("sms.rhai", SMS);
    home.run(&format!(
        "run sms.rhai --sandbox --to 9812345678 --text hello {more}"
    ))
}

fn sent(snapshot: &Books) -> (u64, usize) {
    let book = &snapshot.sparrow_bulk;
    (book.totals.sent, book.messages.len())
}

#[test]
fn a_message_to_many_is_one_request_and_the_credit_pays_for_it() {
    let home = Home::new();
    home.write(
        "all.rhai",
        r#"
        let s = sparrow_bulk::connect();
        let before = s.credit();
        let sent = s.send_sms(#{ sender: "Bakery", recipients: [9812345678, " 9812345679 "], text: "Fresh & warm: नमस्ते" });
        let after = s.credit();
        #{ count: sent.count, outcome: sent.outcome, said: sent.message, paid: before.available - after.available,
           consumed: after.consumed }
        "#,
    );
    let said = home.json("run all.rhai --sandbox --json");
    assert_eq!(
        (&said["count"], &said["outcome"], &said["said"]),
        (
            &2.into(),
            &"sent".into(),
            &"2 mesages has been queued for delivery".into()
        ),
        "{said}"
    );
    assert_eq!((&said["paid"], &said["consumed"]), (&2.into(), &2.into()));
    let snapshot = home.snapshot();
    assert_eq!(sent(&snapshot), (1, 1));
    let message = &snapshot.sparrow_bulk.messages[0];
    assert_eq!(message.recipients, ["9812345678", "9812345679"]);
    assert_eq!(
        (message.sender.as_str(), message.text.as_str()),
        ("Bakery", "Fresh & warm: नमस्ते")
    );
}

#[test]
fn every_refusal_has_its_own_code_and_says_what_to_do() {
    let home = Home::new();
    home.write("attempt.rhai", ATTEMPT);
    for (words, kind, hint) in [
        ("--token elsewhere", "sparrow_bulk_invalid_ip", "public address"),
        ("--token wrong", "sparrow_bulk_invalid_token", "website"),
        (
            "--token inactive-account",
            "sparrow_bulk_account_inactive",
            "activate",
        ),
        (
            "--token inactive-user",
            "sparrow_bulk_account_inactive",
            "activate",
        ),
        ("--token expired-account", "sparrow_bulk_account_expired", "renew"),
        ("--token expired-user", "sparrow_bulk_account_expired", "renew"),
        (
            "--sender Stranger",
            "sparrow_bulk_invalid_sender",
            "an identity of the account",
        ),
        (
            "--to 0144123456",
            "sparrow_bulk_invalid_receiver",
            "mobile numbers of Nepal",
        ),
    ] {
        let said = home.json(&format!("run attempt.rhai --sandbox --json {words}"));
        assert_eq!(said["kind"], kind, "{words}: {said}");
        assert!(said["hint"].as_str().unwrap().contains(hint), "{said}");
        assert_eq!(said["status"], 403, "{said}");
    }
    assert_eq!(sent(&home.snapshot()), (0, 0));
}

#[test]
fn a_wrong_token_ends_with_its_own_exit_code_and_is_not_said() {
    let home = Home::new();
    home.write(
        "wrong.rhai",
        "/// @param token secret\nfn main(token) {\n    let own = sparrow_bulk::connect();\n    \
         sparrow_bulk::connect(#{url: own.url, api_token: token}).credit()\n}\n",
    );
    let ran = home
        .run("-vvv run wrong.rhai --sandbox --token canary-2718")
        .ended(4);
    let ran = ran.said(&[
        "sparrow_bulk_invalid_token",
        "Invalid Token (1002)",
        "wrong.rhai:4",
    ]);
    assert!(!ran.stderr.contains("canary-2718"), "{}", ran.stderr);
}

#[test]
fn a_lost_answer_parks_the_row_and_nothing_is_sent_twice() {
    for fault in [
        "drop-after",
        "500-after",
        "429-after",
        "garbage",
        "truncate",
        "empty-yes",
    ] {
        let home = Home::new();
        let ran = sms(&home, &format!("--fault sparrow_bulk-sms:{fault}:x1")).ended(10);
        let _ = ran.said(&["in doubt", "list them: provisor runs show"]);
        assert_eq!(sent(&home.snapshot()), (1, 1), "{fault}");
        let _ = home.run("resume").ended(10);
        assert_eq!(sent(&home.snapshot()), (1, 1), "{fault}: a resume sends nothing");
    }
}

#[test]
fn a_send_whose_process_was_killed_is_never_repeated() {
    let home = Home::new();
    home.write("sms.rhai", SMS);
    let words = "run sms.rhai --sandbox --to 9812345678 --text hello --fault sparrow_bulk-sms:hang-after:x1";
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
    // A person found out that it went out.
    home.write("sent.json", "{\"count\": 1}");
    let run = home.newest();
    let _ = home
        .run(&format!("resolve {run} sms --as done --value sent.json --yes"))
        .ended(0);
    let ran = home.run(&format!("resume {run}")).ended(0);
    assert!(ran.stdout.contains("count"), "{}", ran.stdout);
    assert_eq!(sent(&home.snapshot()), (1, 1));
}

#[test]
fn without_credit_nothing_is_sent_and_a_retry_after_topping_up_sends_it_once() {
    let home = Home::new();
    let mut serving = home.command(["sandbox", "serve"]).spawn().unwrap();
    wait_until("the sandbox is served", || {
        provisor::sandbox::status(&home.sandbox()).is_ok_and(|status| status.served.is_some())
    });
    home.happen("sparrow_bulk/credits/0");
    let ran = sms(&home, "").ended(7);
    let _ = ran.said(&["sparrow_bulk_no_credit", "No Credits Available (1012)", "top up"]);
    home.write("credit.rhai", "sparrow_bulk::connect().credit()");
    let said = home.json("run credit.rhai --sandbox --json");
    assert_eq!(
        (&said["available"], &said["consumed"]),
        (&0.into(), &serde_json::Value::Null)
    );
    home.happen("sparrow_bulk/credits/10");
    let runs = home.json("runs list --json");
    let failed = runs["runs"].as_array().unwrap().last().unwrap()["id"].clone();
    let failed = failed.as_str().unwrap();
    for _ in 0..2 {
        let _ = home.run(&format!("resume {failed} --retry-failed"));
        assert_eq!(sent(&home.snapshot()), (1, 1));
    }
    signal(serving.id(), "TERM");
    let _ = serving.wait();
}

#[test]
fn under_a_key_a_message_is_sent_once() {
    let home = Home::new();
    home.write(
        "keyed.rhai",
        "let s = sparrow_bulk::connect();\n\
         let one = s.send_sms(#{sender: \"B\", recipients: 9812345678, text: \"x\", key: \"welcome-17\"});\n\
         let two = s.send_sms(#{sender: \"B\", recipients: 9812345678, text: \"x\", key: \"welcome-17\"});\n\
         #{one: one.outcome, two: two.outcome}",
    );
    let said = home.json("run keyed.rhai --sandbox --json");
    assert_eq!(
        (&said["one"], &said["two"]),
        (&"sent".into(), &"unchanged".into()),
        "{said}"
    );
    assert_eq!(sent(&home.snapshot()), (1, 1));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let home = Home::new();
    let refused = |keys: &str, says: &[&str]| {
        home.write(
            "bad.rhai",
            &format!("sparrow_bulk::connect().send_sms(#{{{keys}}})"),
        );
        let _ = home.run("run bad.rhai --sandbox").ended(1).said(says);
    };
    refused("sender: \"B\", text: \"x\"", &["is missing the key `recipients`"]);
    refused(
        "text: \"x\", recipients: \"9812345678\"",
        &["is missing the key `sender`"],
    );
    let message = |recipients: &str| format!("sender: \"B\", text: \"x\", recipients: {recipients}");
    refused(&message("[]"), &["no recipients"]);
    for number in [
        "\"+9779812345678\"",
        "\"98123\"",
        "\"981-234567\"",
        "9779812345678",
    ] {
        refused(
            &message(number),
            &["is not a valid number for an SMS within Nepal", "10 digits"],
        );
    }
    refused(
        &message("[\"9812345678\", 9812345678]"),
        &["`9812345678` is listed twice among the recipients"],
    );
    refused(
        "sender: \"B\", text: \" \", recipients: \"9812345678\"",
        &["the message's `text` is empty"],
    );
    assert_eq!(sent(&home.snapshot()), (0, 0));
}

#[test]
fn a_profile_is_tested_by_its_credit() {
    let (platform, home) = (tempfile::tempdir().unwrap(), Home::new());
    let options = provisor::sandbox::Options::new(platform.path());
    let sandbox = provisor::sandbox::Sandbox::start(options).unwrap();
    let account = sandbox.account::<provisor::sandbox::SparrowBulkAccount>();
    let words = [
        "profile",
        "add",
        "bulk",
        "--platform",
        "sparrow_bulk",
        "--url",
        &account.plain_url,
        "--secret",
        "api_token=stdin",
    ];
    let _ = home.feed(&words, &format!("{}\n", account.api_token)).ended(0);
    let tested = home.json("profile test --json");
    assert_eq!(
        (&tested["platform"], &tested["answered"]["status"]),
        (&"sparrow_bulk".into(), &200.into()),
        "{tested}"
    );
    assert_eq!(tested["may"][0]["operation"], "credit");
    assert_eq!(
        home.json("profile list --json")["profiles"][0]["plain_http"],
        false
    );
    let edit = ["profile", "edit", "bulk", "--secret", "api_token=stdin"];
    let _ = home.feed(&edit, "another-token\n").ended(0);
    let _ = home
        .run("profile test")
        .ended(4)
        .said(&["Invalid Token (1002)", "website"]);
}

/// A home with a profile at an address of plain http, which is reached through a proxy on this machine: the platform.
fn far(lines: &str) -> Home {
    let proxy = fake::start(|_, asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "http://api.bulk.example/v2/credit/") => Answer::json(
            200,
            &serde_json::json!({ "credits_available": 5, "credits_consumed": 1, "response_code": 200 }),
        ),
        _ => Answer::json(404, &serde_json::json!({})),
    });
    let home = Home::new();
    home.configure(&format!(
        "[profiles.bulk]\nplatform = \"sparrow_bulk\"\nurl = \"http://api.bulk.example/v2\"\nproxy = \"{proxy}\"\n\
         api_token = {{ env = \"BULK\" }}\n{lines}\n"
    ));
    home.write("credit.rhai", "sparrow_bulk::connect().credit().available");
    home
}

fn with_token(home: &Home, words: &str) -> Ran {
    let mut command = home.command(words.split_whitespace());
    command.env("BULK", "tok-quokka");
    // No variable can give the consent.
    command.env("PROVISOR_BULK_PLAIN_HTTP", SENTENCE);
    finish(command.spawn().unwrap())
}

#[test]
fn plain_http_needs_the_users_own_sentence_in_the_profile() {
    let asked = format!("plain_http = \"{SENTENCE}\"");
    let refused = with_token(&far(""), "run credit.rhai").ended(2);
    let refused = refused.said(&[
        "config.toml:3:7: `profiles.bulk.url` must begin with https://",
        &asked,
    ]);
    assert!(!refused.stderr.contains("quokka"), "{}", refused.stderr);
    for line in [
        "plain_http = true",
        "plain_http = \"yes\"",
        "plain_http = \"i accept that the secrets and the data of this account travel unencrypted\"",
    ] {
        let refused = with_token(&far(line), "run credit.rhai").ended(2);
        let _ = refused.said(&[
            "config.toml:6:14: `profiles.bulk.plain_http` must be exactly",
            SENTENCE,
        ]);
    }
    let home = far(&asked);
    let ran = with_token(&home, "-vvv run credit.rhai").ended(0);
    assert_eq!(ran.stdout, "result  5\n", "{}", ran.stderr);
    assert!(!ran.stderr.contains("quokka"), "{}", ran.stderr);
}

#[test]
fn consent_to_plain_http_covers_no_account_that_a_script_describes_and_no_other_host() {
    let home = far(&format!("plain_http = \"{SENTENCE}\""));
    for call in [
        "sparrow_bulk::connect(#{url: \"http://api.bulk.example\", api_token: \"t\"}).credit()",
        "http::get(\"http://api.bulk.example/v2/credit/\")",
        "sparrow_bulk::connect(#{url: \"http://other.example\", api_token: \"t\"}).credit()",
    ] {
        home.write("other.rhai", call);
        let _ = with_token(&home, "run other.rhai")
            .ended(5)
            .said(&["plain http would expose secrets", SENTENCE]);
    }
    home.write(
        "map.rhai",
        &format!(
            "sparrow_bulk::connect(#{{url: \"http://api.bulk.example\", api_token: \"t\", plain_http: \"{SENTENCE}\"}})"
        ),
    );
    let _ = with_token(&home, "run map.rhai")
        .ended(1)
        .said(&["no key `plain_http`"]);
}

#[test]
fn a_project_cannot_accept_plain_http_even_if_it_is_trusted() {
    let asked = format!("plain_http = \"{SENTENCE}\"");
    let home = far("");
    home.write("provisor.toml", &format!("[profiles.bulk]\n{asked}\n"));
    let ran = with_token(&home, "run credit.rhai").ended(2);
    let _ = ran.said(&["config.toml:3:7: `profiles.bulk.url` must begin with https://"]);
    let home = far(&asked);
    for text in [
        format!("[profiles.bulk]\n{asked}\n"),
        format!("[profiles.x]\nurl = \"http://evil.example\"\n{asked}\n"),
    ] {
        home.write("provisor.toml", &text);
        for _ in 0..2 {
            let ran = with_token(&home, "run credit.rhai").ended(2);
            let _ = ran.said(&[
                "plain_http` accepts that secrets travel unencrypted: only",
                "config.toml may do that",
            ]);
            let _ = home.run("trust --yes");
        }
    }
    // Nor does the consent follow an address that the project changes, with a token of its own.
    home.write(
        "provisor.toml",
        "[profiles.bulk]\nurl = \"http://evil.example\"\napi_token = { env = \"BULK\" }\n",
    );
    let _ = home.run("trust --yes");
    let ran = with_token(&home, "run credit.rhai").ended(2);
    let _ = ran.said(&["provisor.toml:2:7: `profiles.bulk.url` must begin with https://"]);
}

#[test]
fn that_an_account_is_unencrypted_is_shown() {
    let home = far(&format!("plain_http = \"{SENTENCE}\""));
    let listed = home.run("profile list").ended(0).stdout;
    assert!(
        listed.contains("http://api.bulk.example/v2 (unencrypted)"),
        "{listed}"
    );
    assert_eq!(
        home.json("profile list --json")["profiles"][0]["plain_http"],
        true
    );
    let shown = home.run("profile show bulk").ended(0).stdout;
    assert!(
        shown.contains("plain_http") && shown.contains("config.toml:6"),
        "{shown}"
    );
    let told = with_token(&home, "doctor --offline").ended(0).stdout;
    assert!(
        told.contains("warning") && told.contains("its secrets and data travel unencrypted"),
        "{told}"
    );
}

#[test]
fn a_profile_with_plain_http_can_be_added_with_the_sentence_only() {
    let home = Home::new();
    let add = |more: &[&str]| {
        let mut words = vec![
            "profile",
            "add",
            "bulk",
            "--platform",
            "sparrow_bulk",
            "--url",
            "http://api.bulk.example/v2",
            "--secret",
            "api_token=env:BULK",
        ];
        words.extend(more);
        home.run_with_words(&words)
    };
    let consent = format!("plain_http={SENTENCE}");
    let _ = add(&[])
        .ended(2)
        .said(&["must begin with https://", "plain_http = \"I accept"]);
    let _ = add(&["--set", "plain_http=yes"])
        .ended(2)
        .said(&["must begin with https://"]);
    assert!(!home.provisor().join("config/config.toml").exists());
    let _ = add(&["--set", &consent]).ended(0);
    assert!(
        home.configuration()
            .contains(&format!("plain_http = \"{SENTENCE}\"")),
        "{}",
        home.configuration()
    );
    // Without the consent the address is refused, so both go or neither.
    let _ = home
        .run("profile edit bulk --unset plain_http")
        .ended(2)
        .said(&["must begin with https://", "nothing was written"]);
}
