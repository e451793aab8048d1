//! Paths and field names as data: what is only assumed about Mobsted can be corrected in a profile.

use std::collections::BTreeMap;

use crate::value::nearest::nearest;

/// Every entry: its key in a profile, its default, and what it is.
///
/// The sources: "manual" is Mobsted's partner manual, "public" is code that others have published, "assumed" has no
/// source at all.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("auth", "/auth", "signs in (manual)"),
    ("refresh", "/refresh", "renews tokens (public)"),
    ("partners", "/partners", "creates a sub-account (manual)"),
    (
        "partner_email_field",
        "email",
        "the new sub-account's e-mail address (manual)",
    ),
    ("objects", "/object", "lists an app's objects (public)"),
    (
        "objects_app_field",
        "applicationId",
        "the query field that names the app (public)",
    ),
    (
        "applications",
        "/applications",
        "lists apps (public); creates, changes and deletes them (assumed)",
    ),
    (
        "app_name_field",
        "Name",
        "an app's name (public for reading, assumed for writing)",
    ),
    (
        "app_site_field",
        "appWebSiteUrl",
        "the site a wrapper app shows (public name, assumed for writing)",
    ),
    (
        "app_type_field",
        "type",
        "the kind of app to create (assumed); empty leaves it out",
    ),
    ("app_type", "pwaless", "the wrapper kind's name (assumed)"),
    ("screens", "/screen", "lists an app's screens (public)"),
    ("lists", "/lists", "lists an app's lists (public)"),
    ("events", "/events", "posts an event (public)"),
    ("hashtags", "/hashtags", "reads tags (public)"),
    (
        "domains",
        "/nginx/config",
        "gives an app a domain of its own (assumed)",
    ),
];

/// A profile's endpoint table that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// There is no such entry.
    #[error("there is no endpoint setting `{key}`{}", nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?")))]
    UnknownKey {
        /// What was written.
        key: String,
        /// The most similar entry, if any is similar.
        nearest: Option<&'static str>,
    },
    /// A path must start with a slash and stay below the API; a field name must not be empty.
    #[error("the endpoint setting `{key}` cannot be `{value}`: {why}")]
    BadValue {
        /// The entry.
        key: &'static str,
        /// What was written.
        value: String,
        /// What it must be.
        why: &'static str,
    },
}

/// The endpoint table of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<&'static str, String>);

impl Default for Endpoints {
    fn default() -> Endpoints {
        let entries = TABLE.iter().map(|(key, value, _)| (*key, (*value).to_owned()));
        Endpoints(entries.collect())
    }
}

impl Endpoints {
    /// The defaults with a profile's corrections.
    pub fn with_overrides(overrides: &BTreeMap<String, String>) -> Result<Endpoints, EndpointError> {
        let mut endpoints = Endpoints::default();
        for (key, value) in overrides {
            let Some((key, default, _)) = TABLE.iter().find(|(name, _, _)| name == key) else {
                return Err(EndpointError::UnknownKey {
                    key: key.clone(),
                    nearest: nearest(key, TABLE.iter().map(|(name, _, _)| *name)),
                });
            };
            if let Some(why) = misfit(key, default, value) {
                return Err(EndpointError::BadValue {
                    key,
                    value: value.clone(),
                    why,
                });
            }
            endpoints.0.insert(key, value.trim_end_matches('/').to_owned());
        }
        Ok(endpoints)
    }

    /// The entry's value; empty for a key that is not in [`TABLE`].
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map(String::as_str).unwrap_or_default()
    }
}

/// Why a value cannot stand where `default` stood.
fn misfit(key: &str, default: &str, value: &str) -> Option<&'static str> {
    let is_plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if let Some(path) = value.strip_prefix('/').filter(|_| default.starts_with('/')) {
        let mut segments = path.trim_end_matches('/').split('/');
        let is_name =
            |segment: &str| !segment.is_empty() && is_plain(segment) && !segment.trim_matches('.').is_empty();
        (!segments.all(is_name)).then_some("a path is made of plain names between slashes")
    } else if default.starts_with('/') {
        Some("a path starts with a slash and goes on below /api/v8")
    } else if value.is_empty() && !key.starts_with("app_type") {
        Some("a field needs a name")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
