//! What a script reads of its machine: files of its project, and the environment, recorded for a resume.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::support::{Home, Ran, csv, finish, signal, wait_until};

fn run(home: &Home, words: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = home.command(words.split_whitespace());
    command.envs(variables.iter().copied());
    finish(command.spawn().unwrap())
}

fn folder(home: &Home, name: &str) {
    fs::create_dir_all(home.work().join(name)).unwrap();
}

#[test]
fn a_script_reads_the_files_of_its_project() {
    let home = Home::new();
    folder(&home, "project/scripts");
    home.write("project/provisor.toml", "");
    home.write("project/terms.txt", "\u{feff}Terms: 1 €\n");
    home.write("project/scripts/plans.json", r#"{"plus": 12345678901234567890}"#);
    home.write("project/scripts/plans.csv", "name,price\nplus,\"1,5\"\nbasic,0\n");
    home.write("project/scripts/plans.tsv", "name\tprice\nplus\t1,5\n");
    fs::write(home.work().join("project/scripts/logo.png"), b"\x89PNG\r\n\0\xff").unwrap();
    home.write(
        "project/scripts/read.rhai",
        r#"
        let part = read_bytes("logo.png");
        let echo = http::post("https://api.web.sandbox/anything", #{ multipart: #{ logo: part } }).body;
        #{
            text: read_text("../terms.txt"), json: read_json("plans.json"), csv: read_csv("./plans.csv"),
            tsv: read_csv("plans.tsv"), part: part, sent: echo.parts,
        }
        "#,
    );
    let ran = home
        .run("run project/scripts/read.rhai --sandbox --json")
        .ended(0);
    let result: Value = serde_json::from_str(&ran.stdout).unwrap();
    let content = "iVBORw0KAP8=";
    assert_eq!(result["text"], "Terms: 1 €\n");
    assert_eq!(result["json"], json!({"plus": "12345678901234567890"}));
    assert_eq!(
        result["csv"],
        json!([{"name": "plus", "price": "1,5"}, {"name": "basic", "price": "0"}])
    );
    assert_eq!(result["tsv"], json!([{"name": "plus", "price": "1,5"}]));
    assert_eq!(
        result["part"],
        json!({"content": content, "encoding": "base64", "filename": "logo.png"})
    );
    let sent = &result["sent"][0];
    assert_eq!(
        (&sent["name"], &sent["filename"], &sent["size"]),
        (&"logo".into(), &"logo.png".into(), &8.into())
    );
}

#[test]
fn files_outside_of_the_project_and_unusable_files_are_refused() {
    let home = Home::new();
    folder(&home, "project/scripts");
    home.write("secret.txt", "canary-4711");
    home.write("project/own.txt", "own");
    home.write("project/scripts/latin.txt", "x");
    fs::write(home.work().join("project/scripts/latin.txt"), b"caf\xe9").unwrap();
    home.write("project/scripts/bad.json", "{\"a\": }");
    home.write("project/scripts/bad.csv", "a,b\n1\n");
    symlink(
        home.work().join("secret.txt"),
        home.work().join("project/scripts/link.txt"),
    )
    .unwrap();
    let outside = home.work().join("secret.txt").display().to_string();
    for (call, code, texts) in [
        (
            "read_text(\"../own.txt\")",
            5,
            ["outside the project's folder", "[forbidden]"],
        ),
        (
            "read_text(\"../../secret.txt\")",
            5,
            ["outside the project's folder", "[forbidden]"],
        ),
        (
            "read_bytes(\"link.txt\")",
            5,
            ["outside the project's folder", "[forbidden]"],
        ),
        (
            &format!("read_text({outside:?})"),
            5,
            ["outside the project's folder", "[forbidden]"],
        ),
        (
            "read_text(\"none.txt\")",
            7,
            ["`none.txt` does not exist", "[not_found]"],
        ),
        (
            "read_text(\"latin.txt\")",
            1,
            ["`latin.txt` is not UTF-8 text", "read_bytes"],
        ),
        (
            "read_json(\"bad.json\")",
            1,
            ["`bad.json` is not JSON: ", "[bad_argument]"],
        ),
        (
            "read_csv(\"bad.csv\")",
            1,
            ["`bad.csv` has a malformed row, line 2", "[bad_argument]"],
        ),
        ("read_text(\".\")", 1, ["`.` is not a file", "[bad_argument]"]),
        ("env(\"NOT_SET\")", 7, ["no variable `NOT_SET`", "[not_found]"]),
        (
            "env(\"PROVISOR_HOME\")",
            7,
            ["no variable `PROVISOR_HOME`", "[not_found]"],
        ),
    ] {
        home.write("project/scripts/read.rhai", call);
        let ran = home.run("run project/scripts/read.rhai --sandbox").ended(code);
        let ran = ran.said(&texts);
        assert!(
            !format!("{}{}", ran.stdout, ran.stderr).contains("canary-4711"),
            "{call}"
        );
    }
    home.write("project/provisor.toml", "");
    home.write("project/scripts/read.rhai", "read_text(\"../own.txt\")");
    let _ = home.run("run project/scripts/read.rhai --sandbox").ended(0);
}

#[test]
fn a_resume_sees_the_files_and_variables_that_the_run_saw() {
    let home = Home::new();
    // Larger than what is recorded of a platform's answer.
    let text = format!("canary-4711 {}", "x".repeat(2 << 20));
    home.write("terms.txt", &text);
    home.write(
        "read.rhai",
        r#"
        let terms = read_text("terms.txt");
        let region = env("REGION");
        let token = env("CRM_TOKEN");
        let fallback = env("FALLBACK", "eu");
        mobsted::connect().ensure_tenant("a@example.com");
        #{ terms: terms.len(), region: region, token: token, fallback: fallback, late: read_text("late.txt") }
        "#,
    );
    let words = "run read.rhai --sandbox --json --fault partners:hang-after:x1";
    let mut command = home.command(words.split(' '));
    command
        .env("REGION", "north")
        .env("CRM_TOKEN", "canary-4711-token");
    let mut child = command.spawn().unwrap();
    wait_until("the tenant is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .is_some_and(|snapshot| snapshot.tenants().len() == 1)
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    home.write("terms.txt", "changed");
    home.write("late.txt", "late");
    let ran = run(&home, "resume", &[("REGION", "south"), ("FALLBACK", "us")]).ended(0);
    let row: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        row,
        json!({"terms": text.len(), "region": "north", "token": "***", "fallback": "eu", "late": "late"})
    );
    let journal = fs::read(home.provisor().join("state/journal.db")).unwrap();
    let needle = b"canary-4711";
    assert!(!journal.windows(needle.len()).any(|window| window == needle));
}

#[test]
fn a_library_reads_nothing_of_the_machine() {
    let home = Home::new();
    home.write("terms.txt", "canary-4711");
    for call in [
        "read_text(\"terms.txt\")",
        "read_json(\"terms.txt\")",
        "read_csv(\"terms.txt\")",
        "read_bytes(\"terms.txt\")",
        "env(\"HOME\")",
        "Fn(\"read_text\").call(\"terms.txt\")",
        "\"terms.txt\".read_text()",
        "[\"terms.txt\"].map(|path| read_text(path))",
    ] {
        home.write("steps.rhai", &format!("//! library\nfn f() {{ {call} }}"));
        home.write("main.rhai", "import \"steps\" as steps;\nsteps::f()");
        let ran = home.run("run main.rhai --sandbox");
        let _ = ran.ended(5).said(&["[no_authority]"]);
    }
}

#[test]
fn a_path_parameter_must_be_a_file_that_the_script_can_read() {
    let home = Home::new();
    folder(&home, "scripts");
    home.write("scripts/logo.txt", "logo");
    home.write("outside.txt", "x");
    home.write(
        "scripts/send.rhai",
        "/// @param logo path  what to send\nfn main(logo) { #{ size: read_text(logo).len() } }",
    );
    let ran = home.run("run scripts/send.rhai --json --logo logo.txt").ended(0);
    assert_eq!(ran.stdout.trim(), r#"{"size":4}"#);
    for (path, reason) in [
        ("none.txt", "`none.txt` does not exist"),
        (
            "../outside.txt",
            "`../outside.txt` is outside the project's folder",
        ),
        (".", "`.` is not a file"),
    ] {
        let ran = home.run(&format!("run scripts/send.rhai --logo {path}"));
        let _ = ran.ended(2).said(&["--logo (declared at", reason]);
    }
    home.write("rows.csv", "logo\nlogo.txt\nnone.txt\n");
    let _ = home
        .run("run scripts/send.rhai --rows rows.csv --out out.csv")
        .ended(8)
        .said(&["row 2 failed, column `logo`: `none.txt` does not exist"]);
    let rows = csv(&home.read("out.csv"));
    assert_eq!((&*rows[0]["size"], &*rows[1]["_status"]), ("4", "failed"));
}

/// A workflow that returns the kind of each call's error, or its value.
fn tried(calls: &[&str]) -> String {
    let calls: Vec<String> = calls.iter().map(|call| format!("|| {call}")).collect();
    format!(
        "[{}].map(|read| {{ let done = attempt(read); if done.ok {{ done.value }} else {{ done.error.kind }} }})",
        calls.join(", ")
    )
}

#[track_caller]
fn result(ran: Ran) -> Value {
    let ran = ran.ended(0);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    found["result"].clone()
}

#[test]
fn the_sources_of_the_secrets_of_profiles_are_not_read() {
    let home = Home::new();
    folder(&home, "project/keys");
    for name in ["crm", "api", "replaced", "given", "open"] {
        home.write(&format!("project/keys/{name}.txt"), "canary-4711\n");
    }
    let keys = home.work().join("project/keys");
    symlink(keys.join("crm.txt"), home.work().join("project/link.txt")).unwrap();
    fs::hard_link(keys.join("crm.txt"), home.work().join("project/second.txt")).unwrap();
    home.configure(&format!(
        "[profiles.crm]\nplatform = \"web\"\nurl = \"https://api.web.sandbox\"\nbearer = {{ env = \"CRMKEY\" }}\n\
         [profiles.file]\nplatform = \"web\"\nurl = \"https://api.web.sandbox\"\nbearer = {{ file = \"{0}/crm.txt\" }}\n\
         [profiles.home]\nplatform = \"web\"\nurl = \"https://api.web.sandbox\"\nbearer = {{ file = \"~/work/project/keys/api.txt\" }}\n\
         [profiles.program]\nplatform = \"web\"\nurl = \"https://api.web.sandbox\"\nbearer = {{ command = [\"cat\", \"{0}/given.txt\"] }}\n",
        keys.display()
    ));
    // A project's file cannot take them out of protection.
    home.write(
        "project/provisor.toml",
        "[profiles.crm]\nbearer = { env = \"OTHERKEY\" }\n",
    );
    let calls = [
        "env(\"CRMKEY\")",
        "env(\"CRMKEY\", \"none\")",
        "Fn(\"env\").call(\"CRMKEY\")",
        "env(\"OTHERKEY\")",
        "env(\"REGION\")",
        "read_text(\"keys/crm.txt\")",
        "read_bytes(\"keys/../keys/crm.txt\")",
        "read_csv(\"link.txt\")",
        "read_text(\"second.txt\")",
        "read_text(\"keys/api.txt\")",
        "read_text(\"keys/given.txt\")",
        "read_text(\"keys/open.txt\")",
    ];
    home.write("project/read.rhai", &tried(&calls));
    let mut command = home.command("run read.rhai --sandbox --json".split(' '));
    command.current_dir(home.work().join("project"));
    command.envs([
        ("CRMKEY", "canary-4711"),
        ("OTHERKEY", "canary-4711"),
        ("REGION", "eu"),
    ]);
    let refused = "forbidden";
    assert_eq!(
        result(finish(command.spawn().unwrap())),
        json!([
            refused,
            refused,
            refused,
            refused,
            "eu",
            refused,
            refused,
            refused,
            refused,
            refused,
            refused,
            "canary-4711\n"
        ])
    );
    for (call, name, profile) in [
        ("env(\"CRMKEY\")", "`CRMKEY`", "crm"),
        ("read_text(\"keys/crm.txt\")", "`keys/crm.txt`", "file"),
    ] {
        home.write("project/read.rhai", call);
        let ran = run(
            &home,
            "run project/read.rhai --sandbox",
            &[("CRMKEY", "canary-4711")],
        );
        let _ = ran.ended(5).said(&[
            &format!("{name} is the source of the secret `bearer` of the profile `{profile}`"),
            &format!("connect with the profile: http::connect(\"{profile}\")"),
            "[forbidden]",
        ]);
    }
}

#[test]
fn an_unreadable_configuration_protects_everything() {
    let home = Home::new();
    home.write("terms.txt", "x");
    home.write(
        "send.rhai",
        "/// @param file path\nfn main(file) { read_text(file) }",
    );
    home.configure("[profiles.crm\n");
    let _ = home
        .run("run send.rhai --sandbox --file terms.txt")
        .ended(2)
        .said(&["config.toml"]);
}

#[test]
fn the_files_of_provisor_are_not_read() {
    let home = Home::new();
    home.write("any.rhai", "1");
    let _ = home.run("run any.rhai --sandbox").ended(0);
    let top = home.work().parent().unwrap().to_owned();
    // A configuration that is kept elsewhere, by a link.
    fs::create_dir_all(home.provisor().join("config")).unwrap();
    fs::write(top.join("dot.toml"), "").unwrap();
    symlink(top.join("dot.toml"), home.provisor().join("config/config.toml")).unwrap();
    symlink(home.provisor().join("state"), top.join("link")).unwrap();
    fs::hard_link(home.provisor().join("state/key"), top.join("second")).unwrap();
    fs::write(top.join("own.txt"), "own").unwrap();
    fs::create_dir_all(home.provisor().join("cache")).unwrap();
    fs::write(home.provisor().join("cache/tokens.db"), "x").unwrap();
    let calls = [
        "read_text(\"provisor/state/key\")",
        "read_bytes(\"provisor/state/journal.db\")",
        "read_bytes(\"work/../provisor/./state/key\")",
        "read_bytes(\"link/key\")",
        "read_bytes(\"second\")",
        "read_text(\"provisor/config/config.toml\")",
        "read_text(\"dot.toml\")",
        "read_bytes(\"provisor/cache/tokens.db\")",
        "read_text(\"provisor/state\")",
        "read_text(\"own.txt\")",
    ];
    home.write("../read.rhai", &tried(&calls));
    let refused = "forbidden";
    assert_eq!(
        result(home.run("run ../read.rhai --sandbox --json")),
        json!([
            refused,
            refused,
            refused,
            refused,
            refused,
            refused,
            refused,
            refused,
            "bad_argument",
            "own"
        ])
    );
    home.write("../read.rhai", "read_text(\"provisor/state/key\")");
    let _ = home
        .run("run ../read.rhai --sandbox")
        .ended(5)
        .said(&["`provisor/state/key` belongs to provisor", "[forbidden]"]);
}

#[test]
fn the_home_folder_is_no_project() {
    let home = Home::new();
    home.write("../provisor.toml", "");
    home.write("other.txt", "other");
    home.write("deep/own.txt", "own");
    home.write(
        "deep/read.rhai",
        &tried(&["read_text(\"own.txt\")", "read_text(\"../other.txt\")"]),
    );
    assert_eq!(
        result(home.run("run deep/read.rhai --sandbox --json")),
        json!(["own", "forbidden"])
    );
}

#[test]
fn a_table_with_too_many_columns_or_fields_is_refused() {
    let home = Home::new();
    let names: Vec<String> = (0..1_001).map(|at| format!("c{at}")).collect();
    home.write("wide.csv", &(names.join(",") + "\n"));
    home.write("long.csv", &format!("a,b\n{}", ",\n".repeat(250_001)));
    for (name, reason) in [
        ("wide.csv", "has 1001 columns; a script reads up to 1000"),
        (
            "long.csv",
            "is too large: a script reads up to 500000 fields, here 250000 rows",
        ),
    ] {
        home.write("read.rhai", &format!("read_csv(\"{name}\")"));
        let _ = home
            .run("run read.rhai --sandbox")
            .ended(1)
            .said(&[reason, "[bad_argument]", "use --rows"]);
    }
    // What is read counts against the limit of memory.
    home.write("long.csv", &format!("a,b\n{}", "1,2\n".repeat(250_000)));
    home.write("read.rhai", "let rows = read_csv(\"long.csv\"); rows.len()");
    let _ = home
        .run("run read.rhai --sandbox --max-memory 16M")
        .ended(1)
        .said(&["the script exceeds its memory limit", "16 MiB are allowed"]);
}
