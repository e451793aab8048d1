//! The sandbox's own routes below `/_sandbox/`: its records, its faults, and events on a platform that no request
//! causes. They need no token: the sandbox listens on loopback only, and its accounts are worthless.

use std::path::Path;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::SandboxError;
use super::fault::{Fault, FaultError};
use super::reply::Reply;
use super::serve::Site;
use super::snapshot::Traffic;
use super::{SIMULATORS, SimulatedService, lease};

/// The state of the server, as `GET /_sandbox/status` returns it; without passwords.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Health {
    pub(super) instance: String,
    pub(super) pid: u32,
    pending: u64,
    traffic: Traffic,
    faults: Vec<String>,
    #[serde(flatten)]
    platforms: Map<String, Value>,
}

/// Responds to a request to `/_sandbox/{path}`.
pub(super) fn answer(site: &Site, method: &Method, path: &str, body: &[u8]) -> Reply {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (method, segments.as_slice()) {
        (&Method::GET, ["status"]) => Reply::ok(&health(site)),
        (&Method::GET, ["books"]) => Reply::ok(&site.world.snapshot(site.traffic())),
        (&Method::GET, ["master"]) => Reply::ok(&site.world.credentials()),
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
        (&Method::POST, ["expire-tokens"]) => {
            let mut platforms = SIMULATORS.iter();
            recorded(platforms.try_for_each(|platform| (platform.expire_all)(site)))
        }
        (_, segments) => {
            let mut platforms = SIMULATORS.iter();
            let reply = platforms.find_map(|platform| (platform.admin)(site, method, segments));
            reply.unwrap_or_else(|| missing(&format!("{method} /_sandbox/{path}")))
        }
    }
}

fn health(site: &Site) -> Health {
    let traffic = site.traffic();
    Health {
        instance: site.instance.clone(),
        pid: std::process::id(),
        platforms: site.world.status(),
        pending: site.world.deferred().len() as u64 + traffic.under_way,
        traffic,
        faults: texts(site),
    }
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

/// Responds to a change that no request of a client caused.
pub(super) fn recorded(result: Result<(), SandboxError>) -> Reply {
    match result {
        Ok(()) => Reply::ok(&json!({ "done": true })),
        Err(error) => Reply::json(
            StatusCode::INSUFFICIENT_STORAGE,
            &json!({ "error": error.to_string() }),
        ),
    }
}

/// Responds to a request that names something unknown.
pub(super) fn missing(what: &str) -> Reply {
    let error = format!("the sandbox does not know {what}");
    Reply::json(StatusCode::NOT_FOUND, &json!({ "error": error }))
}
