//! What a script can reach, told before it runs.

use serde_json::{Value, json};

use crate::support::Home;

const SCRIPT: &str = r#"import "steps" as steps;

/// @param token secret
fn main(token, where) {
    let partner = mobsted::connect("acme");
    let tenant = partner.ensure_tenant("a@example.com");
    steps::add(tenant.connect());
    http::post("https://hooks.example.com/in", #{ json: tenant.email, bearer: token });
    http::get(`https://api.example.com/clients/${where}`);
    http::get("/clients", #{ profile: "crm" });
    http::get("https://api." + where);
    let terms = read_text("terms.txt");
    let region = env("API_TOKEN");
}
"#;

const LIBRARY: &str = r#"//! library
fn add(client) {
    client.ensure_app("Shop", "https://shop.example");
    client.apps();
    http::get("https://evil.example/")
}
"#;

fn digest(home: &Home) -> String {
    let ran = home.run("check good.rhai").ended(0);
    let (_, digest) = ran.stderr.rsplit_once('(').unwrap();
    digest.trim().trim_end_matches(')').to_owned()
}

fn home() -> Home {
    let home = Home::new();
    home.configure(
        "[profiles.acme]\nurl = \"https://acme.example\"\nlogin = \"me@example.com\"\nsecrets_to = [\"hooks.example.com\"]\n\
         [profiles.crm]\nplatform = \"web\"\nurl = \"https://crm.example/v2\"\n",
    );
    home.write("good.rhai", SCRIPT);
    home.write("steps.rhai", LIBRARY);
    home
}

#[test]
fn accounts_operations_hosts_files_variables_and_secrets_are_listed() {
    let home = Home::new();
    home.write("good.rhai", "fn main() { 1 }\n");
    let digest_of_nothing = digest(&home);
    let ran = home.run("reach good.rhai").ended(0);
    assert_eq!(
        ran.stdout,
        format!("good.rhai ({digest_of_nothing}) can reach nothing outside of itself\n")
    );
    let home = self::home();
    home.write(
        "steps.rhai",
        &LIBRARY.replace("    http::get(\"https://evil.example/\")\n", ""),
    );
    let digest = digest(&home);
    let ran = home.run("reach good.rhai").ended(0);
    assert_eq!(
        ran.stdout,
        format!(
            "good.rhai ({digest}) can reach
  mobsted
    account  acme at https://acme.example (line 5)
    changes  mobsted::ensure_app
    changes  mobsted::ensure_tenant
    reads    mobsted::apps
  web
    account  crm at https://crm.example/v2 (line 10)
    changes  http::post
    reads    http::get
  hosts
    any host (line 11)
    api.example.com (line 9)
    hooks.example.com (line 8)
  files
    terms.txt (line 12)
  variables
    API_TOKEN (line 13)
  secrets
    from `env`, `token`: to any of these accounts and hosts
    from the account acme: back to it and to hooks.example.com
    from the account crm: back to it
"
        )
    );
}

#[test]
fn the_json_form_names_places_and_null_for_any() {
    let home = home();
    let reach = home.json("reach good.rhai --json");
    assert_eq!(
        reach["hosts"],
        json!([
            {"host": null, "file": "good.rhai", "line": 11},
            {"host": "api.example.com", "file": "good.rhai", "line": 9},
            {"host": "hooks.example.com", "file": "good.rhai", "line": 8},
        ]),
        "what a library calls by itself fails, so it reaches nothing"
    );
    assert_eq!(
        reach["platforms"][0],
        json!({
            "platform": "mobsted",
            "accounts": [{
                "profile": "acme", "url": "https://acme.example", "secrets_to": ["hooks.example.com"],
                "file": "good.rhai", "line": 5,
            }],
            "changes": ["mobsted::ensure_app", "mobsted::ensure_tenant"],
            "reads": ["mobsted::apps"],
        })
    );
    assert_eq!(
        reach["files"],
        json!([{"path": "terms.txt", "file": "good.rhai", "line": 12}])
    );
    assert_eq!(
        reach["variables"],
        json!([{"name": "API_TOKEN", "file": "good.rhai", "line": 13}])
    );
    assert_eq!(reach["secrets"], json!(["env", "token"]));
}

#[test]
fn what_is_not_written_out_counts_as_any() {
    let home = home();
    let any = |key: &str, script: &str| {
        home.write("any.rhai", script);
        let reach = home.json("reach any.rhai --json");
        let name = match key {
            "hosts" => "host",
            "files" => "path",
            _ => "name",
        };
        let mentions = reach[key].as_array().unwrap().iter();
        mentions.map(|mention| mention[name].clone()).collect::<Vec<_>>()
    };
    for (key, script) in [
        ("hosts", "fn main(url) { http::post(url) }"),
        ("hosts", "fn main(host) { http::get(`https://${host}/x`) }"),
        (
            "hosts",
            "fn main(host) { http::get(\"https://api.example.com\" + host) }",
        ),
        ("hosts", "fn main(url) { http::request(\"PURGE\", url) }"),
        ("hosts", "fn main(url) { http::connect(url).get(\"/\") }"),
        (
            "hosts",
            "fn main(url) { http::connect(#{ url: url }).get(\"/\") }",
        ),
        (
            "hosts",
            "fn main(url) { mobsted::connect(#{ url: url, login: \"a\", password: \"b\" }).apps() }",
        ),
        ("hosts", "let url = \"https://api.example.com/\"; http::get(url)"),
        ("hosts", "fn main(p, url) { http::get(url, #{ profile: p }) }"),
        ("files", "fn main(path) { read_text(path) }"),
        ("files", "fn main(path) { path.read_bytes() }"),
        ("files", "Fn(\"read_csv\").call(\"x.csv\")"),
        ("files", "fn main(name) { Fn(name).call(\"x.csv\") }"),
        ("variables", "fn main(name) { env(name) }"),
        ("variables", "fn main(name) { Fn(name).call(\"HOME\") }"),
    ] {
        assert_eq!(any(key, script), [Value::Null], "{script}");
    }
    for (key, script, known) in [
        (
            "hosts",
            "http::connect(\"https://api.example.com/v2\").get(\"/x\")",
            "api.example.com",
        ),
        (
            "hosts",
            "fn f() { || http::get(\"http://localhost:8080/x\") }",
            "localhost:8080",
        ),
        (
            "hosts",
            "fn main(id) { http::get(\"https://api.example.com/\" + id) }",
            "api.example.com",
        ),
        (
            "hosts",
            "http::get(\"https://api.example.com/\", #{ profile: () })",
            "api.example.com",
        ),
        (
            "hosts",
            "fn main(p) { http::get(\"https://api.example.com/\", #{ profile: p }) }",
            "api.example.com",
        ),
        (
            "hosts",
            "http::get(\"https://api.example.com/\", #{ profile: if 1 == 1 { () } else { \"crm\" } })",
            "api.example.com",
        ),
        ("files", "let f = || read_json(\"plans.json\");", "plans.json"),
    ] {
        assert_eq!(any(key, script), [known], "{script}");
    }
}

#[test]
fn a_script_that_cannot_be_read_is_an_error() {
    let home = Home::new();
    let _ = home.run("reach none.rhai").ended(2).said(&["none.rhai"]);
    home.write("bad.rhai", "fn main( {");
    let _ = home.run("reach bad.rhai").ended(1).said(&["bad.rhai"]);
    let _ = home.run("reach").ended(2).said(&["SCRIPT"]);
}

#[test]
fn the_profile_of_a_request_is_found_as_the_run_finds_it() {
    let home = home();
    let profiles = |script: &str| {
        home.write("one.rhai", script);
        let reach = home.json("reach one.rhai --json");
        let accounts = reach["platforms"][0]["accounts"].as_array().unwrap().iter();
        accounts
            .map(|account| account["profile"].clone())
            .collect::<Vec<_>>()
    };
    for (script, expected) in [
        ("http::get(\"/x\", #{ profile: \" crm \" })", json!(["crm"])),
        (
            "fn main(p) { http::get(\"https://api.example.com/\", #{ profile: p }) }",
            json!([null]),
        ),
        (
            "http::get(\"https://api.example.com/\", #{ profile: () })",
            json!([]),
        ),
    ] {
        assert_eq!(json!(profiles(script)), expected, "{script}");
    }
}
