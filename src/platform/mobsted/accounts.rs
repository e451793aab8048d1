//! One client per account, however many callers ask for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::account::Account;
use super::endpoints::Endpoints;
use super::{Client, Timeouts};
use crate::clock::Clock;
use crate::platform::{Line, TokenStore};
use crate::transport::Http;

/// After so many new accounts those that nobody asked for meanwhile are let go; their tokens stay in the store.
const GENERATION: usize = 512;

/// Hands out clients: the same account always gets the same one, so that one sign-in, one refresh and one refusal
/// serve all rows. A clone shares the clients.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    http: Http,
    store: Arc<dyn TokenStore>,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    young: HashMap<String, Client>,
    old: HashMap<String, Client>,
}

impl Accounts {
    /// No clients yet; these are what they will be made of.
    pub fn new(http: Http, store: Arc<dyn TokenStore>, clock: Clock) -> Accounts {
        Accounts(Arc::new(Inner {
            http,
            store,
            clock,
            known: Mutex::default(),
        }))
    }

    /// The client for `account`, reached on `line`: the one known, unless role, password, endpoints or line differ. Sends
    /// nothing.
    pub fn client(
        &self,
        account: Account,
        endpoints: &Arc<Endpoints>,
        timeouts: Timeouts,
        line: &Line,
    ) -> Client {
        let key = account.key();
        let http = self.0.http.on(line);
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.young.get(&key).or_else(|| known.old.get(&key));
        let found = found.filter(|client| client.0.auth.http.same_line(&http));
        let client = match found.filter(|client| fits(client, &account, endpoints, timeouts)) {
            Some(client) => client.clone(),
            None => self.make(http, account, endpoints, timeouts),
        };
        if known.young.len() >= GENERATION && !known.young.contains_key(&key) {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(key, client.clone());
        client
    }

    fn make(&self, http: Http, account: Account, endpoints: &Arc<Endpoints>, timeouts: Timeouts) -> Client {
        let Inner { store, clock, .. } = &*self.0;
        let (store, endpoints) = (Arc::clone(store), Arc::clone(endpoints));
        Client::new(http, account, endpoints, timeouts, store, clock.clone())
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}

fn fits(client: &Client, account: &Account, endpoints: &Arc<Endpoints>, timeouts: Timeouts) -> bool {
    let own = client.account();
    own.role == account.role
        && own.password.same_as(&account.password)
        && client.0.timeouts == timeouts
        && *client.endpoints() == **endpoints
}
