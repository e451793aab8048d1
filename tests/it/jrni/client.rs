//! A third-party client of JRNI works with the sandbox: the npm package `@bookinglab/booking-journey-api`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use provisor::sandbox::{Options, Sandbox};

/// The client and its dependencies, in versions known to work together.
const PACKAGES: &str = r#"{
  "private": true,
  "dependencies": {
    "@bookinglab/booking-journey-api": "2.22.0",
    "@tanstack/react-query": "5.90.2",
    "react": "19.1.1"
  }
}
"#;

/// Signs in, creates resources, lists them, and is refused with a wrong password.
const SCRIPT: &str = r#"
import { createJrniClient } from "@bookinglab/booking-journey-api";
const { URL, LOGIN, PASSWORD, APP_ID } = process.env;
const client = createJrniClient(URL, { appId: APP_ID });
const login = await client.login({ email: LOGIN, password: PASSWORD });
const parent = login.data.company_id;
const headers = { "App-Id": APP_ID, "Auth-Token": login.data.auth_token, "Content-Type": "application/json" };
const post = async (path, body) => {
  const answer = await fetch(`${login.data.path}/admin/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.json();
};
const shop = await post(`${parent}/company`, { name: "Shop", ref: "s-1" });
await post(`${shop.id}/services`, { name: "Haircut", durations: [30] });
const form = new FormData();
form.append("email", LOGIN);
form.append("password", PASSWORD);
const multipart = await fetch(`${URL}/login`, { method: "POST", headers: { "App-Id": APP_ID }, body: form });
const children = await client.getChildCompanies(parent);
const services = await client.getServices(shop.id);
const resources = await client.getResources(shop.id);
const company = await client.getCompany(shop.id);
const followed = await fetch(company.data._links.self.href, { headers });
let refused;
try { await client.login({ email: LOGIN, password: "wrong" }); } catch (error) { refused = error.status; }
const fifth = await createJrniClient(URL.replace("/v1", "/v5"), { appId: APP_ID }).getCompany(shop.id);
console.log(JSON.stringify({
  login: login.status,
  same: multipart.headers.get("auth-token") === (await multipart.json()).auth_token,
  multipart: multipart.status,
  children: children.data._embedded.companies.map((child) => [child.name, child.ref, child._embedded.settings.currency]),
  services: services.data._embedded.services.map((service) => [service.name, service.durations]),
  resources: resources.data.total_entries,
  company: company.data.name,
  followed: (await followed.json()).id === shop.id,
  refused,
  fifth: fifth.data._links.self.href.includes("/api/v5/"),
}));
"#;

#[test]
fn the_npm_client_signs_in_and_lists_children_and_services() {
    let folder = match installed() {
        Ok(folder) => folder,
        Err(reason) => {
            eprintln!("SKIPPED: the npm client of JRNI was not tried: {reason}");
            return;
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Options::new(dir.path())).unwrap();
    let account = sandbox.account::<provisor::sandbox::JrniAccount>();
    let script = folder.join(format!("try-{}.mjs", std::process::id()));
    std::fs::write(&script, SCRIPT).unwrap();
    let ran = Command::new("node")
        .arg(&script)
        .env("URL", &account.plain_url)
        .env("LOGIN", &account.login)
        .env("PASSWORD", &account.password)
        .env("APP_ID", &account.app_id)
        .output();
    std::fs::remove_file(&script).unwrap();
    let ran = ran.unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{errors}");
    let said: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let expected = serde_json::json!({
        "login": 201, "multipart": 201, "same": true,
        "children": [["Shop", "s-1", "GBP"]],
        "services": [["Haircut", [30]]],
        "resources": 0, "company": "Shop", "followed": true, "refused": 401, "fifth": true,
    });
    assert_eq!(said, expected);
}

/// The folder with the client, fetched once and kept below the build folder; or why it is missing.
fn installed() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm-jrni");
    works("node")?;
    if folder
        .join("node_modules/@bookinglab/booking-journey-api/package.json")
        .exists()
        && folder.join("complete").exists()
    {
        return Ok(folder);
    }
    works("npm")?;
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    std::fs::write(folder.join("package.json"), PACKAGES).map_err(|error| error.to_string())?;
    let words = "install --no-audit --no-fund --ignore-scripts --fetch-retries=0 --fetch-timeout=15000";
    let install = Command::new("npm")
        .args(words.split(' '))
        .current_dir(&folder)
        .env("npm_config_cache", folder.join("cache"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if !install.status.success() {
        let said = String::from_utf8_lossy(&install.stderr);
        return Err(format!(
            "npm could not fetch it: {}",
            said.lines().next().unwrap_or_default()
        ));
    }
    std::fs::write(folder.join("complete"), "").map_err(|error| error.to_string())?;
    Ok(folder)
}

/// Checks that the program is installed.
fn works(program: &str) -> Result<(), String> {
    let ran = Command::new(program).arg("--version").output();
    match ran {
        Ok(ran) if ran.status.success() => Ok(()),
        _ => Err(format!("there is no {program}")),
    }
}
