//! Services described by a profile: their address, credential, mode and rate limits.

use crate::client::http::account::Account;
use crate::client::http::{Accounts, Client};
use crate::operation::call::Call;
use crate::operation::context::{ConnectOptions, OpContext, Profile};
use crate::operation::error::OpError;
pub(crate) use crate::operation::service::credentials;
use crate::operation::session;
pub(crate) use crate::operation::target::Target;
use crate::value::Object;

/// The client for a call: the profile's, with its credential and on its line, or one without a credential.
pub(super) fn client(context: &OpContext, call: &Call) -> Result<Client, OpError> {
    match call.target.as_deref() {
        Some(Target {
            settings,
            profile: Some(profile),
            ..
        }) => Ok(context
            .state::<Accounts>()?
            .client(&account(profile)?, &settings.connect_options)),
        Some(target) => Ok(context
            .state::<Accounts>()?
            .unauthenticated(&target.settings.connect_options)),
        None => Ok(context
            .state::<Accounts>()?
            .unauthenticated(&ConnectOptions::default())),
    }
}

impl OpContext {
    /// The client of a service described by a profile.
    pub(super) fn web_client(&self, service: &Object) -> Result<Client, OpError> {
        let name = service.text("$profile");
        let profile = self.profile(session::platform_of(service), Some(name))?;
        Ok(self
            .state::<Accounts>()?
            .client(&account(&profile)?, &profile.settings.connect_options))
    }
}

/// The service of a profile.
fn account(profile: &Profile) -> Result<Account, OpError> {
    let text = |key: &str| profile.texts.get(key).cloned();
    let secret = |key: &str| Ok(profile.secrets.get(key).cloned());
    Ok(Account {
        name: profile.name.clone(),
        credentials: credentials(text, secret, |key| profile.missing_key_error(key))?,
        url: text("url").ok_or_else(|| profile.missing_key_error("url"))?,
        reply: profile.settings.reply,
    })
}
