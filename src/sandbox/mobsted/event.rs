//! The events of the simulated Mobsted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::form::Fields;

/// The credentials of an account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Account {
    /// The number of its row in App 1 of the master account, and the row's identifier; the master account has none.
    #[serde(default)]
    pub(super) id: u64,
    #[serde(default)]
    pub(super) row: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) email: String,
    pub(in crate::sandbox) password: String,
    pub(super) user: String,
}

/// An app of a tenant. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct App {
    pub(super) tenant: String,
    #[serde(default)]
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) site: String,
    pub(super) kind: String,
    #[serde(skip)]
    pub(super) created: i64,
}

/// A row of an app's table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct Object {
    pub(super) tenant: String,
    pub(super) app: u64,
    #[serde(default)]
    pub(super) id: u64,
    #[serde(default)]
    pub(super) row: String,
    pub(super) fields: Fields,
    #[serde(skip)]
    pub(super) created: i64,
}

/// A list of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct List {
    pub(super) tenant: String,
    #[serde(default)]
    pub(super) id: u64,
    pub(super) app: u64,
    pub(super) name: String,
    pub(super) structure: Value,
}

/// A change: as requested, with the number 0 for a new resource, and as decided and stored in the log. Each alias is
/// the name of the request in logs before format 6.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// The master account was created, together with the world.
    Master(Account),
    /// A sub-account was requested; `Tenant` or `Duplicate` follows.
    CreateTenant { email: String },
    /// A sub-account was created, with its row in App 1 of the master account.
    Tenant(Account),
    /// A sub-account was refused because its address already has one.
    Duplicate { email: String },
    /// An app was created.
    #[serde(alias = "create_app")]
    App(App),
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
    Object(Object),
    /// Columns of a row were changed.
    #[serde(alias = "change_object")]
    ObjectChanged { tenant: String, id: u64, fields: Fields },
    /// A row was deleted.
    #[serde(alias = "delete_object")]
    ObjectDeleted { tenant: String, id: u64 },
    /// A list of an app was created.
    #[serde(alias = "create_list")]
    ListMade(List),
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
            Event::App(App { tenant, .. })
            | Event::AppChanged { tenant, .. }
            | Event::AppDeleted { tenant, .. }
            | Event::Object(Object { tenant, .. })
            | Event::ObjectChanged { tenant, .. }
            | Event::ObjectDeleted { tenant, .. }
            | Event::ListMade(List { tenant, .. })
            | Event::Domain { tenant, .. }
            | Event::Posted { tenant, .. }
            | Event::SignedIn { tenant, .. }
            | Event::RowPasswordGone { name: tenant }
            | Event::PasswordChanged { name: tenant, .. } => Some(tenant),
            _ => None,
        }
    }
}
