//! Account management: sign-in, sign-out, and what a login may do. Nothing here changes a platform, and nothing is
//! recorded.

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::platform::Platform;
use super::spec::{Param, Type};
pub use crate::client::Reachability;
use crate::value::{Object, Value};

/// An ability of a login, found out by trying it.
#[derive(Debug)]
pub struct Ability {
    /// The operation that was tried: `tenants`.
    pub what: &'static str,
    /// The number of items, if they can be counted, or why the operation failed.
    pub found: Result<Option<usize>, OpError>,
}

/// The sign-in status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedIn {
    /// There are no stored tokens.
    No,
    /// The expiry of the tokens, in milliseconds since the Unix epoch; it may have passed.
    Until(i64),
    /// The token is valid while the session is used often enough.
    WhileUsed,
    /// There are no tokens: each request carries the credential.
    EachTime,
    /// Like [`SignedIn::EachTime`], and the service's own address was requested.
    Reached(Reachability),
}

impl SignedIn {
    /// The status for tokens that expire at `end`, in milliseconds since the Unix epoch; [`SignedIn::No`] without one.
    pub(crate) fn until(end: Option<i64>) -> SignedIn {
        end.map_or(SignedIn::No, SignedIn::Until)
    }
}

impl Platform {
    /// Returns the keys for a map that describes an account, in `connect(#{ … })`; empty for a platform without
    /// accounts.
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

    /// Returns the keys that an account with the keys `has` lacks, although they make those usable: a password for a
    /// login, a value for a header.
    pub fn unpaired_keys(&self, has: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let keys = self.texts().iter().chain(self.secrets());
        let lacks = keys.filter(|key| key.completes.is_some_and(&has) && !has(key.name));
        lacks.map(|key| key.name).collect()
    }

    /// Returns the keys that an account with the keys `has` lacks: the required ones, then [`Platform::unpaired_keys`].
    pub fn missing_keys(&self, has: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let keys = self.texts().iter().chain(self.secrets());
        let required = keys.filter(|key| key.required && !has(key.name));
        required
            .map(|key| key.name)
            .chain(self.unpaired_keys(&has))
            .collect()
    }

    /// Returns why this text is invalid under this key, in a sentence without a full stop. Sends nothing.
    pub fn why_invalid(&self, key: &str, text: &str) -> Option<String> {
        match key.strip_prefix("endpoints.") {
            Some(endpoint) => match self.driver.check_endpoint(endpoint, text) {
                Some(checked) => checked.err(),
                None => Some(format!("the endpoints of {} cannot be changed", self.name)),
            },
            None if key == "url" => self.driver.address(text).err(),
            None => self.driver.why_invalid(key, text),
        }
    }
}

impl OpContext {
    /// Returns the account object of a profile, as operations use it. Sends nothing.
    pub fn account(&self, platform: &str, profile: &str) -> Result<Object, OpError> {
        let platform = self
            .catalogue()
            .platform(platform)
            .ok_or_else(|| unsupported_error(platform))?;
        match platform.connect(self, &Value::from(profile))? {
            Value::Object(account) => Ok(account),
            _ => Err(unsupported_error(platform.name)),
        }
    }

    /// Signs in again with the credentials of the profile, and stores the tokens. For a service without sign-in,
    /// requests its own address.
    pub async fn sign_in(&self, account: &Object) -> Result<SignedIn, OpError> {
        self.forget_tokens(account).await?;
        match self.driver(account)?.sign_in(self, account).await? {
            Some(reached) => Ok(SignedIn::Reached(reached)),
            None => self.signed_in(account).await,
        }
    }

    /// Signs out: deletes the tokens, and revokes them on the platform where possible.
    pub async fn sign_out(&self, account: &Object) -> Result<(), OpError> {
        self.driver(account)?.sign_out(self, account).await
    }

    /// Deletes the tokens of an account on this machine. Sends nothing.
    pub async fn forget_tokens(&self, account: &Object) -> Result<(), OpError> {
        self.driver(account)?.forget_tokens(self, account).await
    }

    /// Returns the sign-in status of the account.
    pub async fn signed_in(&self, account: &Object) -> Result<SignedIn, OpError> {
        self.driver(account)?.signed_in(self, account).await
    }

    /// Tries the few operations that the platform names for finding out what an account may do.
    pub async fn capabilities(&self, account: &Object) -> Vec<Ability> {
        let platform = self.catalogue().platform_of(account);
        let schema = platform.and_then(|platform| platform.account.as_ref());
        let named = schema.map_or(&[][..], |schema| schema.test_operations);
        let test_operations = named.iter().filter_map(|name| {
            let mut all = self.catalogue().operations().iter().copied();
            all.find(|op| op.name == *name && op.receiver == Some(account.kind.as_str()))
        });
        let mut capabilities = Vec::new();
        for op in test_operations {
            let found = match Call::check(op, Some(account.clone()), Vec::new()) {
                Ok(call) => (op.run)(self, &call).await,
                Err(error) => Err(error),
            };
            capabilities.push(Ability {
                what: op.name,
                found: found.map(|value| match value {
                    Value::List(items) => Some(items.len()),
                    _ => None,
                }),
            });
        }
        capabilities
    }
}

fn unsupported_error(platform: &str) -> OpError {
    OpError::new(
        Code::BadProfile,
        format!("signing in to `{platform}` accounts is not supported"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::operation::spec::Effect;

    #[test]
    fn account_check_operations_exist_are_read_only_and_need_no_arguments() {
        let catalogue = crate::platforms::catalogue();
        for platform in catalogue.with_accounts() {
            let schema = platform.account.as_ref().unwrap();
            for look in schema.test_operations {
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
