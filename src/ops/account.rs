//! Accounts as such: signing in and out, and what a login may do. Nothing here changes anything on a platform, and nothing
//! is recorded.

use std::collections::BTreeMap;

use super::call::Call;
use super::error::{Code, OpError};
use super::session::Shape;
use super::spec::{Param, Type};
use super::world::World;
use super::{jrni, mobsted, session, sparrow, web};
use crate::platform;
use crate::platform::web::account::Knock;
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
    /// There are no tokens: each request says who asks.
    EachTime,
    /// The same, and the service was asked for its own address.
    Knocked(Knock),
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

/// Why no account of the platform can have this text under this key, in a sentence without a full stop. Sends nothing.
pub fn unfit(platform: &str, key: &str, text: &str) -> Option<String> {
    if let Some(endpoint) = key.strip_prefix("endpoints.") {
        return unfit_endpoint(platform, endpoint, text);
    }
    let problem = match (platform, key) {
        ("mobsted", "url") => platform::mobsted::account::Base::parse(text).err(),
        ("jrni", "url") => platform::jrni::account::Base::parse(text).err(),
        ("sparrow", "url") => platform::sparrow::account::Base::parse(text).err(),
        ("web", "url") => platform::web::account::base(text).err(),
        ("web", "header") => platform::web::account::header(text).err(),
        ("jrni", "company") => return jrni::company_number(text).err().map(|error| error.message),
        _ => None,
    };
    problem.map(|error| error.message)
}

fn unfit_endpoint(platform: &str, key: &str, text: &str) -> Option<String> {
    let overrides = BTreeMap::from([(key.to_owned(), text.to_owned())]);
    let problem = match platform {
        "mobsted" => platform::mobsted::endpoints::Endpoints::with_overrides(&overrides).err(),
        "jrni" => platform::jrni::endpoints::Endpoints::with_overrides(&overrides).err(),
        other => return Some(format!("the endpoints of {other} cannot be changed")),
    };
    problem.map(|error| error.to_string())
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

    /// Signs in anew, with the credentials of the profile, and keeps the tokens. A service of the web is asked for its own
    /// address.
    pub async fn sign_in(&self, account: &Object) -> Result<SignedIn, OpError> {
        self.forget_tokens(account).await?;
        match session::platform_of(account) {
            "mobsted" => self.mobsted(account)?.sign_in().await?,
            "jrni" => self.jrni_of(account)?.sign_in().await?,
            "sparrow" => self.sparrow(account)?.sign_in().await?,
            "web" => {
                let knock = self.web_of(account)?.knock().await?;
                return Ok(knock.map_or(SignedIn::EachTime, SignedIn::Knocked));
            }
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
            "web" => Ok(()),
            other => Err(strange(other)),
        }
    }

    /// Forgets the tokens of an account on this machine, and tells nobody.
    pub async fn forget_tokens(&self, account: &Object) -> Result<(), OpError> {
        match session::platform_of(account) {
            "mobsted" => Ok(self.mobsted(account)?.forget_tokens().await?),
            "jrni" => Ok(self.jrni_of(account)?.forget_tokens().await?),
            "sparrow" => Ok(self.sparrow(account)?.forget_tokens().await?),
            "web" => Ok(()),
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
            "web" => Ok(SignedIn::EachTime),
            other => Err(strange(other)),
        }
    }

    /// Asks for what shows what the account may do: the few things that its platform names for that.
    pub async fn abilities(&self, account: &Object) -> Vec<Ability> {
        let named = shape(session::platform_of(account)).map_or(&[][..], |shape| shape.looks);
        let looks = named.iter().filter_map(|name| {
            let mut all = super::ALL.iter().copied().flatten();
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

/// How accounts of a platform are described.
fn shape(platform: &str) -> Option<&'static Shape> {
    let all: [&'static Shape; 4] = [&mobsted::SHAPE, &jrni::SHAPE, &sparrow::SHAPE, &web::SHAPE];
    all.into_iter().find(|shape| shape.platform == platform)
}

fn strange(platform: &str) -> OpError {
    OpError::new(
        Code::BadProfile,
        format!("`{platform}` accounts cannot be signed in to"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::spec::Effect;

    #[test]
    fn what_an_account_is_tried_with_is_there_looks_only_and_takes_nothing() {
        for shape in ["mobsted", "jrni", "sparrow", "web"]
            .into_iter()
            .filter_map(shape)
        {
            for look in shape.looks {
                let mut all = crate::ops::ALL.iter().copied().flatten();
                let found = all.any(|op| {
                    op.name == *look
                        && op.receiver == Some(shape.kind)
                        && op.required() == 0
                        && matches!(op.effect, Effect::Observe)
                });
                assert!(found, "{}: {look}", shape.platform);
            }
        }
    }
}
