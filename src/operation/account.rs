//! Accounts as such: signing in and out, and what a login may do. Nothing here changes anything on a platform, and nothing
//! is recorded.

use super::call::Call;
use super::error::{Code, OpError};
use super::platform::Platform;
use super::spec::{Param, Type};
use super::world::World;
pub use crate::client::Reachability;
use crate::value::{Object, Value};

/// What a login may do, as it was found out by asking for it.
#[derive(Debug)]
pub struct Ability {
    /// The operation that was asked: `tenants`.
    pub what: &'static str,
    /// How much of it there is, when that can be counted, or why it cannot be had.
    pub found: Result<Option<usize>, OpError>,
}

/// Is somebody signed in?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedIn {
    /// No tokens are kept.
    No,
    /// The tokens end then, in milliseconds since the Unix epoch; it may be over.
    Until(i64),
    /// The token works while the session is in use often enough.
    WhileUsed,
    /// There are no tokens: each request says who asks.
    EachTime,
    /// The same, and the service was asked for its own address.
    Reached(Reachability),
}

impl SignedIn {
    /// Until the end of the tokens, in milliseconds since the Unix epoch; nobody is without one.
    pub(crate) fn until(end: Option<i64>) -> SignedIn {
        end.map_or(SignedIn::No, SignedIn::Until)
    }
}

impl Platform {
    /// The keys that a map can describe an account by, in `connect(#{ … })`; none for a platform without accounts.
    pub fn connect_keys(&self) -> Vec<Param> {
        let texts = self.texts().iter().map(|key| (key, Type::Text));
        let secrets = self.secrets().iter().map(|key| (key, Type::SecretText));
        let all = texts.chain(secrets);
        all.map(|(key, ty)| Param {
            name: key.name,
            ty,
            required: key.required,
            doc: if key.required { "" } else { "may be left out" },
        })
        .collect()
    }

    /// Why no account can have this text under this key, in a sentence without a full stop. Sends nothing.
    pub fn refuses(&self, key: &str, text: &str) -> Option<String> {
        match key.strip_prefix("endpoints.") {
            Some(endpoint) => match self.driver.check_endpoint(endpoint, text) {
                Some(checked) => checked.err(),
                None => Some(format!("the endpoints of {} cannot be changed", self.name)),
            },
            None if key == "url" => self.driver.address(text).err(),
            None => self.driver.refuses(key, text),
        }
    }
}

impl World {
    /// The account of a profile, as operations know it. Sends nothing.
    pub fn account(&self, platform: &str, profile: &str) -> Result<Object, OpError> {
        let platform = self
            .catalogue()
            .platform(platform)
            .ok_or_else(|| strange(platform))?;
        match platform.connect(self, &Value::from(profile))? {
            Value::Object(account) => Ok(account),
            _ => Err(strange(platform.name)),
        }
    }

    /// Signs in anew, with the credentials of the profile, and keeps the tokens. A service without a sign-in is asked for
    /// its own address.
    pub async fn sign_in(&self, account: &Object) -> Result<SignedIn, OpError> {
        self.forget_tokens(account).await?;
        match self.driver(account)?.sign_in(self, account).await? {
            Some(reached) => Ok(SignedIn::Reached(reached)),
            None => self.signed_in(account).await,
        }
    }

    /// Signs out: forgets the tokens, and has the platform forget them where it can.
    pub async fn sign_out(&self, account: &Object) -> Result<(), OpError> {
        self.driver(account)?.sign_out(self, account).await
    }

    /// Forgets the tokens of an account on this machine. Sends nothing.
    pub async fn forget_tokens(&self, account: &Object) -> Result<(), OpError> {
        self.driver(account)?.forget_tokens(self, account).await
    }

    /// Are tokens of the account kept?
    pub async fn signed_in(&self, account: &Object) -> Result<SignedIn, OpError> {
        self.driver(account)?.signed_in(self, account).await
    }

    /// Asks for what shows what the account may do: the few things that its platform names for that.
    pub async fn abilities(&self, account: &Object) -> Vec<Ability> {
        let platform = self.catalogue().platform_of(account);
        let schema = platform.and_then(|platform| platform.account.as_ref());
        let named = schema.map_or(&[][..], |schema| schema.looks);
        let looks = named.iter().filter_map(|name| {
            let mut all = self.catalogue().operations().iter().copied();
            all.find(|op| op.name == *name && op.receiver == Some(account.kind.as_str()))
        });
        let mut abilities = Vec::new();
        for op in looks {
            let found = match Call::check(op, Some(account.clone()), Vec::new()) {
                Ok(call) => (op.run)(self, &call).await,
                Err(error) => Err(error),
            };
            abilities.push(Ability {
                what: op.name,
                found: found.map(|value| match value {
                    Value::List(items) => Some(items.len()),
                    _ => None,
                }),
            });
        }
        abilities
    }
}

fn strange(platform: &str) -> OpError {
    OpError::new(
        Code::BadProfile,
        format!("`{platform}` accounts cannot be signed in to"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::operation::spec::Effect;

    #[test]
    fn what_an_account_is_tried_with_is_there_looks_only_and_takes_nothing() {
        let catalogue = crate::platforms::catalogue();
        for platform in catalogue.with_accounts() {
            let schema = platform.account.as_ref().unwrap();
            for look in schema.looks {
                let found = catalogue.operations().iter().any(|op| {
                    op.name == *look
                        && op.receiver == Some(schema.kind)
                        && op.required() == 0
                        && matches!(op.effect, Effect::Observe)
                });
                assert!(found, "{}: {look}", platform.name);
            }
        }
    }
}
