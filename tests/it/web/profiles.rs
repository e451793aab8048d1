//! Services described by a profile: its address, credential, mode and rate limit apply to `http::`.

use std::time::Instant;

use serde_json::Value;

use crate::support::account::Served;
use crate::support::{Home, Ran, finish};

/// A service, and a home with a profile `crm` for it.
struct Rig {
    platform: Home,
    served: Served,
    home: Home,
}

impl Rig {
    /// Creates a profile with these lines besides its address.
    fn new(lines: &str) -> Rig {
        let platform = Home::new();
        let served = Served::start(&platform);
        let home = Home::new();
        let rig = Rig {
            platform,
            served,
            home,
        };
        rig.home.configure(&format!(
            "[profiles.crm]\nplatform = \"web\"\nurl = \"{}\"\n{lines}",
            rig.url()
        ));
        rig
    }

    fn url(&self) -> String {
        let rest = self.served.url.strip_prefix("http://").unwrap();
        format!("http://{}/web", rest.split('/').next().unwrap())
    }

    fn run(&self, script: &str, more: &str) -> Ran {
        self.home.write("web.rhai", script);
        let words = format!("run web.rhai --json {more}");
        let mut command = self.home.command(words.split_whitespace());
        command.env("CRM_SECRET", "canary-4711-crm");
        finish(command.spawn().unwrap())
    }

    #[track_caller]
    fn said(&self, script: &str) -> Value {
        let ran = self.run(script, "").ended(0);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary-4711"));
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// The number of items the service has created.
    fn made(&self) -> u64 {
        self.platform.snapshot().web.totals.created
    }
}

const MAKE: &str = r#"http::post("/items", #{profile: "crm", json: #{name: "Ann"}}).status"#;

#[test]
fn bearer_basic_and_header_credentials_of_a_profile_are_sent() {
    let rig = Rig::new("bearer = { env = \"CRM_SECRET\" }\nmode = \"dev\"\n");
    let told = rig.said(r#"let a = http::get("/bearer", #{profile: "crm"}); #{ok: a.body.authenticated, url: http::get("/anything/x?q=1", #{profile: "crm"}).body.path}"#);
    assert_eq!((&told["ok"], &told["url"]), (&true.into(), &"/anything/x".into()));
    let own = rig.said(r#"#{status: http::get("/basic/eve/pw", #{profile: "crm", basic: #{user: "eve", password: "pw"}}).status}"#);
    assert_eq!(
        own["status"], 200,
        "a call that says itself who asks is left to it"
    );
    let basic = Rig::new("login = \"ann\"\npassword = { env = \"CRM_SECRET\" }\nmode = \"dev\"\n");
    let told =
        basic.said(r#"#{status: http::get("/basic/ann/canary-" + "4711-crm", #{profile: "crm"}).status}"#);
    assert_eq!(told["status"], 200);
    let header =
        Rig::new("header = \"X-Api-Key\"\nheader_value = { env = \"CRM_SECRET\" }\nmode = \"dev\"\n");
    let told = header.said(r#"#{key: http::get("/anything", #{profile: "crm"}).body.headers["x-api-key"]}"#);
    assert_eq!(told["key"], "***", "it came back, masked");
}

#[test]
fn a_relative_path_uses_the_active_profile_or_the_sandbox() {
    let rig = Rig::new("mode = \"dev\"\n");
    let told = rig.said("#{status: http::get(\"/anything\").status}");
    assert_eq!(told["status"], 200);
    let ran = rig.run(
        "#{ok: http::get(\"/bearer\", #{profile: \"crm\"}).body.authenticated}",
        "--sandbox",
    );
    assert!(ran.ended(0).stdout.contains("\"ok\":true"));
    let none = Home::new();
    none.write("web.rhai", "http::get(\"/anything\")");
    let _ = none.run("run web.rhai").ended(2);
    none.configure("[profiles.acme]\nurl = \"https://acme.example\"\n");
    let _ = none
        .run("run web.rhai")
        .ended(2)
        .said(&["`acme` is a mobsted account", "--platform web"]);
}

#[test]
fn a_url_outside_the_profiles_address_is_refused_unsent() {
    let rig = Rig::new("bearer = { env = \"CRM_SECRET\" }\nmode = \"dev\"\n");
    for url in [
        "https://evil.example/items",
        "/../bb/api/v1/login",
        &format!("{}x/items", rig.url()),
    ] {
        let script = format!("http::post({url:?}, #{{profile: \"crm\", json: #{{}}}})");
        let ran = rig.run(&script, "").ended(5);
        let _ = ran.said(&["not below the account's", "bad_address"]);
    }
    let whole = format!(
        "#{{status: http::post(\"{}/items\", #{{profile: \"crm\", json: #{{}}}}).status}}",
        rig.url()
    );
    assert_eq!(rig.said(&whole)["status"], 201);
    assert_eq!(rig.made(), 1);
}

#[test]
fn modes_apply_to_named_profiles_and_to_the_active_profile() {
    let read_only = Rig::new("mode = \"read-only\"\n");
    let whole = format!(
        "http::post(\"{}/items\", #{{json: #{{}}}}).status",
        read_only.url()
    );
    for script in [MAKE, whole.as_str()] {
        let _ = read_only.run(script, "--yes").ended(5).said(&["read-only"]);
    }
    assert_eq!(read_only.said("#{n: http::get(\"/items\").body.total}")["n"], 0);
    assert_eq!(read_only.made(), 0);

    let prod = Rig::new("mode = \"prod\"\n");
    let whole = format!("http::post(\"{}/items\", #{{json: #{{}}}}).status", prod.url());
    for script in [MAKE, whole.as_str()] {
        let _ = prod
            .run(script, "")
            .ended(2)
            .said(&["Change the prod account `crm` at ", "--yes"]);
    }
    // Below the script, by whatever name it uses the profile.
    let both = format!(
        "default_profile = \"acme\"\n[profiles.acme]\nurl = \"https://acme.example\"\n[profiles.another]\nplatform = \"web\"\nurl = \"https://x.example\"\n{}",
        prod.home.configuration()
    );
    prod.home.configure(&both);
    let sly = r#"let name = "cr" + "m"; http::post("/items", #{profile: name, json: #{}}).status"#;
    let _ = prod
        .run(sly, "")
        .ended(5)
        .said(&["changes a prod account", "--yes"]);
    assert_eq!(prod.made(), 0);
    let _ = prod.run(MAKE, "--yes").ended(0);
    assert_eq!(prod.made(), 1);
}

#[test]
fn the_sandbox_refuses_an_absolute_url_used_by_a_real_run() {
    let rig = Rig::new("mode = \"dev\"\n");
    rig.home.write("rows.csv", "n\n1\n");
    rig.home.write(
        "post.rhai",
        &format!(
            "fn main(n) {{ #{{ status: http::post(\"{}/items\", #{{ json: #{{ name: n }} }}).status }} }}\n",
            rig.url()
        ),
    );
    let _ = rig.home.run("run post.rhai --rows rows.csv").ended(0);
    let ran = rig.home.run("run post.rhai --rows rows.csv --sandbox").ended(8);
    let _ = ran.said(&["only sandbox hosts can be reached"]);
    assert_eq!(rig.made(), 1);
}

#[test]
fn a_change_to_any_url_asks_under_an_active_prod_profile() {
    let rig = Rig::new("mode = \"dev\"\n");
    let more = format!(
        "default_profile = \"acme\"\n[profiles.acme]\nurl = \"https://acme.example\"\nmode = \"prod\"\n{}",
        rig.home.configuration()
    );
    rig.home.configure(&more);
    let post = format!("http::post(\"{}/items\", #{{json: #{{}}}}).status", rig.url());
    let _ = rig
        .run(&post, "")
        .ended(2)
        .said(&["Change the prod account `acme` at "]);
    assert_eq!(rig.made(), 0);
    let get = format!("http::get(\"{}/items\").status", rig.url());
    let _ = rig.run(&get, "").ended(0);
    // A service with its own profile is judged by that profile.
    let _ = rig.run(MAKE, "--profile crm").ended(0);
    assert_eq!(rig.made(), 1);
}

#[test]
fn absolute_urls_obey_the_stricter_of_their_and_the_active_profile() {
    let with_acme = |rig: &Rig, mode: &str| {
        let active = format!(
            "default_profile = \"acme\"\n[profiles.acme]\nurl = \"https://acme.example\"\nmode = {mode:?}\n[profiles.another]\nplatform = \"web\"\nurl = \"https://x.example\"\n"
        );
        rig.home
            .configure(&format!("{active}{}", rig.home.configuration()));
    };
    let whole = |rig: &Rig| format!("http::post(\"{}/items\", #{{json: #{{}}}}).status", rig.url());

    let looked_at = Rig::new("mode = \"read-only\"\n");
    with_acme(&looked_at, "dev");
    let get = format!("#{{n: http::get(\"{}/items\").body.total}}", looked_at.url());
    assert_eq!(looked_at.said(&get)["n"], 0);
    let _ = looked_at
        .run(&whole(&looked_at), "--yes")
        .ended(5)
        .said(&["the profile `crm`, whose address it goes to, is read-only"]);
    assert_eq!(looked_at.made(), 0);

    let real = Rig::new("mode = \"prod\"\n");
    with_acme(&real, "dev");
    let _ = real
        .run(&whole(&real), "")
        .ended(2)
        .said(&["Change the prod account `crm` at "]);
    // Below the script, however it obtains the address.
    let sly = whole(&real).replace("http://", "ht\" + \"tp://");
    let told = real.run(&sly, "").ended(5);
    let _ = told.said(&["a prod account (that of the profile `crm`)", "--yes"]);
    assert_eq!(real.made(), 0);
    let _ = real.run(&sly, "--yes").ended(0);
    assert_eq!(real.made(), 1);

    let simulated = Rig::new("mode = \"sandbox\"\n");
    with_acme(&simulated, "dev");
    let _ = simulated
        .run(&whole(&simulated), "--yes")
        .ended(2)
        .said(&["for the sandbox only"]);
    assert_eq!(simulated.made(), 0);

    let free = Rig::new("mode = \"dev\"\n");
    with_acme(&free, "read-only");
    let _ = free.run(&whole(&free), "--yes").ended(5).said(&["read-only"]);
    let _ = free.run(&whole(&free), "--profile crm").ended(0);
    assert_eq!(free.made(), 1);
}

#[test]
fn absolute_urls_get_a_profiles_rate_limit_but_not_its_credential() {
    let rig = Rig::new("bearer = { env = \"CRM_SECRET\" }\nmode = \"dev\"\nrate = \"4/s\"\n");
    rig.home.write("rows.csv", "n\n0\n1\n2\n3\n4\n");
    let script = format!(
        "fn main(n) {{ let there = \"{}/bearer\"; #{{known: http::get(\"/bearer\", #{{profile: \"crm\"}}).body.authenticated, other: http::get(there).status}} }}",
        rig.url()
    );
    let begun = Instant::now();
    let ran = rig.run(&script, "--rows rows.csv --jobs 8").ended(0);
    assert!(
        begun.elapsed().as_millis() >= 2000,
        "ten at four a second: {:?}",
        begun.elapsed()
    );
    assert_eq!(ran.stdout.matches("401").count(), 5, "{}", ran.stdout);
}

#[test]
fn a_profiles_rate_limit_is_shared_by_all_rows() {
    let rig = Rig::new("mode = \"dev\"\nrate = \"4/s\"\n");
    rig.home.write("rows.csv", "n\n0\n1\n2\n3\n4\n5\n6\n7\n8\n");
    let begun = Instant::now();
    let ran = rig.run(
        "fn main(n) { #{status: http::get(\"/anything\", #{profile: \"crm\"}).status} }",
        "--rows rows.csv --jobs 8",
    );
    let _ = ran.ended(0);
    assert!(
        begun.elapsed().as_millis() >= 1000,
        "nine at four a second: {:?}",
        begun.elapsed()
    );
}

#[test]
fn a_web_profile_is_added_tested_and_shown() {
    let rig = Rig::new("mode = \"dev\"\n");
    let url = rig.url();
    let ran = rig.home.run_with_input(
        &format!("profile add shop --platform web --url {url} --header X-Api-Key --secret header_value=stdin --mode read-only --set rate=10/s"),
        "canary-4711-key\n",
    );
    let _ = ran.ended(0).said(&["profile `shop` is written"]);
    let shown = rig.home.run("profile show shop").ended(0).stdout;
    for part in [
        "web",
        &url,
        "X-Api-Key",
        "sealed",
        "read-only",
        "10/s",
        "with each request",
    ] {
        assert!(shown.contains(part), "no `{part}` in\n{shown}");
    }
    let tried = rig.home.run("profile test shop").ended(0).stdout;
    assert!(
        tried.contains(&url)
            && tried.contains("with the profile's credential")
            && tried.contains("mode read-only"),
        "{tried}"
    );
    assert!(!format!("{shown}{tried}").contains("canary"));
    let _ = rig
        .home
        .run(&format!(
            "profile add x --platform web --url {url} --bearer canary-4711"
        ))
        .ended(2)
        .said(&["--secret bearer=PLACE"]);
    rig.home.configure(&format!(
        "[profiles.crm]\nplatform = \"web\"\nurl = \"{url}/status/403\"\n"
    ));
    let refused = rig.home.run("profile test crm").ended(4);
    let _ = refused.said(&["403", "the profile has none"]);
    for (status, code, says) in [
        (404, 0, "responded with 404; the profile has no credential to try"),
        (
            500,
            6,
            "responded with 500; the profile has no credential to try: the service fails",
        ),
        (200, 0, "responded with 200; the profile has no credential to try"),
    ] {
        rig.home.configure(&format!(
            "[profiles.crm]\nplatform = \"web\"\nurl = \"{url}/status/{status}\"\n"
        ));
        let ran = rig.home.run("profile test crm").ended(code);
        assert!(
            ran.stdout.contains(says) && !ran.stdout.contains("signed in"),
            "{}",
            ran.stdout
        );
    }
    let document = rig.home.json("profile test crm --json");
    assert_eq!(
        document["answered"],
        serde_json::json!({"status": 200, "credential": false})
    );
}
