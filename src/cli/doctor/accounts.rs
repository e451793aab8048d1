//! Profile checks: completeness, available secrets, sign-in state, and whether the platform responds.

use std::path::Path;
use std::time::Duration;

use super::{Check, State};
use crate::cli::app::{Accounts, App};
use crate::cli::error::CommandError;
use crate::cli::{network, profile, times};
use crate::clock::Clock;
use crate::config::{Profile, SecretSource, check_address, keychain};
use crate::journal::Vault;
use crate::operation::account::SignedIn;
use crate::transport::request::{Method, Request};
use crate::transport::response::Response;
use crate::transport::{Http, HttpConfig};
use crate::waiting::Waits;

const AREA: &str = "profile";

pub(super) fn check(app: &App, only: Option<&str>, offline: bool) -> Result<Vec<Check>, CommandError> {
    // A configuration that cannot be read is reported by the file checks.
    let Ok(config) = app.config() else {
        return Ok(Vec::new());
    };
    let profiles: Vec<&Profile> = match only {
        Some(name) => vec![config.named(name, "--profile")?],
        None => config
            .profiles()
            .values()
            .filter(|profile| profile.name != "sandbox")
            .collect(),
    };
    let mut checks = Vec::new();
    for profile in &profiles {
        checks.extend(one(app, profile));
    }
    if offline {
        checks.push(Check::skipped("network", "", "not asked: --offline"));
        return Ok(checks);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CommandError::usage)?;
    let waits = Waits::default();
    let ui = app.ui.clone();
    waits.set_listener(move |wait| ui.wait(wait));
    let config = HttpConfig {
        waits,
        ..network::config(app, &Accounts::default(), None)
    };
    let http = Http::new(config, Clock::system());
    let mut reported = false;
    for profile in profiles {
        let (reached, clock) = runtime.block_on(check_reachability(app, &http, profile));
        checks.push(reached);
        // The clock is reported once, unless it is wrong.
        checks.extend(
            clock.filter(|clock| clock.state != State::Ok || !std::mem::replace(&mut reported, true)),
        );
    }
    Ok(checks)
}

/// The checks of a profile that send no request.
fn one(app: &App, profile: &Profile) -> Vec<Check> {
    let name = profile.name.as_str();
    if let Some(origin) = profile.sandboxed() {
        return vec![Check::ok(
            AREA,
            name,
            format!("the sandbox replaces it ({origin})"),
        )];
    }
    if let Err(refused) = profile.usable() {
        return vec![Check::failed(AREA, name, refused.into())];
    }
    let absent = profile.missing_keys();
    if !absent.is_empty() {
        return vec![
            Check::problem(AREA, name, format!("it has no {}", absent.join(", ")))
                .fix(format!("provisor profile edit {name}")),
        ];
    }
    if let Some(problem) = invalid_value(profile) {
        return vec![Check::problem(AREA, name, problem).fix(format!("provisor profile edit {name}"))];
    }
    let secrets = profile.secrets();
    let mut checks: Vec<Check> = secrets
        .map(|(key, source)| secret(app, profile, key, source))
        .collect();
    checks.push(tokens(app, profile));
    if let (true, Some(consent)) = (profile.is_unencrypted(), profile.location("plain_http")) {
        let found = format!("its secrets and data travel unencrypted; `plain_http` accepts that ({consent})");
        checks.push(Check::warning(AREA, format!("{name} address"), found));
    }
    checks
}

/// The problem with a value that no account of the profile's platform can have.
fn invalid_value(profile: &Profile) -> Option<String> {
    let texts = profile.texts();
    let texts = texts.map(|(key, text)| (key.to_owned(), text.to_owned()));
    let endpoints = profile.endpoints().into_iter();
    let endpoints = endpoints.map(|(name, path)| (format!("endpoints.{name}"), path));
    let platform = profile.platform();
    texts.chain(endpoints).find_map(|(key, text)| {
        let problem = platform.why_invalid(&key, &text)?;
        Some(format!("`{key}`: {problem}"))
    })
}

/// Checks whether the secret is available. Runs no program and does not open the keyring, as both may prompt the user.
fn secret(app: &App, profile: &Profile, key: &str, source: &SecretSource) -> Check {
    let subject = format!("{} {}", profile.name, key.replace('_', " "));
    if let Some(refused) = profile.refusal(key) {
        return Check::failed(AREA, subject, refused.into());
    }
    match source {
        SecretSource::Command { argv, folder } => {
            let program = argv.first().map_or("", String::as_str);
            if finds(app, program, folder) {
                Check::ok(AREA, subject, format!("{source}, run when needed"))
            } else {
                Check::problem(AREA, subject, format!("{source} is not there"))
                    .fix("install the program, or choose another place: provisor profile edit")
            }
        }
        SecretSource::Keyring(_) => match keychain::available() {
            Ok(()) => Check::ok(AREA, subject, format!("{source}, opened when needed")),
            Err(reason) => Check::problem(AREA, subject, reason).fix(format!(
                "provisor profile edit {} --secret {key}=sealed",
                profile.name
            )),
        },
        _ => match profile.read_secret(key, &app.env) {
            Ok(_) => Check::ok(AREA, subject, source.to_string()),
            Err(error) => Check::failed(AREA, subject, error.into()),
        },
    }
}

/// Whether the program exists, looked up as the system would.
fn finds(app: &App, program: &str, folder: &Path) -> bool {
    if program.contains(std::path::is_separator) {
        return folder.join(program).is_file();
    }
    let path = app.env.os("PATH").unwrap_or_default();
    let ending = std::env::consts::EXE_SUFFIX;
    std::env::split_paths(path).any(|folder| {
        folder.join(program).is_file()
            || (!ending.is_empty() && folder.join(format!("{program}{ending}")).is_file())
    })
}

/// Whether reading the secret may prompt the user.
fn may_prompt(source: &SecretSource) -> bool {
    matches!(source, SecretSource::Command { .. } | SecretSource::Keyring(_))
}

/// Why tokens cannot be stored.
fn damaged_tokens(app: &App) -> Option<CommandError> {
    let path = app.paths().ok()?.tokens();
    let looked = path
        .exists()
        .then(|| Ok(Vault::open(&path, app.sealer()?).check()?));
    looked?.err()
}

fn tokens(app: &App, profile: &Profile) -> Check {
    let subject = format!("{} tokens", profile.name);
    let has_login = profile.platform().texts().iter().any(|key| key.name == "login");
    if !has_login && profile.secrets().any(|(_, source)| may_prompt(source)) {
        let reason = "identified only by the account's secrets, which this check does not ask for";
        return Check::skipped(AREA, subject, reason);
    }
    if let Some(damaged) = damaged_tokens(app) {
        return Check::failed(AREA, subject, damaged);
    }
    match profile::signed_in(app, profile) {
        SignedIn::Until(until) if until > Clock::system().now_millis() => Check::ok(
            AREA,
            subject,
            format!("signed in until {} UTC", times::shown(until)),
        ),
        SignedIn::Until(_) => Check::ok(AREA, subject, "expired; the next run signs in"),
        SignedIn::WhileUsed => Check::ok(AREA, subject, "signed in; the session stays valid while in use"),
        SignedIn::EachTime | SignedIn::Reached(_) => {
            Check::ok(AREA, subject, "none needed; each request carries the credential")
        }
        SignedIn::No => Check::ok(AREA, subject, "none; the first run signs in"),
    }
}

/// The timeout for a platform's response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A clock difference above this is a warning, in milliseconds.
const SKEW: i64 = 60_000;

/// A clock difference above this makes valid tokens look expired, or expired ones valid, in milliseconds.
const BAD_SKEW: i64 = 300_000;

/// Checks whether the platform responds and its clock agrees with this machine's.
async fn check_reachability(app: &App, http: &Http, profile: &Profile) -> (Check, Option<Check>) {
    let name = profile.name.as_str();
    let area = "network";
    if profile.sandboxed().is_some() {
        return (Check::skipped(area, name, "the sandbox replaces it"), None);
    }
    let (Ok(text), Ok(())) = (profile.url(), profile.usable().map(drop)) else {
        return (Check::skipped(area, name, "the profile is not complete"), None);
    };
    let address = check_address(text, profile.accepts_plain_http());
    let (url, line) = match (address, profile.connect_options(&app.env)) {
        (Ok(url), Ok(line)) => (url, line),
        (Err(problem), _) => return (Check::problem(area, name, format!("the address {problem}")), None),
        (_, Err(error)) => return (Check::failed(area, name, error.into()), None),
    };
    let request = Request::new(Method::Get, url)
        .timeout(REQUEST_TIMEOUT)
        .not_idempotent();
    let clock = Clock::system();
    let before = clock.now_millis();
    match http.with_connect_options(&line).send(&request).await {
        Ok(response) => {
            let after = clock.now_millis();
            let found = format!("{text} answers in {}", times::format_elapsed(before, after));
            (
                Check::ok(area, name, found),
                skew(&response, (before, after), text),
            )
        }
        Err(error) => (
            Check::problem(area, name, error.to_string())
                .fix("check the address, the network, and the proxy: HTTPS_PROXY, or `proxy` in the profile"),
            None,
        ),
    }
}

/// Compares this machine's clock with the platform's; `None` if the response has no usable date.
fn skew(response: &Response, (before, after): (i64, i64), whose: &str) -> Option<Check> {
    let server_time = response.header("date")?;
    let server_time = jiff::fmt::rfc2822::parse(server_time)
        .ok()?
        .timestamp()
        .as_millisecond();
    // The header has whole seconds, and was set between the request and the response.
    let ahead = before.saturating_sub(server_time.saturating_add(1_000)).max(0);
    let behind = server_time.saturating_sub(after).max(0);
    let differs = ahead.max(behind);
    let area = "clock";
    if differs < SKEW {
        return Some(Check::ok(area, "", "agrees with the platform's"));
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    let found = format!("{} s {direction} that of {whose}", differs / 1_000);
    let fix = "set this machine's clock, for example: timedatectl set-ntp true";
    Some(if differs < BAD_SKEW {
        Check::warning(area, "", found).fix(fix)
    } else {
        Check::problem(area, "", found).fix(fix)
    })
}
