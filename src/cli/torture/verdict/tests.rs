//! A verdict that finds nothing proves nothing: each kind of damage is found.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::journal::{LedgerItem, Thing};
use crate::sandbox::{AppBook, Books, JrniBook, SparrowBook, TenantBook, Totals, Traffic, WebBook};
use crate::value::secret::Secret;
use crate::value::{Object, Value};

/// A sound world with two clients. What is generated in it carries `mark`.
fn world(mark: &str) -> Facts {
    let emails = ["ann@example.com", "bob@example.com"];
    let name = |at: usize| format!("t{at}{mark}");
    let password = |at: usize| format!("pw-{at}-{mark}");
    let tenants = emails.iter().enumerate().map(|(at, email)| TenantBook {
        email: (*email).to_owned(),
        name: name(at),
        password: password(at),
        created: 1,
    });
    let apps = (0..2).map(|at| AppBook {
        tenant: name(at),
        id: 1,
        name: "Shop".to_owned(),
        site: "https://shop.example".to_owned(),
    });
    let rows = emails.iter().enumerate().map(|(at, email)| {
        let row = json!({
            "email": email, "password": password(at), "url": name(at), "app": 1,
            "_status": "done", "_error": null, "_run": mark,
        });
        row.as_object().unwrap().clone()
    });
    Facts {
        rows: rows.collect(),
        tenants: emails
            .iter()
            .enumerate()
            .map(|(at, email)| {
                let secret = Value::from(Secret::new(password(at)));
                let value = Object::new("mobsted::Tenant", [("password", secret)]);
                item("http://ppp-admin.mobsted.sandbox", "tenant", email, None, value)
            })
            .collect(),
        apps: (0..2)
            .map(|at| {
                let account = format!("http://{}-admin.mobsted.sandbox", name(at));
                let value = Object::new("mobsted::App", []);
                item(&account, "app", "shop @ shop.example", Some("1"), value)
            })
            .collect(),
        books: Books {
            tenants: tenants.collect(),
            apps: apps.collect(),
            totals: Totals::default(),
            jrni: JrniBook::default(),
            sparrow: SparrowBook::default(),
            web: WebBook::default(),
            traffic: Traffic::default(),
            pending: 0,
        },
        problems: Vec::new(),
    }
}

fn item(account: &str, sort: &str, name: &str, id: Option<&str>, value: Object) -> LedgerItem {
    LedgerItem {
        thing: Thing {
            account: account.to_owned(),
            sort: sort.to_owned(),
            name: name.to_owned(),
        },
        value: Value::Object(value),
        platform_id: id.map(str::to_owned),
        run: None,
        step: None,
        created_ms: 0,
        changed_ms: 0,
    }
}

fn quiet(mark: &str) -> Quiet {
    Quiet {
        facts: world(mark),
        duration: Duration::from_millis(50),
    }
}

fn expected() -> Expected {
    Expected::from_quiet(vec![quiet("q1"), quiet("q2")]).unwrap()
}

/// What is said of a third world after this damage.
fn judged(damage: impl FnOnce(&mut Facts)) -> String {
    let mut facts = world("q3");
    damage(&mut facts);
    expected().judge(&facts).join("; ")
}

#[test]
fn a_world_that_differs_only_in_what_is_generated_has_survived() {
    assert_eq!(judged(|_| {}), "");
    assert_eq!(expected().credentials(), 2);
}

#[test]
fn a_tenant_or_an_app_made_twice_is_found() {
    assert!(judged(|facts| facts.books.tenants[1].created = 2).contains("bob@example.com was made 2 times"));
    let twice = judged(|facts| {
        let again = facts.books.apps[0].clone();
        facts.books.apps.push(AppBook { id: 2, ..again });
    });
    assert!(
        twice.contains("made twice: app Shop for https://shop.example of ann@example.com"),
        "{twice}"
    );
    assert!(
        twice.contains("3 apps, and 2 after an undisturbed run"),
        "{twice}"
    );
    assert!(twice.contains("not in the ledger"), "{twice}");
}

#[test]
fn a_credential_that_is_missing_or_wrong_is_found_in_ledger_and_results() {
    let lost = judged(|facts| facts.tenants.truncate(1));
    assert!(
        lost.contains("bob@example.com is not in the ledger: its credential is lost"),
        "{lost}"
    );
    let wrong = judged(|facts| facts.books.tenants[0].password = "another".to_owned());
    assert!(
        wrong.contains("the credential of ann@example.com is wrong in the ledger"),
        "{wrong}"
    );
    assert!(
        wrong.contains("results, row 1: `password` is not the credential of ann@example.com"),
        "{wrong}"
    );
    let missing = judged(|facts| {
        facts.tenants[0].value = Value::Object(Object::new("mobsted::Tenant", [("password", Value::Null)]));
    });
    assert!(
        missing.contains("the credential of ann@example.com is missing in the ledger"),
        "{missing}"
    );
}

#[test]
fn a_request_for_what_exists_and_a_refused_second_tenant_are_found() {
    assert!(judged(|facts| facts.books.traffic.repeats = 1).contains("asked for what existed already"));
    assert!(judged(|facts| facts.books.totals.duplicates_refused = 1).contains("refuse a second tenant"));
    assert!(judged(|facts| facts.books.totals.app1_attempts = 1).contains("App 1"));
    assert!(judged(|facts| facts.books.pending = 1).contains("not landed"));
}

#[test]
fn results_that_are_others_are_found_without_being_shown() {
    let other = judged(|facts| {
        facts.rows[1].insert("app".to_owned(), json!("secret-17"));
    });
    assert_eq!(other, "results, row 2: `app` is another");
    let fewer = judged(|facts| facts.rows.truncate(1));
    assert!(fewer.contains("1 rows in the results, not 2"), "{fewer}");
    assert!(judged(|facts| facts.problems.push("bad".to_owned())).contains("journal: bad"));
    assert!(judged(|facts| facts.apps.clear()).contains("ledger entries"));
}

#[test]
fn what_a_script_does_without_disturbance_is_no_damage() {
    let odd = |mark: &str| {
        let mut quiet = quiet(mark);
        let again = quiet.facts.books.apps[0].clone();
        quiet.facts.books.apps.push(AppBook { id: 2, ..again });
        quiet
    };
    let expected = Expected::from_quiet(vec![odd("q1"), odd("q2")]).unwrap();
    assert_eq!(expected.judge(&odd("q3").facts), [""; 0]);
}
