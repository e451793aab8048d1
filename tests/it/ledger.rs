//! Recorded tenants and apps, and their passwords.

use std::os::unix::fs::PermissionsExt as _;

use provisor::clock::{Clock, Ids};
use provisor::journal::{Journal, NaturalKey, Sealer};

use crate::support::{Home, clients, csv, script, signal, wait_until};

fn onboarded(home: &Home, count: usize) {
    home.write("clients.csv", &clients(count));
    let run = format!(
        "run {} --sandbox --rows clients.csv --out results.csv",
        script("onboard.rhai")
    );
    let _ = home.run(&run).ended(0);
}

/// The tenant's password in the sandbox.
fn password(home: &Home, email: &str) -> String {
    let snapshot = home.snapshot();
    let tenant = snapshot.tenants.iter().find(|tenant| tenant.email == email);
    tenant.unwrap().password.clone()
}

#[test]
fn tenants_and_apps_are_listed_with_their_secrets_masked() {
    let home = Home::new();
    onboarded(&home, 3);
    let tenants = home.json("tenants list --json");
    let tenants = tenants["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 3);
    for tenant in tenants {
        assert_eq!(
            (&tenant["password"], &tenant["credential"]),
            (&"***".into(), &"recorded".into())
        );
        assert_eq!(tenant["run"], home.newest());
        assert!(tenant["url"].as_str().unwrap().starts_with("http"), "{tenant}");
    }
    let apps = home.json("apps list --json");
    assert_eq!(apps["apps"].as_array().unwrap().len(), 3);
    assert!(
        apps["apps"][0]["site"]
            .as_str()
            .unwrap()
            .starts_with("https://client")
    );
    assert!(home.run("apps list").ended(0).stdout.starts_with("ID "));
    let shown = home.run("tenants show CLIENT1@example.com").ended(0).stdout;
    assert!(
        shown.contains("client1@example.com") && shown.contains("***"),
        "{shown}"
    );
    let _ = home
        .run("tenants show client9@example.com")
        .ended(2)
        .said(&["no tenant client9@example.com", "did you mean client"]);
    let none = home.json("tenants list --account elsewhere.example --json");
    assert_eq!(none["tenants"].as_array().unwrap().len(), 0);
}

#[test]
fn revealing_passwords_needs_confirmation_and_is_recorded_in_the_audit_log() {
    let home = Home::new();
    onboarded(&home, 2);
    let secret = password(&home, "client0@example.com");
    for words in [
        "tenants show client0@example.com",
        "tenants list",
        "tenants export",
    ] {
        let masked = home.run(words).ended(0);
        assert!(!masked.stdout.contains(&secret), "{}", masked.stdout);
        let refused = home.run(&format!("{words} --reveal")).ended(2).said(&["--yes"]);
        assert!(!refused.stdout.contains(&secret), "{}", refused.stdout);
    }
    assert_eq!(home.json("audit --json")["audit"].as_array().unwrap().len(), 0);
    let shown = home
        .run("tenants show client0@example.com --reveal --yes")
        .ended(0);
    let shown = shown.said(&["provisor audit"]);
    assert!(shown.stdout.contains(&secret), "{}", shown.stdout);
    let audit = home.json("audit --json");
    assert_eq!(audit["audit"][0]["kind"], "reveal");
    let what = audit["audit"][0]["what"].as_str().unwrap();
    assert!(what.contains("client0@example.com"), "{what}");
    assert!(home.run("audit").ended(0).stdout.contains("reveal"));
}

#[test]
fn revealing_from_a_read_only_journal_warns_that_it_is_not_recorded() {
    let home = Home::new();
    onboarded(&home, 1);
    let secret = password(&home, "client0@example.com");
    // A file in place of a folder keeps the journal from being opened for writing.
    std::fs::write(home.provisor().join("state/replacement"), "").unwrap();
    for words in [
        "tenants show client0@example.com",
        "tenants list",
        "tenants export",
    ] {
        let shown = home.run(&format!("{words} --reveal --yes")).ended(0);
        assert!(shown.stdout.contains(&secret), "{words}: {}", shown.stdout);
        let _ = shown.said(&["this is not recorded"]);
    }
    for words in ["runs list", "audit", "tenants list", "apps list", "journal check"] {
        let _ = home.run(words).ended(0);
    }
}

#[test]
fn a_tenant_export_with_passwords_has_file_mode_0600() {
    let home = Home::new();
    onboarded(&home, 2);
    let _ = home.run("tenants export tenants.csv --reveal --yes").ended(0);
    let path = home.work().join("tenants.csv");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let rows = csv(&home.read("tenants.csv"));
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row["password"], password(&home, &row["email"]));
    }
    let _ = home.run("tenants export tenants.jsonl").ended(0);
    assert_eq!(home.read("tenants.jsonl").lines().count(), 2);
    assert!(home.read("tenants.jsonl").contains("\"password\":\"***\""));
    let _ = home
        .run("tenants export tenants.xlsx")
        .ended(2)
        .said(&[".csv, .json or .jsonl"]);
}

#[test]
fn revealed_columns_in_results_are_recorded_in_the_audit_log() {
    let home = Home::new();
    home.write("clients.csv", &clients(1));
    let run = format!(
        "run {} --sandbox --rows clients.csv --out results.csv --reveal password",
        script("onboard.rhai")
    );
    let _ = home.run(&run).ended(0);
    let audit = home.json("audit --json");
    let what = audit["audit"][0]["what"].as_str().unwrap();
    assert!(
        what.contains("password") && what.contains("results.csv"),
        "{what}"
    );
}

/// The response is lost, and the client removes the first password before it can be looked up.
#[test]
fn a_lost_password_is_missing_until_set_password_provides_it() {
    let home = Home::new();
    let mut server = home.command(["sandbox", "serve"]).spawn().unwrap();
    wait_until("the sandbox is served", || {
        provisor::sandbox::status(&home.sandbox()).is_ok_and(|status| status.served.is_some())
    });
    home.write("clients.csv", "email,site\nann@example.com,https://ann.example\n");
    let run = format!(
        "run {} --sandbox --rows clients.csv --out results.csv --fault partners:hang-after:x1",
        script("onboard.rhai")
    );
    let mut child = home.command(run.split(' ')).spawn().unwrap();
    wait_until("the tenant is there", || home.snapshot().tenants.len() == 1);
    signal(child.id(), "KILL");
    let _ = child.wait();
    home.happen("tenants/ann@example.com/password-gone");

    let repair = "provisor tenants set-password ann@example.com";
    let _ = home.run("resume").ended(8).said(&["credential_missing", repair]);
    let row = csv(&home.read("results.csv")).remove(0);
    assert!(row["_error"].contains(repair), "{row:?}");
    let shown = home.run("tenants show ann@example.com").ended(0).said(&[repair]);
    assert!(shown.stdout.contains("missing"), "{}", shown.stdout);
    let listed = home.run("tenants list").ended(0).said(&[repair]);
    assert!(listed.stdout.contains("missing"), "{}", listed.stdout);
    assert_eq!(home.json("tenants list --json")["tenants"][0]["repair"], repair);

    let secret = password(&home, "ann@example.com");
    let set = "tenants set-password ann@example.com";
    let _ = home.run_with_input(set, "\n").ended(2).said(&["no password"]);
    let given = home.run_with_input(set, &format!("{secret}\n")).ended(0);
    let _ = given.said(&["is on record", "--retry-failed"]);
    let _ = home.run("resume --retry-failed --out-of-nothing").ended(2);
    let _ = home.run("resume --retry-failed").ended(0);
    let row = csv(&home.read("results.csv")).remove(0);
    assert_eq!(
        (row["_status"].as_str(), row["password"].as_str()),
        ("done", "***")
    );
    assert_eq!(home.snapshot().totals.tenants_created, 1);
    let audit = home.json("audit --json");
    assert_eq!(audit["audit"][0]["kind"], "set-password");
    assert!(!audit.to_string().contains(&secret));

    // The client sets their own password: the same command repairs that.
    home.happen("tenants/ann@example.com/password-changed");
    home.happen("expire-tokens");
    std::fs::remove_dir_all(home.provisor().join("cache")).unwrap();
    home.write("apps.rhai", "fn main() { #{ apps: mobsted::connect().ensure_tenant(\"ann@example.com\").connect().apps().len() } }");
    let _ = home.run("run apps.rhai --sandbox").ended(4).said(&[repair]);
    let secret = password(&home, "ann@example.com");
    let _ = home.run_with_input(&format!("{set} --stdin"), &secret).ended(0);
    let ran = home.run("resume --retry-failed").ended(0);
    assert!(ran.stdout.contains("apps  1"), "{}", ran.stdout);
    signal(server.id(), "TERM");
    let _ = server.wait();
}

#[test]
fn a_tenant_in_two_accounts_needs_the_account_option() {
    let home = Home::new();
    onboarded(&home, 1);
    let state = home.provisor().join("state");
    let sealer = Sealer::from_key_file(&state.join("key")).unwrap();
    let journal = Journal::open(&state.join("journal.db"), sealer, Clock::system(), Ids::random()).unwrap();
    let known = journal.ledger_list("tenant", None).unwrap().remove(0);
    let key = NaturalKey {
        account: "https://other-admin.mobsted.com".into(),
        kind: "tenant",
        name: known.resource.name.clone(),
    };
    journal.ledger_put(&key, &known.value).unwrap();
    drop(journal);

    let set = "tenants set-password client0@example.com";
    let refused = home.run_with_input(set, "new password").ended(2);
    let _ = refused.said(&["several accounts", "other-admin.mobsted.com", "--account"]);
    let _ = home
        .run_with_input(&format!("{set} --account other-admin"), "new password\n")
        .ended(0);
    let show = "tenants show client0@example.com --json --reveal --yes --account";
    assert_eq!(
        home.json(&format!("{show} other-admin"))["tenant"]["password"],
        "new password"
    );
    assert_eq!(
        home.json(&format!("{show} sandbox"))["tenant"]["password"],
        password(&home, "client0@example.com")
    );
}
