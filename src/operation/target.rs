//! The profile and permissions of a call to a given address: resolved once, and passed along with the call.

use std::fmt;
use std::sync::Arc;

use super::call::Call;
use super::context::{OpContext, Profile, Settings};
use super::error::{Code, OpError};
use crate::client::http::account::{below, written_below};
use crate::value::secret::names_a_credential;
use crate::value::{Object, Record, Value};

/// The profile that a call uses, and its permissions.
pub(crate) struct Target {
    /// The permissions and connection settings.
    pub(crate) settings: Settings,
    /// The profile whose credential is sent.
    pub(crate) profile: Option<Arc<Profile>>,
    /// A profile that the call does not name but whose address it goes to, if it is more restrictive than the active
    /// one.
    strict: Option<String>,
    /// A keyed digest of the credential in the call itself.
    credential: Option<String>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

impl Target {
    /// Returns whose mode applies, as a phrase for messages.
    pub(super) fn whose(&self) -> String {
        match &self.strict {
            Some(name) => format!("the profile `{name}`, whose address it goes to,"),
            None => "the profile".to_owned(),
        }
    }

    /// Returns whose account is used: that of the profile, or of the credential.
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

    /// Returns the profile that is used, or the one whose address the call goes to.
    pub(super) fn profile_name(&self) -> Option<String> {
        let profile = self.profile.as_ref().map(|profile| profile.name.clone());
        profile.or_else(|| self.strict.clone())
    }

    /// Returns the login, if the profile sets one.
    pub(super) fn login(&self) -> Option<String> {
        let login = self.profile.as_ref()?.texts.get("login")?;
        Some(login.trim().to_lowercase())
    }

    /// Returns which account it is, as a suffix for messages; empty if the call or the run names it.
    pub(super) fn account_suffix(&self) -> String {
        let name = self.strict.as_ref();
        name.map_or(String::new(), |name| format!(" (that of the profile `{name}`)"))
    }
}

/// Resolves the full address and the profile of a call. A bare path is relative to the profile's address. The profile
/// is the one named in the call, or for a bare path the active one. A full address is subject to the strictest of the
/// active profile and those whose address is a prefix of it. `refuses` returns why a full address cannot be reached at
/// all.
pub(crate) fn resolve(
    context: &OpContext,
    call: Call,
    refuses: impl Fn(&str) -> Option<String>,
) -> Result<Call, OpError> {
    if call.target.is_some() {
        return Ok(call);
    }
    let given = call.text("url");
    context.note_address(&given);
    let credential = credential(&call).map(|given| context.journal.sealer().digest(&given));
    let Some(profile) = profile(context, &call)? else {
        // An unreachable address is reported before any recorded result.
        if let Some(reason) = refuses(&given) {
            let message = format!("`{}` was not sent: {reason}", call.op.id());
            return Err(OpError::new(Code::BadAddress, message));
        }
        let target = covering(context, &given)?;
        return Ok(call.with_target(Target { credential, ..target }));
    };
    let base = profile
        .texts
        .get("url")
        .ok_or_else(|| profile.missing_key_error("url"))?;
    let url = below(base, &given)?;
    context.note_address(url.as_str());
    let call = call
        .with_address(url.as_str())
        .with_option("profile", profile.name.as_str().into());
    Ok(call.with_target(Target {
        settings: profile.settings.clone(),
        profile: Some(profile),
        strict: None,
        credential,
    }))
}

/// The hidden field of a session that names the credentials which the script gave as plain text.
const PLAIN: &str = "$plain";

/// Notes which credentials of a described session are plain text, so that a call on it is the same request as the call
/// with that text in its options. A journal tells a secret from a text.
pub(crate) fn note_plain_credentials(session: &mut Object, given: &Record) {
    let plain = ["bearer", "password", "header_value"].into_iter();
    let plain = plain.filter(|key| matches!(given.get(*key), Some(Value::Text(_))));
    let plain: Vec<Value> = plain.map(Value::from).collect();
    if !plain.is_empty() {
        session.fields.insert(PLAIN.to_owned(), Value::List(plain));
    }
}

/// Returns a credential of a described session in the form in which the script gave it.
#[allow(
    clippy::disallowed_methods,
    reason = "the script gave it as plain text, and the options of a call take it as such"
)]
fn given_credential(session: &Object, key: &str) -> Option<Value> {
    let value = session.fields.get(&format!("${key}"))?;
    let is_plain = match session.fields.get(PLAIN) {
        Some(Value::List(plain)) => plain.contains(&Value::from(key)),
        _ => false,
    };
    // A header that its name does not show to be a credential stays a secret.
    let is_plain = is_plain && (key != "header_value" || names_a_credential(session.text("header")));
    match value {
        Value::Secret(secret) if is_plain => Some(secret.expose().into()),
        value => Some(value.clone()),
    }
}

/// Makes a call on a session the same call without it: with the session's profile, or with its address and the credential
/// that the script gave. As with a profile, a call that signs itself keeps its own credential: `bearer`, `basic`, the
/// header `authorization`, or the session's header in any case.
pub(crate) fn bind(session: &Object, call: Call) -> Result<Call, OpError> {
    let base = session.text("url");
    if call.option("profile").is_some_and(|given| *given != Value::Null) {
        let message = format!("`profile` cannot be given here: the session is bound to {base}");
        let hint = format!(
            "leave it out, or call `{}`, which takes any profile",
            call.op.id()
        );
        return Err(OpError::new(Code::BadArgument, message).hint(hint));
    }
    let profile = session.text("$profile");
    if !profile.is_empty() {
        return Ok(call.with_option("profile", profile.into()));
    }
    let url = written_below(base, &call.text("url"))?;
    let call = call.with_address(&url);
    let headers = match call.option("headers") {
        Some(Value::Record(headers)) => headers.clone(),
        _ => Record::new(),
    };
    let has_header = |name: &str| headers.keys().any(|known| known.eq_ignore_ascii_case(name));
    let has_option = |name: &str| call.option(name).is_some_and(|given| *given != Value::Null);
    if has_option("bearer") || has_option("basic") || has_header("authorization") {
        return Ok(call);
    }
    if let Some(token) = given_credential(session, "bearer") {
        return Ok(call.with_option("bearer", token));
    }
    if let Some(password) = given_credential(session, "password") {
        let user = session.text("login").into();
        let basic = Record::from([("user".to_owned(), user), ("password".to_owned(), password)]);
        return Ok(call.with_option("basic", Value::Record(basic)));
    }
    let header = session.text("header");
    if let Some(value) = given_credential(session, "header_value").filter(|_| !has_header(header)) {
        let mut headers = headers;
        headers.insert(header.to_owned(), value);
        return Ok(call.with_option("headers", Value::Record(headers)));
    }
    Ok(call)
}

/// Returns the credentials in the call itself.
fn credential(call: &Call) -> Option<Value> {
    let mut given = Record::new();
    for name in ["bearer", "basic"] {
        if let Some(value) = call.option(name).filter(|value| **value != Value::Null) {
            given.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(Value::Record(headers)) = call.option("headers") {
        let credential_headers = headers
            .iter()
            .filter(|(name, value)| names_a_credential(name) || matches!(value, Value::Secret(_)));
        given.extend(credential_headers.map(|(name, value)| (name.to_lowercase(), value.clone())));
    }
    (!given.is_empty()).then_some(Value::Record(given))
}

/// Returns the target of a full address: the active profile's mode, and the mode and rate limit of the profiles whose
/// address is a prefix of it.
fn covering(context: &OpContext, url: &str) -> Result<Target, OpError> {
    let mut settings = context.elsewhere()?;
    let mut strict = None;
    for (at, profile) in context.covering(url)?.into_iter().enumerate() {
        let profile_settings = &profile.settings;
        if at == 0 {
            settings.connect_options = Arc::new(profile_settings.connect_options.rate_only());
            settings.settle = settings.settle.max(profile_settings.settle);
            settings.look_for = settings.look_for.max(profile_settings.look_for);
            settings.remember = settings.remember.max(profile_settings.remember);
        }
        if profile_settings.permission > settings.permission {
            settings.permission = profile_settings.permission;
            strict = Some(profile.name.clone());
        }
    }
    Ok(Target {
        settings,
        profile: None,
        strict,
        credential: None,
    })
}

/// Returns the profile of a call, or `None` for a full address without a named profile.
fn profile(context: &OpContext, call: &Call) -> Result<Option<Arc<Profile>>, OpError> {
    let platform = call.op.platform();
    let profile = match call.option("profile") {
        Some(Value::Text(name)) => context.profile(platform.name, Some(name.trim()))?,
        _ if call.text("url").trim().starts_with('/') => context.profile(platform.name, None)?,
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
