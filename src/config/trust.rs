//! Project files: which ones the user trusts, and what the others must not do.
//!
//! A project's files come with the project, often from someone else. Their settings apply; but those that could run a
//! program, hand over a credential or loosen a profile apply only if the user has reviewed exactly this text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::read::{ConfigFile, Setting};
use super::{
    Config, ConfigError, Layer, Paths, Profile, SANDBOX, SecretSource, make_private_folder, staged_file,
};
use crate::operation::catalogue::Catalogue;
use crate::operation::context::Mode;
use crate::operation::spec::Timeout;
use crate::sabotage::Sabotage;
use crate::value::digest::sha256;
use crate::value::origin::Origin;
use crate::value::secret::Home;

/// The trusted files by path, each with the digest of the reviewed text.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    digests: BTreeMap<String, String>,
}

impl Trust {
    /// The files this home trusts. An unreadable record trusts none.
    pub(crate) fn of(paths: &Paths) -> Trust {
        let text = std::fs::read_to_string(paths.trusted()).unwrap_or_default();
        let document: Json = serde_json::from_str(&text).unwrap_or_default();
        let files = document["files"].as_object();
        let digests = files.into_iter().flatten().filter_map(|(file, digest)| {
            let digest = digest.as_str()?.to_owned();
            Some((file.clone(), digest))
        });
        Trust {
            digests: digests.collect(),
        }
    }

    /// The trusted files, each with the digest of the reviewed text.
    pub(crate) fn files(&self) -> &BTreeMap<String, String> {
        &self.digests
    }

    /// Whether the user has reviewed this file with exactly this text.
    pub(crate) fn covers(&self, file: &Path, text: &str) -> bool {
        let digest = self.digests.get(&Trust::name(file));
        let is_as_trusted = digest.is_some_and(|digest| *digest == sha256(text.as_bytes()));
        is_as_trusted || Sabotage::EveryFileTrusted.is_on()
    }

    /// Trusts a file with the text that has this digest.
    pub(crate) fn add(&mut self, file: &Path, digest: String) {
        self.digests.insert(Trust::name(file), digest);
    }

    /// Withdraws the trust. Returns whether there was any.
    pub(crate) fn remove(&mut self, file: &Path) -> bool {
        self.digests.remove(&Trust::name(file)).is_some()
    }

    /// Writes the record.
    pub(crate) fn save(&self, paths: &Paths) -> Result<(), ConfigError> {
        make_private_folder(paths.state())?;
        let text = format!("{}\n", json!({"version": 1, "files": self.digests}));
        staged_file::replace(&paths.trusted(), &text)
    }

    /// The canonical path of a file, so that it has one name in the record.
    pub(crate) fn name(file: &Path) -> String {
        let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        file.display().to_string()
    }
}

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

/// Returns an error if a project's file does to a profile what only the user's own file may, whether it is trusted or
/// not: `above` has the settings of that file, `below` those of the user's.
pub(super) fn check_project(
    above: &Profile,
    below: Option<&Profile>,
    user_file: &Path,
) -> Result<(), ConfigError> {
    let refused = |key: &str, reason: &str| {
        let problem = format!("{reason}: only {} may do that", user_file.display());
        Err(above.bad(key, problem))
    };
    // Too short, and a request that was counted as lost is sent twice. A project may lengthen the time, and set anything
    // for accounts on this machine.
    let is_near = above.is_local_or_sandbox()
        || below.is_some_and(|below| above.url().is_err() && below.is_local_or_sandbox());
    if !is_near {
        if above.duration("lands_within").is_some() {
            return refused("lands_within", "promises how soon a request takes effect");
        }
        let own = below.and_then(|below| below.duration("settle"));
        let minimum = own.unwrap_or(Timeout::TenantCreation.settle());
        if above.duration("settle").is_some_and(|settle| settle < minimum) {
            let minimum = humantime::format_duration(minimum);
            return refused("settle", &format!("is shorter than {minimum}"));
        }
    }
    if above.accepts_plain_http() {
        return refused("plain_http", "accepts that secrets travel unencrypted");
    }
    if above.get("proxy").is_some() && below.is_some_and(Profile::accepts_plain_http) {
        return refused("proxy", "would read what the profile sends unencrypted");
    }
    Ok(())
}

/// Ranks a mode by how much it permits without confirmation.
fn mode_rank(mode: Mode) -> u8 {
    match mode {
        Mode::Sandbox => 0,
        Mode::ReadOnly => 1,
        Mode::Prod => 2,
        Mode::Dev => 3,
    }
}

/// Returns an error if a profile of an untrusted file loosens the user's own profile `below`.
pub(super) fn weakens_mode(above: &Profile, below: &Profile) -> Option<ConfigError> {
    let name = &above.name;
    let (from, to) = (below.mode(), above.mode());
    let changed = ["url", "login", "company"].into_iter().find(|key| {
        let (theirs, own) = (above.text(key), below.text(key));
        theirs.is_ok() && own.is_ok() && theirs != own
    });
    let turns_off = above.get("sandbox") == Some(&Setting::Flag(false));
    let what = if above.get("mode").is_some() && mode_rank(to) > mode_rank(from) {
        format!(
            "takes profile `{name}` from mode {} to {}",
            from.name(),
            to.name()
        )
    } else if above.duration("remember").is_some() {
        format!("changes how long profile `{name}` remembers completed acts")
    } else if let Some(key) = changed {
        let what = if key == "url" { "address" } else { key };
        format!("changes the {what} of profile `{name}`")
    } else if turns_off && below.get("sandbox") == Some(&Setting::Flag(true)) {
        format!("takes profile `{name}` off the sandbox")
    } else {
        return None;
    };
    Some(ConfigError::Untrusted {
        file: above.file.clone(),
        what,
    })
}

/// Returns an error if a profile of an untrusted file changes how its account is reached, on which the never-twice
/// guarantee depends. It does not matter whether the user has a profile of that name. The sandbox is exempt.
pub(super) fn exceeds_trust(profile: &Profile) -> Option<ConfigError> {
    if profile.name == SANDBOX {
        return None;
    }
    let what = connection_keys(profile).next()?;
    Some(ConfigError::Untrusted {
        file: profile.file.clone(),
        what: format!("sets `{what}` for profile `{}`", profile.name),
    })
}

/// The keys a profile sets for how its account is reached, on which the never-twice guarantee depends.
fn connection_keys(profile: &Profile) -> impl Iterator<Item = &'static str> {
    let keys = ["settle", "look_for", "timeouts", "endpoints"].into_iter();
    keys.filter(move |key| profile.get(key).is_some() || profile.below(key).next().is_some())
}

/// Applies to a profile of an untrusted file the strictest mode of the user's profiles at the same address.
pub(super) fn apply_strictest_mode<'a>(profile: &mut Profile, known: impl Iterator<Item = &'a Profile>) {
    let Some(place) = profile.origin().filter(|_| profile.sandboxed().is_none()) else {
        return;
    };
    let neighbours = known.filter(|known| known.is_at(&place));
    if let Some(strictest) = neighbours.min_by_key(|known| mode_rank(known.mode()))
        && mode_rank(strictest.mode()) < mode_rank(profile.mode())
        && let Some(mode) = strictest.settings.get("mode")
    {
        profile.settings.insert("mode".to_owned(), mode.clone());
    }
}

/// Returns the untrusted file that sets a key of a profile, if one does.
fn untrusted_file<'a>(profile: &'a Profile, key: &str) -> Option<&'a PathBuf> {
    let untrusted = profile.untrusted.as_ref()?;
    (profile.location(key)?.file == *untrusted).then_some(untrusted)
}

/// Returns an error if a secret must not be read because an untrusted file specifies its source. A sealed secret may be:
/// it is bound to its address, so that no file can send it elsewhere.
pub(super) fn refuse_source(profile: &Profile, key: &str, source: &SecretSource) -> Option<ConfigError> {
    let file = untrusted_file(profile, key)?;
    (*source != SecretSource::Sealed).then(|| ConfigError::Untrusted {
        file: file.clone(),
        what: describe_source(&profile.name, key, source),
    })
}

/// Returns an error if an untrusted file sets how an account is reached, which could let a third party listen.
pub(super) fn redirects_traffic(profile: &Profile) -> Option<ConfigError> {
    let mut redirections = redirections(profile).into_iter();
    let (file, what) = redirections.find_map(|(key, what)| Some((untrusted_file(profile, key)?, what)))?;
    Some(ConfigError::Untrusted {
        file: file.clone(),
        what,
    })
}

/// The keys by which a third party could listen, each with what it does: the rest of a clause that begins with `it`.
fn redirections(profile: &Profile) -> Vec<(&'static str, String)> {
    let name = &profile.name;
    let through = |proxy: &Setting| match proxy {
        Setting::ProxyFrom(SecretSource::Command { argv, .. }) => {
            format!("through the proxy that `{}` names", argv.join(" "))
        }
        Setting::ProxyFrom(source) => format!("through the proxy that {source} names"),
        Setting::Proxy(proxy) => format!("through the proxy {proxy}"),
        _ => "without a proxy".to_owned(),
    };
    let describe = |key: &str, setting: &Setting| match key {
        "proxy" => format!("connects to profile `{name}` {}", through(setting)),
        "ca" => format!("trusts the certificates in {setting} for profile `{name}`"),
        _ => format!("uses the key in {setting} for profile `{name}`"),
    };
    let keys = ["proxy", "ca", "client_key"].into_iter();
    keys.filter_map(|key| Some((key, describe(key, profile.get(key)?))))
        .collect()
}

fn describe_source(profile: &str, key: &str, source: &SecretSource) -> String {
    let key = key.replace('_', " ");
    match source {
        SecretSource::Command { argv, .. } => {
            format!("runs `{}` for the {key} of profile `{profile}`", argv.join(" "))
        }
        source => format!("takes the {key} of profile `{profile}` from {source}"),
    }
}

/// Whether a profile's address comes from an untrusted file.
fn has_untrusted_address(profile: &Profile) -> bool {
    untrusted_file(profile, "url").is_some()
}

impl Config {
    /// Checks whether a secret of this home may go to `place`. The error is a clause that says how to allow it.
    pub(crate) fn allows(&self, home: &Home, place: &Origin) -> Result<(), String> {
        let simulated = home.origins().iter().any(Origin::is_simulated);
        let at_home = |profile: &&Profile| {
            let is_builtin_sandbox = simulated && profile.name == SANDBOX;
            let origin = profile.origin();
            is_builtin_sandbox
                || (!has_untrusted_address(profile)
                    && origin.is_some_and(|origin| home.origins().contains(&origin)))
        };
        let is_place = |entry: &str| match self.profiles.get(entry) {
            Some(profile) => !has_untrusted_address(profile) && profile.origin().as_ref() == Some(place),
            None => Origin::parse(entry).as_ref() == Some(place),
        };
        let mut ignored_file: Option<&PathBuf> = None;
        for profile in self.profiles.values() {
            for (_, entry) in profile.below("secrets_to").filter(|(entry, _)| is_place(entry)) {
                if profile.untrusted.as_ref() == Some(&entry.origin.file) {
                    ignored_file = Some(&entry.origin.file);
                } else if at_home(&profile) {
                    return Ok(());
                }
            }
        }
        let (name, file) = match self.profiles.values().find(at_home) {
            Some(profile) if profile.untrusted.is_none() => (Some(profile.name.as_str()), &profile.file),
            Some(profile) => (Some(profile.name.as_str()), &self.user_file),
            None => (simulated.then_some(SANDBOX), &self.user_file),
        };
        let note = ignored_file.map_or(String::new(), |file| {
            format!(
                " ({} allows it, but is not trusted: provisor trust)",
                file.display()
            )
        });
        let line = format!("secrets_to = [\"{place}\"]");
        let file = file.display();
        Err(match name {
            Some(name) => format!("to allow it, add {line} to [profiles.{name}] in {file}{note}"),
            None => {
                format!("to allow it, add to {file} a profile of that address with this line: {line}{note}")
            }
        })
    }

    /// Lists what a project's file does that requires trust, one line each.
    pub(crate) fn trust_reasons(catalogue: &Catalogue, file: &Path) -> Result<Vec<String>, ConfigError> {
        let Some(file) = ConfigFile::read(file)? else {
            return Ok(Vec::new());
        };
        let mut config = Config::of(catalogue);
        config.add(&file, Layer::User)?;
        let mut lines = Vec::new();
        for profile in config.profiles.values() {
            let name = &profile.name;
            let address = profile.url().unwrap_or("no address");
            lines.extend(profile.secrets().map(|(key, source)| {
                format!(
                    "it {} and sends it to {address}",
                    describe_source(name, key, source)
                )
            }));
            if profile.url().is_ok() {
                lines.push(format!(
                    "it sets the address of profile `{name}` to {address}, where its secrets in variables such as {} \
                     are sent",
                    profile.variable("password")
                ));
            }
            lines.extend(connection_keys(profile).map(|key| format!("it sets `{key}` for profile `{name}`")));
            lines.extend(profile.below("secrets_to").map(|(place, _)| {
                format!("it lets secrets of the account of profile `{name}` go to {place}")
            }));
            lines.extend(
                redirections(profile)
                    .into_iter()
                    .map(|(_, what)| format!("it {what}")),
            );
            if profile.get("mode").is_some() {
                lines.push(format!(
                    "it sets profile `{name}` to mode {}",
                    profile.mode().name()
                ));
            }
        }
        Ok(lines)
    }
}
