//! One client per account, shared by all callers.

use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::account::Account;
use super::endpoints::Endpoints;
use crate::client::{ConnectOptions, clients};

/// The shared clients of all accounts.
pub(crate) type Accounts = clients::Accounts<Client>;

impl Accounts {
    /// The client for `account`, reached on `connect_options`: the cached one, unless credentials, endpoints, timeout
    /// or line differ. Sends nothing.
    pub fn client(
        &self,
        account: &Account,
        endpoints: &Arc<Endpoints>,
        reply: Duration,
        connect_options: &ConnectOptions,
    ) -> Client {
        let fits = |client: &Client, network: &_| {
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
                && client.inner.session.network.shares_pool(network)
        };
        self.shared(account.key(), connect_options, fits, |network| {
            Client::new(network, account.clone(), Arc::clone(endpoints), reply)
        })
    }
}
