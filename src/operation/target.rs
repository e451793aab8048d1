//! Where a call goes that is given an address, and under which profile: found once, and handed on with the call.

use std::fmt;
use std::sync::Arc;

use super::call::Call;
use super::error::{Code, OpError};
use super::world::{Profile, Settings, World};
use crate::client::http::account::below;
use crate::value::secret::names_a_credential;
use crate::value::{Record, Value};

/// Under which profile a call goes out, and what that permits.
pub(crate) struct Target {
    /// What is permitted, and how it is spoken to.
    pub(crate) settings: Settings,
    /// The profile whose credential goes with it.
    pub(crate) profile: Option<Arc<Profile>>,
    /// The profile that the call does not name and whose address it goes to all the same, when that forbids more than
    /// the active one does.
    strict: Option<String>,
    /// A keyed digest of the credential that the call itself brings.
    credential: Option<String>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

impl Target {
    /// Whose mode it is, as a sentence names it.
    pub(super) fn whose(&self) -> String {
        match &self.strict {
            Some(name) => format!("the profile `{name}`, whose address it goes to,"),
            None => "the profile".to_owned(),
        }
    }

    /// Whose account it is: that of the profile, or of the credential.
    pub(crate) fn who(&self) -> String {
        let profile = self
            .profile
            .as_ref()
            .map(|profile| format!("profile {}", profile.name));
        let credential = self
            .credential
            .as_ref()
            .map(|digest| format!("credential {digest}"));
        match (profile, credential) {
            (None, None) => "anonymous".to_owned(),
            (profile, credential) => {
                let both: Vec<String> = profile.into_iter().chain(credential).collect();
                both.join(", ")
            }
        }
    }

    /// The profile that it goes out under, or whose address it goes to.
    pub(super) fn profile_name(&self) -> Option<String> {
        let profile = self.profile.as_ref().map(|profile| profile.name.clone());
        profile.or_else(|| self.strict.clone())
    }

    /// Who signs in, when the profile says so.
    pub(super) fn login(&self) -> Option<String> {
        let login = self.profile.as_ref()?.texts.get("login")?;
        Some(login.trim().to_lowercase())
    }

    /// Which account it is, behind the word for it; nothing when the call or the run says so.
    pub(super) fn which(&self) -> String {
        let name = self.strict.as_ref();
        name.map_or(String::new(), |name| format!(" (that of the profile `{name}`)"))
    }
}

/// The call with its whole address, and with the profile it goes out under: one that is a path alone is below the
/// profile's address. The profile is the one that the call names, or for a path alone the active one. A whole address
/// counts under the strictest of the active profile and those whose addresses it is below. `refuses` says why a whole
/// address cannot be reached at all.
pub(crate) fn resolve(
    world: &World,
    call: Call,
    refuses: impl Fn(&str) -> Option<String>,
) -> Result<Call, OpError> {
    if call.target.is_some() {
        return Ok(call);
    }
    let given = call.text("url");
    world.note_address(&given);
    let credential = credential(&call).map(|given| world.journal.sealer().digest(&given));
    let Some(profile) = profile(world, &call)? else {
        // What may not be reached is told before what is remembered of it.
        if let Some(why) = refuses(&given) {
            let message = format!("`{}` was not sent: {why}", call.op.id());
            return Err(OpError::new(Code::BadAddress, message));
        }
        let target = around(world, &given)?;
        return Ok(call.going_to(Target { credential, ..target }));
    };
    let base = profile.texts.get("url").ok_or_else(|| profile.lacks("url"))?;
    let url = below(base, &given)?;
    world.note_address(url.as_str());
    let call = call.readdressed(url.as_str(), "profile", profile.name.as_str().into());
    Ok(call.going_to(Target {
        settings: profile.settings.clone(),
        profile: Some(profile),
        strict: None,
        credential,
    }))
}

/// What the call itself brings to say who asks.
fn credential(call: &Call) -> Option<Value> {
    let mut given = Record::new();
    for name in ["bearer", "basic"] {
        if let Some(value) = call.option(name).filter(|value| **value != Value::Null) {
            given.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(Value::Record(headers)) = call.option("headers") {
        let said = headers
            .iter()
            .filter(|(name, value)| names_a_credential(name) || matches!(value, Value::Secret(_)));
        given.extend(said.map(|(name, value)| (name.to_lowercase(), value.clone())));
    }
    (!given.is_empty()).then_some(Value::Record(given))
}

/// What counts for a whole address: the active profile's mode, and the mode and the pace of those it is below.
fn around(world: &World, url: &str) -> Result<Target, OpError> {
    let mut settings = world.elsewhere()?;
    let (read_only, unconfirmed) = (settings.read_only, settings.unconfirmed);
    let mut strict = None;
    for (at, profile) in world.around(url)?.into_iter().enumerate() {
        let theirs = &profile.settings;
        if at == 0 {
            settings.line = Arc::new(theirs.line.pace_alone());
            settings.settle = settings.settle.max(theirs.settle);
            settings.look_for = settings.look_for.max(theirs.look_for);
            settings.remember = settings.remember.max(theirs.remember);
        }
        if !read_only && (theirs.read_only || (theirs.unconfirmed && !unconfirmed && strict.is_none())) {
            strict = Some(profile.name.clone());
        }
        settings.read_only |= theirs.read_only;
        settings.unconfirmed |= theirs.unconfirmed;
    }
    Ok(Target {
        settings,
        profile: None,
        strict,
        credential: None,
    })
}

/// The profile of a call; nothing when its address is whole and it names none.
fn profile(world: &World, call: &Call) -> Result<Option<Arc<Profile>>, OpError> {
    let platform = call.op.platform();
    let profile = match call.option("profile") {
        Some(Value::Text(name)) => world.profile(platform.name, Some(name.trim()))?,
        _ if call.text("url").trim().starts_with('/') => world.profile(platform.name, None)?,
        _ => return Ok(None),
    };
    if profile.platform != platform.name {
        let message = format!(
            "profile `{}` is a {} account, not a service of the platform {}",
            profile.name, profile.platform, platform.name
        );
        return Err(OpError::new(Code::BadProfile, message).hint(format!(
            "name one: profile: \"NAME\"; add one: provisor profile add NAME --platform {}; or write the whole address",
            platform.name
        )));
    }
    Ok(Some(profile))
}
