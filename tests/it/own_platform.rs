//! A host program with a platform of its own: `examples/own_platform.rs`.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::leaks::fake::{self, Answer};
use crate::support::{Home, Ran, finish};

const TOKEN: &str = "tok-of-the-crm-4711";
const PASSWORD: &str = "pw-of-the-crm-0815";

/// Runs the example, built by `cargo test`.
fn host(home: &Home, words: &str) -> Ran {
    let program = Path::new(env!("CARGO_BIN_EXE_provisor")).with_file_name("examples/own_platform");
    assert!(program.exists(), "build it: cargo build --example own_platform");
    let known = home.command(words.split_whitespace());
    let mut command = std::process::Command::new(program);
    command
        .args(known.get_args())
        .env_clear()
        .envs(known.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("CRM_PASSWORD", PASSWORD)
        .current_dir(home.work())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    finish(command.spawn().unwrap())
}

#[test]
fn a_host_platform_is_journaled_looked_up_documented_and_redacted() {
    let contacts = Arc::new(Mutex::new(Vec::<serde_json::Value>::new()));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (kept, noted) = (Arc::clone(&contacts), Arc::clone(&asked));
    let url = fake::start(move |_, request| {
        noted
            .lock()
            .unwrap()
            .push((request.method.clone(), request.all.clone()));
        if request.path.ends_with("/login") {
            let refused = !request.all.contains(PASSWORD);
            if refused {
                return Answer::json(401, &json!({"error": "wrong password"}));
            }
            return Answer::json(200, &json!({"token": TOKEN, "expires_in": 3600}));
        }
        let mut contacts = kept.lock().unwrap();
        let is_one = request.path.ends_with("/contacts/1");
        match request.method.as_str() {
            "PUT" if is_one => contacts[0]["name"] = json!("Ann Lee"),
            "DELETE" if is_one => {
                contacts.clear();
                return Answer::text(204, "text/plain", String::new());
            }
            _ => {}
        }
        if is_one {
            return contacts
                .first()
                .map_or(Answer::json(404, &json!({})), |one| Answer::json(200, one));
        }
        if request.path.ends_with("/usage") {
            return Answer::json(200, &json!({"plan": "free"}));
        }
        if request.method == "POST" {
            let id = contacts.len() + 1;
            contacts.push(json!({"id": id, "email": "ann@example.com"}));
            // It was carried out, and its response is lost.
            return Answer::text(502, "text/html", "bad gateway".into());
        }
        Answer::json(200, &json!(*contacts))
    });
    let home = Home::new();
    home.configure(&format!(
        "[profiles.crm]\nplatform = \"crm\"\nurl = \"{url}\"\nlogin = \"ann@example.com\"\n\
         password = {{ env = \"CRM_PASSWORD\" }}\nsettle = \"1s\"\n"
    ));
    home.write(
        "contact.rhai",
        "fn main() { crm::connect().ensure_contact(\"Ann@example.com\").id }\n",
    );
    for _ in 0..2 {
        let ran = host(&home, "run contact.rhai").ended(0);
        assert_eq!(ran.stdout, "result  1\n", "{}", ran.stderr);
        assert!(
            !ran.stderr.contains(TOKEN) && !ran.stderr.contains(PASSWORD),
            "{}",
            ran.stderr
        );
    }
    let asked = asked.lock().unwrap();
    let (logins, rest): (Vec<_>, Vec<_>) = asked.iter().partition(|(_, all)| all.contains("/login"));
    assert_eq!(logins.len(), 1, "the second run uses the token that is stored");
    let posts = rest.iter().filter(|(method, _)| method == "POST").count();
    assert_eq!(
        posts, 1,
        "a lost answer is looked up, and what is on record is not asked for"
    );
    let bearer = format!("bearer {TOKEN}");
    assert!(rest.iter().all(|(_, all)| all.to_lowercase().contains(&bearer)));
    drop(asked);
    // Operations derived from the description without any code.
    home.write(
        "rest.rhai",
        "fn main() {\n    let crm = crm::connect();\n    let ann = crm.find_contact(\"ann@example.com\");\n    \
         crm.update_contact(ann, #{name: \"Ann Lee\"});\n    let named = crm.contacts()[0].attributes.name;\n    \
         crm.delete_contact(ann);\n    #{named: named, left: crm.contacts().len(), plan: crm.usage().plan}\n}\n",
    );
    let ran = host(&home, "run rest.rhai").ended(0);
    assert_eq!(
        ran.stdout, "named  Ann Lee\nleft   0\nplan   free\n",
        "{}",
        ran.stderr
    );
    let shown = host(&home, "ops show ensure_contact").ended(0);
    assert!(
        shown.stdout.contains("Make sure that a contact exists"),
        "{}",
        shown.stdout
    );
    let runs = host(&home, "runs list --json").ended(0).stdout;
    let runs: serde_json::Value = serde_json::from_str(&runs).unwrap();
    let id = runs["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{runs}"));
    let steps = host(&home, &format!("runs steps {id} --json")).ended(0);
    assert!(steps.stdout.contains("crm::update_contact"), "{}", steps.stdout);
    // The standard program does not know the platform, and reports that.
    let _ = home
        .run("run contact.rhai")
        .ended(1)
        .said(&["there is no module `crm`"]);
}

#[test]
fn the_sandbox_simulates_host_resources_and_torture_finds_no_duplicates() {
    let home = Home::new();
    home.write(
        "contacts.rhai",
        "fn main(email) {\n    let contact = crm::connect().ensure_contact(email, #{name: email});\n    \
         #{id: contact.id, outcome: contact.outcome}\n}\n",
    );
    for outcome in ["created", "unchanged"] {
        let ran = host(&home, "run contacts.rhai --sandbox --email Ann@example.com").ended(0);
        assert_eq!(
            ran.stdout,
            format!("id       1\noutcome  {outcome}\n"),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains(TOKEN), "{}", ran.stderr);
    }
    let described = home.snapshot().web.described;
    assert_eq!((described.len(), &*described[0].key), (1, "ann@example.com"));
    home.write("rows.csv", "email\nann@example.com\nbob@example.com\n");
    let tortured = host(
        &home,
        "torture contacts.rhai --rows rows.csv --kills 12 --seed 1 --parallel 4",
    );
    let tortured = tortured.ended(0);
    assert!(tortured.stdout.contains("survived"), "{}", tortured.stdout);
}
