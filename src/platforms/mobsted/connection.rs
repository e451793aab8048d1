//! Creates the client of a session.

use std::sync::Arc;

use super::client::account::{Account, BaseUrl, Role};
use super::client::accounts::Accounts;
use super::client::endpoints::Endpoints;
use super::client::partners::Partners;
use super::client::{Client, Timeouts};
use super::directory::Directories;
use crate::client::Network;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session;
use crate::value::Object;

/// Process-wide state shared by Mobsted's operations.
pub(super) struct Shared {
    accounts: Accounts,
    pub(super) directories: Directories,
    partners: Partners,
}

impl Shared {
    pub(super) fn new(network: &Network) -> Shared {
        Shared {
            accounts: Accounts::new(network.clone()),
            directories: Directories::default(),
            partners: network.guards().get().cloned().unwrap_or_default(),
        }
    }
}

impl OpContext {
    /// Registers the Mobsted accounts of profiles around an address used by others, so that they are protected whatever
    /// client is used.
    pub(super) fn register_mobsted_accounts(&self, url: &str) {
        let Ok(Shared { partners, .. }) = self.state() else {
            return;
        };
        for base in self.mobsted_profiles(url) {
            partners.add_account(&base);
        }
    }

    /// The role of an account that `master` lists as its sub-account. A partner's own account remains a master account,
    /// whoever lists it.
    pub(super) fn role_below(&self, master: &str, own: &BaseUrl) -> Role {
        let mut partners = self.mobsted_profiles(own.as_str());
        partners.extend(BaseUrl::parse(master));
        if partners.iter().any(|partner| own.may_be(partner)) {
            Role::Master
        } else {
            Role::SubAccount
        }
    }

    /// The Mobsted accounts of the profiles around an address.
    fn mobsted_profiles(&self, url: &str) -> Vec<BaseUrl> {
        let profiles = self.covering(url).unwrap_or_default();
        let bases = profiles.iter().filter(|profile| profile.platform == "mobsted");
        bases
            .filter_map(|profile| BaseUrl::parse(profile.texts.get("url")?).ok())
            .collect()
    }

    /// The client of a session. Sends nothing.
    pub(super) fn mobsted(&self, session: &Object) -> Result<Client, OpError> {
        let shared: &Shared = self.state()?;
        let settings = self.settings(session)?;
        let endpoints = Endpoints::with_overrides(&settings.endpoints).map_err(|unknown| {
            OpError::new(Code::BadProfile, format!("the profile's endpoints: {unknown}"))
        })?;
        let password = session::required_credential(self, session, "password")?;
        let base = BaseUrl::parse(session.text("url"))?;
        let role = match session.text("$role") {
            "tenant" => self.role_below(session.text("$master"), &base),
            _ => Role::Master,
        };
        if role == Role::Master {
            shared.partners.add_account(&base);
        }
        let account = Account {
            base,
            login: session.text("login").to_owned(),
            password,
            role,
        };
        let defaults = Timeouts::default();
        let timeouts = Timeouts {
            reply: settings.reply.unwrap_or(defaults.reply),
            tenant_creation: settings.tenant_creation.unwrap_or(defaults.tenant_creation),
        };
        Ok(shared.accounts.client(
            &account,
            &Arc::new(endpoints),
            timeouts,
            &settings.connect_options,
        ))
    }
}
