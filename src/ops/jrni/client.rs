//! From a session to the client that speaks for it.

use std::sync::Arc;
use std::time::Duration;

use super::{SIGN_IN, company_number};
use crate::ops::call::Call;
use crate::ops::error::{Code, OpError};
use crate::ops::session::{self, receiver};
use crate::ops::world::World;
use crate::platform::Network;
use crate::platform::jrni::Client;
use crate::platform::jrni::account::{Account, Base};
use crate::platform::jrni::accounts::Accounts;
use crate::platform::jrni::endpoints::Endpoints;
use crate::value::Object;

/// How long to wait for an answer.
const REPLY: Duration = Duration::from_secs(30);

/// What the operations of JRNI share in a process.
pub(in crate::ops) struct Shared {
    accounts: Accounts,
}

impl Shared {
    pub(in crate::ops) fn new(network: &Network) -> Shared {
        Shared {
            accounts: Accounts::new(network.clone()),
        }
    }
}

impl World {
    /// The client of the session that a call was made on, whose changing requests pass the call's gate. Sends nothing.
    pub(in crate::ops) fn jrni(&self, call: &Call) -> Result<Client, OpError> {
        Ok(self.jrni_of(receiver(call)?)?.through(Some(&call.flight)))
    }

    /// The client of a session. Sends nothing.
    pub(in crate::ops) fn jrni_of(&self, session: &Object) -> Result<Client, OpError> {
        let settings = self.settings(session)?;
        let endpoints = Endpoints::with_overrides(&settings.endpoints).map_err(|unknown| {
            OpError::new(Code::BadProfile, format!("the profile's endpoints: {unknown}"))
        })?;
        let password = session::credential(self, session, "password")?.ok_or_else(|| {
            OpError::new(Code::BadProfile, "the session has no password")
                .hint("write `password` into its profile, or give it to connect()")
        })?;
        let company = company_number(session.text("company"))?;
        let below = session.fields.contains_key(SIGN_IN);
        let account = Account {
            base: Base::parse(session.text("url"))?,
            login: session.text("login").to_owned(),
            password,
            app_id: session.text("app_id").to_owned(),
            app_key: session::credential(self, session, "app_key")?,
            company: if below {
                company_number(session.text(SIGN_IN))?
            } else {
                company
            },
        };
        let reply = settings.reply.unwrap_or(REPLY);
        let endpoints = Arc::new(endpoints);
        let client = self
            .jrni
            .accounts
            .client(&account, &endpoints, reply, &settings.line);
        Ok(client.within(company.filter(|_| below)))
    }
}
