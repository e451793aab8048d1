//! The code-defined behaviour of Sparrow's bulk API: account identity, and a check of the token.

use std::any::Any;

use super::client::Accounts;
use super::client::account::BaseUrl;
use crate::client::Network;
use crate::operation::account::Reachability;
use crate::operation::context::OpContext;
use crate::operation::error::OpError;
use crate::operation::platform::Driver;
use crate::operation::spec::Boxed;
use crate::value::secret::Secret;
use crate::value::{Object, Value};

pub(super) struct SparrowBulk;

impl Driver for SparrowBulk {
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(Accounts::new(network.clone())))
    }

    fn address(&self, text: &str) -> Result<String, String> {
        let base = BaseUrl::parse(text).map_err(|error| error.message)?;
        Ok(base.as_str().to_owned())
    }

    /// Reads the credit, as there is no sign-in: this shows whether the token is accepted.
    fn sign_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<Option<Reachability>, OpError>> {
        Box::pin(async move {
            context.sparrow_bulk(account)?.credit().await?;
            Ok(Some(Reachability {
                status: 200,
                credential: true,
            }))
        })
    }

    fn secrets(&self, context: &OpContext, session: &Object) -> Result<Vec<Secret>, OpError> {
        Ok(context.sparrow_bulk(session)?.secrets())
    }

    fn account_of(&self, session: &Object) -> Result<String, OpError> {
        Ok(BaseUrl::parse(session.text("url"))?.as_str().to_owned())
    }

    /// Accounts have no login; the token identifies them.
    fn identity_of(&self, session: &Object) -> Value {
        script_token(session).unwrap_or_else(|| "".into())
    }

    fn login_of(&self, session: &Object) -> Value {
        script_token(session).unwrap_or_else(|| session.text("$profile").into())
    }
}

/// The token given by the script.
fn script_token(session: &Object) -> Option<Value> {
    session.fields.get("$api_token").cloned()
}
