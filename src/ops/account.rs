//! Accounts as such: signing in and out, and what a login may do. Nothing here changes anything on a platform, and nothing
//! is recorded.

use super::call::Call;
use super::error::{Code, OpError};
use super::session::Shape;
use super::spec::{Effect, Param, Type};
use super::world::World;
use super::{jrni, mobsted, session, sparrow};
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
    /// The token works for as long as it is used often enough.
    WhileUsed,
}

/// The account that an object of a script acts as, as the ledger names it; `None` when it has no address.
pub fn acts_as(object: &Object) -> Option<String> {
    let account = session::account_of(object).ok()?;
    (!account.is_empty()).then_some(account)
}

/// What a map can describe an account of the platform by, in `connect(#{ … })`; nothing for another module.
pub fn keys(platform: &str) -> Vec<Param> {
    let Some(shape) = shape(platform) else {
        return Vec::new();
    };
    let texts = shape.texts.iter().map(|key| (key, Type::Text));
    let secrets = shape.secrets.iter().map(|key| (key, Type::SecretText));
    let all = texts.chain(secrets);
    all.map(|(key, ty)| Param {
        name: key.name,
        ty,
        required: key.required,
        doc: if key.required { "" } else { "may be left out" },
    })
    .collect()
}

fn shape(platform: &str) -> Option<&'static Shape> {
    match platform {
        "mobsted" => Some(&mobsted::SHAPE),
        "jrni" => Some(&jrni::SHAPE),
        "sparrow" => Some(&sparrow::SHAPE),
        _ => None,
    }
}

impl World {
    /// The account of a profile, as operations know it. Sends nothing.
    pub fn account(&self, platform: &str, profile: &str) -> Result<Object, OpError> {
        let shape = shape(platform).ok_or_else(|| strange(platform))?;
        match session::connect(self, shape, &Value::from(profile))? {
            Value::Object(account) => Ok(account),
            _ => Err(strange(platform)),
        }
    }

    /// Signs in anew, with the credentials of the profile, and keeps the tokens.
    pub async fn sign_in(&self, account: &Object) -> Result<SignedIn, OpError> {
        self.forget_tokens(account).await?;
        match session::platform_of(account) {
            "mobsted" => self.mobsted(account)?.sign_in().await?,
            "jrni" => self.jrni_of(account)?.sign_in().await?,
            "sparrow" => self.sparrow(account)?.sign_in().await?,
            other => return Err(strange(other)),
        }
        self.signed_in(account).await
    }

    /// Signs out: forgets the tokens, and has the platform forget them where it can.
    pub async fn sign_out(&self, account: &Object) -> Result<(), OpError> {
        match session::platform_of(account) {
            "mobsted" => Ok(self.mobsted(account)?.forget_tokens().await?),
            "jrni" => Ok(self.jrni_of(account)?.log_out().await.map(drop)?),
            "sparrow" => Ok(self.sparrow(account)?.forget_tokens().await?),
            other => Err(strange(other)),
        }
    }

    /// Forgets the tokens of an account on this machine, and tells nobody.
    pub async fn forget_tokens(&self, account: &Object) -> Result<(), OpError> {
        match session::platform_of(account) {
            "mobsted" => Ok(self.mobsted(account)?.forget_tokens().await?),
            "jrni" => Ok(self.jrni_of(account)?.forget_tokens().await?),
            "sparrow" => Ok(self.sparrow(account)?.forget_tokens().await?),
            other => Err(strange(other)),
        }
    }

    /// Are tokens of the account kept?
    pub async fn signed_in(&self, account: &Object) -> Result<SignedIn, OpError> {
        let until = |until: Option<i64>| until.map_or(SignedIn::No, SignedIn::Until);
        match session::platform_of(account) {
            "mobsted" => Ok(until(self.mobsted(account)?.signed_in_until().await?)),
            "sparrow" => Ok(until(self.sparrow(account)?.signed_in_until().await?)),
            "jrni" if self.jrni_of(account)?.is_signed_in().await? => Ok(SignedIn::WhileUsed),
            "jrni" => Ok(SignedIn::No),
            other => Err(strange(other)),
        }
    }

    /// Asks for what an account of its sort can see: every operation that only looks and needs no argument.
    pub async fn abilities(&self, account: &Object) -> Vec<Ability> {
        // Signing out changes nothing that is kept on the platform, but it looks at nothing either.
        let looks = super::ALL.iter().copied().flatten().filter(|op| {
            matches!(op.effect, Effect::Observe)
                && op.name != "logout"
                && op.required() == 0
                && op.receiver == Some(account.kind.as_str())
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
