//! From a session to the client that speaks for it.

use std::sync::Arc;

use super::directory::Directories;
use crate::ops::error::{Code, OpError};
use crate::ops::session;
use crate::ops::world::World;
use crate::platform::Network;
use crate::platform::mobsted::account::{Account, Base, Role};
use crate::platform::mobsted::accounts::Accounts;
use crate::platform::mobsted::endpoints::Endpoints;
use crate::platform::mobsted::{Client, Timeouts};
use crate::value::Object;

/// What the operations of Mobsted share in a process.
pub(in crate::ops) struct Shared {
    accounts: Accounts,
    pub(super) directories: Directories,
}

impl Shared {
    pub(in crate::ops) fn new(network: &Network) -> Shared {
        Shared {
            accounts: Accounts::new(network.clone()),
            directories: Directories::default(),
        }
    }
}

impl World {
    /// The client of a session. Sends nothing.
    pub(in crate::ops) fn mobsted(&self, session: &Object) -> Result<Client, OpError> {
        let settings = self.settings(session)?;
        let endpoints = Endpoints::with_overrides(&settings.endpoints).map_err(|unknown| {
            OpError::new(Code::BadProfile, format!("the profile's endpoints: {unknown}"))
        })?;
        let password = session::required_credential(self, session, "password")?;
        let role = match session.text("$role") {
            "tenant" => Role::SubAccount,
            _ => Role::Master,
        };
        let account = Account {
            base: Base::parse(session.text("url"))?,
            login: session.text("login").to_owned(),
            password,
            role,
        };
        let usual = Timeouts::default();
        let timeouts = Timeouts {
            reply: settings.reply.unwrap_or(usual.reply),
            tenant_creation: settings.tenant_creation.unwrap_or(usual.tenant_creation),
        };
        Ok(self
            .mobsted
            .accounts
            .client(&account, &Arc::new(endpoints), timeouts, &settings.line))
    }
}
