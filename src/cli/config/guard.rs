//! What a project's file may not do before the user trusts it: name a program or a place that holds somebody's secret, or
//! loosen what the user has decided.

use std::path::Path;
use std::time::Duration;

use super::document::Document;
use super::{Config, ConfigError, CredentialSource, Mode, Profile, Sourced};
use crate::ops::spec::Timeout;

/// How much a mode lets happen without a person.
fn freedom(mode: Option<Mode>) -> u8 {
    match mode {
        Some(Mode::Sandbox) => 0,
        Some(Mode::ReadOnly) => 1,
        Some(Mode::Prod) => 2,
        Some(Mode::Dev) | None => 3,
    }
}

fn mode_name(mode: Option<Mode>) -> &'static str {
    mode.map_or("dev", Mode::name)
}

/// Why a profile of a file that is not trusted must not go over the user's own `below`.
pub(super) fn loosens(over: &Profile, below: &Profile) -> Option<ConfigError> {
    let mode = |profile: &Profile| profile.mode.as_ref().map(|mode| mode.value);
    let untrusted = |what: String| ConfigError::Untrusted {
        file: over.file.clone(),
        what,
    };
    let name = &over.name;
    if over.mode.is_some() && freedom(mode(over)) > freedom(mode(below)) {
        let (from, to) = (mode_name(mode(below)), mode_name(mode(over)));
        return Some(untrusted(format!(
            "it takes profile `{name}` from mode {from} to {to}"
        )));
    }
    if over.remember.is_some() {
        return Some(untrusted(format!(
            "it changes for how long profile `{name}` remembers what was done"
        )));
    }
    let off = |sandbox: &super::Sourced<bool>| !sandbox.value;
    if over.sandbox.as_ref().is_some_and(off) && below.sandbox.as_ref().is_some_and(|on| on.value) {
        return Some(untrusted(format!("it takes profile `{name}` off the sandbox")));
    }
    None
}

/// Why a project's file must not say how soon a request counts as lost: too soon, and it is sent twice. It may say that it
/// takes longer, and anything of what is on this machine.
pub(super) fn hastens(over: &Profile, below: Option<&Profile>, user_file: &Path) -> Option<ConfigError> {
    if over.is_near() || below.is_some_and(|below| over.url.is_none() && below.is_near()) {
        return None;
    }
    let refused = |value: &Sourced<Duration>, key: &str, why: &str| ConfigError::BadValue {
        origin: value.origin.clone(),
        key: format!("profiles.{}.{key}", over.name),
        problem: format!("{why}: only {} may do that", user_file.display()),
    };
    if let Some(vouched) = &over.lands_within {
        let why = "vouches for how soon a request lands";
        return Some(refused(vouched, "lands_within", why));
    }
    let own = below.and_then(|below| below.settle.as_ref());
    let least = own.map_or(Timeout::TenantCreation.settle(), |settle| settle.value);
    let settle = over.settle.as_ref().filter(|settle| settle.value < least)?;
    let least = humantime::format_duration(least);
    Some(refused(settle, "settle", &format!("is shorter than {least}")))
}

/// Why a secret must not be read from where a file that is not trusted says. What is sealed is bound to its address, so
/// that no file can send it elsewhere.
pub(super) fn refuse(
    profile: &Profile,
    key: &str,
    source: &CredentialSource,
    untrusted: &Path,
) -> Option<ConfigError> {
    match source {
        CredentialSource::Sealed => None,
        _ => Some(ConfigError::Untrusted {
            file: untrusted.to_owned(),
            what: asks(&profile.name, key, source),
        }),
    }
}

/// Why an account must not be reached as a file that is not trusted says: somebody could listen who is no part of it.
pub(super) fn leads_astray(profile: &Profile, untrusted: &Path) -> Option<ConfigError> {
    let asked = profile.connection.asks(&profile.name);
    let theirs = asked.into_iter().find(|(file, _)| *file == untrusted);
    theirs.map(|(_, what)| ConfigError::Untrusted {
        file: untrusted.to_owned(),
        what,
    })
}

fn asks(profile: &str, key: &str, source: &CredentialSource) -> String {
    let key = key.replace('_', " ");
    match source {
        CredentialSource::Command { argv, .. } => {
            format!(
                "it runs `{}` for the {key} of profile `{profile}`",
                argv.join(" ")
            )
        }
        source => format!("it takes the {key} of profile `{profile}` from {source}"),
    }
}

impl Config {
    /// What a project's file asks for that needs trust, a line each.
    pub(in crate::cli) fn asks_for(file: &Path) -> Result<Vec<String>, ConfigError> {
        let Some(document) = Document::read(file)? else {
            return Ok(Vec::new());
        };
        let mut config = Config::default();
        config.add(&document, true)?;
        let mut lines = Vec::new();
        for profile in config.profiles.values() {
            let address = profile.url().unwrap_or("no address of its own");
            for (key, source) in &profile.secrets {
                lines.push(format!(
                    "{} and sends it to {address}",
                    asks(&profile.name, key, &source.value)
                ));
            }
            if profile.url.is_some() {
                lines.push(format!(
                    "it says that profile `{}` is at {address}, where its secrets in variables such as {} are sent",
                    profile.name,
                    profile.variable("password")
                ));
            }
            let way = profile.connection.asks(&profile.name);
            lines.extend(way.into_iter().map(|(_, what)| what));
            if let Some(mode) = &profile.mode {
                lines.push(format!(
                    "it sets profile `{}` to mode {}",
                    profile.name,
                    mode.value.name()
                ));
            }
        }
        Ok(lines)
    }
}
