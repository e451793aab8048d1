//! One client per account, however many callers ask for it.

use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::account::Account;
use super::endpoints::Endpoints;
use crate::platform::clients::Clients;
use crate::platform::{Line, Network};

/// Hands out clients: the same account always gets the same one, so that one sign-in and one refusal serve all rows. A
/// clone shares the clients.
#[derive(Clone)]
pub struct Accounts {
    network: Network,
    clients: Arc<Clients<Client>>,
}

impl Accounts {
    /// No clients yet; they will be made over `network`.
    pub fn new(network: Network) -> Accounts {
        Accounts {
            network,
            clients: Arc::default(),
        }
    }

    /// The client for `account`, reached on `line`: the one known, unless credentials, endpoints, timeout or line differ.
    /// Sends nothing.
    pub fn client(
        &self,
        account: &Account,
        endpoints: &Arc<Endpoints>,
        reply: Duration,
        line: &Line,
    ) -> Client {
        let network = self.network.on(line);
        let fits = |client: &Client| {
            let own = client.account();
            let same_key = match (&own.app_key, &account.app_key) {
                (Some(one), Some(other)) => one.same_as(other),
                (None, None) => true,
                _ => false,
            };
            same_key
                && own.password.same_as(&account.password)
                && client.inner.reply == reply
                && *client.endpoints() == **endpoints
                && client.inner.session.network.http.same_line(&network.http)
        };
        self.clients.get(account.key(), fits, || {
            Client::new(network.clone(), account.clone(), Arc::clone(endpoints), reply)
        })
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}
