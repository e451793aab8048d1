//! Services that a profile describes: where they are, who asks, what is permitted, and how fast.

use super::reach::Reach;
use crate::ops::call::Call;
use crate::ops::error::OpError;
use crate::ops::session::{self, Key, Shape};
use crate::ops::world::{Line, Profile, World};
use crate::platform::web::Client;
use crate::platform::web::account::{self, Account, Credentials};
use crate::value::Object;

/// A service as `provisor profile test` and its like know it. Scripts have no such object: they name the profile.
pub(in crate::ops) const SHAPE: Shape = Shape {
    platform: "web",
    title: "web",
    kind: "web::Account",
    texts: &[
        Key::required("url"),
        Key::optional("login"),
        Key::optional("header"),
    ],
    secrets: &[
        Key::optional("bearer"),
        Key::optional("password"),
        Key::optional("header_value"),
    ],
    hidden: &[],
    looks: &[],
};

/// The address that a call of `profile` asks for: below the profile's.
pub(super) fn below_it(profile: &Profile, given: &str) -> Result<url::Url, OpError> {
    let base = profile.texts.get("url").ok_or_else(|| profile.lacks("url"))?;
    Ok(account::below(base, given)?)
}

/// The client of a call: the profile's, with its credential and on its line, or nobody's.
pub(super) fn client(world: &World, call: &Call) -> Result<Client, OpError> {
    match call.reach.as_deref() {
        Some(Reach {
            settings,
            profile: Some(profile),
            ..
        }) => Ok(world.web.client(&account(profile)?, &settings.line)),
        Some(reach) => Ok(world.web.nobodys(&reach.settings.line)),
        None => Ok(world.web.nobodys(&Line::default())),
    }
}

impl World {
    /// The client of a service that a profile describes.
    pub(in crate::ops) fn web_of(&self, service: &Object) -> Result<Client, OpError> {
        let name = service.text("$profile");
        let profile = self.profile(session::platform_of(service), Some(name))?;
        Ok(self.web.client(&account(&profile)?, &profile.settings.line))
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
