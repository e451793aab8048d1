//! Accounts in automation: variables whose names mark them as secrets, output as JSON, the audit log, and problems in
//! the machine's own setup.

use serde_json::Value as Json;

use crate::support::account::Served;
use crate::support::{Home, Ran, finish};

/// Runs the program with these variables.
fn with(home: &Home, variables: &[(&str, &str)], words: &str) -> Ran {
    let mut command = home.command(words.split_whitespace());
    command.envs(variables.iter().copied());
    finish(command.spawn().unwrap())
}

fn json(ran: Ran) -> Json {
    serde_json::from_str(&ran.ended(0).stdout).unwrap()
}

#[test]
fn a_profile_secret_defaults_to_its_environment_variable() {
    let platform = Home::new();
    let served = Served::start(&platform);
    let home = Home::new();
    let bare = format!(
        "[profiles.acme-west]\nurl = \"{}\"\nlogin = \"{}\"\nmode = \"dev\"\n",
        served.url, served.login
    );
    home.configure(&bare);
    let _ = home.run("profile test").ended(2);
    let variable = [("PROVISOR_ACME_WEST_PASSWORD", served.password.as_str())];
    let _ = with(&home, &variable, "profile test").ended(0);
    let shown = with(&home, &variable, "profile show").ended(0).stdout;
    assert!(
        shown.contains("(PROVISOR_ACME_WEST_PASSWORD)") && !shown.contains(&served.password),
        "{shown}"
    );
    let all = json(with(&home, &variable, "config show --json"));
    let password = all["values"]
        .as_array()
        .unwrap()
        .iter()
        .find(|value| value["key"] == "profiles.acme-west.password");
    assert_eq!(
        password.unwrap()["origin"],
        serde_json::json!({"kind": "environment", "variable": "PROVISOR_ACME_WEST_PASSWORD"})
    );
    // A source named in a file takes precedence.
    home.configure(&format!("{bare}password = {{ env = \"OWN\" }}\n"));
    let both = [variable[0], ("OWN", "wrong")];
    let _ = with(&home, &both, "profile test").ended(4);
    // An empty variable counts as unset.
    home.configure(&bare);
    let _ = with(&home, &[("PROVISOR_ACME_WEST_PASSWORD", "")], "profile test").ended(2);
}

#[test]
fn an_untrusted_project_file_gets_no_secret_from_the_environment() {
    let home = Home::new();
    home.configure("[profiles.acme]\nurl = \"https://acme-admin.mobsted.com\"\nlogin = \"a@acme.example\"\n");
    home.write(
        "provisor.toml",
        "[profiles.acme]\nurl = \"http://127.0.0.1:9\"\nmode = \"dev\"\n",
    );
    home.write("look.rhai", "mobsted::connect().tenants().len()");
    let ran = with(
        &home,
        &[("PROVISOR_ACME_PASSWORD", "canary-4711")],
        "run look.rhai",
    )
    .ended(2);
    let _ = ran.said(&["provisor trust"]);
    let ran = home.run("trust --yes").ended(0);
    let _ = ran.said(&["127.0.0.1:9", "PROVISOR_ACME_PASSWORD"]);
}

#[test]
fn profile_commands_print_json_and_are_recorded_in_the_audit_log() {
    let home = Home::new();
    let words = "profile add acme --url https://acme-admin.mobsted.com --login a@acme.example --password-stdin --json";
    let added = json(home.run_with_input(words, "canary-4711-pw\n"));
    assert_eq!((&added["version"], &added["did"]), (&1.into(), &"added".into()));
    assert_eq!(added["profile"]["name"], "acme");
    assert_eq!(added["profile"]["mode"], "prod");
    let chosen = json(home.run("profile use acme --json"));
    assert_eq!(
        (&chosen["did"], &chosen["profile"]["chosen"]),
        (&"chosen".into(), &true.into())
    );
    let changed = json(home.run("profile edit acme --mode read-only --json"));
    assert_eq!(
        (&changed["did"], &changed["profile"]["mode"]),
        (&"changed".into(), &"read-only".into())
    );
    let removed = json(home.run("profile remove acme --yes --json"));
    assert_eq!(
        (&removed["did"], &removed["profile"]["name"]),
        (&"removed".into(), &"acme".into())
    );
    let audit = home.run("audit --json").ended(0).stdout;
    assert!(!audit.contains("canary"), "{audit}");
    let audit: Json = serde_json::from_str(&audit).unwrap();
    let told: Vec<(&str, &str)> = audit["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["what"].as_str().unwrap()))
        .collect();
    let secret = "password of profile acme at https://acme-admin.mobsted.com";
    assert_eq!(
        told,
        [
            ("seal", secret),
            ("profile-add", "acme"),
            ("profile-edit", "acme"),
            ("profile-remove", "acme"),
            ("forget", secret)
        ]
    );
}

#[test]
fn incomplete_profile_settings_are_refused_and_not_recorded_in_the_audit_log() {
    let home = Home::new();
    let add = "profile add crm --platform web --url https://crm.example";
    let _ = home
        .run(&format!("{add} --header X-Key"))
        .ended(2)
        .said(&["--secret header_value=PLACE"]);
    let _ = home
        .run(&format!("{add} --login ann"))
        .ended(2)
        .said(&["--secret password=PLACE"]);
    let _ = home
        .run("profile add x --platform web --url crm.example")
        .ended(2)
        .said(&["must begin with https://"]);
    let _ = home.run(add).ended(0);
    let _ = home
        .run("profile edit crm --set rate=fast")
        .ended(2)
        .said(&["nothing was written"]);
    let audit = json(home.run("audit --json"));
    assert_eq!(audit["audit"].as_array().unwrap().len(), 1, "{audit}");
}

#[test]
fn an_invalid_proxy_variable_is_a_configuration_error() {
    let home = Home::new();
    home.write("get.rhai", "http::get(\"https://acme.example/\")");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let ran = with(&home, &[(variable, "socks9://nowhere")], "run get.rhai").ended(2);
        let _ = ran.said(&[variable, "bad_profile"]);
    }
}
