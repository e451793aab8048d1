//! Determines which fields a profile lacks.

use crate::cli::config::Profile;
use crate::operation::platform::Platform;

/// Returns the missing fields that existing ones require: a password for a login, a value for a header.
pub(in crate::cli) fn unpaired(platform: &Platform, has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let keys = platform.texts().iter().chain(platform.secrets());
    let lacks = keys.filter(|key| key.completes.is_some_and(&has) && !has(key.name));
    lacks.map(|key| key.name).collect()
}

/// Returns the required fields that a profile lacks.
pub(in crate::cli) fn missing(profile: &Profile) -> Vec<&'static str> {
    let platform = profile.platform();
    let has_text = |key: &str| match key {
        "url" => profile.url.is_some(),
        key => profile.texts.contains_key(key),
    };
    let texts = platform.texts().iter().filter(|key| !has_text(key.name));
    let secrets = platform.secrets().iter();
    let secrets = secrets.filter(|key| !profile.secrets.contains_key(key.name));
    let all = texts.chain(secrets).filter(|key| key.required);
    let has = |key: &str| has_text(key) || profile.secrets.contains_key(key);
    all.map(|key| key.name).chain(unpaired(platform, has)).collect()
}
