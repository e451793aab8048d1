//! Profile commands: add, try, change and remove profiles, and where their secrets are kept.

use std::fs;

use crate::support::account::Served;
use crate::support::pty::{Terminal, key};
use crate::support::{Home, finish};

/// Checks that no file, apart from the ciphertext of sealed files, and no output contains this text.
#[track_caller]
fn assert_unseen(home: &Home, secret: &str) {
    let mut folders = vec![home.provisor(), home.work()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{} holds the secret", path.display());
            }
        }
    }
}

fn add<'a>(served: &'a Served, name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = [
        "profile",
        "add",
        name,
        "--url",
        &served.url,
        "--login",
        &served.login,
    ];
    words.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_profile_is_added_tested_shown_edited_and_removed() {
    let (platform, home) = (Home::new(), Home::new());
    let served = Served::start(&platform);
    let ran = home.feed(
        &add(&served, "acme", &["--password-stdin"]),
        &format!("{}\n", served.password),
    );
    let _ = ran.ended(0).said(&["its password is encrypted in", "mode dev"]);
    assert_unseen(&home, &served.password);
    assert!(home.configuration().contains("password = { sealed = true }"));

    let test = home.json("profile test --json");
    assert_eq!((&test["profile"], &test["mode"]), (&"acme".into(), &"dev".into()));
    let may = test["may"].as_array().unwrap();
    assert!(
        may.iter()
            .any(|may| may["operation"] == "tenants" && may["ok"] == true)
    );
    let shown = home.json("profile show --json");
    assert!(shown["profile"]["signed_in_until"].is_string(), "{shown}");
    let listed = home.json("profile list --json");
    assert_eq!(listed["profiles"][0]["chosen"], true);

    let _ = home
        .run("profile edit acme --mode read-only --set timeouts.reply=9s")
        .ended(0);
    assert!(home.configuration().contains("mode = \"read-only\""));
    let _ = home.run("profile edit acme --unset timeouts.reply").ended(0);
    let _ = home
        .run("profile edit acme --unset settle")
        .ended(2)
        .said(&["has no `settle`"]);
    let _ = home
        .run("profile edit acme --set timeouts.reply=soon")
        .ended(2)
        .said(&[
            "`profiles.acme.timeouts.reply` must be a duration",
            "nothing was written",
        ]);

    let _ = home.run("profile remove acme").ended(2).said(&["--yes"]);
    let _ = home.run("profile remove acme --yes").ended(0);
    assert_eq!(
        home.json("profile list --json")["profiles"],
        serde_json::json!([])
    );
    // The sealed secret is gone: the same profile has no password again.
    home.configure(&format!(
        "[profiles.acme]\nurl = \"{}\"\nlogin = \"{}\"\npassword = {{ sealed = true }}\n",
        served.url, served.login
    ));
    let _ = home.run("profile test").ended(2).said(&["none is sealed for"]);
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let home = Home::new();
    for words in [
        "profile add acme --url http://127.0.0.1:1 --login a --password hunter2",
        "profile add acme --url http://127.0.0.1:1 --login a --password=hunter2",
        "profile add acme --url http://127.0.0.1:1 --login a --secret password=hunter2",
        "profile add acme --url http://127.0.0.1:1 --login a --secret hunter2",
        "profile add acme --url http://127.0.0.1:1 --login a --set password=hunter2",
        "profile add sms --platform sparrow --url http://127.0.0.1:1 --api-token hunter2",
        "profile add acme --url http://ann:hunter2@127.0.0.1:1 --login a --password-env A",
    ] {
        let ran = home.run(words).ended(2);
        assert!(
            !ran.stderr.contains("hunter2") && !ran.stdout.contains("hunter2"),
            "{words}: {}",
            ran.stderr
        );
    }
    assert!(!home.provisor().join("config/config.toml").exists());
}

#[test]
fn without_a_terminal_missing_profile_options_are_listed() {
    let home = Home::new();
    let _ = home
        .run("profile add acme")
        .ended(2)
        .said(&["--url", "--login", "--secret password=PLACE"]);
    let _ = home
        .run("profile add jay --platform jrni --url https://j.example/api/v1 --login j")
        .ended(2)
        .said(&["--app-id", "--secret password=PLACE"]);
    let _ = home
        .run("profile add sms --platform sparrow --url https://s.example --secret api_token=env:A")
        .ended(2)
        .said(&["--secret partner_token=PLACE"]);
    let _ = home
        .run("profile add sms --platform sparrow --login x --url https://s.example")
        .ended(2)
        .said(&["--login does not apply"]);
    let _ = home.run("profile add bad/name").ended(2).said(&["bad/name"]);
    let _ = home
        .run("profile edit")
        .ended(2)
        .said(&["no profile is configured"]);
}

#[test]
fn platform_specific_profile_keys_and_stdin_secrets_are_accepted() {
    let home = Home::new();
    let ran = home.feed(
        &[
            "profile",
            "add",
            "sms",
            "--platform",
            "sparrow",
            "--url",
            "https://s.example",
            "--secret",
            "api_token=stdin",
            "--secret",
            "partner_token=stdin",
        ],
        "first-token\nsecond-token\n",
    );
    let _ = ran
        .ended(0)
        .said(&["its api token is encrypted", "its partner token is encrypted"]);
    let ran = home.feed(
        &[
            "profile",
            "add",
            "jay",
            "--platform",
            "jrni",
            "--url",
            "https://j.example/api/v1",
            "--login",
            "j",
            "--app-id",
            "0012",
            "--company",
            "37",
            "--secret",
            "password=env:JAY",
            "--secret",
            "app_key=command:pass show jay",
            "--mode",
            "dev",
        ],
        "",
    );
    let _ = ran.ended(0);
    assert_unseen(&home, "first-token");
    assert_unseen(&home, "second-token");
    let listed = home.json("profile list --json");
    let jay = &listed["profiles"][0];
    assert_eq!(
        (&jay["platform"], &jay["app_id"], &jay["company"]),
        (&"jrni".into(), &"0012".into(), &"37".into())
    );
    assert_eq!(jay["secrets"]["app_key"], "the command `pass`");
    let sms = &listed["profiles"][1];
    assert_eq!(sms["mode"], "prod", "a public address asks");
    assert_eq!(sms["secrets"].as_object().unwrap().len(), 2);
}

#[test]
fn profile_add_prompts_for_each_value_and_hides_the_password() {
    let (platform, home) = (Home::new(), Home::new());
    let served = Served::start(&platform);
    let mut terminal = home.terminal("profile add");
    terminal.wait_for("Name of the profile:");
    terminal.type_line("acme");
    terminal.wait_for("Platform:");
    terminal.press(key::ENTER);
    terminal.wait_for("Address");
    terminal.type_line("nowhere");
    terminal.wait_for("must begin with https://");
    terminal.type_line(&served.url);
    terminal.wait_for("Login:");
    terminal.type_line(&served.login);
    terminal.wait_for_hidden("Password (not shown");
    terminal.type_line(&served.password);
    terminal.wait_for("Mode:");
    terminal.press(key::ENTER);
    terminal.wait_for("Sign in now to test it? [Y/n]");
    terminal.press(key::ENTER);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("signed in to"), "{screen}");
    let bytes = terminal.bytes();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(!shown.contains(&served.password), "the password was echoed");
    assert_unseen(&home, &served.password);
}

#[test]
fn an_interrupted_prompt_creates_no_profile_and_restores_echo() {
    let home = Home::new();
    for give_up in [key::CTRL_C, key::CTRL_D] {
        let mut terminal =
            home.terminal("profile add acme --platform mobsted --url http://127.0.0.1:1 --login a");
        terminal.wait_for_hidden("Password (not shown");
        terminal.press(give_up);
        let (code, screen) = terminal.finish();
        // Ctrl-C ends the program as everywhere else; a shell would show 130.
        assert_eq!(code, if give_up == key::CTRL_C { -1 } else { 9 }, "{screen}");
        assert!(terminal.is_plain(), "what is typed next is not shown");
        assert!(!home.provisor().join("config/config.toml").exists());
    }
}

#[test]
fn profile_edit_at_a_terminal_keeps_unchanged_values_and_comments() {
    let home = Home::new();
    let text = "# mine\n[profiles.acme]\nurl = \"http://127.0.0.1:1\" # here\nlogin = \"ann\"\npassword = { env = \"A\" }\n";
    home.configure(text);
    let mut terminal = Terminal::start(
        {
            let mut command = home.command(["profile", "edit", "acme"]);
            command.env("TERM", "xterm");
            command
        },
        24,
        160,
    );
    terminal.wait_for("[http://127.0.0.1:1]");
    terminal.press(key::ENTER);
    terminal.wait_for("Login [ann]");
    terminal.type_line("bob");
    terminal.wait_for("now the environment variable A");
    terminal.press(key::ENTER);
    terminal.wait_for("Mode:");
    terminal.type_line("prod");
    assert_eq!(terminal.finish().0, 0);
    assert_eq!(
        home.configuration(),
        text.replace("\"ann\"", "\"bob\"") + "mode = \"prod\"\n"
    );
}

#[test]
fn a_sealed_password_does_not_follow_a_profile_to_another_address() {
    let (platform, home) = (Home::new(), Home::new());
    let served = Served::start(&platform);
    let _ = home
        .feed(&add(&served, "acme", &["--password-stdin"]), &served.password)
        .ended(0);
    let _ = home
        .run("profile edit acme --url http://127.0.0.1:1/elsewhere")
        .ended(2)
        .said(&["was sealed for", "--secret password=stdin"]);
    // Nor does a file that is edited by hand, or a project's file.
    home.configure(&home.configuration().replace(&served.url, "http://127.0.0.1:1"));
    let _ = home
        .run("profile test acme")
        .ended(2)
        .said(&["none is sealed for http://127.0.0.1:1"]);
    home.write(
        "provisor.toml",
        &format!(
            "[profiles.acme]\nurl = \"{}\"\npassword = {{ sealed = true }}\n",
            served.url
        ),
    );
    let _ = home
        .run("profile test acme")
        .ended(5)
        .said(&["is not trusted", "it changes the address of profile `acme`"]);
    let _ = home
        .run("repl --profile acme")
        .ended(5)
        .said(&["is not trusted", "provisor trust"]);
    let _ = home.run("trust --yes").ended(0);
    let _ = home.run("profile test acme").ended(0);
}

#[test]
fn login_stores_a_correct_password_and_discards_a_wrong_one() {
    let (platform, home) = (Home::new(), Home::new());
    let served = Served::start(&platform);
    home.configure(&format!(
        "[profiles.acme]\nurl = \"{}\"\nlogin = \"{}\"\n",
        served.url, served.login
    ));
    let before = home.configuration();
    let _ = home.run("login").ended(2).said(&["--password-stdin"]);
    let _ = home.feed(&["login", "--password-stdin"], "wrong-one\n").ended(4);
    assert_eq!(home.configuration(), before);
    let mut terminal = home.terminal("login acme");
    terminal.wait_for_hidden("Password of");
    terminal.type_line(&served.password);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    assert!(home.configuration().contains("password = { sealed = true }"));
    // A wrong password entered later does not replace the right one, and was never stored.
    let sealed = || home.run("audit").ended(0).stdout.matches("seal").count();
    let before = sealed();
    let _ = home.feed(&["login", "--password-stdin"], "wrong-one\n").ended(4);
    assert_eq!(sealed(), before);
    let _ = home.run("login").ended(0).said(&["signed in to"]);
    let _ = home
        .run("logout")
        .ended(0)
        .said(&["signed out", "stays where it is"]);
    assert!(home.json("profile show --json")["profile"]["signed_in_until"].is_null());
    let _ = home.run("profile test").ended(0);
    let _ = home.run("logout --forget").ended(0).said(&["was deleted"]);
    let _ = home.run("profile test").ended(2);
}

#[test]
fn concurrent_profile_add_commands_create_it_only_once() {
    let home = Home::new();
    let add = |port: u16| {
        let url = format!("http://127.0.0.1:{port}");
        let words = [
            "profile",
            "add",
            "same",
            "--url",
            &url,
            "--login",
            "a",
            "--password-env",
            "P",
        ];
        home.command(words).spawn().unwrap()
    };
    let adding: Vec<_> = (1..=4).map(add).collect();
    let mut codes: Vec<i32> = adding.into_iter().map(|child| finish(child).code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 2, 2, 2]);
}

#[test]
fn the_set_option_refuses_keys_that_have_their_own_option() {
    let home = Home::new();
    let add = "profile add acme --url http://127.0.0.1:1 --login a --password-env P --set";
    for (set, instead) in [
        ("mode=dev", "--mode"),
        ("url=http://127.0.0.1:2", "--url"),
        ("sandbox=true", "profile use NAME --sandbox"),
        ("endpoints.create_compnay=/x", "there is no endpoint setting"),
    ] {
        let _ = home.run(&format!("{add} {set}")).ended(2).said(&[instead]);
    }
    assert!(!home.provisor().join("config/config.toml").exists());
}

#[test]
fn an_untrusted_project_file_cannot_run_commands_or_name_secrets() {
    let (platform, home) = (Home::new(), Home::new());
    let served = Served::start(&platform);
    home.write("look.rhai", "mobsted::connect().tenants().len()\n");
    let project = |password: &str| {
        home.write(
            "provisor.toml",
            &format!(
                "[profiles.acme]\nurl = \"{}\"\nlogin = \"{}\"\npassword = {password}\n",
                served.url, served.login
            ),
        );
    };
    project("{ command = [\"sh\", \"-c\", \"touch ran; echo $ACME_PASSWORD\"] }");
    let refused = home.run_as(&served, "run look.rhai");
    assert_ne!(refused.code, 0);
    let _ = refused.said(&["is not trusted", "provisor trust"]);
    assert!(!home.work().join("ran").exists(), "the program was run");
    let _ = home.run_as(&served, "profile test").said(&["is not trusted"]);
    let _ = home
        .run("trust")
        .ended(2)
        .said(&["it runs `sh -c touch ran; echo $ACME_PASSWORD`", "--yes"]);
    let _ = home.run("trust --yes").ended(0);
    let _ = home.run_as(&served, "run look.rhai").ended(0);
    assert!(home.work().join("ran").exists());
    let audit = home.json("audit --json");
    assert_eq!(audit["audit"][0]["kind"], "trust");
    assert_eq!(home.json("trust --list --json")["trusted"][0]["current"], true);

    // A changed text is a different file.
    project("{ env = \"ACME_PASSWORD\" }");
    assert_eq!(home.json("trust --list --json")["trusted"][0]["current"], false);
    let _ = home
        .run_as(&served, "profile test")
        .ended(2)
        .said(&["is not trusted"]);
    let _ = home.run("trust --yes provisor.toml").ended(0);
    let _ = home.run_as(&served, "profile test").ended(0);
    let _ = home.run("trust --remove").ended(0);
    let _ = home.run_as(&served, "profile test").ended(2);
}

#[test]
fn an_untrusted_project_file_cannot_weaken_a_profiles_mode() {
    let home = Home::new();
    home.write("look.rhai", "mobsted::connect().login\n");
    home.configure("[profiles.acme]\nurl = \"http://127.0.0.1:1\"\nlogin = \"a\"\npassword = { env = \"A\" }\nmode = \"prod\"\n");
    for (mode, fine) in [("read-only", true), ("prod", true), ("dev", false)] {
        home.write("provisor.toml", &format!("[profiles.acme]\nmode = \"{mode}\"\n"));
        let ran = home.run("run look.rhai");
        assert_eq!(ran.code == 0, fine, "{mode}: {}", ran.stderr);
        if !fine {
            let _ = ran.said(&["is not trusted", "from mode prod to dev"]);
            let _ = home.run("trust --yes").ended(0);
            let _ = home.run("run look.rhai").ended(0);
        }
    }
}

#[test]
fn profile_use_warns_when_a_project_file_takes_precedence() {
    let home = Home::new();
    home.configure("[profiles.a]\nurl = \"http://127.0.0.1:1\"\n[profiles.b]\n");
    home.write("provisor.toml", "default_profile = \"b\"\n");
    let _ = home.run("trust --yes").ended(0);
    let ran = home.run("profile use a").ended(0);
    let _ = ran.said(&["but `b` is used here", "provisor.toml:1"]);
    assert!(home.configuration().starts_with("default_profile = \"a\"\n"));
    let _ = home
        .run("profile use c")
        .ended(2)
        .said(&["there is no profile `c`"]);
    // Outside the project, its profile does not exist.
    home.write("provisor.toml", "default_profile = \"b\"\n[profiles.theirs]\n");
    let _ = home.run("trust --yes").ended(0);
    let _ = home
        .run("profile use theirs")
        .ended(2)
        .said(&["`theirs` is defined in"]);
    let shown = home.run("config show --origin").ended(0).stdout;
    assert!(
        shown.contains("provisor.toml:1") && shown.contains("config.toml:3"),
        "{shown}"
    );
    let values = home.json("config show --json")["values"].clone();
    let of = |key: &str| {
        let all = values.as_array().unwrap();
        all.iter().find(|value| value["key"] == key).unwrap()["origin"].clone()
    };
    assert_eq!(of("profile")["kind"], "project");
    assert_eq!(of("profiles.a.url")["line"], 3);
    assert_eq!(of("profiles.a.mode")["kind"], "default");
}

#[test]
fn login_and_logout_work_for_a_jrni_account() {
    let (platform, home) = (tempfile::tempdir().unwrap(), Home::new());
    let sandbox =
        provisor::sandbox::Sandbox::start(provisor::sandbox::Options::new(platform.path())).unwrap();
    let account = sandbox.account::<provisor::sandbox::JrniAccount>();
    let words = [
        "profile",
        "add",
        "jay",
        "--platform",
        "jrni",
        "--url",
        &account.plain_url,
        "--login",
        &account.login,
        "--app-id",
        &account.app_id,
        "--secret",
        "password=stdin",
        "--secret",
        "app_key=stdin",
    ];
    let secrets = format!("{}\n{}\n", account.password, account.app_key);
    let _ = home
        .feed(&words, &secrets)
        .ended(0)
        .said(&["its app key is encrypted"]);
    assert_unseen(&home, &account.password);
    let test = home.json("profile test jay --json");
    assert_eq!(test["platform"], "jrni");
    let may = test["may"].as_array().unwrap();
    assert!(
        may.iter()
            .any(|may| may["operation"] == "company" && may["ok"] == true),
        "{test}"
    );
    assert_eq!(home.json("profile show jay --json")["profile"]["signed_in"], true);
    let _ = home.run("logout jay").ended(0);
    assert_eq!(
        home.json("profile show jay --json")["profile"]["signed_in"],
        false
    );
    assert_eq!(
        sandbox
            .snapshot()
            .unwrap()
            .of::<provisor::sandbox::JrniBook>()
            .totals
            .logouts,
        1,
        "the platform knows, too"
    );
    let _ = home.run("login jay").ended(0).said(&["signed in to"]);
}

#[test]
fn sign_in_and_logout_work_for_a_sparrow_account() {
    let (platform, home) = (tempfile::tempdir().unwrap(), Home::new());
    let options = provisor::sandbox::Options::new(platform.path());
    let sandbox = provisor::sandbox::Sandbox::start(options).unwrap();
    let account = sandbox.account::<provisor::sandbox::SparrowAccount>();
    let words = [
        "profile",
        "add",
        "sms",
        "--platform",
        "sparrow",
        "--url",
        &account.plain_url,
        "--secret",
        "api_token=stdin",
        "--secret",
        "partner_token=stdin",
    ];
    let secrets = format!("{}\n{}\n", account.api_token, account.partner_token);
    let _ = home.feed(&words, &secrets).ended(0);
    assert_unseen(&home, &account.api_token);
    assert_eq!(home.json("profile test --json")["platform"], "sparrow");
    let shown = home.json("profile show --json");
    assert!(shown["profile"]["signed_in_until"].is_string(), "{shown}");
    let _ = home.run("logout").ended(0);
    assert_eq!(home.json("profile show --json")["profile"]["signed_in"], false);
}
