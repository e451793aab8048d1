//! Services that a profile describes: where they are, who asks, what is permitted, and how fast.

use crate::ops::call::Call;
use crate::ops::error::OpError;
use crate::ops::session;
use crate::ops::target::Target;
use crate::ops::world::{Line, Profile, World};
use crate::platform::web::account::{Account, Credentials};
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

/// The service of a profile. One credential counts: the bearer token, else user and password, else the header's value.
fn account(profile: &Profile) -> Result<Account, OpError> {
    let text = |key: &str| profile.texts.get(key).cloned();
    let secret = |key: &str| profile.secrets.get(key).cloned();
    let credentials = match (secret("bearer"), text("login"), text("header")) {
        (Some(token), ..) => Credentials::Bearer(token),
        (None, Some(login), _) => {
            let password = secret("password").ok_or_else(|| profile.lacks("password"))?;
            Credentials::Basic(login, password)
        }
        (None, None, Some(header)) => {
            let value = secret("header_value").ok_or_else(|| profile.lacks("header_value"))?;
            Credentials::Header(header, value)
        }
        (None, None, None) => Credentials::None,
    };
    Ok(Account {
        name: profile.name.clone(),
        url: text("url").ok_or_else(|| profile.lacks("url"))?,
        credentials,
        reply: profile.settings.reply,
    })
}
