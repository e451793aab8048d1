//! One client per account, shared by all callers.

use std::sync::Arc;

use super::account::Account;
use super::endpoints::Endpoints;
use super::{Client, Timeouts};
use crate::client::{ConnectOptions, clients};

/// The shared clients of all accounts.
pub(crate) type Accounts = clients::Accounts<Client>;

impl Accounts {
    /// The client for `account`, reached on `connect_options`: the cached one, unless role, password, endpoints,
    /// timeouts or line differ. Sends nothing.
    pub fn client(
        &self,
        account: &Account,
        endpoints: &Arc<Endpoints>,
        timeouts: Timeouts,
        connect_options: &ConnectOptions,
    ) -> Client {
        let fits = |client: &Client, network: &_| {
            let own = client.account();
            own.role == account.role
                && own.password.same_as(&account.password)
                && client.0.timeouts == timeouts
                && *client.endpoints() == **endpoints
                && client.0.session.network.shares_pool(network)
        };
        self.shared(account.key(), connect_options, fits, |network| {
            Client::new(network, account.clone(), Arc::clone(endpoints), timeouts)
        })
    }
}
