//! The code-defined behaviour of Mobsted: sign-in, names in the ledger, and protected resources.

use std::any::Any;
use std::sync::Arc;

use super::client::account::BaseUrl;
use super::client::endpoints::Endpoints;
use super::client::partners::Partners;
use super::connection::Shared;
use super::raw;
use crate::client::{Guard, Network};
use crate::journal::{FormerKey, LedgerEntry, LedgerItem, NaturalKey};
use crate::operation::account::{Reachability, SignedIn};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::OpError;
use crate::operation::platform::Driver;
use crate::operation::spec::Boxed;
use crate::value::Object;
use crate::value::secret::Secret;

pub(super) struct Mobsted;

impl Driver for Mobsted {
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(Shared::new(network)))
    }

    fn guard(&self) -> Option<Arc<dyn Guard>> {
        Some(Arc::new(Partners::default()))
    }

    fn address(&self, text: &str) -> Result<String, String> {
        let base = BaseUrl::parse(text).map_err(|error| error.message)?;
        Ok(base.as_str().to_owned())
    }

    fn check_endpoint(&self, name: &str, text: &str) -> Option<Result<(), String>> {
        let checked = Endpoints::check(name, text);
        Some(checked.map(drop).map_err(|error| error.to_string()))
    }

    fn sign_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<Option<Reachability>, OpError>> {
        Box::pin(async move {
            context.mobsted(account)?.sign_in().await?;
            Ok(None)
        })
    }

    fn forget_tokens<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<(), OpError>> {
        Box::pin(async move { Ok(context.mobsted(account)?.forget_tokens().await?) })
    }

    fn signed_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<SignedIn, OpError>> {
        Box::pin(async move {
            Ok(SignedIn::until(
                context.mobsted(account)?.signed_in_until().await?,
            ))
        })
    }

    fn secrets(&self, context: &OpContext, session: &Object) -> Result<Vec<Secret>, OpError> {
        Ok(context.mobsted(session)?.secrets())
    }

    fn account_of(&self, session: &Object) -> Result<String, OpError> {
        super::account_of(session)
    }

    fn former_name(&self, call: &Call, resource: Option<&NaturalKey>) -> Option<FormerKey> {
        super::former_key(call, resource)
    }

    fn current_name(&self, item: &LedgerItem) -> Option<(String, String)> {
        super::current_name(item)
    }

    fn note_address(&self, context: &OpContext, url: &str) {
        context.register_mobsted_accounts(url);
    }

    fn ledger_removals(&self, context: &OpContext, call: &Call) -> Result<Vec<LedgerEntry>, OpError> {
        Ok(raw::ledger_removals(context, call).unwrap_or_default())
    }

    fn is_gone<'a>(
        &'a self,
        context: &'a OpContext,
        session: &'a Object,
        held: &'a Object,
    ) -> Boxed<'a, Result<bool, OpError>> {
        Box::pin(context.is_gone(session, held))
    }
}
