//! One client per account, however many callers ask for it.

use std::sync::Arc;

use super::account::Account;
use super::endpoints::Endpoints;
use super::{Client, Timeouts};
use crate::platform::clients::Clients;
use crate::platform::{Line, Network};

/// Hands out clients: the same account always gets the same one, so that one sign-in, one refresh and one refusal
/// serve all rows. A clone shares the clients.
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

    /// The client for `account`, reached on `line`: the one known, unless role, password, endpoints or line differ. Sends
    /// nothing.
    pub fn client(
        &self,
        account: &Account,
        endpoints: &Arc<Endpoints>,
        timeouts: Timeouts,
        line: &Line,
    ) -> Client {
        let network = self.network.on(line);
        let fits = |client: &Client| {
            let own = client.account();
            own.role == account.role
                && own.password.same_as(&account.password)
                && client.0.timeouts == timeouts
                && *client.endpoints() == **endpoints
                && client.0.session.network.http.same_line(&network.http)
        };
        self.clients.get(account.key(), fits, || {
            Client::new(network.clone(), account.clone(), Arc::clone(endpoints), timeouts)
        })
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}
