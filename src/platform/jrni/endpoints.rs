//! Paths as data: what is only assumed about JRNI can be corrected in a profile.

use std::collections::BTreeMap;

use crate::value::nearest::nearest;

/// Every entry: its key in a profile, its default, and what it is. `{company}` stands for a company's number.
///
/// The sources: "vendor" is the vendor's documents, "public" is code that the vendor or others have published,
/// "assumed" has no source at all.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("login", "/login", "signs in when no company is named (vendor)"),
    (
        "login_company",
        "/login/admin/{company}",
        "signs in to a company (vendor); without `{company}` in it the number goes into the body as `id` (vendor)",
    ),
    ("logout", "/login", "signs out (vendor)"),
    (
        "create_company",
        "/admin/{company}/company",
        "makes a company below `{company}` (assumed: simulator only)",
    ),
    (
        "children",
        "/company/{company}/children",
        "lists the companies below `{company}` by page (public)",
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
    /// A path must start with a slash and stay below the API.
    #[error(
        "the endpoint setting `{key}` cannot be `{value}`: a path starts with a slash and is made of plain names between slashes, one of which may be {{company}}"
    )]
    BadValue {
        /// The entry.
        key: &'static str,
        /// What was written.
        value: String,
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
            let Some((key, ..)) = TABLE.iter().find(|(name, ..)| name == key) else {
                return Err(EndpointError::UnknownKey {
                    key: key.clone(),
                    nearest: nearest(key, TABLE.iter().map(|(name, ..)| *name)),
                });
            };
            if !is_path(value) {
                let value = value.clone();
                return Err(EndpointError::BadValue { key, value });
            }
            endpoints.0.insert(key, value.trim_end_matches('/').to_owned());
        }
        Ok(endpoints)
    }

    /// The entry's value; empty for a key that is not in [`TABLE`].
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map(String::as_str).unwrap_or_default()
    }

    /// The entry's path for a company.
    pub(super) fn of(&self, key: &str, company: u64) -> String {
        self.get(key).replace(COMPANY, &company.to_string())
    }

    /// Does the entry's path name the company?
    pub(super) fn names_company(&self, key: &str) -> bool {
        self.get(key).contains(COMPANY)
    }
}

const COMPANY: &str = "{company}";

fn is_path(value: &str) -> bool {
    let is_plain = |text: &str| {
        !text.is_empty()
            && !text.trim_matches('.').is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let path = value.strip_prefix('/').map(|path| path.trim_end_matches('/'));
    path.is_some_and(|path| path.split('/').all(|part| part == COMPANY || is_plain(part)))
}

#[cfg(test)]
mod tests;
