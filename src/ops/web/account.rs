//! Services that a profile describes: where they are, who asks, what is permitted, and how fast.

use crate::ops::call::Call;
use crate::ops::error::OpError;
use crate::ops::service::credentials;
use crate::ops::session;
use crate::ops::target::Target;
use crate::ops::world::{Line, Profile, World};
use crate::platform::web::account::Account;
use crate::platform::web::{Accounts, Client};
use crate::value::Object;

/// The client of a call: the profile's, with its credential and on its line, or nobody's.
pub(super) fn client(world: &World, call: &Call) -> Result<Client, OpError> {
    match call.target.as_deref() {
        Some(Target {
            settings,
            profile: Some(profile),
            ..
        }) => Ok(world
            .state::<Accounts>()?
            .client(&account(profile)?, &settings.line)),
        Some(target) => Ok(world.state::<Accounts>()?.nobodys(&target.settings.line)),
        None => Ok(world.state::<Accounts>()?.nobodys(&Line::default())),
    }
}

impl World {
    /// The client of a service that a profile describes.
    pub(super) fn web_of(&self, service: &Object) -> Result<Client, OpError> {
        let name = service.text("$profile");
        let profile = self.profile(session::platform_of(service), Some(name))?;
        Ok(self
            .state::<Accounts>()?
            .client(&account(&profile)?, &profile.settings.line))
    }
}

/// The service of a profile.
fn account(profile: &Profile) -> Result<Account, OpError> {
    let text = |key: &str| profile.texts.get(key).cloned();
    let secret = |key: &str| Ok(profile.secrets.get(key).cloned());
    Ok(Account {
        name: profile.name.clone(),
        credentials: credentials(text, secret, |key| profile.lacks(key))?,
        url: text("url").ok_or_else(|| profile.lacks("url"))?,
        reply: profile.settings.reply,
    })
}
