//! Mobsted's paths and field names, so that a profile can correct what is only assumed about it.

use super::judge::{is_part, is_said_to_delete, names_an_app};
pub(crate) use crate::client::endpoints::{self, is_name};

/// The endpoint table of one account.
pub(crate) type Endpoints = endpoints::Endpoints<Paths>;

/// Mobsted's table.
///
/// The sources: "manual" is Mobsted's partner manual, "public" is code published by others, "assumed" has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths;

impl endpoints::Table for Paths {
    const ENTRIES: &'static [(&'static str, &'static str, &'static str)] = &[
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
            "lists apps (public); changes and deletes them (assumed)",
        ),
        (
            "create_application",
            "/applications",
            "creates an app (assumed); the path of `applications` unless set",
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
            "gives an app its own domain (assumed)",
        ),
    ];

    const FOLLOWS: &'static [(&'static str, &'static str)] = &[("create_application", "applications")];

    fn invalid_reason(key: &str, default: &str, value: &str) -> Option<&'static str> {
        let Some(path) = value.strip_prefix('/').filter(|_| default.starts_with('/')) else {
            return if default.starts_with('/') {
                Some("a path starts with a slash and is relative to /api/v8")
            } else {
                (value.is_empty() && !key.starts_with("app_type")).then_some("a field needs a name")
            };
        };
        let mut parts = path.trim_end_matches('/').split('/');
        let fits = |part: &str| {
            let app = !["applications", "create_application"].contains(&key) && names_an_app(part);
            is_name(part) && part.split('.').all(is_part) && !is_said_to_delete(part) && !app
        };
        if !parts.all(fits) {
            return Some(
                "a path consists of plain names separated by slashes, and does not name a single object",
            );
        }
        let first = |path: &str| {
            let part = path.split('/').find(|part| !part.is_empty())?;
            Some(part.trim_end_matches(['s', 'S']).to_ascii_lowercase())
        };
        let others = Self::ENTRIES
            .iter()
            .filter(|(other, path, _)| *other != key && path.starts_with('/'));
        let taken =
            first(path) != first(default) && { others }.any(|(_, other, _)| first(other) == first(path));
        taken.then_some("another setting has the same path")
    }
}

#[cfg(test)]
mod tests;
