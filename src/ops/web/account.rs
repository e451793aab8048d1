//! Services that a profile describes: where they are, who asks, what is permitted, and how fast.

use crate::ops::call::Call;
use crate::ops::error::{Code, OpError};
use crate::ops::session::{self, Key, Shape};
use crate::ops::world::{Profile, Settings, World};
use crate::platform::web::Client;
use crate::platform::web::account::{self, Account, Credentials};
use crate::value::{Object, Value};

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

/// The call with its whole address: one that is a path alone is below the profile's address. The profile is the one that
/// the call names, or for a path alone the active one. Calls of other operations are left as they are.
pub(in crate::ops) fn addressed(world: &World, call: Call) -> Result<Call, OpError> {
    let given = call.text("url");
    let Some(profile) = profile(world, &call)? else {
        return Ok(call);
    };
    let base = profile.texts.get("url").ok_or_else(|| profile.lacks("url"))?;
    let url = account::below(base, &given)?;
    Ok(call.readdressed(url.as_str(), "profile", profile.name.as_str().into()))
}

/// What is permitted to a call without a session, and how it is spoken to: by the profile that it names, or by what counts
/// for addresses of no profile.
pub(in crate::ops) fn settings(world: &World, call: &Call) -> Result<Settings, OpError> {
    match profile(world, call)? {
        Some(profile) => Ok(profile.settings.clone()),
        None => world.elsewhere(),
    }
}

/// The client of a call: the profile's, with its credential and on its line, or nobody's.
pub(super) fn client(world: &World, call: &Call) -> Result<Client, OpError> {
    match profile(world, call)? {
        Some(profile) => Ok(world.web.client(&account(&profile)?, &profile.settings.line)),
        None => Ok(world.web.nobodys()),
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

/// The profile of a call; nothing when its address is whole and it names none.
fn profile(world: &World, call: &Call) -> Result<Option<std::sync::Arc<Profile>>, OpError> {
    if call.op.module != "http" {
        return Ok(None);
    }
    let profile = match call.option("profile") {
        Some(Value::Text(name)) => world.profile("web", Some(name.trim()))?,
        _ if call.text("url").trim().starts_with('/') => world.profile("web", None)?,
        _ => return Ok(None),
    };
    if profile.platform != "web" {
        let message = format!(
            "profile `{}` is a {} account, not a service of the platform web",
            profile.name, profile.platform
        );
        return Err(OpError::new(Code::BadProfile, message).hint(
            "name one: profile: \"NAME\"; add one: provisor profile add NAME --platform web; or write the whole address",
        ));
    }
    Ok(Some(profile))
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
