//! The events of the simulated Mobsted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::form::Fields;

/// A change: as requested, with the number 0 for a new resource, and as decided and stored in the log. Each alias is the
/// name of the request in logs before format 6.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The master account was created, together with the world.
    Master {
        name: String,
        email: String,
        password: String,
        user: String,
    },
    /// A sub-account was requested; `Tenant` or `Duplicate` follows.
    CreateTenant { email: String },
    /// A sub-account was created, with its row in App 1 of the master account.
    Tenant {
        id: u64,
        name: String,
        email: String,
        password: String,
        user: String,
        row: String,
    },
    /// A sub-account was refused because its address already has one.
    Duplicate { email: String },
    /// An app was created.
    #[serde(alias = "create_app")]
    App {
        tenant: String,
        #[serde(default)]
        id: u64,
        name: String,
        site: String,
        kind: String,
    },
    /// An app was changed.
    #[serde(alias = "change_app")]
    AppChanged {
        tenant: String,
        id: u64,
        name: Option<String>,
        site: Option<String>,
    },
    /// An app was deleted.
    #[serde(alias = "delete_app")]
    AppDeleted { tenant: String, id: u64 },
    /// A change of App 1 of the master account was requested and refused.
    AppOneAttempt,
    /// A row was created in an app's table.
    #[serde(alias = "create_object")]
    Object {
        tenant: String,
        app: u64,
        #[serde(default)]
        id: u64,
        #[serde(default)]
        row: String,
        fields: Fields,
    },
    /// Columns of a row were changed.
    #[serde(alias = "change_object")]
    ObjectChanged { tenant: String, id: u64, fields: Fields },
    /// A row was deleted.
    #[serde(alias = "delete_object")]
    ObjectDeleted { tenant: String, id: u64 },
    /// A list of an app was created.
    #[serde(alias = "create_list")]
    ListMade {
        tenant: String,
        #[serde(default)]
        id: u64,
        app: u64,
        name: String,
        structure: Value,
    },
    /// A domain was assigned to an app or to the account.
    #[serde(alias = "set_domain")]
    Domain {
        tenant: String,
        app: Option<u64>,
        domain: String,
    },
    /// An event was posted.
    #[serde(alias = "post_event")]
    Posted {
        tenant: String,
        #[serde(default)]
        id: u64,
    },
    /// A user signed in; the password has been checked.
    #[serde(alias = "sign_in")]
    SignedIn { tenant: String, uid: String },
    /// The refresh token of a sign-in was exchanged for a new pair. `strict`: it can be used once only.
    #[serde(alias = "refresh")]
    Refreshed {
        tenant: String,
        old: String,
        new: String,
        #[serde(default)]
        strict: bool,
    },
    /// The access token of a sign-in was invalidated early.
    Expired { uid: String },
    /// All access tokens were invalidated early.
    AllExpired,
    /// The row of a sub-account no longer shows a password.
    RowPasswordGone { name: String },
    /// The owner of a sub-account changed the password; the row still shows the original one.
    PasswordChanged { name: String, password: String },
}

impl Event {
    /// Returns the name of the account in which something changes, for an event that an account applies.
    pub(super) fn tenant(&self) -> Option<&str> {
        match self {
            Event::App { tenant, .. }
            | Event::AppChanged { tenant, .. }
            | Event::AppDeleted { tenant, .. }
            | Event::Object { tenant, .. }
            | Event::ObjectChanged { tenant, .. }
            | Event::ObjectDeleted { tenant, .. }
            | Event::ListMade { tenant, .. }
            | Event::Domain { tenant, .. }
            | Event::Posted { tenant, .. }
            | Event::SignedIn { tenant, .. }
            | Event::RowPasswordGone { name: tenant }
            | Event::PasswordChanged { name: tenant, .. } => Some(tenant),
            _ => None,
        }
    }
}
