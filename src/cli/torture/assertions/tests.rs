//! A verdict that finds nothing proves nothing, so these tests check that each kind of damage is found.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::journal::{LedgerItem, ResourceKey};
use crate::sandbox::{
    AdministratorBook, AppBook, BatchBook, Book, Channel, CompanyBook, JrniBook, MobstedBook, Part,
    RecordBook, Snapshot, SparrowBook, TenantBook, Totals, WebBook,
};
use crate::value::secret::Secret;
use crate::value::{Object, Value};

/// A correct world with two clients. Generated values contain `mark`.
fn environment(mark: &str) -> Observation {
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
    let tenants_of_ledger = emails.iter().enumerate().map(|(at, email)| {
        let secret = Value::from(Secret::new(password(at)));
        let value = Object::new("mobsted::Tenant", [("password", secret)]);
        item("http://ppp-admin.mobsted.sandbox", "tenant", email, None, value)
    });
    let apps_of_ledger = (0..2).map(|at| {
        let account = format!("http://{}-admin.mobsted.sandbox", name(at));
        let value = Object::new("mobsted::App", []);
        item(&account, "app", "shop @ shop.example", Some("1"), value)
    });
    Observation {
        rows: rows.collect(),
        ledger: tenants_of_ledger.chain(apps_of_ledger).collect(),
        snapshot: {
            let mut snapshot = Snapshot::default();
            snapshot.books.set(&MobstedBook {
                tenants: tenants.collect(),
                apps: apps.collect(),
                totals: Totals::default(),
            });
            snapshot
        },
        problems: Vec::new(),
    }
}

/// Changes the records of a platform.
fn change<B: Book + Part>(observation: &mut Observation, change: impl FnOnce(&mut B)) {
    let mut book = observation.snapshot.of();
    change(&mut book);
    observation.snapshot.books.set(&book);
}

fn item(account: &str, kind: &str, name: &str, id: Option<&str>, value: Object) -> LedgerItem {
    LedgerItem {
        resource: ResourceKey {
            account: account.to_owned(),
            kind: kind.to_owned(),
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

fn quiet(mark: &str) -> UndisturbedRun {
    UndisturbedRun {
        observation: environment(mark),
        duration: Duration::from_millis(50),
    }
}

fn expected() -> Expected {
    Expected::from_undisturbed_runs(vec![quiet("q1"), quiet("q2")]).unwrap()
}

/// The verdict on a third world after this damage.
fn judged(damage: impl FnOnce(&mut Observation)) -> String {
    let mut observation = environment("q3");
    damage(&mut observation);
    expected().judge(&observation).join("; ")
}

#[test]
fn an_observation_differing_only_in_generated_values_passes() {
    assert_eq!(judged(|_| {}), "");
    assert_eq!(expected().credentials(), 2);
}

#[test]
fn a_duplicate_tenant_or_app_is_detected() {
    assert!(
        judged(|observation| change(observation, |book: &mut MobstedBook| book.tenants[1].created = 2))
            .contains("bob@example.com was created 2 times")
    );
    let twice = judged(|observation| {
        change(observation, |book: &mut MobstedBook| {
            let again = book.apps[0].clone();
            book.apps.push(AppBook { id: 2, ..again });
        });
    });
    assert!(
        twice.contains("created twice: app Shop for https://shop.example of ann@example.com"),
        "{twice}"
    );
    assert!(
        twice.contains("3 resources of kind app, and 2 after an undisturbed run"),
        "{twice}"
    );
    assert!(twice.contains("not in the ledger"), "{twice}");
}

#[test]
fn a_credential_that_is_missing_or_wrong_is_found_in_ledger_and_results() {
    let lost = judged(|observation| drop(observation.ledger.remove(1)));
    assert!(
        lost.contains("bob@example.com is not in the ledger: its credential is lost"),
        "{lost}"
    );
    let wrong = judged(|observation| {
        change(observation, |book: &mut MobstedBook| {
            book.tenants[0].password = "another".to_owned();
        });
    });
    assert!(
        wrong.contains("the credential of ann@example.com is wrong in the ledger"),
        "{wrong}"
    );
    assert!(
        wrong.contains("results, row 1: `password` is not the credential of ann@example.com"),
        "{wrong}"
    );
    let missing = judged(|observation| {
        observation.ledger[0].value =
            Value::Object(Object::new("mobsted::Tenant", [("password", Value::Null)]));
    });
    assert!(
        missing.contains("the credential of ann@example.com is missing in the ledger"),
        "{missing}"
    );
}

#[test]
fn repeated_create_requests_and_refused_duplicates_are_detected() {
    assert!(
        judged(|observation| observation.snapshot.traffic.repeats = 1)
            .contains("tried to create what already existed")
    );
    assert!(
        judged(|observation| change(observation, |book: &mut MobstedBook| book
            .totals
            .duplicates_refused = 1))
        .contains("refuse a second tenant")
    );
    assert!(
        judged(
            |observation| change(observation, |book: &mut MobstedBook| book.totals.app1_attempts =
                1)
        )
        .contains("App 1")
    );
    assert!(judged(|observation| observation.snapshot.pending = 1).contains("not arrived"));
}

#[test]
fn differing_results_are_detected_without_showing_values() {
    let other = judged(|observation| {
        observation.rows[1].insert("app".to_owned(), json!("secret-17"));
    });
    assert_eq!(other, "results, row 2: `app` differs");
    let fewer = judged(|observation| observation.rows.truncate(1));
    assert!(fewer.contains("1 rows in the results, not 2"), "{fewer}");
    assert!(judged(|observation| observation.problems.push("bad".to_owned())).contains("journal: bad"));
    assert!(judged(|observation| observation.ledger.truncate(2)).contains("ledger entries"));
}

#[test]
fn duplicates_also_made_by_an_undisturbed_run_are_accepted() {
    let odd = |mark: &str| {
        let mut quiet = quiet(mark);
        change(&mut quiet.observation, |book: &mut MobstedBook| {
            let again = book.apps[0].clone();
            book.apps.push(AppBook { id: 2, ..again });
        });
        quiet
    };
    let expected = Expected::from_undisturbed_runs(vec![odd("q1"), odd("q2")]).unwrap();
    assert_eq!(expected.judge(&odd("q3").observation), [""; 0]);
}

/// A world of the other platforms: two companies, a person, an administrator, a web item, and a message.
fn elsewhere() -> Observation {
    let mut observation = Observation {
        rows: Vec::new(),
        ledger: Vec::new(),
        ..environment("q")
    };
    change(&mut observation, |book: &mut MobstedBook| {
        *book = MobstedBook::default();
    });
    let company = |id, parent, reference: &str| CompanyBook {
        id,
        parent,
        name: format!("Company {reference}"),
        reference: reference.to_owned(),
        disabled: false,
    };
    let companies = vec![company(1, None, ""), company(2, Some(1), "s-1")];
    let administrators = vec![AdministratorBook {
        id: 3,
        company: 2,
        email: "Ann@one.example".to_owned(),
        password: String::new(),
        role: "admin".to_owned(),
    }];
    let people = vec![RecordBook {
        id: 4,
        company: 2,
        name: "Ann".to_owned(),
        reference: "s-1-1".to_owned(),
        deleted: false,
    }];
    observation.snapshot.books.set(&JrniBook {
        companies,
        administrators,
        people,
        ..JrniBook::default()
    });
    let items = vec![json!({"id": 5, "reference": "A-17"})];
    change(&mut observation, |book: &mut WebBook| book.items = items);
    let batches = vec![BatchBook {
        id: "6".to_owned(),
        channel: Channel::Sms,
        text: "ready".to_owned(),
        tags: Vec::new(),
        recipients: vec!["+4915112345678".to_owned()],
        draft: false,
    }];
    change(&mut observation, |book: &mut SparrowBook| book.batches = batches);
    let jrni = "http://bookings.jrni.sandbox/api/v1 2";
    let object = |kind| Object::new(kind, []);
    observation.ledger = vec![
        item(jrni, "company", "s-1", Some("2"), object("jrni::Company")),
        item(
            jrni,
            "administrator",
            "ann@one.example",
            Some("3"),
            object("jrni::Administrator"),
        ),
        item(jrni, "person", "s-1-1", Some("4"), object("jrni::Person")),
        item("https://api.web.sandbox", "http", "A-17", None, object("map")),
    ];
    observation
}

/// The verdicts on a world of the other platforms after this damage: if all rows ended, and if some wait.
fn judged_elsewhere(damage: impl FnOnce(&mut Observation)) -> (String, String) {
    let quiet = || UndisturbedRun {
        observation: elsewhere(),
        duration: Duration::from_millis(50),
    };
    let expected = Expected::from_undisturbed_runs(vec![quiet(), quiet()]).unwrap();
    let mut observation = elsewhere();
    damage(&mut observation);
    let unfinished = expected.violations_when_parked(&observation).join("; ");
    (expected.judge(&observation).join("; "), unfinished)
}

#[test]
fn duplicate_or_missing_resources_are_detected_on_every_platform() {
    assert_eq!(judged_elsewhere(|_| {}), (String::new(), String::new()));
    let (twice, unfinished) = judged_elsewhere(|observation| {
        change(observation, |book: &mut JrniBook| {
            let again = book.companies[1].clone();
            book.companies.push(CompanyBook { id: 7, ..again });
        });
    });
    for said in [&twice, &unfinished] {
        assert!(
            said.contains("created twice: company Company s-1 (s-1) of Company"),
            "{said}"
        );
    }
    assert!(twice.contains("not in the ledger: company"), "{twice}");
    let (person, _) = judged_elsewhere(|observation| {
        change(observation, |book: &mut JrniBook| book.people[0].deleted = true);
    });
    assert!(person.contains("does not exist: person s-1-1"), "{person}");
    let (lost, unfinished) = judged_elsewhere(|observation| drop(observation.ledger.remove(1)));
    assert!(
        lost.contains("not in the ledger: administrator ann@one.example of Company s-1"),
        "{lost}"
    );
    assert_eq!(unfinished, "", "its step is still in doubt");
    let (item, _) = judged_elsewhere(|observation| {
        let item = json!({"id": 8, "reference": "A-17"});
        change(observation, |book: &mut WebBook| book.items.push(item));
    });
    assert!(item.contains("created twice: http"), "{item}");
}

#[test]
fn sequential_ids_are_compared_by_the_resource_they_identify() {
    let environment = |company: u64, shown: u64| {
        let mut observation = elsewhere();
        change(&mut observation, |book: &mut JrniBook| {
            book.companies[1].id = company;
        });
        let row = json!({"company": shown, "_status": "done"});
        observation.rows = vec![row.as_object().unwrap().clone()];
        observation
    };
    let quiet = || UndisturbedRun {
        observation: environment(2, 2),
        duration: Duration::from_millis(50),
    };
    let expected = Expected::from_undisturbed_runs(vec![quiet(), quiet()]).unwrap();
    let said = |observation: &Observation| expected.judge(observation).join("; ");
    assert!(
        !said(&environment(9, 9)).contains("` differs"),
        "{}",
        said(&environment(9, 9))
    );
    assert!(
        said(&environment(9, 1)).contains("row 1: `company` differs"),
        "the parent's number"
    );
    assert!(
        said(&environment(9, 2)).contains("row 1: `company` differs"),
        "nobody's number"
    );
}

#[test]
fn duplicate_messages_are_detected_and_messages_in_doubt_may_be_missing() {
    let (twice, unfinished) = judged_elsewhere(|observation| {
        change(observation, |book: &mut SparrowBook| {
            let again = book.batches[0].clone();
            let id = "9".to_owned();
            book.batches.push(BatchBook { id, ..again });
        });
    });
    for said in [twice, unfinished] {
        assert!(
            said.contains("created twice: message by SMS to +4915112345678: ready"),
            "{said}"
        );
        assert!(
            said.contains("2 resources of kind message, and 1 after an undisturbed run"),
            "{said}"
        );
    }
    let (unsent, unfinished) =
        judged_elsewhere(|observation| change(observation, |book: &mut SparrowBook| book.batches.clear()));
    assert!(unsent.contains("0 resources of kind message"), "{unsent}");
    assert_eq!(unfinished, "");
}
