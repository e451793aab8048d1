//! JRNI on the embedded sandbox: businesses from a file become companies with people, each created once.

mod client;

use std::collections::BTreeSet;

use provisor::sandbox::JrniBook;

use crate::support::{Home, csv, script, signal, wait_until};

fn businesses(count: usize) -> String {
    let rows = (0..count).map(|n| format!("b-{n},Business {n},owner{n}@example.com\n"));
    format!("ref,name,email\n{}", rows.collect::<String>())
}

fn onboard(more: &str) -> String {
    format!(
        "run {} --sandbox --rows businesses.csv --out results.csv {more}",
        script("jrni_companies.rhai")
    )
}

/// Each business has one company, one administrator and one member of staff, and no mail was sent.
#[track_caller]
fn are_complete(book: &JrniBook, count: usize) {
    let references: BTreeSet<&str> = book
        .companies
        .iter()
        .map(|company| company.reference.as_str())
        .collect();
    assert_eq!(references.len(), count + 1, "and the parent");
    assert_eq!(book.companies.len(), count + 1, "{:?}", book.companies);
    assert_eq!(book.administrators.len(), count + 1);
    let owners: BTreeSet<u64> = book.people.iter().map(|person| person.company).collect();
    assert_eq!((book.people.len(), owners.len()), (count, count));
    assert_eq!(book.totals.mails_sent, 0);
}

#[test]
fn a_transient_sign_in_failure_is_retried_and_leaves_nothing_in_doubt() {
    for fault in ["drop-before", "drop-after", "500", "502-html", "truncate"] {
        let home = Home::new();
        home.write("look.rhai", "jrni::connect().company().id");
        let words = format!("run look.rhai --sandbox --fault jrni-login:{fault}:x1");
        let _ = home.run(&words).ended(0);
        let home = Home::new();
        home.write(
            "add.rhai",
            "let group = jrni::connect();\ngroup.post(`/admin/${group.company().id}/people`, #{ name: \"Ann\" })",
        );
        let words = format!("run add.rhai --sandbox --fault jrni-login:{fault}:x1");
        let _ = home.run(&words).ended(0);
        assert_eq!(home.snapshot().jrni.people.len(), 1, "{fault}");
    }
}

#[test]
fn a_permanent_sign_in_failure_is_unavailable_and_not_in_doubt() {
    let home = Home::new();
    home.write(
        "add.rhai",
        "jrni::connect(#{ url: \"http://127.0.0.1:9\", login: \"a@b.example\", password: \"x\", app_id: \"y\" })\n\
         .post(\"/admin/1/people\", #{ name: \"Ann\" })",
    );
    let _ = home.run("run add.rhai").ended(6).said(&["unreachable"]);
    home.write("look.rhai", "jrni::connect().company().id");
    let ran = home
        .run("run look.rhai --sandbox --fault jrni-login:500")
        .ended(6);
    let _ = ran.said(&["unavailable", "answered with 500"]);
}

#[test]
fn the_example_rows_create_companies_with_one_sign_in() {
    let home = Home::new();
    let words = format!(
        "run {} --sandbox --rows {} --out results.csv",
        script("jrni_companies.rhai"),
        script("jrni_companies.csv")
    );
    let _ = home.run(&words).ended(0);
    are_complete(&home.snapshot().jrni, 4);
    let _ = home.run(&words).ended(0);
    let snapshot = home.snapshot();
    are_complete(&snapshot.jrni, 4);
    assert_eq!(
        snapshot.jrni.totals.logins, 1,
        "one sign-in serves all rows and both runs"
    );
    for row in csv(&home.read("results.csv")) {
        assert_eq!(
            (row["_status"].as_str(), row["outcome"].as_str()),
            ("done", "unchanged")
        );
    }
}

#[test]
fn lost_responses_are_looked_up_and_create_no_duplicates() {
    let home = Home::new();
    home.write("businesses.csv", &businesses(25));
    let faults = "--fault jrni-company-post:drop-after:0.3 --fault jrni-people-post:500-after:0.3 \
                  --fault jrni-administrators-post:truncate:0.3 --fault jrni-company-find:expire-token:x1";
    let _ = home.run(&onboard(&format!("--seed 3 {faults}"))).ended(0);
    let snapshot = home.snapshot();
    are_complete(&snapshot.jrni, 25);
    assert!(
        snapshot.jrni.totals.logins >= 2,
        "a token that has ended is replaced"
    );
    assert_eq!(
        snapshot.jrni.totals.duplicates_refused, 0,
        "nothing was asked for twice"
    );
}

#[test]
fn a_killed_run_with_lost_responses_resumes_without_duplicates() {
    let home = Home::new();
    home.write("businesses.csv", &businesses(60));
    let words =
        onboard("--jobs 4 --fault jrni-company-post:hang-after:x2 --fault jrni-people-post:drop-after:0.2");
    let mut child = home.command(words.split_whitespace()).spawn().unwrap();
    let partial = home.work().join("results.csv.partial");
    wait_until("some rows are done", || {
        std::fs::read_to_string(&partial).is_ok_and(|text| text.lines().count() > 10)
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    assert!(
        !home.work().join("results.csv").exists(),
        "it was killed in the middle"
    );
    let _ = home.run("resume").ended(0);
    let snapshot = home.snapshot();
    are_complete(&snapshot.jrni, 60);
    let results = csv(&home.read("results.csv"));
    assert_eq!(results.len(), 60);
    assert!(results.iter().all(|row| row["_status"] == "done"), "{results:?}");
}

/// Creates two companies with the same administrator, and signs in as that person.
const TWO: &str = r#"
/// @param company string = ""  which to sign in to
fn main(company) {
    let group = jrni::connect();
    let ann = #{ name: "Ann", password: "pw-of-ann" };
    for name in ["North", "South"] {
        let shop = group.ensure_company(name, #{ name: name });
        group.within(shop).ensure_administrator("ann@example.com", ann);
    }
    let account = #{ url: group.url, login: "ann@example.com", password: ann.password, app_id: group.app_id };
    if company != "" { account.company = group.find_company(company).id; }
    #{ name: jrni::connect(account).company().name }
}
"#;

#[test]
fn a_login_with_several_companies_must_choose_one() {
    let home = Home::new();
    home.write("two.rhai", TWO);
    let refused = home.run("run two.rhai --sandbox").ended(4);
    let book = home.snapshot().jrni;
    let listed = |name: &str| {
        let company = book
            .companies
            .iter()
            .find(|company| company.name == name)
            .unwrap();
        format!("{} {name}", company.id)
    };
    let refused = refused.said(&[&listed("North"), &listed("South"), "choose_company", "company"]);
    assert!(!refused.stderr.contains("pw-of-ann"), "{}", refused.stderr);
    let chosen = home.run("run two.rhai --sandbox --company South --json").ended(0);
    assert_eq!(chosen.stdout.trim(), r#"{"name":"South"}"#);
}

/// Signs in as a company's administrator, optionally by its name, and optionally removes a person with a raw call.
const STAFF: &str = r#"
/// @param named bool = false
/// @param remove bool = false
fn main(named, remove) {
    let group = jrni::connect();
    let shop = group.ensure_company("s-1", #{ name: "Shop" });
    group.within(shop).ensure_administrator("ann@example.com", #{ name: "Ann", password: "pw-of-ann" });
    let account = #{ url: group.url, login: "ann@example.com", password: "pw-of-ann", app_id: group.app_id };
    if named { account.company = shop.id; }
    let staff = jrni::connect(account);
    let eve = staff.ensure_person("p-1", #{ name: "Eve" });
    if remove { staff.delete(`/admin/{company}/people/${eve.id}`, #{ company: shop.id }); }
    eve.outcome
}
"#;

#[test]
fn the_ledger_identifies_a_company_by_its_sign_in_response() {
    let home = Home::new();
    home.write("staff.rhai", STAFF);
    let outcome = |more: &str| {
        let ran = home
            .run(&format!("run staff.rhai --sandbox --json {more}"))
            .ended(0);
        ran.stdout.trim().to_owned()
    };
    assert_eq!(outcome(""), r#"{"result":"created"}"#);
    assert_eq!(outcome("--named=true"), r#"{"result":"unchanged"}"#);
    assert_eq!(home.snapshot().jrni.people.len(), 1);
}

#[test]
fn a_person_removed_by_a_raw_delete_can_be_created_again() {
    let home = Home::new();
    home.write("staff.rhai", STAFF);
    for (more, expected) in [
        ("--remove=true", "created"),
        ("--named=true --remove=true", "created"),
        ("", "created"),
        ("", "unchanged"),
    ] {
        let ran = home
            .run(&format!("run staff.rhai --sandbox --json {more}"))
            .ended(0);
        assert_eq!(
            ran.stdout.trim(),
            format!("{{\"result\":\"{expected}\"}}"),
            "{more}"
        );
    }
}

#[test]
fn logout_ends_the_cached_token_and_the_next_run_signs_in_again() {
    let home = Home::new();
    home.write(
        "look.rhai",
        "fn main() { #{ name: jrni::connect().company().name } }",
    );
    home.write(
        "out.rhai",
        "fn main() { let s = jrni::connect(); #{ was: s.logout(), again: s.logout() } }",
    );
    let look = || {
        let ran = home.run("run look.rhai --sandbox --json").ended(0);
        assert_eq!(ran.stdout.trim(), r#"{"name":"Example Group"}"#);
        let totals = home.snapshot().jrni.totals;
        (totals.logins, totals.logouts)
    };
    assert_eq!(look(), (1, 0));
    assert_eq!(look(), (1, 0), "the token outlives the run");
    let out = home.run("run out.rhai --sandbox --json").ended(0);
    assert_eq!(out.stdout.trim(), r#"{"again":false,"was":true}"#);
    assert_eq!(look(), (2, 1));
}

#[test]
fn a_disabled_company_is_refused_until_it_is_adopted() {
    let home = Home::new();
    home.write(
        "off.rhai",
        "/// @param adopt bool = false  take over\n\
         fn main(adopt) {\n    let group = jrni::connect();\n    \
         let shop = group.ensure_company(\"s/1\", #{name: \"Shop\"}, #{adopt: adopt});\n    \
         if !adopt { group.disable_company(shop.id); }\n    #{outcome: shop.outcome, off: shop.disabled, ref: shop.ref, at: group.company}\n}\n",
    );
    let _ = home.run("run off.rhai --sandbox").ended(0);
    let refused = home.run("run off.rhai --sandbox").ended(7);
    let _ = refused.said(&["s/1", "is disabled", "adopt: true"]);
    let adopted = home.run("run off.rhai --sandbox --adopt=true --json").ended(0);
    assert_eq!(
        adopted.stdout.trim(),
        r#"{"at":null,"off":true,"outcome":"adopted","ref":"s/1"}"#
    );
    assert_eq!(home.snapshot().jrni.totals.companies_created, 1);
}

#[test]
fn links_are_followed_only_within_the_api_address() {
    let home = Home::new();
    home.write(
        "links.rhai",
        r#"fn main(to) {
            let group = jrni::connect();
            group.ensure_person("p", #{ name: "Ann" });
            let people = group.follow(group.company(), "people", #{ per_page: 1 });
            let same = group.get(people._links.self.href);
            if to != "" { group.get(to); }
            #{ people: people.total_entries, same: same == people }
        }"#,
    );
    let ran = home.run("run links.rhai --sandbox --to= --json").ended(0);
    assert_eq!(ran.stdout.trim(), r#"{"people":1,"same":true}"#);
    let before = home.snapshot().jrni.totals;
    for link in [
        "https://evil.example/api/v1/37000/people",
        "http://other.wabcdef.jrni.sandbox/api/v1/37000/people",
        "/../../_sandbox/books",
    ] {
        let ran = home.run(&format!("run links.rhai --sandbox --to {link}"));
        let _ = ran.ended(5).said(&["bad_address"]);
    }
    assert_eq!(home.snapshot().jrni.totals.logins, before.logins);
}
