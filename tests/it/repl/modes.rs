//! Modes apply to every way in: the mode in the prompt holds for whatever a command evaluates or starts.

use std::process::Stdio;

use crate::support::account::Served;
use crate::support::pty::Terminal;
use crate::support::{Home, Ran, finish, wait_until};

/// A platform, and a home whose profiles `acme` and `other` point to it.
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
        let acme = home.configuration();
        let other = acme.replace("profiles.acme", "profiles.other");
        home.configure(&format!("default_profile = \"acme\"\n{acme}{other}"));
        Rig {
            platform,
            served,
            home,
        }
    }

    fn session(&self, words: &str, input: &str) -> Ran {
        let mut command = self.home.command(words.split_whitespace());
        command.env("ACME_PASSWORD", &self.served.password);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A session that ends early closes its input; its output is compared anyway.
        let _ = std::io::Write::write_all(&mut stdin, input.as_bytes());
        drop(stdin);
        finish(child)
    }

    fn terminal(&self, words: &str) -> Terminal {
        let mut command = self.home.command(words.split_whitespace());
        command
            .env("TERM", "xterm-256color")
            .env("ACME_PASSWORD", &self.served.password);
        Terminal::start(command, 40, 200)
    }

    /// The number of tenants in the real account.
    fn real(&self) -> usize {
        self.platform.snapshot().tenants.len()
    }

    /// The number of tenants in the session's sandbox.
    fn simulated(&self) -> usize {
        let status = provisor::sandbox::status(&self.home.sandbox()).unwrap();
        status.snapshot.map_or(0, |snapshot| snapshot.tenants().len())
    }
}

const MAKE: &str = "mobsted::connect().ensure_tenant(\"ann@example.com\");";

/// Creates a failed run, and returns the input that continues it and creates a tenant.
fn failed_run(rig: &Rig, words: &str, make: &str) -> String {
    rig.home.write("late.rhai", "throw \"not yet\";");
    let _ = rig.session(&format!("run late.rhai {words}"), "").ended(1);
    let id = rig.home.newest();
    rig.home.write("late.rhai", make);
    format!(":resume {id} --retry-failed --with-current --yes")
}

/// Every way in, as entered at the prompt. `MAKE` creates a tenant, and so does `make.rhai`; `RESUME` continues a run
/// on this account.
const WAYS: [(&str, &str); 8] = [
    ("typed", "MAKE"),
    ("timed", ":time MAKE"),
    ("loaded", ":load make.rhai"),
    ("pasted", ":paste\nMAKE\n:end"),
    (
        "read anew",
        "import \"./begun\" as begun;\n:reload\nbegun::make();",
    ),
    ("run", ":run make.rhai"),
    ("run with consent", ":run make.rhai --yes"),
    ("resumed with consent", "RESUME"),
];

#[test]
fn every_kind_of_input_obeys_every_mode() {
    // The profile's mode, the input that sets the session's mode, and where a change goes.
    let modes = [
        ("dev", "", "acme"),
        ("dev", ":sandbox on\n", "sandbox"),
        ("dev", ":mode read-only\n", "nowhere"),
        ("dev", ":mode prod\n", "with consent"),
        ("prod", "", "with consent"),
        ("read-only", "", "nowhere"),
        ("dev", ":mode read-only\n:profile other\n", "nowhere"),
        ("dev", ":sandbox on\n:profile other\n", "sandbox"),
    ];
    for (mode, first, goes) in modes {
        let rig = Rig::new(mode);
        for (number, (way, input)) in WAYS.into_iter().enumerate() {
            // A new tenant each time: an existing one needs no change.
            let make = MAKE.replace("ann", &format!("ann{number}"));
            rig.home.write("make.rhai", &make);
            rig.home.write("begun.rhai", &format!("fn make() {{ {make} }}"));
            let there = match first {
                _ if goes == "sandbox" => "--sandbox",
                first if first.contains("other") => "--profile other",
                _ => "--profile acme",
            };
            let mut input = format!("{first}{}\n", input.replace("MAKE", &make));
            if input.contains("RESUME") {
                input = input.replace("RESUME", &failed_run(&rig, there, &make));
            }
            let before = (rig.real(), rig.simulated());
            let ran = rig.session("repl --profile acme", &input);
            let expected = match goes {
                "acme" => (1, 0),
                "sandbox" => (0, 1),
                "with consent" if way.ends_with(goes) => (1, 0),
                _ => (0, 0),
            };
            let created = (rig.real() - before.0, rig.simulated() - before.1);
            let told = format!("{mode} {first:?} {way}: {}\n{}", ran.stdout, ran.stderr);
            assert_eq!(created, expected, "{told}");
            assert_eq!(ran.code == 0, created != (0, 0), "{told}");
        }
    }
}

#[test]
fn loaded_files_and_rc_files_obey_the_sessions_mode() {
    for (mode, words, real, simulated) in [
        ("dev", "--profile acme", 1, 0),
        ("dev", "--sandbox", 0, 1),
        ("dev", "--sandbox --profile acme", 0, 1),
        ("prod", "--profile acme", 0, 0),
        ("prod", "--profile acme --yes", 1, 0),
        ("read-only", "--profile acme --yes", 0, 0),
    ] {
        let rig = Rig::new(mode);
        rig.home.write("make.rhai", MAKE);
        let config = rig.home.provisor().join("config");
        let mut ways: Vec<(String, bool)> = vec![(format!("repl {words} --load make.rhai"), false)];
        ways.push((format!("repl {words}"), true));
        for (words, rc) in ways {
            if rc {
                std::fs::write(config.join("repl.rhai"), MAKE).unwrap();
            }
            let ran = rig.session(&words, "1\n");
            assert_eq!(
                (rig.real(), rig.simulated()),
                (real, simulated),
                "{mode} {words}: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn a_session_refuses_to_resume_a_run_of_another_profile() {
    let rig = Rig::new("dev");
    let real = failed_run(&rig, "--profile acme", MAKE);
    for (first, said) in [
        (
            ":sandbox on\n",
            "works with profile `acme`, and this session on the sandbox",
        ),
        (
            ":profile other\n",
            "works with profile `acme`, and this session with profile `other`",
        ),
        (":mode read-only\n", "this session is read-only"),
    ] {
        let ran = rig.session("repl --profile acme", &format!("{first}{real}\n"));
        let _ = ran.ended(2).said(&[said, "in a shell"]);
    }
    let simulated = failed_run(&rig, "--sandbox", MAKE);
    let ran = rig.session("repl --profile acme", &format!("{simulated}\n"));
    let _ = ran.ended(2).said(&["works on the sandbox", ":sandbox on first"]);
    assert_eq!((rig.real(), rig.simulated()), (0, 0));
    // The completion of runs shows where each one works.
    let terminal = rig.terminal("repl --profile acme");
    let _ = terminal.wait_for("acme:dev>");
    terminal.press(":resume r\t\t");
    let _ = terminal.wait_for(", on the sandbox");
    let _ = terminal.wait_for(", on acme");
}

#[test]
fn a_run_command_asks_for_confirmation_in_a_prod_session() {
    let rig = Rig::new("dev");
    rig.home.write("make.rhai", MAKE);
    let terminal = rig.terminal("repl --profile acme");
    let _ = terminal.wait_for("acme:dev>");
    terminal.type_line(":mode prod");
    let _ = terminal.wait_for("acme:prod>");
    terminal.type_line(":run make.rhai");
    let _ = terminal.wait_for("Change the account `acme` at ");
    terminal.type_line("n");
    let _ = terminal.wait_for("nothing was done");
    assert_eq!(rig.real(), 0);
    terminal.wait_for_prompt();
    terminal.type_line(":run make.rhai");
    let _ = terminal.wait_until("it asks again", |screen| {
        screen.contents().matches("Change the account").count() == 2
    });
    terminal.type_line("y");
    wait_until("it was changed", || rig.real() == 1);
}

#[test]
fn the_yes_flag_applies_only_to_its_profile_and_mode() {
    let rig = Rig::new("prod");
    for (first, real) in [(":profile other\n", 0), (":mode prod\n", 0), ("", 1)] {
        let input = format!("{first}{MAKE}\n");
        let ran = rig.session("repl --profile acme --yes", &input);
        assert_eq!(rig.real(), real, "{first:?}: {}", ran.stderr);
    }
    let input = format!(":sandbox off\n{}\n", MAKE.replace("ann", "bob"));
    let ran = rig.session("repl --sandbox --yes", &input);
    let _ = ran.ended(2).said(&["there is no terminal to ask at"]);
    let terminal = rig.terminal("repl --profile acme --yes");
    let _ = terminal.wait_for("acme:prod!>");
    terminal.type_line(":profile other");
    let _ = terminal.wait_for("\nother:prod>");
    terminal.type_line(":profile acme");
    let _ = terminal.wait_until("nothing is asked again", |screen| {
        screen.contents().trim_end().ends_with("acme:prod!>")
    });
}

#[test]
fn a_saved_script_contains_only_inputs_of_its_own_account() {
    let rig = Rig::new("dev");
    let input = "fn loud(text) { text.to_upper() }\n\
                 let partner = mobsted::connect();\n\
                 partner.tenants().len();\n\
                 :sandbox on\n\
                 let partner = mobsted::connect();\n\
                 fn tried(text) { loud(text) } partner.ensure_tenant(\"try@example.com\").email\n\
                 let password = \"hunter2hunter2\";\n\
                 :save sandbox.rhai\n\
                 :sandbox off\n\
                 :save none.rhai 5\n";
    let ran = rig.session("repl --profile acme", input).ended(2);
    let _ = ran.said(&[
        "input 2 is a comment: it was entered on profile acme",
        "run it: provisor run sandbox.rhai --sandbox",
        "input 5 was entered on the sandbox, and this session is on profile acme now",
    ]);
    assert!(!rig.home.work().join("none.rhai").exists());
    let saved = rig.home.read("sandbox.rhai");
    assert!(
        saved.contains("fn loud(text)") && saved.contains("ensure_tenant(email)"),
        "{saved}"
    );
    assert!(
        saved.contains("// it was entered on profile acme\n    //     partner.tenants().len();"),
        "{saved}"
    );

    let more = "let partner = mobsted::connect();\n\
                tried(\"ann\") + partner.tenants().len()\n\
                :save real.rhai\n";
    let input = format!("{}{more}", input.replace(":save none.rhai 5\n", ""));
    let ran = rig
        .session(
            "repl --profile acme",
            &input.replace("sandbox.rhai", "sandbox.rhai --force"),
        )
        .ended(0);
    let _ = ran.said(&[
        "input 5 is a comment: it was entered on the sandbox",
        "run it: provisor run real.rhai --profile acme",
    ]);
    let saved = rig.home.read("real.rhai");
    assert!(
        saved.contains("fn tried(text)") && saved.contains("fn loud(text)"),
        "{saved}"
    );
    assert!(!saved.contains("hunter2"), "{saved}");
    let (before, ran) = (
        rig.real(),
        rig.session("run real.rhai --profile acme --json", "").ended(0),
    );
    assert!(ran.stdout.contains("ANN"), "{}", ran.stdout);
    assert_eq!(
        rig.real(),
        before,
        "what was tried on the sandbox is not done on the account:\n{saved}"
    );
}
