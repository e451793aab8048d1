//! Determines which fields a profile lacks.

use crate::cli::config::Profile;

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
    all.map(|key| key.name).chain(platform.unpaired(has)).collect()
}
