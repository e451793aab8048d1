//! The sandbox's own routes below `/_sandbox/`: its records, its faults, and events on a platform that no request
//! causes. They need no token: the sandbox listens on loopback only, and its accounts are worthless.

use std::path::Path;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::decoded;
use super::error::SandboxError;
use super::fault::{Fault, FaultError};
use super::reply::Reply;
use super::serve::Site;
use super::snapshot::{Totals, Traffic};
use super::web::SimulatedService;
use super::{jrni, lease, mobsted, sparrow, sparrow_bulk, token};

/// The credentials of the platforms, starting with the master account, as `GET /_sandbox/master` returns them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct MasterLogin {
    pub(super) login: String,
    pub(super) password: String,
    /// The credentials of the simulated JRNI. Missing if the serving process has an older world.
    #[serde(default)]
    pub(super) jrni: jrni::JrniAccount,
    /// The credentials of the simulated Sparrow SMS.
    #[serde(default)]
    pub(super) sparrow: sparrow::SparrowAccount,
    /// The credentials of the simulated bulk API of Sparrow SMS.
    #[serde(default)]
    pub(super) sparrow_bulk: sparrow_bulk::SparrowBulkAccount,
}

/// The state of the server, as `GET /_sandbox/status` returns it; without passwords.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Health {
    pub(super) instance: String,
    pub(super) pid: u32,
    tenants: usize,
    apps: usize,
    pending: u64,
    totals: Totals,
    traffic: Traffic,
    faults: Vec<String>,
}

/// Responds to a request to `/_sandbox/{path}`.
pub(super) fn answer(site: &Site, method: &Method, path: &str, body: &[u8]) -> Reply {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (method, segments.as_slice()) {
        (&Method::GET, ["status"]) => Reply::ok(&health(site)),
        (&Method::GET, ["books"]) => Reply::ok(&site.world.snapshot(site.traffic())),
        (&Method::GET, ["master"]) => Reply::ok(&master(site)),
        (&Method::GET, ["tenants"]) => tenants(site),
        (&Method::GET, ["apps"]) => Reply::ok(&site.read(mobsted::State::snapshot).1),
        (&Method::GET, ["faults"]) => faults(site),
        (&Method::POST, ["faults"]) => add_faults(site, body, None),
        (&Method::POST, ["faults", name]) => match lease::file_of(&site.dir, name) {
            Some(lease) => add_faults(site, body, Some(&lease)),
            None => missing("that lease"),
        },
        (&Method::DELETE, ["faults"]) => {
            site.faults.clear();
            faults(site)
        }
        (&Method::POST, ["services"]) => match serde_json::from_slice::<Vec<SimulatedService>>(body) {
            Ok(services) => recorded(site.world.describe(&services)),
            Err(error) => Reply::json(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string() })),
        },
        (&Method::POST, ["expire-tokens"]) => expire_tokens(site),
        (&Method::POST, ["sparrow", "credits", credits]) => match credits.parse() {
            Ok(credits) => recorded(
                site.world
                    .record::<sparrow::State>(sparrow::Event::Credit { credits }),
            ),
            Err(_) => missing("that number of credits"),
        },
        (&Method::POST, ["sparrow_bulk", "credits", credits]) => match credits.parse() {
            Ok(credits) => {
                let event = sparrow_bulk::Event::Credit { credits };
                recorded(site.world.record::<sparrow_bulk::State>(event))
            }
            Err(_) => missing("that number of credits"),
        },
        (&Method::POST, ["tenants", email, change]) => change_tenant(site, &decoded(email), change),
        _ => missing(&format!("{method} /_sandbox/{path}")),
    }
}

/// Returns the credentials of all platforms.
pub(super) fn master(site: &Site) -> MasterLogin {
    let of = |master: &mobsted::Tenant| MasterLogin {
        login: master.account.email.clone(),
        password: master.account.password.clone(),
        jrni: site.read(jrni::State::access),
        sparrow: site.read(sparrow::State::access),
        sparrow_bulk: site.read(sparrow_bulk::State::access),
    };
    // A world is created with its master account, so there always is one.
    site.read(|state: &mobsted::State| state.master().map(of))
        .unwrap_or_default()
}

fn expire_tokens(site: &Site) -> Reply {
    let world = &site.world;
    let mobsted = world.record::<mobsted::State>(mobsted::Event::AllExpired);
    let jrni = mobsted.and_then(|()| world.record::<jrni::State>(jrni::Event::AllExpired));
    recorded(jrni.and_then(|()| world.record::<sparrow::State>(sparrow::Event::AllExpired)))
}

fn health(site: &Site) -> Health {
    let count = |state: &mobsted::State| {
        (
            state.sub_accounts().len(),
            state.apps().count(),
            state.totals.clone(),
        )
    };
    let (tenants, apps, totals) = site.read(count);
    let traffic = site.traffic();
    Health {
        instance: site.instance.clone(),
        pid: std::process::id(),
        tenants,
        apps,
        pending: site.world.deferred().len() as u64 + traffic.under_way,
        totals,
        traffic,
        faults: texts(site),
    }
}

fn tenants(site: &Site) -> Reply {
    let (tenants, _) = site.read(mobsted::State::snapshot);
    let rows = tenants
        .iter()
        .map(|tenant| json!({ "email": tenant.email, "name": tenant.name, "created": tenant.created }));
    Reply::ok(&rows.collect::<Vec<_>>())
}

fn change_tenant(site: &Site, email: &str, change: &str) -> Reply {
    let Some(name) =
        site.read(|state: &mobsted::State| state.tenant_of(email).map(|tenant| tenant.account.name.clone()))
    else {
        return missing(&format!("a sub-account for {email}"));
    };
    let event = match change {
        "password-gone" => mobsted::Event::RowPasswordGone { name },
        "password-changed" => mobsted::Event::PasswordChanged {
            name,
            password: token::random(),
        },
        other => {
            return missing(&format!(
                "the change {other} (password-gone and password-changed are known)"
            ));
        }
    };
    recorded(site.world.record::<mobsted::State>(event))
}

fn faults(site: &Site) -> Reply {
    Reply::ok(&json!({ "faults": texts(site) }))
}

fn texts(site: &Site) -> Vec<String> {
    site.faults.list().iter().map(Fault::to_string).collect()
}

/// Adds faults given as text, one per line or comma, or as JSON: a list of texts or `{"faults": [...]}`. Adds all or
/// none, for as long as a process holds the lease of this file.
fn add_faults(site: &Site, body: &[u8], lease: Option<&Path>) -> Reply {
    let text = String::from_utf8_lossy(body);
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let listed = document.as_array().or_else(|| document.get("faults")?.as_array());
    let texts: Vec<&str> = match listed {
        Some(list) => list
            .iter()
            .map(|fault| fault.as_str().unwrap_or_default())
            .collect(),
        None => text
            .split(['\n', ','])
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect(),
    };
    let parsed: Result<Vec<Fault>, FaultError> = texts.iter().map(|text| text.parse()).collect();
    match parsed {
        Ok(parsed) => {
            site.faults.add(&parsed, lease);
            faults(site)
        }
        Err(error) => Reply::json(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string() })),
    }
}

fn recorded(result: Result<(), SandboxError>) -> Reply {
    match result {
        Ok(()) => Reply::ok(&json!({ "done": true })),
        Err(error) => Reply::json(
            StatusCode::INSUFFICIENT_STORAGE,
            &json!({ "error": error.to_string() }),
        ),
    }
}

fn missing(what: &str) -> Reply {
    let error = format!("the sandbox does not know {what}");
    Reply::json(StatusCode::NOT_FOUND, &json!({ "error": error }))
}
