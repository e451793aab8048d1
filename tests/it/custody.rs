//! A secret goes where it belongs, and elsewhere only where the user allows it; a response that repeats one is masked.

use std::process::Child;

use crate::support::account::Served;
use crate::support::{Home, Ran, finish};

/// Two independent platforms, and a home with a profile `acme` on the first.
struct Rig {
    _platforms: [Home; 2],
    ours: Served,
    other: Served,
    home: Home,
}

impl Rig {
    fn new() -> Rig {
        let platforms = [Home::new(), Home::new()];
        let [ours, other] = [Served::start(&platforms[0]), Served::start(&platforms[1])];
        let home = Home::new();
        home.configure_acme(&ours, "dev");
        Rig {
            _platforms: platforms,
            ours,
            other,
            home,
        }
    }

    /// The host and port of the other platform.
    fn elsewhere(&self) -> &str {
        let rest = self.other.url.strip_prefix("http://").unwrap();
        rest.split('/').next().unwrap()
    }

    fn run(&self, script: &str) -> Ran {
        self.home.write("main.rhai", script);
        self.words("run main.rhai --json")
    }

    fn words(&self, words: &str) -> Ran {
        let ran = self.home.run_as(&self.ours, words);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!all.contains(&self.ours.password), "{all}");
        ran
    }

    fn configure(&self, line: &str) {
        let text = self.home.configuration();
        self.home.configure(&format!("{text}{line}\n"));
    }
}

#[test]
fn a_tenant_password_is_sent_to_another_host_only_with_secrets_to() {
    let rig = Rig::new();
    let elsewhere = rig.elsewhere();
    let script = format!(
        "let t = mobsted::connect().ensure_tenant(\"ann@example.com\");\n\
         let text = \"Your password is \" + t.password;\n\
         let echo = http::post(\"http://{elsewhere}/web/anything\", #{{json: #{{text: text}}}}).body.json;\n\
         #{{long: !echo.text.is_empty(), kind: type_of(echo.text)}}\n"
    );
    let ran = rig.run(&script).ended(5);
    let port = elsewhere.rsplit(':').next().unwrap();
    let _ = ran.said(&[
        "[secret_elsewhere]",
        "was not sent: it contains a secret that belongs to",
        &format!("add secrets_to = [\"localhost:{port}\"] to [profiles.acme] in"),
        "config.toml",
    ]);
    rig.configure(&format!("secrets_to = [\"{elsewhere}\"]"));
    let ran = rig.words("resume --retry-failed").ended(0);
    assert!(ran.stdout.contains("secret"), "{}", ran.stdout);
}

#[test]
fn a_script_defined_account_cannot_use_another_accounts_password() {
    let rig = Rig::new();
    let script = format!(
        "let t = mobsted::connect().ensure_tenant(\"ann@example.com\");\n\
         mobsted::connect(#{{url: \"{}\", login: t.login, password: t.password}}).apps().len()\n",
        rig.other.url
    );
    let _ = rig.run(&script).ended(5).said(&["[secret_elsewhere]", "GET"]);
    let own = "let t = mobsted::connect().ensure_tenant(\"ann@example.com\");\n\
               mobsted::connect(#{url: t.url, login: t.login, password: t.password}).apps().len()\n";
    let _ = rig.run(own).ended(0);
}

#[test]
fn a_secret_parameter_may_be_sent_to_any_host() {
    let rig = Rig::new();
    rig.home.write(
        "main.rhai",
        &format!(
            "/// @param key secret\nfn main(key) {{ http::post(\"http://{}/web/anything\", #{{json: #{{k: \"is \" + key}}}}).body.json.k }}\n",
            rig.elsewhere()
        ),
    );
    let mut command = rig.home.command(["run", "main.rhai", "--key", "env:HANDED"]);
    command.env("HANDED", "handed-over-4711");
    let child: Child = command.spawn().unwrap();
    let ran = finish(child).ended(0);
    assert!(
        ran.stdout.contains("***") && !ran.stdout.contains("4711"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_tenant_password_echoed_by_an_app_is_masked_in_every_run() {
    let home = Home::new();
    home.write(
        "note.rhai",
        "let t = mobsted::connect().ensure_tenant(\"ann@example.com\"); let c = t.connect();\n\
         let a = c.ensure_app(\"app s\", \"https://s.example\");\n\
         print(c.update_app(a.id, #{Name: \"is \" + t.password}));\n\
         for x in c.apps() { print(x.attributes); }\n\
         print(c.get(\"/applications\"));\n\
         print(c.create_app(\"two\", \"https://two.example\", #{fields: #{Name: \"pw \" + t.password}}).attributes);\n",
    );
    for _ in 0..2 {
        let ran = home.run("run note.rhai --sandbox");
        let snapshot = home.snapshot();
        let password = &snapshot.tenants[0].password;
        assert!(
            !password.is_empty() && !ran.stdout.contains(password),
            "{}",
            ran.stdout
        );
        assert!(!ran.stderr.contains(password), "{}", ran.stderr);
        assert!(ran.stdout.contains("\"Name\": ***"), "{}", ran.stdout);
    }
}

#[test]
fn a_site_url_with_a_password_is_refused_and_not_stored() {
    let home = Home::new();
    home.write(
        "site.rhai",
        "/// @param site string\nfn main(site) { mobsted::connect().ensure_app(\"a\", site).id }\n",
    );
    let ran = home.run("run site.rhai --sandbox --site https://ann:site-pass-4711@s.example/");
    assert_ne!(ran.code, 0);
    let ran = ran.said(&["contains a user or a password", "[bad_argument]"]);
    assert!(
        !ran.stderr.contains("would store in plain text: site-pass"),
        "{}",
        ran.stderr
    );
    for name in ["journal.db", "journal.db-wal"] {
        let bytes = std::fs::read(home.provisor().join("state").join(name)).unwrap_or_default();
        assert!(
            !bytes.windows(14).any(|window| window == b"site-pass-4711"),
            "{name}"
        );
    }
}

#[test]
fn a_script_defined_account_has_the_strictest_mode_of_its_address() {
    let rig = Rig::new();
    rig.home.configure(&format!(
        "default_profile = \"test\"\n[profiles.test]\nurl = \"{}\"\nlogin = \"x\"\nmode = \"dev\"\n\
         [profiles.acme]\nurl = \"{}\"\nlogin = \"{}\"\nmode = \"read-only\"\n",
        rig.other.url, rig.ours.url, rig.ours.login
    ));
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"] {
        rig.home.write(
            "main.rhai",
            &format!(
                "/// @param pw secret\nfn main(pw) {{ mobsted::connect(#{{url: \"{}\", login: \"{}\", password: pw}}).ensure_app(\"evil\", \"https://e.example\").id }}\n",
                rig.ours.url.replace("127.0.0.1", host),
                rig.ours.login
            ),
        );
        let _ = rig
            .words("run main.rhai --pw env:ACME_PASSWORD")
            .ended(5)
            .said(&["read-only", "[forbidden]"]);
    }
}

#[test]
fn an_untrusted_project_profile_cannot_use_a_cached_token() {
    let rig = Rig::new();
    let _ = rig.words("profile test acme").ended(0);
    rig.home.write(
        "provisor.toml",
        &format!(
            "[profiles.x]\nurl = \"{}\"\nlogin = \"{}\"\n",
            rig.ours.url, rig.ours.login
        ),
    );
    let ran = rig.run("mobsted::connect(\"x\").ensure_app(\"evil\", \"https://e.example\").id\n");
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    let _ = ran.said(&["the password cannot be read"]);
}

#[test]
fn a_wrong_password_is_not_served_by_the_token_of_another_profile() {
    let rig = Rig::new();
    rig.configure(&format!(
        "[profiles.bad]\nurl = \"{}\"\nlogin = \"{}\"\npassword = {{ env = \"WRONG\" }}\nmode = \"dev\"",
        rig.ours.url, rig.ours.login
    ));
    let _ = rig.words("profile test acme").ended(0);
    rig.home.write("look.rhai", "mobsted::connect().apps().len()\n");
    let mut command = rig.home.command(["run", "look.rhai", "--profile", "bad"]);
    command.env("WRONG", "wrong-password");
    let _ = finish(command.spawn().unwrap())
        .ended(4)
        .said(&["[sign_in_refused"]);
}
