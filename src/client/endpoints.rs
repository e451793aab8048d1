//! Paths and field names as data: what is only assumed about a platform can be corrected in a profile.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::value::nearest::nearest;

/// What a platform's endpoint table holds.
pub trait Table {
    /// Every entry: its key in a profile, its default, and what it is.
    const ENTRIES: &'static [(&'static str, &'static str, &'static str)];

    /// Why `value` cannot stand where `default` stood, in a clause.
    fn misfit(key: &str, default: &str, value: &str) -> Option<&'static str>;
}

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
    /// The defaults with a profile's corrections.
    pub fn with_overrides(overrides: &BTreeMap<String, String>) -> Result<Endpoints<T>, EndpointError> {
        let mut endpoints = Endpoints::default();
        for (key, value) in overrides {
            let key = Endpoints::<T>::check(key, value)?;
            endpoints.0.insert(key, value.trim_end_matches('/').to_owned());
        }
        Ok(endpoints)
    }

    /// The key of the table's entry that `value` may correct.
    pub fn check(key: &str, value: &str) -> Result<&'static str, EndpointError> {
        let Some((key, default, _)) = T::ENTRIES.iter().find(|(name, ..)| *name == key) else {
            return Err(EndpointError::UnknownKey {
                key: key.to_owned(),
                nearest: nearest(key, T::ENTRIES.iter().map(|(name, ..)| *name)),
            });
        };
        match T::misfit(key, default, value) {
            None => Ok(key),
            Some(why) => Err(EndpointError::BadValue {
                key,
                value: value.to_owned(),
                why,
            }),
        }
    }

    /// The entry's value; empty for a key that the table lacks.
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map(String::as_str).unwrap_or_default()
    }
}

/// Can the text be one part of a path, as it is written?
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.trim_matches('.').is_empty() && text.chars().all(is_plain)
}
