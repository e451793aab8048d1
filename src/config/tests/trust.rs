//! What a project's file must not do before the user trusts it, and where secrets may go.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::value::origin::Origin as Place;
use crate::value::secret::Home as At;

const USER: &str = "[profiles.acme]\nurl = \"https://acme.example\"\nlogin = \"ann\"\nmode = \"read-only\"\n\
                    password = { sealed = true }\n[profiles.other]\nurl = \"https://other.example\"\n";

/// Why the profile cannot be used with this project; `None` if it can.
fn refusal(project: &str, profile: &str) -> Option<String> {
    let home = Home::new(USER, project);
    let config = home.load().unwrap();
    config.named(profile, "test").err().map(|error| error.to_string())
}

#[test]
fn project_changes_to_url_login_timeouts_or_endpoints_require_trust() {
    for (line, what) in [
        ("settle = \"10m\"", "it sets `settle` for profile `acme`"),
        ("look_for = \"1ms\"", "it sets `look_for` for profile `acme`"),
        (
            "timeouts = { reply = \"1ms\" }",
            "it sets `timeouts` for profile `acme`",
        ),
        (
            "timeouts = { outage = \"1h\" }",
            "it sets `timeouts` for profile `acme`",
        ),
        (
            "endpoints = { partners = \"/applications/1\" }",
            "it sets `endpoints` for profile `acme`",
        ),
        ("login = \"eve\"", "it changes the login of profile `acme`"),
    ] {
        let project = format!("[profiles.acme]\n{line}\n");
        let refused = refusal(&project, "acme").unwrap();
        assert!(
            refused.contains("is not trusted") && refused.contains(what),
            "{refused}"
        );
        let trusted = Home::new(USER, &project).trusting();
        assert!(trusted.load().unwrap().named("acme", "test").is_ok(), "{line}");
        // The same applies to a profile of the project's own: it may be the user's account under another name.
        let own = format!("[profiles.x]\nurl = \"https://acme.example\"\n{line}\n");
        assert_eq!(refusal(&own, "x").is_some(), !line.starts_with("login"), "{line}");
    }
    let moved = "[profiles.other]\nurl = \"https://evil.example\"\n";
    let refused = refusal(moved, "other").unwrap();
    assert!(
        refused.contains("it changes the address of profile `other`"),
        "{refused}"
    );
    assert_eq!(refusal("[profiles.sandbox]\nsettle = \"5m\"\n", "sandbox"), None);
}

#[test]
fn an_untrusted_project_cannot_make_a_user_profile_the_default() {
    let env = |home: &Home| home.env(&[]);
    let project = "default_profile = \"acme\"\n";
    let home = Home::new(USER, project);
    let config = home.load().unwrap();
    let refused = config.choose(None, &env(&home)).unwrap_err().to_string();
    assert!(
        refused.contains("it makes `acme` the default profile"),
        "{refused}"
    );
    assert!(config.choose(Some("other"), &env(&home)).is_ok());
    let home = Home::new(USER, project).trusting();
    assert_eq!(
        home.load().unwrap().choose(None, &env(&home)).unwrap().name,
        "acme"
    );
    let own = "default_profile = \"x\"\n[profiles.x]\nurl = \"https://x.example\"\n";
    let home = Home::new(USER, own);
    assert_eq!(home.load().unwrap().choose(None, &env(&home)).unwrap().name, "x");
}

#[test]
fn untrusted_project_profiles_take_the_strictest_user_mode_of_their_url() {
    for url in [
        "https://acme.example",
        "https://ACME.example./",
        "https://acme.example:443/api",
    ] {
        for mode in ["", "mode = \"dev\"", "mode = \"prod\""] {
            let project = format!("[profiles.x]\nurl = \"{url}\"\n{mode}\n");
            let config = Home::new(USER, &project).load().unwrap();
            let shown = config.named("x", "test").unwrap().mode();
            assert_eq!(shown, Mode::ReadOnly, "{url} {mode}");
            let config = Home::new(USER, &project).trusting().load().unwrap();
            assert_ne!(
                config.named("x", "test").unwrap().mode(),
                Mode::ReadOnly,
                "{url} {mode}"
            );
        }
    }
    let elsewhere = "[profiles.x]\nurl = \"https://x.example\"\n";
    let config = Home::new(USER, elsewhere).load().unwrap();
    assert_eq!(config.named("x", "test").unwrap().get("mode"), None);
}

#[test]
fn profiles_with_the_same_credential_source_share_no_token() {
    let config = Home::new(USER, "[profiles.acme]\nmode = \"read-only\"\n")
        .load()
        .unwrap();
    let own = Home::new(USER, "").load().unwrap();
    let place = |config: &Config, name: &str| config.named(name, "test").unwrap().place_of("password");
    assert_ne!(place(&config, "acme"), place(&own, "acme"));
    let two = "[profiles.a]\npassword = { env = \"P\" }\n[profiles.b]\npassword = { env = \"P\" }\n";
    let two = Home::new(two, "").load().unwrap();
    assert_ne!(
        place(&two, "a"),
        place(&two, "b"),
        "a wrong password is not served by another's token"
    );
}

/// Whether a secret of `home` may go to `place`. The error is the advice, with the folder's path replaced.
fn allowed(user: &str, project: &str, trusting: bool, home: &[&str], place: &str) -> Result<(), String> {
    let files = Home::new(user, project);
    let files = if trusting { files.trusting() } else { files };
    let home = At::of(home.iter().filter_map(|place| Place::parse(place))).unwrap();
    let allowed = files.load().unwrap().allows(&home, &Place::parse(place).unwrap());
    let folder = files.folder.path().display().to_string();
    allowed.map_err(|advice| advice.replace(&folder, "~"))
}

#[test]
fn secrets_are_sent_only_to_hosts_in_their_profiles_secrets_to() {
    const CRM: &str = "[profiles.crm]\nplatform = \"web\"\nurl = \"https://crm.example.com/v2\"\n";
    let acme = |line: &str| format!("[profiles.acme]\nurl = \"https://acme.example\"\n{line}\n{CRM}");
    let tenant = ["https://t1.example", "https://acme.example"];
    for line in [
        "secrets_to = [\"crm.example.com\"]",
        "secrets_to = [\"x.example\", \"https://CRM.example.com.\"]",
        "secrets_to = [\"crm\"]",
    ] {
        assert_eq!(
            allowed(&acme(line), "", false, &tenant, "https://crm.example.com/x"),
            Ok(()),
            "{line}"
        );
        let other = allowed(
            &acme(line),
            "",
            false,
            &["https://t1.example"],
            "https://crm.example.com",
        );
        assert!(other.is_err(), "a secret of another account");
    }
    assert_eq!(
        allowed(&acme(""), "", false, &tenant, "https://crm.example.com/x").unwrap_err(),
        "to allow it, add secrets_to = [\"crm.example.com\"] to [profiles.acme] in ~/provisor/config/config.toml"
    );
    let nobodys = allowed(CRM, "", false, &["https://login.example"], "https://api.example").unwrap_err();
    assert_eq!(
        nobodys,
        "to allow it, add to ~/provisor/config/config.toml a profile of that address with this line: \
         secrets_to = [\"api.example\"]"
    );
}

#[test]
fn sandbox_secrets_are_sent_only_to_hosts_in_secrets_to() {
    let home = [
        "https://t1-admin.x.mobsted.sandbox",
        "https://p-admin.x.mobsted.sandbox",
    ];
    let advice = allowed("", "", false, &home, "https://api.web.sandbox").unwrap_err();
    assert_eq!(
        advice,
        "to allow it, add secrets_to = [\"api.web.sandbox\"] to [profiles.sandbox] in ~/provisor/config/config.toml"
    );
    let line = "[profiles.sandbox]\nsecrets_to = [\"api.web.sandbox\"]\n";
    assert_eq!(allowed(line, "", false, &home, "https://api.web.sandbox"), Ok(()));
    assert!(
        allowed("", line, false, &home, "https://api.web.sandbox").is_err(),
        "not trusted"
    );
    assert!(
        allowed(
            line,
            "",
            false,
            &["https://acme.example"],
            "https://api.web.sandbox"
        )
        .is_err()
    );
}

#[test]
fn secrets_to_in_a_project_applies_only_when_trusted() {
    let project = "[profiles.acme]\nsecrets_to = [\"crm.example.com\"]\n";
    let may = |trusting| {
        allowed(
            USER,
            project,
            trusting,
            &["https://acme.example"],
            "https://crm.example.com",
        )
    };
    assert_eq!(may(true), Ok(()));
    let advice = may(false).unwrap_err();
    assert!(
        advice.contains("[profiles.acme] in ~/provisor/config/config.toml"),
        "{advice}"
    );
    assert!(
        advice.contains("~/work/provisor.toml allows it, but is not trusted"),
        "{advice}"
    );
    // What the user has allowed stays allowed, whatever a project says.
    let both = "[profiles.acme]\nurl = \"https://acme.example\"\nsecrets_to = [\"crm.example.com\"]\n";
    let from_account = ["https://acme.example"];
    assert_eq!(
        allowed(both, project, false, &from_account, "https://crm.example.com"),
        Ok(())
    );
    // Neither through another name for the same account, nor by changing the address of a profile that the user named.
    let other = "[profiles.x]\nurl = \"https://acme.example\"\nsecrets_to = [\"evil.example\"]\n";
    assert!(
        allowed(
            USER,
            other,
            false,
            &["https://acme.example"],
            "https://evil.example"
        )
        .is_err()
    );
    let user = "[profiles.acme]\nurl = \"https://acme.example\"\nsecrets_to = [\"crm\"]\n";
    let named = "[profiles.crm]\nurl = \"https://evil.example\"\n";
    assert!(
        allowed(
            user,
            named,
            false,
            &["https://acme.example"],
            "https://evil.example"
        )
        .is_err()
    );
    let asked = Home::new(USER, project);
    let lines =
        Config::trust_reasons(&crate::platforms::catalogue(), &asked.path("work/provisor.toml")).unwrap();
    assert_eq!(
        lines,
        ["it lets secrets of the account of profile `acme` go to crm.example.com"]
    );
}

#[test]
fn secrets_to_must_be_a_list_of_hosts_or_profile_names() {
    for line in [
        "secrets_to = \"crm\"",
        "secrets_to = [1]",
        "secrets_to = [\"\"]",
        "secrets_to = [\"a b\"]",
    ] {
        let (error, _) = Home::new(&format!("[profiles.a]\n{line}\n"), "").error();
        assert!(
            error.contains("must be a list of hosts or names of profiles"),
            "{line}: {error}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_configuration_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new(USER, "");
    let file = home.path("provisor/config/config.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
    let (error, hint) = home.error();
    assert_eq!(error, "other users can write to ~/provisor/config/config.toml");
    assert_eq!(hint, "chmod go-w ~/provisor/config/config.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(home.load().is_ok());
    let folder = home.path("provisor/config");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(home.error().1.starts_with("chmod go-w"));
}
