//! Restricts what a project's file may do before the user trusts it: it must not name a program or a place that
//! supplies a secret, or loosen the user's settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Document;
use super::{Config, ConfigError, CredentialSource, Location, Mode, Profile, SANDBOX, Sourced};
use crate::operation::catalogue::Catalogue;
use crate::operation::spec::Timeout;
use crate::value::origin::Origin;
use crate::value::secret::Home;

/// Returns an error if others can change the user's own file, which may name programs and says where secrets go. A
/// group whose id is the user's id has no other members.
#[cfg(unix)]
pub(super) fn check_only_user_writable(file: &Path) -> Result<(), ConfigError> {
    use std::os::unix::fs::MetadataExt as _;
    for place in [Some(file), file.parent()].into_iter().flatten() {
        let Ok(about) = std::fs::metadata(place) else {
            continue;
        };
        let by_group = about.mode() & 0o020 != 0 && about.gid() != about.uid();
        // With the sticky bit set, others cannot replace the file.
        let by_all = about.mode() & 0o002 != 0 && about.mode() & 0o1000 == 0;
        if by_group || by_all {
            return Err(ConfigError::Writable {
                place: place.to_owned(),
            });
        }
    }
    Ok(())
}

/// On other systems, permissions are lists that the standard library does not read.
#[cfg(not(unix))]
pub(super) fn check_only_user_writable(_file: &Path) -> Result<(), ConfigError> {
    Ok(())
}

/// Ranks a mode by how much it permits without confirmation.
fn mode_rank(mode: Option<Mode>) -> u8 {
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

/// Returns an error if a profile of an untrusted file loosens the user's own profile `overridden`.
pub(super) fn weakens_mode(overriding: &Profile, overridden: &Profile) -> Option<ConfigError> {
    let mode = |profile: &Profile| profile.mode.as_ref().map(|mode| mode.value);
    let untrusted = |what: String| ConfigError::Untrusted {
        file: overriding.file.clone(),
        what,
    };
    let name = &overriding.name;
    if overriding.mode.is_some() && mode_rank(mode(overriding)) > mode_rank(mode(overridden)) {
        let (from, to) = (mode_name(mode(overridden)), mode_name(mode(overriding)));
        return Some(untrusted(format!(
            "it takes profile `{name}` from mode {from} to {to}"
        )));
    }
    if overriding.remember.is_some() {
        return Some(untrusted(format!(
            "it changes how long profile `{name}` remembers completed acts"
        )));
    }
    let moved = [
        (
            overriding.url.as_ref().map(|url| &url.value),
            overridden.url.as_ref().map(|url| &url.value),
            "address",
        ),
        (text(overriding, "login"), text(overridden, "login"), "login"),
        (
            text(overriding, "company"),
            text(overridden, "company"),
            "company",
        ),
    ];
    for (theirs, own, what) in moved {
        if theirs.is_some() && own.is_some() && theirs != own {
            return Some(untrusted(format!("it changes the {what} of profile `{name}`")));
        }
    }
    let off = |sandbox: &super::Sourced<bool>| !sandbox.value;
    if overriding.sandbox.as_ref().is_some_and(off) && overridden.sandbox.as_ref().is_some_and(|on| on.value)
    {
        return Some(untrusted(format!("it takes profile `{name}` off the sandbox")));
    }
    None
}

/// Returns an error if a project's file shortens the time after which a request counts as lost: too short, and it is
/// sent twice. It may lengthen that time, and set anything for accounts on this machine.
pub(super) fn shortens_settle_time(
    overriding: &Profile,
    overridden: Option<&Profile>,
    user_file: &Path,
) -> Option<ConfigError> {
    if overriding.is_local_or_sandbox()
        || overridden.is_some_and(|overridden| overriding.url.is_none() && overridden.is_local_or_sandbox())
    {
        return None;
    }
    let refused = |value: &Sourced<Duration>, key: &str, reason: &str| ConfigError::BadValue {
        origin: value.origin.clone(),
        key: format!("profiles.{}.{key}", overriding.name),
        problem: format!("{reason}: only {} may do that", user_file.display()),
    };
    if let Some(setting) = &overriding.lands_within {
        let reason = "promises how soon a request takes effect";
        return Some(refused(setting, "lands_within", reason));
    }
    let own = overridden.and_then(|overridden| overridden.settle.as_ref());
    let minimum = own.map_or(Timeout::TenantCreation.settle(), |settle| settle.value);
    let settle = overriding
        .settle
        .as_ref()
        .filter(|settle| settle.value < minimum)?;
    let minimum = humantime::format_duration(minimum);
    Some(refused(settle, "settle", &format!("is shorter than {minimum}")))
}

/// Returns an error if a project's file accepts plain http, or sets the proxy of a profile that does, which would read
/// everything: only the user's own file may, and no trust changes that.
pub(super) fn accepts_plain_http(
    overriding: &Profile,
    overridden: Option<&Profile>,
    user_file: &Path,
) -> Option<ConfigError> {
    let refused = |origin: &Location, key: &str, reason: &str| ConfigError::BadValue {
        origin: origin.clone(),
        key: format!("profiles.{}.{key}", overriding.name),
        problem: format!("{reason}: only {} may do that", user_file.display()),
    };
    if let Some(consent) = &overriding.plain_http {
        let reason = "accepts that secrets travel unencrypted";
        return Some(refused(&consent.origin, "plain_http", reason));
    }
    let proxy = overriding.connection.proxy.as_ref()?;
    let is_unencrypted = overridden.is_some_and(|overridden| overridden.plain_http.is_some());
    let reason = "would read what the profile sends unencrypted";
    is_unencrypted.then(|| refused(&proxy.origin, "proxy", reason))
}

fn text<'a>(profile: &'a Profile, key: &str) -> Option<&'a String> {
    profile.texts.get(key).map(|text| &text.value)
}

/// Returns an error if a profile of an untrusted file changes how its account is reached, on which the never-twice
/// guarantee depends. It does not matter whether the user has a profile of that name. The sandbox is exempt.
pub(super) fn exceeds_trust(profile: &Profile) -> Option<ConfigError> {
    if profile.name == SANDBOX {
        return None;
    }
    let what = profile.connection_keys().into_iter().next()?;
    Some(ConfigError::Untrusted {
        file: profile.file.clone(),
        what: format!("it sets `{what}` for profile `{}`", profile.name),
    })
}

/// Applies to a profile of an untrusted file the strictest mode of the user's profiles at the same address.
pub(super) fn apply_strictest_mode(profile: &mut Profile, known: &[Profile]) {
    let Some(place) = profile.origin().filter(|_| profile.sandboxed().is_none()) else {
        return;
    };
    let mode = |profile: &Profile| profile.mode.as_ref().map(|mode| mode.value);
    let neighbours = known
        .iter()
        .filter(|known| known.origin().as_ref() == Some(&place) && known.sandboxed().is_none());
    if let Some(strictest) = neighbours.min_by_key(|known| mode_rank(mode(known)))
        && mode_rank(mode(strictest)) < mode_rank(mode(profile))
    {
        profile.mode.clone_from(&strictest.mode);
    }
}

/// Returns an error if a secret must not be read from a source that an untrusted file specifies. A sealed secret may
/// be: it is bound to its address, so that no file can send it elsewhere.
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
            what: needs_trust_for(&profile.name, key, source),
        }),
    }
}

/// Returns an error if an untrusted file sets how an account is reached, which could let a third party listen.
pub(super) fn redirects_traffic(profile: &Profile, untrusted: &Path) -> Option<ConfigError> {
    let requested = profile.connection.needs_trust_for(&profile.name);
    let theirs = requested.into_iter().find(|(file, _)| *file == untrusted);
    theirs.map(|(_, what)| ConfigError::Untrusted {
        file: untrusted.to_owned(),
        what,
    })
}

fn needs_trust_for(profile: &str, key: &str, source: &CredentialSource) -> String {
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

impl Profile {
    /// The keys it sets for how its account is reached, on which the never-twice guarantee depends.
    fn connection_keys(&self) -> Vec<&'static str> {
        let timeouts = [
            &self.connect_timeout,
            &self.reply_timeout,
            &self.tenant_creation_timeout,
            &self.connection.outage,
        ];
        let settings_present = [
            (self.settle.is_some(), "settle"),
            (self.look_for.is_some(), "look_for"),
            (timeouts.iter().any(|timeout| timeout.is_some()), "timeouts"),
            (!self.endpoints.is_empty(), "endpoints"),
        ];
        settings_present
            .into_iter()
            .filter(|(settings_present, _)| *settings_present)
            .map(|(_, key)| key)
            .collect()
    }

    /// Whether its address comes from an untrusted file.
    fn has_untrusted_address(&self) -> bool {
        let written = self.url.as_ref().map(|url| &url.origin.file);
        written.is_some() && written == self.untrusted.as_ref()
    }

    /// The origin of its account.
    pub(super) fn origin(&self) -> Option<Origin> {
        Origin::parse(&self.url.as_ref()?.value)
    }
}

impl Config {
    /// Checks whether a secret of this home may go to `place`. The error is a clause that says how to allow it.
    pub(in crate::cli) fn allows(&self, home: &Home, place: &Origin) -> Result<(), String> {
        let simulated = home.origins().iter().any(Origin::is_simulated);
        let at_home = |profile: &&Profile| {
            let is_builtin_sandbox = simulated && profile.name == SANDBOX;
            let origin = profile.origin();
            is_builtin_sandbox
                || (!profile.has_untrusted_address()
                    && origin.is_some_and(|origin| home.origins().contains(&origin)))
        };
        let is_place = |entry: &str| match self.profiles.get(entry) {
            Some(profile) => !profile.has_untrusted_address() && profile.origin().as_ref() == Some(place),
            None => Origin::parse(entry).as_ref() == Some(place),
        };
        let mut ignored_file: Option<&PathBuf> = None;
        for profile in self.profiles.values() {
            for entry in profile.secrets_to.iter().filter(|entry| is_place(&entry.value)) {
                if profile.untrusted.as_ref() == Some(&entry.origin.file) {
                    ignored_file = Some(&entry.origin.file);
                } else if at_home(&profile) {
                    return Ok(());
                }
            }
        }
        let untrusted = ignored_file.map_or(String::new(), |file| {
            format!(
                " ({} allows it, but is not trusted: provisor trust)",
                file.display()
            )
        });
        let line = format!("secrets_to = [\"{place}\"]");
        Err(match self.profiles.values().find(at_home) {
            Some(profile) => {
                let file = match &profile.untrusted {
                    Some(_) => &self.user_file,
                    None => &profile.file,
                };
                format!(
                    "to allow it, add {line} to [profiles.{}] in {}{untrusted}",
                    profile.name,
                    file.display()
                )
            }
            None if simulated => format!(
                "to allow it, add {line} to [profiles.{SANDBOX}] in {}{untrusted}",
                self.user_file.display()
            ),
            None => format!(
                "to allow it, add to {} a profile of that address with this line: {line}{untrusted}",
                self.user_file.display()
            ),
        })
    }

    /// Lists what a project's file does that requires trust, one line each.
    pub(in crate::cli) fn trust_reasons(
        catalogue: &Catalogue,
        file: &Path,
    ) -> Result<Vec<String>, ConfigError> {
        let Some(document) = Document::read(file)? else {
            return Ok(Vec::new());
        };
        let mut config = Config::of(catalogue);
        config.add(&document, true)?;
        let mut lines = Vec::new();
        for profile in config.profiles.values() {
            let address = profile.url().unwrap_or("no address");
            for (key, source) in &profile.secrets {
                lines.push(format!(
                    "{} and sends it to {address}",
                    needs_trust_for(&profile.name, key, &source.value)
                ));
            }
            if profile.url.is_some() {
                lines.push(format!(
                    "it sets the address of profile `{}` to {address}, where its secrets in variables such as {} are sent",
                    profile.name,
                    profile.variable("password")
                ));
            }
            for key in profile.connection_keys() {
                lines.push(format!("it sets `{key}` for profile `{}`", profile.name));
            }
            for place in &profile.secrets_to {
                lines.push(format!(
                    "it lets secrets of the account of profile `{}` go to {}",
                    profile.name, place.value
                ));
            }
            let connection = profile.connection.needs_trust_for(&profile.name);
            lines.extend(connection.into_iter().map(|(_, what)| what));
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
