//! What a profile's mode permits: it asks first, refuses below the script, and simulates while the sandbox is chosen.

use crate::support::Home;
use crate::support::account::Served;
use crate::support::pty::{Terminal, key};

const MAKE: &str = "let p = mobsted::connect();\np.ensure_tenant(\"ann@example.com\").email\n";
const LOOK: &str = "mobsted::connect().tenants().len()\n";

/// A platform, and a home whose profile `acme` points to it in this mode.
struct Rig {
    platform: Home,
    served: Served,
    home: Home,
}

impl Rig {
    fn new(mode: &str) -> Rig {
        let platform = Home::new();
        let served = Served::start(&platform);
        let home = Home::new();
        home.configure_acme(&served, mode);
        home.write("make.rhai", MAKE);
        home.write("look.rhai", LOOK);
        Rig {
            platform,
            served,
            home,
        }
    }

    fn run(&self, words: &str) -> crate::support::Ran {
        self.home.run_as(&self.served, words)
    }

    fn terminal(&self, words: &str) -> Terminal {
        let mut command = self.home.command(words.split_whitespace());
        command
            .env("TERM", "xterm")
            .env("ACME_PASSWORD", &self.served.password);
        Terminal::start(command, 30, 200)
    }

    /// The number of tenants on the platform.
    fn tenants(&self) -> usize {
        self.platform.snapshot().tenants.len()
    }
}

#[test]
fn prod_mode_without_a_terminal_is_refused_unless_yes_is_given() {
    let rig = Rig::new("prod");
    let ran = rig.run("run make.rhai").ended(2);
    let _ = ran.said(&["Change the prod account `acme` at ", "--yes"]);
    assert_eq!(rig.tenants(), 0);
    assert!(
        !rig.home.provisor().join("state/journal.db").exists(),
        "no run was begun"
    );
    let _ = rig.run("run make.rhai --yes").ended(0);
    assert_eq!(rig.tenants(), 1);
}

#[test]
fn prod_mode_does_not_ask_for_a_script_that_only_reads() {
    let rig = Rig::new("prod");
    assert_eq!(rig.run("run look.rhai").ended(0).stdout.trim(), "result  0");
}

#[test]
fn prod_mode_previews_the_changes_and_asks_for_confirmation_at_a_terminal() {
    let rig = Rig::new("prod");
    rig.home
        .write("rows.csv", "email\nann@example.com\nbob@example.com\n");
    rig.home.write(
        "rows.rhai",
        "fn main(email) { #{ who: mobsted::connect().ensure_tenant(email).email } }",
    );
    for (answer, code, tenants) in [("n", 9, 0), (key::CTRL_D, 9, 0), ("y", 0, 2)] {
        let mut terminal = rig.terminal("run rows.rhai --rows rows.csv --out done.csv");
        let screen = terminal.wait_for("Change the prod account `acme` at ");
        for shown in [
            "for each of 2 rows of rows.csv",
            "ensure_tenant(email",
            &rig.served.url,
            &rig.served.login,
        ] {
            assert!(screen.contains(shown), "`{shown}` is not in:\n{screen}");
        }
        terminal.press(answer);
        terminal.press(key::ENTER);
        let (ended, screen) = terminal.finish();
        assert_eq!((ended, rig.tenants()), (code, tenants), "{screen}");
    }
}

#[test]
fn prod_mode_applies_to_a_profile_name_computed_at_run_time() {
    let rig = Rig::new("prod");
    let more = rig
        .home
        .configuration()
        .replace("profiles.acme", "profiles.other");
    let dev = rig.home.configuration().replace("prod", "dev");
    rig.home
        .configure(&format!("default_profile = \"acme\"\n{dev}{more}"));
    rig.home.write(
        "sly.rhai",
        "let name = \"ot\" + \"her\";\nmobsted::connect(name).ensure_tenant(\"ann@example.com\").email\n",
    );
    let ran = rig.run("run sly.rhai").ended(5);
    let _ = ran.said(&["changes a prod account", "--yes"]);
    assert_eq!(rig.tenants(), 0);
    rig.home.write(
        "open.rhai",
        "mobsted::connect(\"other\").ensure_tenant(\"ann@example.com\").email\n",
    );
    let _ = rig.run("run open.rhai").ended(2).said(&["`other`", "--yes"]);
    let _ = rig.run("run sly.rhai --yes").ended(0);
    assert_eq!(rig.tenants(), 1);
}

#[test]
fn a_confirmed_run_is_resumed_without_asking_again() {
    let rig = Rig::new("prod");
    rig.home.write(
        "fails.rhai",
        "let p = mobsted::connect();\np.ensure_tenant(\"ann@example.com\");\nif !p.tenants().is_empty() && !exists() { throw \"later\" }\nfn exists() { false }",
    );
    let _ = rig.run("run fails.rhai --yes").ended(1);
    let ran = rig.run("resume --retry-failed").ended(1);
    assert!(!ran.stderr.contains("Change the prod"), "{}", ran.stderr);
    let _ = ran.said(&["changes to the prod account `acme` were confirmed when the run started"]);
    // The confirmation does not cover an edited script.
    rig.home.write(
        "fails.rhai",
        "let p = mobsted::connect();\np.ensure_tenant(\"ann@example.com\");\np.ensure_tenant(\"bob@example.com\").email",
    );
    let ran = rig.run("resume --retry-failed --with-current").ended(2);
    let _ = ran.said(&["Change the prod account `acme` at ", "--yes"]);
    assert_eq!(rig.tenants(), 1);
    let _ = rig.run("resume --retry-failed --with-current --yes").ended(0);
    assert_eq!(rig.tenants(), 2);

    // Started in another mode, so nothing has been confirmed.
    let rig = Rig::new("dev");
    rig.home.write(
        "fails.rhai",
        "mobsted::connect().ensure_tenant(\"ann@example.com\"); throw \"later\"",
    );
    let _ = rig.run("run fails.rhai").ended(1);
    rig.home.configure_acme(&rig.served, "prod");
    let _ = rig
        .run("resume --retry-failed")
        .ended(2)
        .said(&["Change the prod account `acme` at ", "--yes"]);
    let _ = rig.run("resume --retry-failed --yes").ended(1);
}

#[test]
fn read_only_mode_refuses_changes_even_with_yes() {
    let rig = Rig::new("read-only");
    let _ = rig
        .run("run make.rhai --yes")
        .ended(5)
        .said(&["the profile is read-only"]);
    assert_eq!(rig.run("run look.rhai").ended(0).stdout.trim(), "result  0");
    // The same account, described by the script itself.
    let (url, login, password) = (&rig.served.url, &rig.served.login, &rig.served.password);
    rig.home.write(
        "around.rhai",
        &format!(
            r#"mobsted::connect(#{{url: "{url}", login: "{login}", password: "{password}"}}).ensure_tenant("a@b.example")"#
        ),
    );
    let around = rig.run("run around.rhai --yes").ended(5);
    let _ = around.said(&["the profile is read-only"]);
    assert_eq!(rig.tenants(), 0);
}

#[test]
fn prod_mode_applies_to_a_script_defined_account() {
    let rig = Rig::new("prod");
    let (url, login, password) = (&rig.served.url, &rig.served.login, &rig.served.password);
    rig.home.write(
        "around.rhai",
        &format!(
            "mobsted::connect( #{{url: \"{url}\", login: \"{login}\", password: \"{password}\"}}).ensure_tenant(\"a@b.example\").email"
        ),
    );
    let around = rig.run("run around.rhai").ended(2);
    let _ = around.said(&["Change the prod account `acme` at ", "--yes"]);
    assert_eq!(rig.tenants(), 0);
    let _ = rig.run("run around.rhai --yes").ended(0);
}

#[test]
fn profile_use_sandbox_stays_active_until_no_sandbox() {
    let rig = Rig::new("prod");
    let _ = rig
        .run("profile use acme --sandbox")
        .ended(0)
        .said(&["sandbox", "--no-sandbox"]);
    let ran = rig.run("run make.rhai").ended(0);
    let _ = ran.said(&["simulated platforms replace `acme`"]);
    assert_eq!(rig.tenants(), 0, "the account was not reached");
    assert_eq!(rig.home.snapshot().tenants.len(), 1);
    rig.home.write("bad.rhai", "throw \"no\"");
    let _ = rig
        .run("run bad.rhai")
        .ended(1)
        .said(&["this was the sandbox: nothing real was changed"]);
    let _ = rig.run("profile use acme --no-sandbox").ended(0);
    let ran = rig.run("run make.rhai --yes").ended(0);
    assert!(!ran.stderr.contains("sandbox"), "{}", ran.stderr);
    assert_eq!(rig.tenants(), 1);
}

#[test]
fn a_real_run_is_not_resumed_on_the_sandbox() {
    let rig = Rig::new("dev");
    rig.home
        .write("fails.rhai", "mobsted::connect().tenants(); throw \"later\"");
    let _ = rig.run("run fails.rhai").ended(1);
    let _ = rig.run("profile use acme --sandbox").ended(0);
    let _ = rig
        .run("resume --retry-failed")
        .ended(2)
        .said(&["the run started on the real account", "--no-sandbox"]);
}

#[test]
fn a_profile_of_mode_sandbox_needs_no_account() {
    let home = Home::new();
    home.write("make.rhai", MAKE);
    let _ = home.run("profile add toy --mode sandbox").ended(0);
    let _ = home
        .run("run make.rhai")
        .ended(0)
        .said(&["simulated platforms replace `toy`"]);
    assert_eq!(home.snapshot().tenants.len(), 1);
}

#[test]
fn a_stored_token_does_not_let_a_wrong_password_in() {
    let rig = Rig::new("dev");
    assert_eq!(rig.run("run look.rhai").ended(0).stdout.trim(), "result  0");
    let direct = |password: &str| {
        format!(
            "mobsted::connect(#{{url: \"{}\", login: \"{}\", password: \"{password}\"}}).tenants().len()\n",
            rig.served.url, rig.served.login
        )
    };
    rig.home.write("wrong.rhai", &direct("not-the-password"));
    rig.home.write("right.rhai", &direct(&rig.served.password));
    let _ = rig.run("run wrong.rhai").ended(4);
    assert_eq!(rig.run("run right.rhai").ended(0).stdout.trim(), "result  0");
    let _ = rig.run("run wrong.rhai").ended(4);
    // The profile's own tokens are intact: its password is not even requested.
    assert_eq!(rig.home.run("run look.rhai").ended(0).stdout.trim(), "result  0");
}
