//! Network setup of the process: proxies from the environment, routing to the sandbox, and messages about platforms
//! that cannot be reached.

use std::sync::Arc;
use std::time::Duration;

use super::app::{Accounts, App};
use super::ui::Ui;
use crate::config::{Config, Env};
use crate::sandbox::Sandbox;
use crate::transport::HttpConfig;
use crate::transport::address::{self, Routes};
use crate::transport::circuit_breaker::{Listener, Notice};
use crate::transport::connect_options::{Proxies, Proxy};
use crate::transport::custody::Releases;

/// How long a run over rows waits for an address that has never responded: enough to read the message and start what is
/// off, short enough for a wrong address.
const UNRESPONSIVE_MAX_OUTAGE: Duration = Duration::from_secs(30);

/// Sandbox hosts always route to the sandbox, and with the sandbox on, no other host is reachable.
pub(super) fn config(app: &App, accounts: &Accounts, sandbox: Option<&Arc<Sandbox>>) -> HttpConfig {
    let mut config = HttpConfig {
        proxies: proxies(&app.env),
        listener: listener(&app.ui),
        releases: releases(app),
        ..HttpConfig::default()
    };
    if accounts.rows {
        config.max_outage_unresponsive = UNRESPONSIVE_MAX_OUTAGE;
    }
    if let Some(sandbox) = sandbox.cloned() {
        config.only_sandbox = true;
        config.routes =
            Routes::new(move |host: &str| address::is_sandbox_host(host).then(|| sandbox.address()));
    }
    config
}

/// Where secrets may go besides their own origin. Reads the configuration each time, so a correction counts at once.
fn releases(app: &App) -> Releases {
    let (catalogue, env) = (app.catalogue().clone(), app.env.clone());
    let paths = app.paths().ok().cloned();
    Releases::new(move |home, place| {
        let paths = paths.as_ref().ok_or("nothing allows it")?;
        let config = Config::load(&catalogue, paths, &env).map_err(|error| error.to_string())?;
        config.allows(home, place)
    })
}

/// The proxies from the environment. As in curl, the lower-case name takes precedence. `HTTP_PROXY` is ignored: plain
/// http leaves this machine only for an account whose profile accepts that, and such a profile can name a proxy itself.
fn proxies(env: &Env) -> Proxies {
    let first = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, env.get(name)?)));
    let proxy = |names: &[&'static str]| match first(names) {
        Some((name, text)) => Proxy::parse(text)
            .map(Some)
            .map_err(|reason| format!("{name} {reason}")),
        None => Ok(None),
    };
    let https = proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
    let unusable = https.as_ref().err().cloned();
    let except = first(&["no_proxy", "NO_PROXY"]).map(|(_, text)| text.to_owned());
    Proxies {
        https: https.unwrap_or_default(),
        http: None,
        except: except.unwrap_or_default(),
        unusable,
    }
}

/// Reports on stderr when calls wait for a platform, and when the wait ends.
fn listener(ui: &Ui) -> Listener {
    let ui = ui.clone();
    Listener::new(move |notice| match notice {
        Notice::Down { reason, retry_in, .. } => ui.warn(&format!(
            "{reason}; the run waits and tries again in {} s; Ctrl-C stops it",
            retry_in.as_secs_f64()
        )),
        Notice::Up { host, after } => ui.note(&format!(
            "{host} is reached again after {} s; the run continues",
            after.as_secs()
        )),
        Notice::GaveUp { host, after } => ui.warn(&format!(
            "{host} has been unreachable for {} s; calls that need it fail now and can be retried later",
            after.as_secs()
        )),
    })
}
