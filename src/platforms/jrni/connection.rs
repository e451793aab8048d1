//! Creates the client of a session.

use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use super::client::account::{Account, BaseUrl};
use super::client::accounts::Accounts;
use super::client::endpoints::Endpoints;
use super::{COMPANY_FIELD, SESSION, SIGN_IN, company_number, told};
use crate::client::Network;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::{self, receiver};
use crate::operation::spec::Effect;
use crate::value::Object;

/// The default response timeout.
const REPLY: Duration = Duration::from_secs(30);

/// Process-wide state shared by JRNI's operations.
pub(super) struct Shared {
    accounts: Accounts,
}

impl Shared {
    pub(super) fn new(network: &Network) -> Shared {
        Shared {
            accounts: Accounts::new(network.clone()),
        }
    }
}

impl OpContext {
    /// The client of a call's session, whose changing requests pass the call's flight. Sends nothing.
    pub(super) fn jrni(&self, call: &Call) -> Result<Client, OpError> {
        Ok(self.jrni_client(receiver(call)?)?.with_flight(Some(&call.flight)))
    }

    /// The call with the company that the platform signs its session in to. Signs in, unless that is known.
    pub(super) async fn with_company(&self, call: &Call) -> Result<Call, OpError> {
        let company = self
            .jrni_client(receiver(call)?)?
            .company_id()
            .await
            .map_err(told)?;
        Ok(with_company_id(call.clone(), company))
    }

    /// Like [`OpContext::with_company`], if the company is known on this machine. Sends nothing.
    pub(super) async fn with_known_company(&self, call: Call) -> Call {
        if !acts_on_unknown_company(&call) {
            return call;
        }
        let client = receiver(&call).and_then(|session| self.jrni_client(session));
        let known = match client {
            Ok(client) => client.known_company().await.ok().flatten(),
            Err(_) => None,
        };
        match known {
            Some(company) => with_company_id(call, company),
            None => call,
        }
    }

    /// The client of a session. Sends nothing.
    pub(super) fn jrni_client(&self, session: &Object) -> Result<Client, OpError> {
        let settings = self.settings(session)?;
        let endpoints = Endpoints::with_overrides(&settings.endpoints).map_err(|unknown| {
            OpError::new(Code::BadProfile, format!("the profile's endpoints: {unknown}"))
        })?;
        let password = session::credential(self, session, "password")?.ok_or_else(|| {
            OpError::new(Code::BadProfile, "the session has no password")
                .hint("add `password` to its profile, or pass it to connect()")
        })?;
        let company = company_number(session.text("company"))?;
        let below = session.fields.contains_key(SIGN_IN);
        let account = Account {
            base: BaseUrl::parse(session.text("url"))?,
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
        let shared: &Shared = self.state()?;
        let client = shared
            .accounts
            .client(&account, &endpoints, reply, &settings.connect_options);
        Ok(client.on_company(company.filter(|_| below)))
    }
}

/// Whether the ledger needs the company that the call's session acts on, but the session names none.
pub(super) fn acts_on_unknown_company(call: &Call) -> bool {
    let enters_or_strikes = match call.effect() {
        Effect::Ensure { .. } | Effect::Create { .. } | Effect::Act | Effect::Request => true,
        Effect::Change { ledger_removals, .. } => ledger_removals.is_some(),
        _ => false,
    };
    let session = call.receiver.as_ref().filter(|session| session.kind == SESSION);
    enters_or_strikes
        && session.is_some_and(|session| {
            ["company", COMPANY_FIELD]
                .iter()
                .all(|name| session.text(name).trim().is_empty())
        })
}

fn with_company_id(mut call: Call, company: u64) -> Call {
    if let Some(session) = &mut call.receiver {
        session
            .fields
            .insert(COMPANY_FIELD.into(), company.to_string().into());
    }
    call
}
