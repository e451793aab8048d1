//! Paths and field names as data, so that a profile can correct what is only assumed about a platform.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::value::nearest::nearest;

/// The contents of a platform's endpoint table.
pub trait Table {
    /// Every entry: its key in a profile, its default, and its description.
    const ENTRIES: &'static [(&'static str, &'static str, &'static str)];

    /// Entries that take the value of another one unless they are set: the key, and the other's.
    const FOLLOWS: &'static [(&'static str, &'static str)] = &[];

    /// Why `value` cannot replace `default`, as a clause.
    fn invalid_reason(key: &str, default: &str, value: &str) -> Option<&'static str>;
}

/// An error in a profile's endpoint table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No such entry exists.
    #[error("there is no endpoint setting `{key}`{}", nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?")))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The most similar entry, if any is similar.
        nearest: Option<&'static str>,
    },
    /// A path must start with a slash and stay below the API; a field name must not be empty.
    #[error("the endpoint setting `{key}` cannot be `{value}`: {reason}")]
    BadValue {
        /// The entry.
        key: &'static str,
        /// The value as written.
        value: String,
        /// What the value must be.
        reason: &'static str,
    },
}

/// The endpoint table of one account, of the platform that `T` describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints<T>(BTreeMap<&'static str, String>, PhantomData<T>);

impl<T: Table> Default for Endpoints<T> {
    fn default() -> Endpoints<T> {
        let entries = T::ENTRIES
            .iter()
            .map(|(key, value, _)| (*key, (*value).to_owned()));
        Endpoints(entries.collect(), PhantomData)
    }
}

impl<T: Table> Endpoints<T> {
    /// The defaults with a profile's overrides applied.
    pub fn with_overrides(overrides: &BTreeMap<String, String>) -> Result<Endpoints<T>, EndpointError> {
        let mut endpoints = Endpoints::default();
        for (key, value) in overrides {
            let key = Endpoints::<T>::check(key, value)?;
            endpoints.0.insert(key, value.trim_end_matches('/').to_owned());
        }
        for (key, other) in T::FOLLOWS {
            if overrides.get(*key).is_none_or(String::is_empty) {
                let value = endpoints.get(other).to_owned();
                endpoints.0.insert(key, value);
            }
        }
        Ok(endpoints)
    }

    /// Returns the table's own copy of `key`, if `value` may override that entry.
    pub fn check(key: &str, value: &str) -> Result<&'static str, EndpointError> {
        let Some((key, default, _)) = T::ENTRIES.iter().find(|(name, ..)| *name == key) else {
            return Err(EndpointError::UnknownKey {
                key: key.to_owned(),
                nearest: nearest(key, T::ENTRIES.iter().map(|(name, ..)| *name)),
            });
        };
        let follows = value.is_empty() && T::FOLLOWS.iter().any(|(following, _)| following == key);
        match T::invalid_reason(key, default, value).filter(|_| !follows) {
            None => Ok(key),
            Some(reason) => Err(EndpointError::BadValue {
                key,
                value: value.to_owned(),
                reason,
            }),
        }
    }

    /// The entry's value; empty if the table has no such key.
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map(String::as_str).unwrap_or_default()
    }
}

/// Whether the text can be a path segment without encoding.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.trim_matches('.').is_empty() && text.chars().all(is_plain)
}
