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
