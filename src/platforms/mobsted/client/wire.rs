//! The layout of Mobsted's JSON; names are read in any case and in two vocabularies.

use serde_json::Value as Json;

pub(crate) use crate::client::fields::{Fields, field, id_in, int, mark_credentials, secret, text};
use crate::value::Value;
pub(super) use crate::value::secret::is_credential_field;

/// An app's id, from the first of the places where Mobsted's responses carry it.
pub(super) fn app_id(answer: &Json) -> Option<Value> {
    const NAMES: &[&str] = &["applicationId", "id"];
    let data = answer.get("data");
    let first = data.and_then(|data| data.get(0));
    let places = [
        (first, &NAMES[1..]),
        (first.and_then(|first| first.get("attributes")), NAMES),
        (data, &NAMES[1..]),
        (data.and_then(|data| data.get("attributes")), NAMES),
        (Some(answer), NAMES),
    ];
    places
        .iter()
        .find_map(|(place, names)| id_in(place.and_then(Json::as_object)?, names))
}

/// An item's attributes; the item itself if they are not separate.
pub(super) fn attributes(item: &Fields) -> &Fields {
    item.get("attributes").and_then(Json::as_object).unwrap_or(item)
}

#[cfg(test)]
mod tests;
