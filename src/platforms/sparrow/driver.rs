//! The code-defined behaviour of Sparrow SMS: sign-in and account identity.

use std::any::Any;

use super::client::Accounts;
use super::client::account::BaseUrl;
use crate::client::Network;
use crate::operation::account::{Reachability, SignedIn};
use crate::operation::context::OpContext;
use crate::operation::error::OpError;
use crate::operation::platform::Driver;
use crate::operation::spec::Boxed;
use crate::value::secret::Secret;
use crate::value::{Object, Value};

pub(super) struct Sparrow;

impl Driver for Sparrow {
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(Accounts::new(network.clone())))
    }

    fn address(&self, text: &str) -> Result<String, String> {
        let base = BaseUrl::parse(text).map_err(|error| error.message)?;
        Ok(base.as_str().to_owned())
    }

    fn sign_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<Option<Reachability>, OpError>> {
        Box::pin(async move {
            context.sparrow(account)?.sign_in().await?;
            Ok(None)
        })
    }

    fn forget_tokens<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<(), OpError>> {
        Box::pin(async move { Ok(context.sparrow(account)?.forget_tokens().await?) })
    }

    fn signed_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<SignedIn, OpError>> {
        Box::pin(async move {
            Ok(SignedIn::until(
                context.sparrow(account)?.signed_in_until().await?,
            ))
        })
    }

    fn secrets(&self, context: &OpContext, session: &Object) -> Result<Vec<Secret>, OpError> {
        Ok(context.sparrow(session)?.secrets())
    }

    fn account_of(&self, session: &Object) -> Result<String, OpError> {
        Ok(BaseUrl::parse(session.text("url"))?.as_str().to_owned())
    }

    /// Accounts have no login; the partner token identifies them.
    fn identity_of(&self, session: &Object) -> Value {
        script_token(session).unwrap_or_else(|| "".into())
    }

    fn login_of(&self, session: &Object) -> Value {
        script_token(session).unwrap_or_else(|| session.text("$profile").into())
    }
}

/// The partner token given by the script.
fn script_token(session: &Object) -> Option<Value> {
    session.fields.get("$partner_token").cloned()
}
